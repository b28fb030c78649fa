import { describe, expect, it } from "vitest";

import { clock, knobValue, short, withUnit } from "./format";
import { enlargement, screenPoint } from "./geometry";
import { ledLight, pixelColors, pixelLight } from "./lights";
import file from "../../boards/pyportal.json";
import { plainPicture, readPicture, seenFrom } from "./picture";
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
    it("finds the pixels' colours in what the board says", () => {
        expect(pixelColors(part({ pixels: ["#FF0010", "url(x)", 5] }))).toEqual(["#ff0010", "#000000", "#000000"]);
        expect(pixelColors(part({}))).toEqual([]);
        expect(pixelColors(undefined)).toEqual([]);
    });
    it("shows a dim light in its full colour, weaker", () => {
        expect(pixelLight("#190800")?.color).toBe("#ff5200");
        expect(pixelLight("#ff0000")?.strength).toBe(1);
        expect(pixelLight("#100000")?.strength).toBeLessThan(0.5);
        expect(pixelLight("#000000")).toBeUndefined();
        expect(pixelLight(undefined)).toBeUndefined();
    });
    it("lights a LED by its brightness", () => {
        expect(ledLight(part({ brightness: 1 }), "#00ff00")).toEqual({ color: "#00ff00", strength: 1 });
        expect(ledLight(part({ brightness: 0 }), "")).toBeUndefined();
        expect(ledLight(part({ brightness: "1" }), "")).toBeUndefined();
    });
});

describe("pictures", () => {
    it("draws a board without one around its display", () => {
        const p = plainPicture("X", 240, 135);
        const screen = p.items.find((s) => s.kind === "screen");
        if (screen === undefined) throw new Error("no screen");
        expect(screen.width / screen.height).toBeCloseTo(240 / 135);
        expect(screen.x + screen.width).toBeLessThan(p.width);
        expect(screen.y + screen.height).toBeLessThan(p.height);
    });
    it("mirrors the back", () => {
        const p = plainPicture("X", 240, 135);
        const [screen, , reset] = p.items;
        if (screen === undefined || reset === undefined) throw new Error("items");
        expect(seenFrom(reset, p, "front")).toBe(reset);
        expect(seenFrom(reset, p, "back").x).toBeCloseTo(p.width - reset.x);
        expect(seenFrom(screen, p, "back").x).toBeCloseTo(p.width - screen.x - screen.width);
    });
    it("takes the PyPortal's", () => {
        const p = readPicture(file.picture, "picture");
        expect(p.items.some((i) => i.kind === "screen" && i.chip === "display")).toBe(true);
        expect(p.outline).not.toBe("");
    });
    it("lets nothing but path data and colours become style", () => {
        const p = readPicture({ width: 10, height: 10, outline: 'M0 0"/><script>', color: "red" }, "picture");
        expect(p.outline).toMatch(/^M3 0H7A/);
        expect(p.color).toBe("#1b1b1f");
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
        expect([withUnit(12, "B"), withUnit(1200, "B"), withUnit(3, ""), withUnit(4, "/s")]).toEqual(["12 B", "1.20 kB", "3", "4/s"]);
        expect([withUnit(0.0572, "A"), withUnit(2.5e-5, "C"), withUnit(1.5, "C"), withUnit(0, "A")]).toEqual(["57.2 mA", "25.0 µC", "1.50 C", "0 A"]);
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
