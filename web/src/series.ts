// Counters over time: totals and their rate in the last half minute, for the sparklines.

import type { Bus, PartState } from "./protocol";

export const SAMPLE_SECONDS = 0.5;
export const SAMPLES = 60;

export interface Counter {
    readonly id: string; // "part/name" or "bus:name/name"
    readonly total: number;
    readonly rates: readonly number[]; // per second, oldest first
}

interface Track {
    total: number;
    sampled: number; // total at the last sample
    rates: number[];
}

export class Series {
    private readonly tracks = new Map<string, Track>();
    private sampledAt = 0;

    clear(): void {
        this.tracks.clear();
        this.sampledAt = 0;
    }

    // `time` is the board's, in seconds.
    take(
        time: number,
        parts: ReadonlyMap<string, PartState>,
        buses: ReadonlyMap<string, Bus>,
        charge = 0,
    ): void {
        if (charge > 0) this.put("board/charge uC", charge);
        for (const [id, part] of parts) {
            for (const [name, value] of part.counters) this.put(`${id}/${name}`, value);
        }
        for (const [id, bus] of buses) {
            for (const [name, value] of bus.counters) this.put(`bus:${id}/${name}`, value);
        }
        if (time < this.sampledAt) this.sampledAt = time; // power was cycled
        const elapsed = time - this.sampledAt;
        if (elapsed < SAMPLE_SECONDS) return;
        this.sampledAt = time;
        for (const track of this.tracks.values()) {
            const rate = Math.max(0, track.total - track.sampled) / elapsed;
            track.sampled = track.total;
            track.rates = [...track.rates, rate].slice(-SAMPLES);
        }
    }

    private put(id: string, total: number): void {
        const track = this.tracks.get(id);
        if (track === undefined) this.tracks.set(id, { total, sampled: total, rates: [] });
        else track.total = total;
    }

    get(id: string): Counter {
        const track = this.tracks.get(id);
        return { id, total: track?.total ?? 0, rates: track?.rates ?? [] };
    }

    has(id: string): boolean {
        return this.tracks.has(id);
    }

    ids(): readonly string[] {
        return [...this.tracks.keys()];
    }

    // Several counters as one.
    sum(id: string, ids: readonly string[]): Counter {
        const all = ids.map((one) => this.get(one));
        const length = Math.max(0, ...all.map((c) => c.rates.length));
        const rates = Array.from({ length }, (_, i) =>
            all.reduce((sum, c) => sum + (c.rates[c.rates.length - length + i] ?? 0), 0),
        );
        return { id, total: all.reduce((sum, c) => sum + c.total, 0), rates };
    }
}

// The points of a sparkline in a box of w by h, newest at the right edge.
export function sparkline(rates: readonly number[], w: number, h: number): string {
    const top = Math.max(1e-9, ...rates);
    return rates
        .map((rate, i) => {
            const x = w - ((rates.length - 1 - i) * w) / (SAMPLES - 1);
            return `${x.toFixed(1)},${(h - (rate / top) * h).toFixed(1)}`;
        })
        .join(" ");
}
