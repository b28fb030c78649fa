import { describe, expect, it, vi } from "vitest";

import { Model } from "./model";
import { parseText } from "./protocol";

const hello = parseText(JSON.stringify({ kind: "hello", protocol: 1, board: { id: "x", name: "X" } }));
const state = (s: object) => parseText(JSON.stringify({ kind: "state", state: { revision: 1, ...s } }));

describe("the model", () => {
    it("keeps what a state does not mention", () => {
        const m = new Model();
        m.accept(hello);
        m.accept(state({ parts: { light: { state: { lux: 1 } }, led: { state: { brightness: 0 } } } }));
        m.accept(state({ parts: { light: { state: { lux: 2 } } } }));
        expect(m.now.parts.get("light")?.state["lux"]).toBe(2);
        expect(m.now.parts.get("led")?.state["brightness"]).toBe(0);
    });

    it("takes each event once, and forgets the oldest", () => {
        const m = new Model();
        const event = (n: number) => ({ n, t: n, from: "x", text: String(n) });
        m.accept(state({ events: [event(0), event(1)] }));
        m.accept(state({ events: [event(1), event(2)] }));
        expect(m.now.events.map((e) => e.n)).toEqual([0, 1, 2]);
        m.accept(state({ events: Array.from({ length: 1000 }, (_, i) => event(i)) }));
        expect(m.now.events).toHaveLength(300);
        expect(m.now.events.at(-1)?.n).toBe(999);
    });

    it("starts afresh with a new hello", () => {
        const m = new Model();
        m.link({ kind: "open" });
        m.accept(hello);
        m.accept(state({ time: 5, parts: { a: { counters: { c: 1 } } }, events: [{ n: 9, t: 1, from: "x", text: "y" }] }));
        m.accept({ kind: "error", message: "no such knob" });
        m.accept(hello);
        expect(m.now).toMatchObject({ link: { kind: "open" }, time: 0, events: [], notice: "" });
        expect(m.now.parts.size).toBe(0);
        expect(m.series.ids()).toEqual([]);
        m.accept(state({ events: [{ n: 0, t: 1, from: "x", text: "again" }] }));
        expect(m.now.events).toHaveLength(1);
    });

    it("tells its listeners once for many changes", () => {
        vi.useFakeTimers();
        const m = new Model();
        const heard = vi.fn();
        const stop = m.subscribe(heard);
        for (let i = 0; i < 10; i++) m.accept(state({ time: i }));
        vi.runAllTimers();
        expect(heard).toHaveBeenCalledTimes(1);
        stop();
        m.accept(hello);
        vi.runAllTimers();
        expect(heard).toHaveBeenCalledTimes(1);
        vi.useRealTimers();
    });

    it("shows an error until it is dismissed", () => {
        const m = new Model();
        m.accept({ kind: "error", message: "lux: 9999 is outside 0..1000" });
        expect(m.now.notice).toMatch(/9999/);
        m.dismissNotice();
        expect(m.now.notice).toBe("");
    });
});
