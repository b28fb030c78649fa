import { describe, expect, it } from "vitest";

import { clock, knobValue, short, withUnit } from "./format";
import { enlargement, screenPoint } from "./geometry";
import { glow, pinLit, pixelColor } from "./lights";
import { plainPicture } from "./picture";
import { SAMPLES, Series, sparkline } from "./series";

describe("touching", () => {
    const box = { left: 100, top: 50, width: 640, height: 480 };
    it.each([
        [{ x: 100, y: 50 }, { x: 0, y: 0 }],
        [{ x: 101.9, y: 51.9 }, { x: 0, y: 0 }],
        [{ x: 102, y: 52 }, { x: 1, y: 1 }],
        [{ x: 420, y: 290 }, { x: 160, y: 120 }],
        [{ x: 739.9, y: 529.9 }, { x: 319, y: 239 }],
        [{ x: 740, y: 530 }, { x: 319, y: 239 }],
        [{ x: -999, y: 9999 }, { x: 0, y: 239 }],
    ])("%o is pixel %o", (client, pixel) => {
        expect(screenPoint(client, box, 320, 240)).toEqual(pixel);
    });
    it("survives a screen that is not shown", () => {
        expect(screenPoint({ x: 5, y: 5 }, { left: 0, top: 0, width: 0, height: 0 }, 320, 240)).toEqual({ x: 0, y: 0 });
    });
});

describe("enlargement", () => {
    it.each([
        [320, 1, 1],
        [320, 2, 2],
        [321, 1, 1],
        [480, 1, 2],
        [0, 1, 1],
        [100000, 3, 12],
    ])("%i css pixels at ratio %i", (shown, ratio, times) => {
        expect(enlargement(shown, 320, ratio)).toBe(times);
    });
});

describe("lights", () => {
    const part = (state: Record<string, unknown>) => ({ state, counters: new Map<string, number>(), fault: "none" });
    it("finds a pixel's colour in what the board says", () => {
        expect(pixelColor(part({ color: "#FFaa3C" }))).toBe("#ffaa3c");
        expect(pixelColor(part({ pixels: [[255, 0, 16]] }))).toBe("#ff0010");
        expect(pixelColor(part({ pixels: ["#0000ff"] }))).toBe("#0000ff");
        expect(pixelColor(part({ color: "#000000" }))).toBeUndefined();
        expect(pixelColor(part({ color: "url(x)" }))).toBeUndefined();
        expect(pixelColor(undefined)).toBeUndefined();
    });
    it("shows a dim light in its full colour, weaker", () => {
        expect(glow("#190800").core).toBe("#ff5200");
        expect(glow("#ff0000").strength).toBe(1);
        expect(glow("#100000").strength).toBeLessThan(0.5);
    });
    it("lights a LED only when its pin is driven high", () => {
        const pins = new Map([["D13", { mode: "out", level: true }], ["D3", { mode: "in", level: true }]]);
        expect(pinLit(pins, "D13")).toBe(true);
        expect(pinLit(pins, "D3")).toBe(false);
        expect(pinLit(pins, "D9")).toBe(false);
    });
});

describe("pictures", () => {
    it("draws a board without one around its display", () => {
        const p = plainPicture("X", 240, 135);
        const screen = p.shapes.find((s) => s.kind === "screen");
        if (screen === undefined) throw new Error("no screen");
        expect(screen.w / screen.h).toBeCloseTo(240 / 135);
        expect(screen.x + screen.w).toBeLessThan(p.width);
        expect(screen.y + screen.h).toBeLessThan(p.height);
    });
});

describe("numbers", () => {
    it.each([
        [0, "0"],
        [999, "999"],
        [999.7, "1.00 k"],
        [1000, "1.00 k"],
        [12345, "12.3 k"],
        [999950, "1.00 M"],
        [4.5e9, "4.50 G"],
        [0.25, "0.25"],
    ])("%f is short for %s", (n, s) => expect(short(n)).toBe(s));
    it("has units", () => {
        expect([withUnit(12, "B"), withUnit(1200, "B"), withUnit(3, "")]).toEqual(["12 B", "1.20 kB", "3"]);
        expect([clock(5.25), clock(187), clock(3753)]).toEqual(["5.3 s", "3:07", "1:02:33"]);
        expect([knobValue(22.41, 0.1, "°C"), knobValue(180, 1, "lx"), knobValue(0.5, 0.25, "")]).toEqual(["22.4 °C", "180 lx", "0.5"]);
    });
});

describe("series", () => {
    const parts = (n: number) =>
        new Map([["display", { state: {}, counters: new Map([["frames", n]]), fault: "none" }]]);
    it("gives rates per second of the board's time, and forgets the old ones", () => {
        const s = new Series();
        s.take(0, parts(0), new Map());
        for (let t = 1; t <= 200; t++) s.take(t, parts(t * 30), new Map());
        const c = s.get("display/frames");
        expect(c.total).toBe(6000);
        expect(c.rates).toHaveLength(SAMPLES);
        expect(new Set(c.rates)).toEqual(new Set([30]));
        expect(s.sum("all", ["display/frames", "display/none"]).rates[0]).toBe(30);
    });
    it("shows no negative rate when power was cycled", () => {
        const s = new Series();
        s.take(10, parts(100), new Map());
        s.take(1, parts(0), new Map());
        s.take(2, parts(5), new Map());
        expect(Math.min(...s.get("display/frames").rates)).toBeGreaterThanOrEqual(0);
    });
    it("draws the newest at the right edge", () => {
        expect(sparkline([0, 10], 59, 20)).toBe("58.0,20.0 59.0,0.0");
        expect(sparkline([], 59, 20)).toBe("");
    });
});
