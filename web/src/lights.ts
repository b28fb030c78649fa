// What shines on the board: colours out of the parts' states.

import type { PartState, PinState } from "./protocol";

function hex(rgb: readonly number[]): string {
    return `#${rgb.map((v) => Math.min(255, Math.max(0, Math.round(v))).toString(16).padStart(2, "0")).join("")}`;
}

function asColor(v: unknown): string | undefined {
    if (typeof v === "string" && /^#[0-9a-f]{6}$/i.test(v)) return v.toLowerCase();
    if (Array.isArray(v) && v.length >= 3 && v.slice(0, 3).every((x) => typeof x === "number")) {
        return hex(v.slice(0, 3) as number[]);
    }
    return undefined;
}

// The colour of a part's first pixel; undefined = dark.
export function pixelColor(part: PartState | undefined): string | undefined {
    if (part === undefined) return undefined;
    const pixels = part.state["pixels"];
    const color = asColor(part.state["color"]) ?? (Array.isArray(pixels) ? asColor(pixels[0]) : undefined);
    return color === "#000000" ? undefined : color;
}

// WS2812s are far brighter than a screen: what the eye sees of a dim one is more than its numbers say.
export function glow(color: string): { readonly core: string; readonly strength: number } {
    const rgb = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
    const top = Math.max(1, ...rgb);
    const strength = Math.pow(top / 255, 0.45);
    return { core: hex(rgb.map((v) => (v / top) * 255)), strength };
}

export function pinLit(pins: ReadonlyMap<string, PinState>, pin: string): boolean {
    const state = pins.get(pin);
    return state !== undefined && state.level && state.mode.startsWith("out");
}
