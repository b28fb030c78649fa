// The board's picture: "picture" of a board file, docs/board-view.md. Millimetres, origin at the board's
// upper left corner as seen from the front, for both sides. What an item looks like is the view's business.

import { dict, field, fieldOr, list, number, oneOf, text } from "./check";

export const itemKinds = [
    "screen",
    "glass",
    "module",
    "chip",
    "connector",
    "usb",
    "sd",
    "reset",
    "button",
    "light",
    "neopixel",
    "led",
    "speaker",
    "text",
] as const;
export type ItemKind = (typeof itemKinds)[number];
export type Side = "front" | "back";

export interface Item {
    readonly kind: ItemKind;
    readonly x: number; // left edge, top of screen and glass; the middle of all others
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly side: Side;
    readonly chip: string; // id of the part it stands for, "" = none
    readonly label: string;
    readonly color: string; // "#rrggbb" or ""
}

export interface Hole {
    readonly x: number;
    readonly y: number;
    readonly diameter: number;
}

export interface Picture {
    readonly width: number;
    readonly height: number;
    readonly outline: string; // an SVG path
    readonly color: string;
    readonly holes: readonly Hole[];
    readonly items: readonly Item[];
}

const usualSize: Readonly<Record<ItemKind, readonly [number, number]>> = {
    screen: [1, 1],
    glass: [1, 1],
    module: [18, 25.5],
    chip: [5, 4],
    connector: [7.5, 10],
    usb: [6, 8],
    sd: [15, 14],
    reset: [6, 3.5],
    button: [5, 5],
    light: [2, 2.6],
    neopixel: [5, 5],
    led: [1.6, 0.9],
    speaker: [7.5, 7.5],
    text: [1, 3],
};

// Colours become style: only plain ones pass.
function color(v: unknown, at: string): string {
    const s = text(v, at);
    return /^#[0-9a-f]{6}$/i.test(s) ? s : "";
}

// Path data only: commands, numbers, blanks.
function path(v: unknown, at: string): string {
    const s = text(v, at);
    return /^[MmLlHhVvAaCcSsQqTtZz0-9eE.,\s+-]*$/.test(s) ? s : "";
}

function readItem(v: unknown, at: string): Item {
    const d = dict(v, at);
    const kind = field(d, "kind", at, oneOf(...itemKinds));
    const [w, h] = usualSize[kind];
    return {
        kind,
        x: field(d, "x", at, number),
        y: field(d, "y", at, number),
        width: fieldOr(d, "width", at, number, w),
        height: fieldOr(d, "height", at, number, h),
        side: fieldOr(d, "side", at, oneOf("front", "back"), "front"),
        chip: fieldOr(d, "chip", at, text, ""),
        label: fieldOr(d, "label", at, text, ""),
        color: fieldOr(d, "color", at, color, ""),
    };
}

function readHole(v: unknown, at: string): Hole {
    const d = dict(v, at);
    return {
        x: field(d, "x", at, number),
        y: field(d, "y", at, number),
        diameter: fieldOr(d, "diameter", at, number, 3),
    };
}

function roundedOutline(w: number, h: number, r: number): string {
    const corner = `${r} ${r} 0 0 1`;
    return `M${r} 0H${w - r}A${corner} ${w} ${r}V${h - r}A${corner} ${w - r} ${h}H${r}A${corner} 0 ${h - r}V${r}A${corner} ${r} 0Z`;
}

export function readPicture(v: unknown, at: string): Picture {
    const d = dict(v, at);
    const width = field(d, "width", at, number);
    const height = field(d, "height", at, number);
    return {
        width,
        height,
        outline: fieldOr(d, "outline", at, path, "") || roundedOutline(width, height, 3),
        color: fieldOr(d, "color", at, color, "") || "#1b1b1f",
        holes: fieldOr(d, "holes", at, list(readHole), []),
        items: fieldOr(d, "items", at, list(readItem), []),
    };
}

// For a board whose file has no picture: a plain board around its display.
export function plainPicture(name: string, pixelsWide: number, pixelsHigh: number): Picture {
    const w = 64;
    const h = (w * pixelsHigh) / pixelsWide;
    const width = w + 24;
    const height = h + 28;
    const item = (kind: ItemKind, x: number, y: number, rest: Partial<Item>): Item => ({
        kind,
        x,
        y,
        width: usualSize[kind][0],
        height: usualSize[kind][1],
        side: "front",
        chip: "",
        label: "",
        color: "",
        ...rest,
    });
    return {
        width,
        height,
        outline: roundedOutline(width, height, 4),
        color: "#1b1b1f",
        holes: [4, width - 4].flatMap((x) => [4, height - 4].map((y) => ({ x, y, diameter: 3 }))),
        items: [
            item("screen", 12, 9, { width: w, height: h }),
            item("text", width / 2, height - 6, { label: name }),
            item("reset", width - 17, height - 7, { label: "RESET" }),
        ],
    };
}

// How an item sees itself on the side that is looked at: the back is mirrored left to right.
export function seenFrom(item: Item, picture: Picture, side: Side): Item {
    if (side === "front") return item;
    const cornered = item.kind === "screen" || item.kind === "glass";
    return { ...item, x: picture.width - item.x - (cornered ? item.width : 0) };
}
