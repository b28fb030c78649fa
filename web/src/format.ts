// Numbers for people.

const steps: readonly (readonly [number, string])[] = [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
];
const smallSteps: readonly (readonly [number, string])[] = [
    [1e-3, "m"],
    [1e-6, "µ"],
];

// 0, 12, 999, 1.23 k, 45.6 M: three digits that count.
export function short(n: number): string {
    for (const [size, letter] of steps) {
        if (Math.abs(n) >= size * 0.9995) return `${digits(n / size)} ${letter}`;
    }
    return Number.isInteger(n) ? String(n) : digits(n);
}

function digits(n: number): string {
    const a = Math.abs(n);
    return n.toFixed(a >= 99.95 ? 0 : a >= 9.995 ? 1 : 2);
}

// 12.3 kB, 57.2 mA, 4/s. Only what comes in fractions is given in thousandths.
export function withUnit(n: number, unit: string): string {
    if (unit === "A" || unit === "C") {
        const step = Math.abs(n) < 0.9995 ? smallSteps.find(([size]) => Math.abs(n) >= size * 0.9995) : undefined;
        if (step !== undefined) return `${digits(n / step[0])} ${step[1]}${unit}`;
    }
    const s = short(n);
    if (unit.startsWith("/")) return s + unit;
    return s.includes(" ") ? s + unit : unit === "" ? s : `${s} ${unit}`;
}

// 5.2 s, 3:07, 1:02:33
export function clock(seconds: number): string {
    if (seconds < 60) return `${seconds.toFixed(1)} s`;
    const s = Math.floor(seconds);
    const two = (v: number): string => String(v).padStart(2, "0");
    const h = Math.floor(s / 3600);
    const m = Math.floor(s / 60) % 60;
    return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

// A knob's value, with as many decimals as its step has.
export function knobValue(value: number, step: number, unit: string): string {
    const decimals = step >= 1 || step <= 0 ? 0 : Math.min(3, Math.ceil(-Math.log10(step) - 1e-9));
    const s = value.toFixed(decimals);
    return unit === "" ? s : `${s} ${unit}`;
}
