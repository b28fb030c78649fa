// The board's picture: "picture" of a board file. Millimetres, origin at the board's upper left corner,
// the board seen from its front. What a shape looks like is the view's business (view/shapes.tsx).

import { dict, field, fieldOr, list, number, oneOf, text } from "./check";

export const shapeKinds = [
    "screen",
    "hole",
    "pad",
    "can",
    "chip",
    "connector",
    "usb",
    "card",
    "button",
    "sensor",
    "neopixel",
    "led",
    "speaker",
    "text",
] as const;
export type ShapeKind = (typeof shapeKinds)[number];

export interface Shape {
    readonly kind: ShapeKind;
    readonly x: number; // left edge; centre for hole, pad, sensor, neopixel, led, button, text
    readonly y: number;
    readonly w: number;
    readonly h: number;
    readonly turn: number; // degrees, about its middle
    readonly part: string; // id of the part it stands for, "" = none
    readonly pin: string; // led: the pin that lights it
    readonly action: string; // button: "reset"
    readonly label: string;
    readonly color: string;
    readonly pins: number; // connector
}

export interface Picture {
    readonly width: number;
    readonly height: number;
    readonly corner: number;
    readonly shapes: readonly Shape[];
}

function readShape(v: unknown, at: string): Shape {
    const d = dict(v, at);
    const color = fieldOr(d, "color", at, text, "");
    return {
        kind: field(d, "kind", at, oneOf(...shapeKinds)),
        x: field(d, "x", at, number),
        y: field(d, "y", at, number),
        w: fieldOr(d, "w", at, number, 0),
        h: fieldOr(d, "h", at, number, 0),
        turn: fieldOr(d, "turn", at, number, 0),
        part: fieldOr(d, "part", at, text, ""),
        pin: fieldOr(d, "pin", at, text, ""),
        action: fieldOr(d, "action", at, text, ""),
        label: fieldOr(d, "label", at, text, ""),
        color: /^#[0-9a-f]{6}$/i.test(color) ? color : "",
        pins: fieldOr(d, "pins", at, number, 0),
    };
}

export function readPicture(v: unknown, at: string): Picture {
    const d = dict(v, at);
    return {
        width: field(d, "width", at, number),
        height: field(d, "height", at, number),
        corner: fieldOr(d, "corner", at, number, 3),
        shapes: field(d, "shapes", at, list(readShape)),
    };
}

// For a board whose file has no picture: a plain board around its display.
export function plainPicture(name: string, width: number, height: number): Picture {
    const shape = (kind: ShapeKind, x: number, y: number, rest: Partial<Shape>): Shape => ({
        kind,
        x,
        y,
        w: 0,
        h: 0,
        turn: 0,
        part: "",
        pin: "",
        action: "",
        label: "",
        color: "",
        pins: 0,
        ...rest,
    });
    const w = 64;
    const h = (64 * height) / width;
    const board = { width: w + 24, height: h + 30 };
    const holes = [
        [4, 4],
        [board.width - 4, 4],
        [4, board.height - 4],
        [board.width - 4, board.height - 4],
    ] as const;
    return {
        ...board,
        corner: 4,
        shapes: [
            ...holes.map(([x, y]) => shape("hole", x, y, { w: 3 })),
            shape("screen", 12, 10, { w, h, part: "display" }),
            shape("text", board.width / 2, board.height - 8, { h: 3, label: name }),
            shape("button", board.width - 16, board.height - 8, { w: 5, h: 5, action: "reset", label: "RESET" }),
        ],
    };
}
