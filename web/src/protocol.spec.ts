import { describe, expect, it } from "vitest";

import { fakeBoard } from "./fake_board";
import { inputRequests, parseBinary, parseText } from "./protocol";

const hello = (board: unknown): string => JSON.stringify({ kind: "hello", protocol: 1, board });

describe("text messages", () => {
    it("reads a board with its knobs and its picture", () => {
        const m = parseText(hello(fakeBoard));
        if (m.kind !== "hello") throw new Error(m.kind);
        expect(m.board.display).toEqual({ chip: "display", width: 320, height: 240 });
        expect(m.board.parts.find((p) => p.id === "light")?.knobs[0]).toMatchObject({ kind: "number", max: 1000, unit: "lx" });
        expect(m.board.picture?.holes).toHaveLength(4);
    });

    it("fills in what a board leaves out", () => {
        const m = parseText(hello({ id: "x", name: "X", picture: {} }));
        expect(m).toMatchObject({ board: { chip: "", parts: [], picture: undefined, display: undefined } });
    });

    it("reads a state", () => {
        const m = parseText(
            JSON.stringify({
                kind: "state",
                state: {
                    revision: 7,
                    time: 1.5,
                    parts: { light: { state: { lux: 3 }, counters: { reads: 2 }, fault: "unplugged" } },
                    events: [{ n: 0, t: 1, from: "wifi", text: "joined" }],
                    buses: [{ kind: "spi", pin: "SCK", open: true, hz: 8000000, bytes_in: 9 }],
                    pins: { D13: { mode: "out", level: 1 }, D3: { mode: "in", level: null } },
                },
            }),
        );
        if (m.kind !== "state") throw new Error(m.kind);
        expect(m.state.parts.get("light")?.counters.get("reads")).toBe(2);
        expect(m.state.buses[0]).toEqual({ name: "spi SCK", counters: new Map([["bytes_in", 9]]) });
        expect(m.state.pins.get("D13")).toEqual({ mode: "out", level: true });
    });

    it.each([
        ["no JSON", "{", /JSON|Expected|Unexpected/],
        ["a list", "[]", /message: expected an object, got a list/],
        ["an unknown kind", '{"kind":"?"}', /message\.kind: expected hello or/],
        ["another protocol", '{"kind":"hello","protocol":2,"board":{}}', /hello\.protocol/],
        ["a board without a name", hello({ id: "x" }), /hello\.board\.name: expected text, got undefined/],
        ["a bad knob", hello({ id: "x", name: "X", parts: [{ id: "a", knobs: [{ name: "k", kind: "dial" }] }] }), /parts\[0\]\.knobs\[0\]\.kind/],
        ["a bad shape", hello({ id: "x", name: "X", picture: { width: 1, height: 1, items: [{ kind: "usb", x: "1", y: 1 }] } }), /items\[0\]\.x: expected a number/],
        ["a bad counter", '{"kind":"state","state":{"revision":1,"parts":{"a":{"counters":{"b":"c"}}}}}', /parts\.a\.counters\.b/],
        ["a bad program", '{"kind":"program","state":"asleep"}', /program\.state/],
    ])("refuses %s", (_, message, why) => {
        expect(() => parseText(message)).toThrow(why);
    });

    it("takes a colour only as #rrggbb, since it becomes style", () => {
        const picture = { width: 1, height: 1, items: [{ kind: "led", x: 0, y: 0, color: "red;background:url(x)" }] };
        const m = parseText(hello({ id: "x", name: "X", picture }));
        expect(m).toMatchObject({ board: { picture: { items: [{ color: "" }] } } });
    });
});

function screen(width: number, height: number, rects: readonly (readonly [number, number, number, number])[], cut = 0): ArrayBuffer {
    const size = 12 + rects.reduce((sum, r) => sum + 8 + r[2] * r[3] * 4, 0) - cut;
    const buffer = new ArrayBuffer(Math.max(12, size));
    const view = new DataView(buffer);
    view.setUint8(0, 1);
    view.setUint8(1, 1);
    view.setUint16(2, rects.length, true);
    view.setUint32(4, 0xfffffffe, true);
    view.setUint16(8, width, true);
    view.setUint16(10, height, true);
    let at = 12;
    for (const r of rects) {
        if (at + 8 > buffer.byteLength) break;
        r.forEach((v, i) => view.setUint16(at + 2 * i, v, true));
        at += 8 + r[2] * r[3] * 4;
    }
    return buffer;
}

describe("binary messages", () => {
    it("reads rectangles", () => {
        const m = parseBinary(screen(20, 10, [[0, 0, 2, 3], [18, 9, 2, 1]]));
        if (m.kind !== "screen") throw new Error(m.kind);
        expect([m.width, m.height, m.revision]).toEqual([20, 10, 0xfffffffe]);
        expect(m.rects.map((r) => [r.x, r.y, r.w, r.h, r.rgba.length])).toEqual([[0, 0, 2, 3, 24], [18, 9, 2, 1, 8]]);
    });

    it.each([
        ["short", new ArrayBuffer(11)],
        ["of another version", new ArrayBuffer(12)],
        ["with a rectangle outside", screen(20, 10, [[19, 0, 2, 1]])],
        ["with an empty rectangle", screen(20, 10, [[0, 0, 0, 1]])],
        ["cut off in the pixels", screen(20, 10, [[0, 0, 2, 3]], 1)],
        ["cut off in the rectangle", screen(20, 10, [[0, 0, 1, 1]], 8)],
        ["of no size", screen(0, 10, [])],
        ["too large", screen(5000, 10, [])],
    ])("refuses one %s", (_, buffer) => {
        expect(() => parseBinary(buffer)).toThrow();
    });

    it("survives any bytes", () => {
        let seed = 1;
        const random = (n: number): number => (seed = (seed * 48271) % 2147483647) % n;
        for (let round = 0; round < 3000; round++) {
            const bytes = Uint8Array.from({ length: random(80) }, () => random(256));
            bytes[0] = 1 + random(2);
            bytes[1] = 1;
            for (let i = 2; i < 20; i++) if (random(2) === 0) bytes[i] = random(3);
            try {
                const m = parseBinary(bytes.buffer);
                if (m.kind === "screen") for (const r of m.rects) expect(r.x + r.w).toBeLessThanOrEqual(m.width);
            } catch (error) {
                expect(error).toHaveProperty("name", "CheckError");
            }
        }
    });

    it("reads the console's position beyond 32 bits", () => {
        const buffer = new ArrayBuffer(14);
        const view = new DataView(buffer);
        view.setUint8(0, 2);
        view.setUint8(1, 1);
        view.setUint32(4, 5, true);
        view.setUint32(8, 1, true);
        view.setUint8(12, 0x68);
        view.setUint8(13, 0x69);
        const m = parseBinary(buffer);
        expect(m).toEqual({ kind: "console", position: 2 ** 32 + 5, bytes: new Uint8Array([0x68, 0x69]) });
    });
});

describe("typed input", () => {
    it("goes out in messages the program takes, no character cut", () => {
        const pasted = "😀é\x03".repeat(3000);
        const requests = inputRequests(pasted);
        expect(requests.map((r) => (r.kind === "input" ? r.text : "")).join("")).toBe(pasted);
        for (const r of requests) {
            expect(new TextEncoder().encode(JSON.stringify(r)).length).toBeLessThan(16384);
            expect(JSON.stringify(r)).not.toMatch(/\\ud[89a-f]/i);
        }
        expect(inputRequests("")).toEqual([]);
    });
});
