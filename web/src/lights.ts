// What shines on the board: colours out of the parts' states.

import type { PartState } from "./protocol";

export interface Light {
    readonly color: string; // "#rrggbb"
    readonly strength: number; // 0..1, as the eye has it
}

function hex(rgb: readonly number[]): string {
    return `#${rgb.map((v) => Math.min(255, Math.max(0, Math.round(v))).toString(16).padStart(2, "0")).join("")}`;
}

function asColor(v: unknown): string | undefined {
    return typeof v === "string" && /^#[0-9a-f]{6}$/i.test(v) ? v.toLowerCase() : undefined;
}

// The colours of a part's pixels, as sent to it.
export function pixelColors(part: PartState | undefined): readonly string[] {
    const pixels = part?.state["pixels"];
    return Array.isArray(pixels) ? pixels.map((p) => asColor(p) ?? "#000000") : [];
}

// A WS2812 is far brighter than a screen: what the eye sees of a dim one is more than its numbers say.
export function pixelLight(color: string | undefined): Light | undefined {
    if (color === undefined || color === "#000000") return undefined;
    const rgb = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
    const top = Math.max(...rgb);
    return { color: hex(rgb.map((v) => (v / top) * 255)), strength: Math.pow(top / 255, 0.45) };
}

export function ledLight(part: PartState | undefined, color: string): Light | undefined {
    const brightness = part?.state["brightness"];
    if (typeof brightness !== "number" || brightness <= 0) return undefined;
    return { color: color || "#ff4436", strength: Math.pow(Math.min(1, brightness), 0.45) };
}
