// What travels between the page and the program: docs/board-view.md, as types and validators.
// The page trusts nothing it receives: everything goes through parseText or parseBinary.

import { CheckError, bool, dict, field, fieldOr, list, map, number, oneOf, text, unknown } from "./check";
import type { Dict } from "./check";
import { readPicture } from "./picture";
import type { Picture } from "./picture";

export const PROTOCOL = 1;

// ---- from the program: text ----

export type KnobKind = "number" | "bool" | "touch" | "press" | "text";

export interface Knob {
    readonly name: string;
    readonly kind: KnobKind;
    readonly label: string;
    readonly unit: string;
    readonly min: number;
    readonly max: number;
    readonly step: number;
    readonly value: unknown;
}

export interface Part {
    readonly id: string;
    readonly type: string;
    readonly title: string;
    readonly knobs: readonly Knob[];
}

export interface Board {
    readonly id: string;
    readonly name: string;
    readonly chip: string;
    readonly picture: Picture | undefined;
    readonly parts: readonly Part[];
    readonly display: { readonly chip: string; readonly width: number; readonly height: number } | undefined;
}

export interface PartState {
    readonly state: Dict;
    readonly counters: ReadonlyMap<string, number>;
    readonly fault: string;
}

export interface BoardEvent {
    readonly n: number;
    readonly t: number;
    readonly from: string;
    readonly text: string;
}

export interface Bus {
    readonly name: string;
    readonly counters: ReadonlyMap<string, number>;
}

export interface PinState {
    readonly mode: string;
    readonly level: boolean;
}

export interface BoardState {
    readonly revision: number;
    readonly time: number;
    readonly charge: number; // microcoulombs since power-on
    readonly parts: ReadonlyMap<string, PartState>;
    readonly events: readonly BoardEvent[];
    readonly buses: readonly Bus[];
    readonly pins: ReadonlyMap<string, PinState>;
}

export type ProgramState = "boot" | "running" | "repl" | "waiting" | "stopped";

export type TextMessage =
    | { readonly kind: "hello"; readonly board: Board }
    | { readonly kind: "state"; readonly state: BoardState }
    | { readonly kind: "program"; readonly state: ProgramState; readonly name: string }
    | { readonly kind: "error"; readonly message: string };

function readKnob(v: unknown, at: string): Knob {
    const d = dict(v, at);
    const name = field(d, "name", at, text);
    return {
        name,
        kind: field(d, "kind", at, oneOf("number", "bool", "touch", "press", "text")),
        label: fieldOr(d, "label", at, text, name),
        unit: fieldOr(d, "unit", at, text, ""),
        min: fieldOr(d, "min", at, number, 0),
        max: fieldOr(d, "max", at, number, 100),
        step: fieldOr(d, "step", at, number, 1),
        value: fieldOr(d, "value", at, unknown, undefined),
    };
}

function readPart(v: unknown, at: string): Part {
    const d = dict(v, at);
    const id = field(d, "id", at, text);
    return {
        id,
        type: fieldOr(d, "type", at, text, ""),
        title: fieldOr(d, "title", at, text, id),
        knobs: fieldOr(d, "knobs", at, list(readKnob), []),
    };
}

// A board file without a picture: an empty object.
function readPictureOrNone(v: unknown, at: string): Picture | undefined {
    return Object.keys(dict(v, at)).length === 0 ? undefined : readPicture(v, at);
}

function readBoard(v: unknown, at: string): Board {
    const d = dict(v, at);
    const display = fieldOr(d, "display", at, dict, undefined);
    return {
        id: field(d, "id", at, text),
        name: field(d, "name", at, text),
        chip: fieldOr(d, "chip", at, text, ""),
        picture: fieldOr(d, "picture", at, readPictureOrNone, undefined),
        parts: fieldOr(d, "parts", at, list(readPart), []),
        display:
            display === undefined
                ? undefined
                : {
                      chip: fieldOr(display, "chip", `${at}.display`, text, "display"),
                      width: field(display, "width", `${at}.display`, number),
                      height: field(display, "height", `${at}.display`, number),
                  },
    };
}

function readPartState(v: unknown, at: string): PartState {
    const d = dict(v, at);
    return {
        state: fieldOr(d, "state", at, dict, {}),
        counters: fieldOr(d, "counters", at, map(number), new Map<string, number>()),
        fault: fieldOr(d, "fault", at, text, "none"),
    };
}

function readEvent(v: unknown, at: string): BoardEvent {
    const d = dict(v, at);
    return {
        n: field(d, "n", at, number),
        t: field(d, "t", at, number),
        from: field(d, "from", at, text),
        text: field(d, "text", at, text),
    };
}

// A bus goes by its kind and its first pin; its numbers are counters, but for its clock.
function readBus(v: unknown, at: string): Bus {
    const d = dict(v, at);
    const numbers = Object.entries(d).filter((e): e is [string, number] => typeof e[1] === "number" && e[0] !== "hz");
    const name = `${fieldOr(d, "kind", at, text, "bus")} ${fieldOr(d, "pin", at, text, "")}`.trim();
    return { name, counters: new Map(numbers) };
}

function readPin(v: unknown, at: string): PinState {
    const d = dict(v, at);
    const level = d["level"];
    return {
        mode: fieldOr(d, "mode", at, text, ""),
        level: typeof level === "number" ? level !== 0 : fieldOr(d, "level", at, bool, false),
    };
}

function readState(v: unknown, at: string): BoardState {
    const d = dict(v, at);
    return {
        revision: field(d, "revision", at, number),
        time: fieldOr(d, "time", at, number, 0),
        charge: fieldOr(d, "charge_uc", at, number, 0),
        parts: fieldOr(d, "parts", at, map(readPartState), new Map<string, PartState>()),
        events: fieldOr(d, "events", at, list(readEvent), []),
        buses: fieldOr(d, "buses", at, list(readBus), []),
        pins: fieldOr(d, "pins", at, map(readPin), new Map<string, PinState>()),
    };
}

// Throws CheckError (or SyntaxError for what is no JSON).
export function parseText(message: string): TextMessage {
    const d = dict(JSON.parse(message), "message");
    const kind = field(d, "kind", "message", oneOf("hello", "state", "program", "error"));
    switch (kind) {
        case "hello": {
            const protocol = field(d, "protocol", "hello", number);
            if (protocol !== PROTOCOL) throw new CheckError("hello.protocol", String(PROTOCOL), protocol);
            return { kind, board: field(d, "board", "hello", readBoard) };
        }
        case "state":
            return { kind, state: field(d, "state", "message", readState) };
        case "program":
            return {
                kind,
                state: field(d, "state", "program", oneOf("boot", "running", "repl", "waiting", "stopped")),
                name: fieldOr(d, "name", "program", text, ""),
            };
        case "error":
            return { kind, message: field(d, "message", "error", text) };
    }
}

// ---- from the program: binary ----

export interface Rect {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
    readonly rgba: Uint8ClampedArray<ArrayBuffer>; // a view into the message
}

export type BinaryMessage =
    | {
          readonly kind: "screen";
          readonly revision: number;
          readonly width: number;
          readonly height: number;
          readonly rects: readonly Rect[];
      }
    | { readonly kind: "console"; readonly position: number; readonly bytes: Uint8Array };

const HEADER = 12;
const RECT = 8;
const SIDE_MAX = 4096;

function parseScreen(buffer: ArrayBuffer, view: DataView): BinaryMessage {
    const count = view.getUint16(2, true);
    const revision = view.getUint32(4, true);
    const width = view.getUint16(8, true);
    const height = view.getUint16(10, true);
    if (width < 1 || height < 1 || width > SIDE_MAX || height > SIDE_MAX) {
        throw new CheckError("screen", `a size of 1..${SIDE_MAX}`, `${width} x ${height}`);
    }
    const rects: Rect[] = [];
    let at = HEADER;
    for (let i = 0; i < count; i++) {
        if (buffer.byteLength - at < RECT) throw new CheckError(`screen[${i}]`, "a rectangle", undefined);
        const x = view.getUint16(at, true);
        const y = view.getUint16(at + 2, true);
        const w = view.getUint16(at + 4, true);
        const h = view.getUint16(at + 6, true);
        at += RECT;
        const size = w * h * 4;
        if (w < 1 || h < 1 || x + w > width || y + h > height || buffer.byteLength - at < size) {
            throw new CheckError(`screen[${i}]`, "a rectangle inside the screen and its pixels", undefined);
        }
        rects.push({ x, y, w, h, rgba: new Uint8ClampedArray(buffer, at, size) });
        at += size;
    }
    if (at !== buffer.byteLength) throw new CheckError("screen", "nothing behind the last rectangle", undefined);
    return { kind: "screen", revision, width, height, rects };
}

export function parseBinary(buffer: ArrayBuffer): BinaryMessage {
    const view = new DataView(buffer);
    if (buffer.byteLength < HEADER || view.getUint8(1) !== 1) {
        throw new CheckError("binary message", "a header of version 1", undefined);
    }
    switch (view.getUint8(0)) {
        case 1:
            return parseScreen(buffer, view);
        case 2:
            return {
                kind: "console",
                position: view.getUint32(4, true) + view.getUint32(8, true) * 2 ** 32,
                bytes: new Uint8Array(buffer, HEADER),
            };
        default:
            throw new CheckError("binary message", "screen or console", view.getUint8(0));
    }
}

// ---- to the program ----

export type Action = "reset" | "reload" | "interrupt";

export type Request =
    | { readonly kind: "control"; readonly part: string; readonly knobs: Readonly<Record<string, unknown>> }
    | { readonly kind: "input"; readonly text: string }
    | { readonly kind: "action"; readonly action: Action }
    | { readonly kind: "ack"; readonly revision: number };

// The program takes messages of 16384 bytes; a character is at most 6 of them ("\u0003").
const INPUT_CHUNK = 2048;

// A long paste becomes several messages; no character is cut in two.
export function inputRequests(typed: string): Request[] {
    const requests: Request[] = [];
    let chunk = "";
    for (const character of typed) {
        chunk += character;
        if (chunk.length >= INPUT_CHUNK) {
            requests.push({ kind: "input", text: chunk });
            chunk = "";
        }
    }
    if (chunk !== "") requests.push({ kind: "input", text: chunk });
    return requests;
}
