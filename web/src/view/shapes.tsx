// What a board is drawn of. Sizes are millimetres, light falls from the upper left. Items of an edge
// (sockets, antennas) open towards the edge they are nearest to.

import type { ComponentChildren } from "preact";

import type { Light } from "../lights";
import type { Item, Picture, Side } from "../picture";

const SILK = "#dfe3e0";
const GOLD = "#c8a24a";

function mix(color: string, other: number, share: number): string {
    const channels = [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
    return `rgb(${channels.map((c) => Math.round(c + (other - c) * share)).join(" ")})`;
}

// Gradients and filters of both sides.
export function Definitions({ color }: { readonly color: string }) {
    return (
        <defs>
            <linearGradient id="mask" x1="0" y1="0" x2="1" y2="1">
                <stop offset="0" stop-color={mix(color, 255, 0.07)} />
                <stop offset="0.55" stop-color={color} />
                <stop offset="1" stop-color={mix(color, 0, 0.3)} />
            </linearGradient>
            <linearGradient id="metal" x1="0" y1="0" x2="1" y2="1">
                <stop offset="0" stop-color="#eef0f1" />
                <stop offset="0.35" stop-color="#c3c8cb" />
                <stop offset="0.6" stop-color="#d9dddf" />
                <stop offset="1" stop-color="#8f969a" />
            </linearGradient>
            <linearGradient id="glass" x1="0" y1="0" x2="1" y2="1">
                <stop offset="0" stop-color="#303438" />
                <stop offset="0.22" stop-color="#131517" />
                <stop offset="1" stop-color="#08090a" />
            </linearGradient>
            <radialGradient id="lens">
                <stop offset="0" stop-color="#fbfdff" stop-opacity="0.95" />
                <stop offset="0.5" stop-color="#e4eaee" stop-opacity="0.85" />
                <stop offset="1" stop-color="#aab3b9" stop-opacity="0.8" />
            </radialGradient>
            <filter id="soft" x="-200%" y="-200%" width="500%" height="500%">
                <feGaussianBlur stdDeviation="1.800" />
            </filter>
            <filter id="wide" x="-200%" y="-200%" width="500%" height="500%">
                <feGaussianBlur stdDeviation="6" />
            </filter>
            <pattern id="weave" width="1.2" height="1.2" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <path d="M0 0h0.600v1.200h-0.600z" fill="#fff" opacity="0.014" />
            </pattern>
        </defs>
    );
}

export function Substrate({ picture, side }: { readonly picture: Picture; readonly side: Side }) {
    const mirrored = side === "back" ? `translate(${picture.width} 0) scale(-1 1)` : undefined;
    return (
        <>
            <g transform={mirrored}>
                <path class="board-shadow" d={picture.outline} />
                <path d={picture.outline} fill="url(#mask)" />
                <path d={picture.outline} fill="url(#weave)" />
                <path d={picture.outline} fill="none" stroke="#fff" stroke-opacity="0.16" stroke-width="0.2" />
                {picture.holes.map((hole, i) => (
                    <g key={i}>
                        <circle cx={hole.x} cy={hole.y} r={hole.diameter / 2 + 0.6} fill={GOLD} />
                        <circle cx={hole.x} cy={hole.y} r={hole.diameter / 2} class="hole" />
                        <circle cx={hole.x} cy={hole.y} r={hole.diameter / 2} fill="none" stroke="#000" stroke-opacity="0.5"
                            stroke-width="0.2" />
                    </g>
                ))}
            </g>
            {side === "back" && <Traces picture={picture} />}
        </>
    );
}

// Copper under the mask, as faint as it is on a black board: from each part to the largest chip.
function Traces({ picture }: { readonly picture: Picture }) {
    const items = picture.items.filter((i) => i.side === "back").map((i) => ({ ...i, x: picture.width - i.x }));
    const chips = items.filter((i) => i.kind === "chip").sort((a, b) => b.width * b.height - a.width * a.height);
    const hub = chips[0];
    if (hub === undefined || hub.width < 6) return null;
    return (
        <g fill="none" stroke="#fff" stroke-opacity="0.05" stroke-width="0.25" stroke-linejoin="round">
            {items
                .filter((i) => i !== hub && i.kind !== "text")
                .flatMap((item, k) =>
                    [-1.2, -0.6, 0, 0.6, 1.2].map((d) => {
                        const right = Math.sign(item.x - hub.x) || 1;
                        const down = Math.sign(item.y - hub.y) || 1;
                        const bend = hub.y + d + down * (k % 3);
                        const jog = Math.abs(item.y - bend + d);
                        const far = Math.abs(item.x - hub.x) > jog;
                        return far ? (
                            <path key={`${k}${d}`} d={`M${hub.x} ${bend}H${item.x - right * jog}L${item.x} ${item.y + d}`} />
                        ) : (
                            <path key={`${k}${d}`}
                                d={`M${hub.x + d} ${hub.y}V${item.y - down * Math.abs(item.x - hub.x)}L${item.x + d} ${item.y}`} />
                        );
                    }),
                )}
        </g>
    );
}

function Silk({ x, y, size, text, weight = 500, anchor = "middle" }: {
    readonly x: number;
    readonly y: number;
    readonly size: number;
    readonly text: string;
    readonly weight?: number;
    readonly anchor?: "start" | "middle" | "end";
}) {
    if (text === "") return null;
    return (
        <text class="silk" x={x} y={y} font-size={size} text-anchor={anchor} font-weight={weight} fill={SILK}>
            {text}
        </text>
    );
}

// A label above an item; below one near the top, and beside one at the left or right edge, where others
// stand above and below.
function Label({ item, picture, size = 1.6 }: {
    readonly item: Item;
    readonly picture: Picture;
    readonly size?: number;
}) {
    const { x, y, width: w, height: h } = item;
    const left = x - w / 2 < 2;
    if (left || x + w / 2 > picture.width - 2) {
        const gap = w / 2 + 0.9;
        return <Silk x={left ? x + gap : x - gap} y={y + size * 0.35} size={size} text={item.label} anchor={left ? "start" : "end"} />;
    }
    const above = y - h / 2 > 9;
    return <Silk x={x} y={above ? y - h / 2 - 0.9 : y + h / 2 + size + 0.5} size={size} text={item.label} />;
}

function range(n: number): readonly number[] {
    return Array.from({ length: n }, (_, i) => i);
}

// Draws an edge's item as if the edge were at the bottom: 0, 0 is its middle, w along the edge.
function AtEdge({ item, picture, children }: {
    readonly item: Item;
    readonly picture: Picture;
    readonly children: (w: number, h: number) => ComponentChildren;
}) {
    const distances = [picture.height - item.y, item.x, item.y, picture.width - item.x];
    const nearest = distances.indexOf(Math.min(...distances));
    const upright = nearest % 2 === 0;
    return (
        <g transform={`translate(${item.x} ${item.y}) rotate(${nearest * 90})`}>
            {upright ? children(item.width, item.height) : children(item.height, item.width)}
        </g>
    );
}

function Panel({ item }: { readonly item: Item }) {
    const { x, y, width: w, height: h } = item;
    return (
        <g>
            <rect x={x + 0.3} y={y + 0.5} width={w} height={h} rx="0.8" fill="#000" opacity="0.5" />
            <rect x={x} y={y} width={w} height={h} rx="0.8" fill="url(#glass)" />
            <rect x={x + 0.1} y={y + 0.1} width={w - 0.2} height={h - 0.2} rx="0.7" fill="none" stroke="#fff" stroke-opacity="0.2"
                stroke-width="0.14" />
        </g>
    );
}

// The pixels' bed; without a panel of its own in the picture it brings a frame.
function Bed({ item, framed }: { readonly item: Item; readonly framed: boolean }) {
    const { x, y, width: w, height: h } = item;
    return (
        <g>
            {framed && <Panel item={{ ...item, x: x - 3.500, y: y - 3.500, width: w + 7, height: h + 8.500 }} />}
            <rect x={x - 0.4} y={y - 0.4} width={w + 0.8} height={h + 0.8} rx="0.3" fill="#000" />
        </g>
    );
}

function Chip({ item, picture }: { readonly item: Item; readonly picture: Picture }) {
    const { width: w, height: h } = item;
    const x = item.x - w / 2;
    const y = item.y - h / 2;
    const quad = w >= 6 && Math.abs(w - h) < 1;
    const count = quad ? 16 : 4;
    const step = ((quad ? w : Math.max(w, h)) - 0.8) / count;
    const legs = range(count).map((i) => 0.4 + (i + 0.25) * step);
    const across = w >= h;
    return (
        <g>
            <g fill="#b9bec2">
                {legs.map((d, i) => (
                    <g key={i}>
                        {(quad || across) && <rect x={x + d} y={y - 0.6} width={step * 0.5} height={h + 1.2} />}
                        {(quad || !across) && <rect x={x - 0.6} y={y + d} width={w + 1.2} height={step * 0.5} />}
                    </g>
                ))}
            </g>
            <rect x={x} y={y} width={w} height={h} rx="0.25" fill="#26292c" />
            <rect x={x} y={y} width={w} height={h} rx="0.25" fill="none" stroke="#fff" stroke-opacity="0.14" stroke-width="0.12" />
            <circle cx={x + 0.8} cy={y + h - 0.8} r="0.3" fill="#0d0f10" />
            {quad ? (
                <text class="silk" x={item.x} y={item.y + 0.5} font-size="1.35" text-anchor="middle" fill="#9aa1a5">
                    {item.label}
                </text>
            ) : (
                <Label item={{ ...item, height: across ? h + 1.2 : h }} picture={picture} size={1.4} />
            )}
        </g>
    );
}

function RadioModule({ item, picture }: { readonly item: Item; readonly picture: Picture }) {
    const { width: w, height: h } = item;
    const x = item.x - w / 2;
    const y = item.y - h / 2;
    const left = item.x < picture.width / 2; // the antenna looks out of the board
    const antenna = w * 0.22;
    const canX = left ? x + antenna + 0.4 : x + 0.8;
    const canW = w - antenna - 1.2;
    const ax = left ? x : x + w - antenna;
    const turns = 6;
    const pitch = (h - 3) / turns;
    const meander = range(turns)
        .map((i) => `V${y + 1.5 + pitch * (i + 0.5)}H${i % 2 === 0 ? ax + antenna - 1 : ax + 1}`)
        .join("");
    return (
        <g>
            <rect x={x} y={y} width={w} height={h} rx="0.3" fill="#0c0e10" stroke="#fff" stroke-opacity="0.14" stroke-width="0.12" />
            <path d={`M${ax + 1} ${y + 1}${meander}V${y + h - 1}`} fill="none" stroke={GOLD} stroke-width="0.6" />
            <rect x={canX} y={y + 0.9} width={canW} height={h - 1.8} rx="0.5" fill="url(#metal)" />
            <rect x={canX + 0.4} y={y + 1.3} width={canW - 0.8} height={h - 2.6} rx="0.35" fill="none" stroke="#000" stroke-opacity="0.14"
                stroke-width="0.18" />
            <text class="silk" x={canX + canW / 2} y={item.y + 0.3} font-size="2.6" text-anchor="middle" font-weight="600" fill="#596165">
                {item.label}
            </text>
            <text class="silk" x={canX + canW / 2} y={item.y + 2.9} font-size="1.25" text-anchor="middle" fill="#6d757a">
                2.4 GHz Wi-Fi
            </text>
        </g>
    );
}

function Connector({ item, picture }: { readonly item: Item; readonly picture: Picture }) {
    return (
        <g>
            <AtEdge item={item} picture={picture}>
                {(w, h) => {
                    const pins = Math.max(2, Math.round(w / 2) - 2);
                    const step = w / (pins + 1);
                    return (
                        <>
                            <rect x={-w / 2} y={-h / 2} width={w} height={h} rx="0.5" fill="#000" opacity="0.45" transform="translate(0.3 0.3)" />
                            <rect x={-w / 2} y={-h / 2} width={w} height={h} rx="0.5" fill={item.color || "#f1efe9"} />
                            <rect x={-w / 2 + 1} y={-h / 2 + h * 0.28} width={w - 2} height={h * 0.72 - 0.6} rx="0.3" fill="#000" opacity="0.12" />
                            <g fill={GOLD}>
                                {range(pins).map((i) => (
                                    <rect key={i} x={-w / 2 + step * (i + 1) - 0.3} y={-h / 2 + h * 0.34} width="0.6" height={h * 0.48} rx="0.15" />
                                ))}
                            </g>
                        </>
                    );
                }}
            </AtEdge>
            <Label item={item} picture={picture} size={1.8} />
        </g>
    );
}

function Usb({ item, picture }: { readonly item: Item; readonly picture: Picture }) {
    return (
        <g>
            <AtEdge item={item} picture={picture}>
                {(w, h) => (
                    <>
                        <rect x={-w / 2} y={-h / 2} width={w} height={h} rx="0.5" fill="url(#metal)" />
                        <rect x={-w / 2 + 0.7} y={-h / 2 + 0.8} width={w - 1.4} height="0.4" fill="#000" opacity="0.2" />
                        <rect x={-w / 2 + 1.8} y={-h / 2 + 2} width="0.9" height="1.6" rx="0.2" fill="#000" opacity="0.25" />
                        <rect x={w / 2 - 2.7} y={-h / 2 + 2} width="0.9" height="1.6" rx="0.2" fill="#000" opacity="0.25" />
                    </>
                )}
            </AtEdge>
            <Silk x={item.x + 0.6} y={item.y - item.height / 2 - 0.9} size={1.6} text={item.label} />
        </g>
    );
}

function Card({ item }: { readonly item: Item }) {
    const { width: w, height: h } = item;
    const x = item.x - w / 2;
    const y = item.y - h / 2;
    return (
        <g>
            <rect x={x} y={y} width={w} height={h} rx="0.5" fill="url(#metal)" />
            <rect x={x + 0.5} y={y + 0.5} width={w - 1} height={h - 1} rx="0.3" fill="none" stroke="#000" stroke-opacity="0.15" stroke-width="0.2" />
            <path d={`M${x + w * 0.25} ${y + h}v-1.500q0-.8 .8-.8h${w * 0.5 - 1.600}q.8 0 .8 .8v1.500z`} fill="#24282b" opacity="0.85" />
            <text class="silk" x={item.x} y={item.y + 0.3} font-size="1.7" text-anchor="middle" font-weight="600" fill="#6d757a">
                {item.label}
            </text>
        </g>
    );
}

// A reset button acts when it is pressed; others are held and let go.
function Button({ item, picture, onReset, onPress }: Omit<ItemProps, "light" | "faulty">) {
    const { width: w, height: h } = item;
    const usable = item.kind === "reset" ? onReset !== undefined : onPress !== undefined;
    const down = (): void => (item.kind === "reset" ? onReset?.() : onPress?.(true));
    const up = (): void => {
        if (item.kind !== "reset") onPress?.(false);
    };
    const keyed = (e: KeyboardEvent, act: () => void): void => {
        if (e.key !== "Enter" && e.key !== " ") return;
        e.preventDefault();
        if (!e.repeat) act();
    };
    const name = item.label || item.chip;
    return (
        <g class={usable ? "pressable" : undefined} role={usable ? "button" : undefined} tabIndex={usable ? 0 : undefined}
            aria-label={`Button ${name}`} data-testid={item.kind === "reset" ? "board-reset" : `press-${item.chip}`}
            onPointerDown={(e: PointerEvent) => {
                (e.currentTarget as Element).setPointerCapture(e.pointerId);
                down();
            }}
            onPointerUp={up} onPointerCancel={up} onBlur={up} onKeyDown={(e: KeyboardEvent) => keyed(e, down)}
            onKeyUp={(e: KeyboardEvent) => keyed(e, up)}>
            {usable && <title>{item.kind === "reset" ? "Press the board's reset button" : `Hold button ${name}`}</title>}
            <rect x={item.x - w / 2} y={item.y - h / 2} width={w} height={h} rx="0.4" fill="url(#metal)" />
            <rect class="plunger" x={item.x - w * 0.24} y={item.y - h * 0.27} width={w * 0.48} height={h * 0.54} rx={h * 0.25}
                fill="#1b1e20" stroke="#000" stroke-opacity="0.4" stroke-width="0.15" />
            <Label item={item} picture={picture} />
        </g>
    );
}

function LightSensor({ item }: { readonly item: Item }) {
    const { width: w, height: h } = item;
    return (
        <g>
            <rect x={item.x - w / 2} y={item.y - h / 2} width={w} height={h} rx="0.25" fill="#e6e3d6" />
            <circle cx={item.x} cy={item.y} r={w * 0.38} fill="#2b3034" />
            <circle cx={item.x - w * 0.11} cy={item.y - w * 0.13} r={w * 0.11} fill="#fff" opacity="0.5" />
            <Silk x={item.x} y={item.y + h / 2 + 1.9} size={1.2} text={item.label} />
        </g>
    );
}

function Pixel({ item, picture, light }: {
    readonly item: Item;
    readonly picture: Picture;
    readonly light: Light | undefined;
}) {
    const { x, y, width: w, height: h } = item;
    return (
        <g data-testid="neopixel" data-lit={light?.color ?? ""}>
            <rect x={x - w / 2} y={y - h / 2} width={w} height={h} rx="0.4" fill="#f4f3ee" />
            <path d={`M${x - w / 2} ${y + h / 2}h1.200l-1.200-1.200z`} fill="#b9b7ae" />
            <circle cx={x} cy={y} r={w * 0.38} fill="url(#lens)" />
            <circle cx={x} cy={y} r={w * 0.2} fill="#4a4f52" opacity="0.5" />
            <Label item={item} picture={picture} />
            {light !== undefined && (
                <g class="glow">
                    <circle cx={x} cy={y} r="13" fill={light.color} opacity={light.strength * 0.5} filter="url(#wide)" />
                    <circle cx={x} cy={y} r="3.8" fill={light.color} opacity={light.strength} filter="url(#soft)" />
                    <circle cx={x} cy={y} r={w * 0.35} fill={light.color} opacity={0.35 + 0.65 * light.strength} />
                    <circle cx={x} cy={y} r={w * 0.16} fill="#fff" opacity={light.strength * 0.9} />
                </g>
            )}
        </g>
    );
}

function Led({ item, picture, light }: {
    readonly item: Item;
    readonly picture: Picture;
    readonly light: Light | undefined;
}) {
    const { x, y, width: w, height: h } = item;
    return (
        <g data-testid={`led-${item.chip}`} data-on={light !== undefined}>
            <rect x={x - w / 2 - 0.35} y={y - h / 2} width={w + 0.7} height={h} fill="#b9bec2" />
            <rect x={x - w / 2} y={y - h / 2} width={w} height={h} rx="0.15" fill={light?.color ?? "#d8cfc4"} />
            <Label item={item} picture={picture} size={1.4} />
            {light !== undefined && (
                <g class="glow">
                    <circle cx={x} cy={y} r="2.6" fill={light.color} opacity={light.strength * 0.85} filter="url(#soft)" />
                    <circle cx={x} cy={y} r="0.5" fill="#fff" opacity={light.strength * 0.8} />
                </g>
            )}
        </g>
    );
}

// Of a light on the other side: what it throws past the board's edge onto the mat.
export function Shine({ item, light }: { readonly item: Item; readonly light: Light }) {
    const far = item.kind === "neopixel" ? 15 : 7;
    return (
        <g class="glow">
            <circle cx={item.x} cy={item.y} r={far} fill={light.color} opacity={light.strength * 0.85} filter="url(#wide)" />
        </g>
    );
}

function Speaker({ item, picture }: { readonly item: Item; readonly picture: Picture }) {
    const r = Math.min(item.width, item.height) / 2;
    return (
        <g>
            <rect x={item.x - r} y={item.y - r} width={2 * r} height={2 * r} rx="0.8" fill="#15181a" stroke="#fff" stroke-opacity="0.12"
                stroke-width="0.12" />
            <circle cx={item.x} cy={item.y} r={r * 0.82} fill="#202427" />
            {[0.3, 0.5, 0.7].map((k) => (
                <circle key={k} cx={item.x} cy={item.y} r={r * k} fill="none" stroke="#fff" stroke-opacity="0.09" stroke-width="0.3" />
            ))}
            <Label item={item} picture={picture} size={1.4} />
        </g>
    );
}

interface ItemProps {
    readonly item: Item; // as seen from this side
    readonly picture: Picture;
    readonly light: Light | undefined;
    readonly faulty: boolean;
    readonly onReset: (() => void) | undefined;
    readonly onPress: ((down: boolean) => void) | undefined;
}

function body({ item, picture, light, onReset, onPress }: ItemProps) {
    switch (item.kind) {
        case "glass":
            return <Panel item={item} />;
        case "screen":
            return <Bed item={item} framed={!picture.items.some((i) => i.kind === "glass")} />;
        case "module":
            return <RadioModule item={item} picture={picture} />;
        case "chip":
            return <Chip item={item} picture={picture} />;
        case "connector":
            return <Connector item={item} picture={picture} />;
        case "usb":
            return <Usb item={item} picture={picture} />;
        case "sd":
            return <Card item={item} />;
        case "reset":
        case "button":
            return <Button item={item} picture={picture} onReset={onReset} onPress={onPress} />;
        case "light":
            return <LightSensor item={item} />;
        case "neopixel":
            return <Pixel item={item} picture={picture} light={light} />;
        case "led":
            return <Led item={item} picture={picture} light={light} />;
        case "speaker":
            return <Speaker item={item} picture={picture} />;
        case "text":
            return <Silk x={item.x} y={item.y + item.height * 0.35} size={item.height} text={item.label} weight={700} />;
    }
}

export function ItemView(props: ItemProps) {
    return <g class={props.faulty ? "faulty" : undefined}>{body(props)}</g>;
}
