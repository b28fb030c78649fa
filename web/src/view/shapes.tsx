// What a board is drawn of. Sizes are millimetres; light falls from the upper left.

import { glow } from "../lights";
import type { Picture, Shape } from "../picture";

export interface Lit {
    readonly color: string | undefined; // of a LED or pixel, undefined = dark
    readonly fault: boolean;
}

const SILK = "#dfe3e0";
const GOLD = "#c8a24a";

export function Substrate({ picture }: { readonly picture: Picture }) {
    const { width: w, height: h, corner: r } = picture;
    return (
        <>
            <defs>
                <linearGradient id="mask" x1="0" y1="0" x2="1" y2="1">
                    <stop offset="0" stop-color="#23272a" />
                    <stop offset="0.55" stop-color="#171a1c" />
                    <stop offset="1" stop-color="#101214" />
                </linearGradient>
                <linearGradient id="metal" x1="0" y1="0" x2="1" y2="1">
                    <stop offset="0" stop-color="#eef0f1" />
                    <stop offset="0.35" stop-color="#c3c8cb" />
                    <stop offset="0.6" stop-color="#d9dddf" />
                    <stop offset="1" stop-color="#8f969a" />
                </linearGradient>
                <linearGradient id="glass" x1="0" y1="0" x2="0" y2="1">
                    <stop offset="0" stop-color="#26292c" />
                    <stop offset="0.1" stop-color="#0b0c0d" />
                    <stop offset="1" stop-color="#060707" />
                </linearGradient>
                <radialGradient id="lens">
                    <stop offset="0" stop-color="#fbfdff" stop-opacity="0.95" />
                    <stop offset="0.5" stop-color="#e4eaee" stop-opacity="0.85" />
                    <stop offset="1" stop-color="#aab3b9" stop-opacity="0.8" />
                </radialGradient>
                <filter id="soft" x="-200%" y="-200%" width="500%" height="500%">
                    <feGaussianBlur stdDeviation="2.600" />
                </filter>
                <filter id="wide" x="-400%" y="-400%" width="900%" height="900%">
                    <feGaussianBlur stdDeviation="7" />
                </filter>
                <pattern id="weave" width="1.6" height="1.6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <path d="M0 0h0.800v1.600h-0.800z" fill="#fff" opacity="0.012" />
                </pattern>
            </defs>
            <rect x="0" y="0" width={w} height={h} rx={r} fill="url(#mask)" />
            <rect x="0" y="0" width={w} height={h} rx={r} fill="url(#weave)" />
            <rect x="0.2" y="0.2" width={w - 0.4} height={h - 0.4} rx={r - 0.2} fill="none" stroke="#fff"
                stroke-opacity="0.13" stroke-width="0.25" />
            <Traces picture={picture} />
        </>
    );
}

// Copper under the mask, as faint as it is on a black board: from each part to the middle of the board.
function Traces({ picture }: { readonly picture: Picture }) {
    const chip = picture.shapes.find((s) => s.kind === "chip" && s.pins >= 32);
    if (chip === undefined) return null;
    const cx = chip.x + chip.w / 2;
    const cy = chip.y + chip.h / 2;
    const ends = picture.shapes.filter((s) => s !== chip && ["connector", "can", "usb", "neopixel", "chip", "led"].includes(s.kind));
    return (
        <g fill="none" stroke="#fff" stroke-opacity="0.035" stroke-width="0.35" stroke-linejoin="round">
            {ends.flatMap((s, k) => {
                const x = s.kind === "neopixel" || s.kind === "led" ? s.x : s.x + s.w / 2;
                const y = s.kind === "neopixel" || s.kind === "led" ? s.y : s.y + s.h / 2;
                const lines = Math.max(2, Math.min(6, s.pins || 4));
                return Array.from({ length: lines }, (_, i) => {
                    const d = (i - (lines - 1) / 2) * 0.8;
                    const side = Math.sign(x - cx) || 1;
                    const bend = cy + ((k % 3) - 1) * 2.4 + d;
                    const jog = Math.abs(y - bend);
                    return (
                        <path key={`${k}.${i}`}
                            d={`M${cx + side * 3} ${bend}H${x - side * jog + d}L${x + d} ${bend + Math.sign(y - bend) * jog}V${y}`} />
                    );
                });
            })}
        </g>
    );
}

function Silk({ x, y, size, text, anchor = "middle", weight = 500 }: {
    readonly x: number;
    readonly y: number;
    readonly size: number;
    readonly text: string;
    readonly anchor?: "start" | "middle" | "end";
    readonly weight?: number;
}) {
    if (text === "") return null;
    return (
        <text class="silk" x={x} y={y} font-size={size} text-anchor={anchor} font-weight={weight} fill={SILK}>
            {text}
        </text>
    );
}

function range(n: number): readonly number[] {
    return Array.from({ length: n }, (_, i) => i);
}

function Hole({ s }: { readonly s: Shape }) {
    const r = s.w / 2;
    return (
        <g>
            <circle cx={s.x} cy={s.y} r={r + 1.15} fill={GOLD} />
            <circle cx={s.x} cy={s.y} r={r + 1.15} fill="none" stroke="#7d6328" stroke-width="0.15" />
            <circle cx={s.x} cy={s.y} r={r} class="hole" />
            <circle cx={s.x} cy={s.y} r={r} fill="none" stroke="#000" stroke-opacity="0.5" stroke-width="0.3" />
        </g>
    );
}

function Glass({ s }: { readonly s: Shape }) {
    // The panel's frame: even at three sides, deeper at the side of its flat cable.
    const side = 4.2;
    const foot = 7;
    return (
        <g>
            <rect x={s.x - side} y={s.y - side} width={s.w + 2 * side} height={s.h + side + foot} rx="1.6" fill="#000" opacity="0.55"
                transform="translate(0.5 0.8)" />
            <rect x={s.x - side} y={s.y - side} width={s.w + 2 * side} height={s.h + side + foot} rx="1.6" fill="url(#glass)" />
            <rect x={s.x - side + 0.15} y={s.y - side + 0.15} width={s.w + 2 * side - 0.3} height={s.h + side + foot - 0.3} rx="1.5"
                fill="none" stroke="#fff" stroke-opacity="0.16" stroke-width="0.2" />
            <rect x={s.x - 0.5} y={s.y - 0.5} width={s.w + 1} height={s.h + 1} rx="0.4" fill="#000" />
        </g>
    );
}

function Chip({ s }: { readonly s: Shape }) {
    const quad = s.pins > 16;
    const perSide = quad ? Math.min(16, Math.round(s.pins / 4)) : Math.max(1, Math.round(s.pins / 2));
    const step = (quad ? s.h - 1 : s.w - 0.6) / perSide;
    const legs = range(perSide).map((i) => (i + 0.5) * step);
    return (
        <g>
            <g fill="#b9bec2">
                {legs.map((d, i) => (
                    <g key={i}>
                        <rect x={s.x + (quad ? 0.5 : 0.3) + d - step * 0.25} y={s.y - 0.75} width={step * 0.5} height={s.h + 1.5} />
                        {quad && <rect x={s.x - 0.75} y={s.y + 0.5 + d - step * 0.25} width={s.w + 1.5} height={step * 0.5} />}
                    </g>
                ))}
            </g>
            <rect x={s.x} y={s.y} width={s.w} height={s.h} rx="0.3" fill="#24282b" />
            <rect x={s.x} y={s.y} width={s.w} height={s.h} rx="0.3" fill="none" stroke="#fff" stroke-opacity="0.12" stroke-width="0.15" />
            <circle cx={s.x + 0.9} cy={s.y + s.h - 0.9} r="0.35" fill="#0d0f10" />
            {quad ? (
                <text class="silk" x={s.x + s.w / 2} y={s.y + s.h / 2 + 0.6} font-size="1.6" text-anchor="middle" fill="#8d9499">
                    {s.label}
                </text>
            ) : (
                <Silk x={s.x + s.w / 2} y={s.y + s.h + 3} size={1.7} text={s.label} />
            )}
        </g>
    );
}

function Can({ s }: { readonly s: Shape }) {
    const antenna = s.w * 0.2;
    const canX = s.x + 1.4;
    const canW = s.w - antenna - 2;
    const ax = s.x + s.w - antenna;
    const turns = 5;
    const pitch = (s.h - 3) / turns;
    const path = range(turns)
        .map((i) => `V${s.y + 1.5 + pitch * (i + 0.5)}H${i % 2 === 0 ? ax + antenna - 1 : ax + 1}`)
        .join("");
    return (
        <g>
            <rect x={s.x} y={s.y} width={s.w} height={s.h} rx="0.5" fill="#0b0d0f" stroke="#fff" stroke-opacity="0.1" stroke-width="0.15" />
            <path d={`M${ax + 1} ${s.y + 1}${path}V${s.y + s.h - 1}`} fill="none" stroke={GOLD} stroke-width="0.65" />
            <rect x={canX} y={s.y + 1.2} width={canW} height={s.h - 2.4} rx="0.6" fill="url(#metal)" />
            <rect x={canX + 0.5} y={s.y + 1.7} width={canW - 1} height={s.h - 3.4} rx="0.4" fill="none" stroke="#000"
                stroke-opacity="0.14" stroke-width="0.2" />
            <text class="silk" x={canX + canW / 2} y={s.y + s.h / 2 + 0.2} font-size="2.5" text-anchor="middle" font-weight="600" fill="#5a6266">
                {s.label}
            </text>
            <text class="silk" x={canX + canW / 2} y={s.y + s.h / 2 + 2.8} font-size="1.3" text-anchor="middle" fill="#737b80">
                2.4 GHz Wi-Fi
            </text>
        </g>
    );
}

function Connector({ s }: { readonly s: Shape }) {
    const pins = Math.max(1, s.pins);
    const tall = s.h >= s.w;
    const step = (tall ? s.h : s.w) / (pins + 1);
    const body = s.color || "#f1efe9";
    const inner = tall
        ? { x: s.x + s.w * 0.28, y: s.y + 1.1, w: s.w * 0.72 - 0.7, h: s.h - 2.2 }
        : { x: s.x + 1.1, y: s.y + s.h * 0.28, w: s.w - 2.2, h: s.h * 0.72 - 0.7 };
    return (
        <g>
            <rect x={s.x} y={s.y} width={s.w} height={s.h} rx="0.7" fill="#000" opacity="0.5" transform="translate(0.3 0.5)" />
            <rect x={s.x} y={s.y} width={s.w} height={s.h} rx="0.7" fill={body} />
            <rect x={inner.x} y={inner.y} width={inner.w} height={inner.h} rx="0.4" fill="#000" opacity="0.1" />
            <g fill={GOLD}>
                {range(pins).map((i) =>
                    tall ? (
                        <rect key={i} x={s.x + s.w * 0.35} y={s.y + step * (i + 1) - 0.35} width={s.w * 0.5} height="0.7" rx="0.2" />
                    ) : (
                        <rect key={i} x={s.x + step * (i + 1) - 0.35} y={s.y + s.h * 0.35} width="0.7" height={s.h * 0.5} rx="0.2" />
                    ),
                )}
            </g>
            <Silk x={s.x + s.w / 2} y={s.y - 1.1} size={1.9} text={s.label} />
        </g>
    );
}

function Usb({ s }: { readonly s: Shape }) {
    return (
        <g>
            <rect x={s.x} y={s.y} width={s.w} height={s.h} rx="0.6" fill="url(#metal)" />
            <rect x={s.x + 0.8} y={s.y + 0.8} width={s.w - 1.6} height="0.5" fill="#000" opacity="0.18" />
            <rect x={s.x + 1.2} y={s.y + s.h - 1.6} width={s.w - 2.4} height="1.6" fill="#2a2e31" opacity="0.85" />
            <Silk x={s.x + s.w / 2} y={s.y - 1} size={1.7} text={s.label} />
        </g>
    );
}

function Button({ s, onReset }: { readonly s: Shape; readonly onReset: (() => void) | undefined }) {
    const press = s.action === "reset" ? onReset : undefined;
    return (
        <g class={press === undefined ? "" : "pressable"} role={press === undefined ? undefined : "button"}
            tabIndex={press === undefined ? undefined : 0} aria-label={`${s.label} button`} onClick={press}
            onKeyDown={(e: KeyboardEvent) => {
                if (e.key === "Enter" || e.key === " ") {
                    e.preventDefault();
                    press?.();
                }
            }}>
            <rect x={s.x - s.w / 2} y={s.y - s.h / 2} width={s.w} height={s.h} rx="0.5" fill="url(#metal)" />
            <g fill="#70777b">
                {[-1, 1].flatMap((a) => [-1, 1].map((b) => (
                    <circle key={`${a}${b}`} cx={s.x + a * (s.w / 2 - 0.75)} cy={s.y + b * (s.h / 2 - 0.75)} r="0.3" />
                )))}
            </g>
            <circle class="plunger" cx={s.x} cy={s.y} r={s.w * 0.3} fill="#1b1e20" stroke="#000" stroke-opacity="0.4" stroke-width="0.2" />
            <Silk x={s.x} y={s.y - s.h / 2 - 1} size={1.7} text={s.label} />
            {press !== undefined && <title>Press the board's reset button</title>}
        </g>
    );
}

function Sensor({ s }: { readonly s: Shape }) {
    return (
        <g>
            <rect x={s.x - s.w / 2 - 0.6} y={s.y - s.h / 2 - 0.6} width={s.w + 1.2} height={s.h + 1.2} rx="0.5" fill="none" stroke={SILK}
                stroke-width="0.2" />
            <rect x={s.x - s.w / 2} y={s.y - s.h / 2} width={s.w} height={s.h} rx="0.4" fill="#e9e6da" />
            <circle cx={s.x} cy={s.y} r={s.w * 0.36} fill="#2b3034" />
            <circle cx={s.x - s.w * 0.1} cy={s.y - s.w * 0.12} r={s.w * 0.1} fill="#fff" opacity="0.45" />
            <Silk x={s.x} y={s.y + s.h / 2 + 3} size={1.7} text={s.label} />
        </g>
    );
}

function Pixel({ s, color }: { readonly s: Shape; readonly color: string | undefined }) {
    const light = color === undefined ? undefined : glow(color);
    return (
        <g data-testid="neopixel" data-color={color ?? "#000000"}>
            <rect x={s.x - s.w / 2} y={s.y - s.h / 2} width={s.w} height={s.h} rx="0.5" fill="#f4f3ee" />
            <path d={`M${s.x - s.w / 2} ${s.y + s.h / 2}h1.300l-1.300-1.300z`} fill="#b9b7ae" />
            <circle cx={s.x} cy={s.y} r={s.w * 0.37} fill="url(#lens)" />
            <circle cx={s.x} cy={s.y} r={s.w * 0.2} fill="#4a4f52" opacity="0.5" />
            {light !== undefined && (
                <g class="glow" style={{ mixBlendMode: "screen" }}>
                    <circle cx={s.x} cy={s.y} r="16" fill={light.core} opacity={light.strength * 0.5} filter="url(#wide)" />
                    <circle cx={s.x} cy={s.y} r="4.2" fill={light.core} opacity={light.strength} filter="url(#soft)" />
                    <circle cx={s.x} cy={s.y} r={s.w * 0.34} fill={light.core} opacity={0.35 + 0.65 * light.strength} />
                    <circle cx={s.x} cy={s.y} r={s.w * 0.16} fill="#fff" opacity={light.strength * 0.9} />
                </g>
            )}
            <Silk x={s.x} y={s.y - s.h / 2 - 1} size={1.7} text={s.label} />
        </g>
    );
}

function Led({ s, color }: { readonly s: Shape; readonly color: string | undefined }) {
    return (
        <g data-testid={`led-${s.pin}`} data-on={color !== undefined}>
            <rect x={s.x - s.w / 2 - 0.4} y={s.y - s.h / 2} width={s.w + 0.8} height={s.h} fill="#b9bec2" />
            <rect x={s.x - s.w / 2} y={s.y - s.h / 2} width={s.w} height={s.h} rx="0.2" fill={color ?? "#d8cfc4"} />
            {color !== undefined && (
                <g style={{ mixBlendMode: "screen" }}>
                    <circle cx={s.x} cy={s.y} r="3" fill={color} opacity="0.85" filter="url(#soft)" />
                    <circle cx={s.x} cy={s.y} r="0.6" fill="#fff" opacity="0.8" />
                </g>
            )}
            <Silk x={s.x} y={s.y - s.h / 2 - 1} size={1.7} text={s.label} />
        </g>
    );
}

function Card({ s }: { readonly s: Shape }) {
    return (
        <g>
            <rect x={s.x} y={s.y} width={s.w} height={s.h} rx="0.5" fill="url(#metal)" />
            <Silk x={s.x + s.w / 2} y={s.y - 1} size={1.7} text={s.label} />
        </g>
    );
}

function Speaker({ s }: { readonly s: Shape }) {
    return (
        <g>
            <circle cx={s.x} cy={s.y} r={s.w / 2} fill="#1d2022" stroke="#000" stroke-width="0.2" />
            {[0.12, 0.24, 0.36].map((k) => (
                <circle key={k} cx={s.x} cy={s.y} r={s.w * k} fill="none" stroke="#fff" stroke-opacity="0.08" stroke-width="0.4" />
            ))}
            <Silk x={s.x} y={s.y + s.w / 2 + 2.4} size={1.7} text={s.label} />
        </g>
    );
}

function body(s: Shape, lit: Lit, onReset: (() => void) | undefined) {
    switch (s.kind) {
        case "screen":
            return <Glass s={s} />;
        case "hole":
            return <Hole s={s} />;
        case "pad":
            return <circle cx={s.x} cy={s.y} r={Math.max(0.5, s.w / 2)} fill={GOLD} />;
        case "can":
            return <Can s={s} />;
        case "chip":
            return <Chip s={s} />;
        case "connector":
            return <Connector s={s} />;
        case "usb":
            return <Usb s={s} />;
        case "card":
            return <Card s={s} />;
        case "button":
            return <Button s={s} onReset={onReset} />;
        case "sensor":
            return <Sensor s={s} />;
        case "neopixel":
            return <Pixel s={s} color={lit.color} />;
        case "led":
            return <Led s={s} color={lit.color} />;
        case "speaker":
            return <Speaker s={s} />;
        case "text":
            return <Silk x={s.x} y={s.y} size={s.h || 2} text={s.label} anchor="start" weight={700} />;
    }
}

export function ShapeView({ shape, lit, onReset }: {
    readonly shape: Shape;
    readonly lit: Lit;
    readonly onReset: (() => void) | undefined;
}) {
    const turn = shape.turn === 0 ? undefined : `rotate(${shape.turn} ${shape.x + shape.w / 2} ${shape.y + shape.h / 2})`;
    return (
        <g transform={turn} class={lit.fault ? "faulty" : undefined}>
            {body(shape, lit, onReset)}
        </g>
    );
}
