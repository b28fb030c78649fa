import { useMemo, useState } from "preact/hooks";

import { ledLight, pixelColors, pixelLight } from "../lights";
import type { Light } from "../lights";
import type { Link } from "../link";
import type { Snapshot } from "../model";
import { plainPicture, seenFrom } from "../picture";
import type { Item, Picture, Side } from "../picture";
import type { ScreenBuffer } from "../screen_buffer";
import { Definitions, ItemView, Shine, Substrate } from "./shapes";
import { Screen } from "./screen";

interface Props {
    readonly now: Snapshot;
    readonly screen: ScreenBuffer;
    readonly link: Link;
}

interface FaceProps extends Props {
    readonly picture: Picture;
    readonly side: Side;
}

const percent = (part: number, whole: number): string => `${(part / whole) * 100}%`;

const cornered = (item: Item): boolean => item.kind === "screen" || item.kind === "glass";

function lightOf(item: Item, now: Snapshot): Light | undefined {
    if (now.link.kind !== "open") return undefined;
    const part = now.parts.get(item.chip);
    switch (item.kind) {
        case "neopixel":
            return pixelLight(pixelColors(part)[0]);
        case "led":
            return ledLight(part, item.color);
        default:
            return undefined;
    }
}

// One side of the board, an SVG drawn from the board file's picture; on its front the screen is a canvas.
function Face({ now, screen, link, picture, side }: FaceProps) {
    const board = now.board;
    const display = board?.display;
    const live = now.link.kind === "open" && board !== undefined;
    const touchPart = board?.parts.find((p) => p.knobs.some((k) => k.kind === "touch"))?.id;
    // A button of the picture is its part's knob, held as long as the finger is on it.
    const pressOf = (item: Item): ((down: boolean) => void) | undefined => {
        const knob = board?.parts.find((p) => p.id === item.chip)?.knobs.find((k) => k.kind === "press");
        if (!live || knob === undefined) return undefined;
        return (down) => link.send({ kind: "control", part: item.chip, knobs: { [knob.name]: down } });
    };
    const reset = live ? (): void => link.send({ kind: "action", action: "reset" }) : undefined;
    const items = picture.items.map((item) => ({ item: seenFrom(item, picture, side), light: lightOf(item, now) }));
    const here = items.filter(({ item }) => item.side === side);
    // What carries others first: glass below the screen.
    const order = [...here.filter(({ item }) => cornered(item)), ...here.filter(({ item }) => !cornered(item))];
    const glass = here.find(({ item }) => item.kind === "screen")?.item;

    return (
        <div class={`face face-${side}`} style={{ aspectRatio: `${picture.width} / ${picture.height}` }}>
            <svg class="board-art" viewBox={`0 0 ${picture.width} ${picture.height}`} role="group"
                aria-label={`${board?.name ?? "Board"}, ${side}`}>
                {items.map(({ item, light }, i) =>
                    item.side !== side && light !== undefined ? <Shine key={i} item={item} light={light} /> : null,
                )}
                <Substrate picture={picture} side={side} />
                {order.map(({ item, light }, i) => (
                    <ItemView key={i} item={item} light={light} picture={picture} onReset={reset} onPress={pressOf(item)}
                        faulty={live && (now.parts.get(item.chip)?.fault ?? "none") !== "none"} />
                ))}
            </svg>
            {glass !== undefined && (
                <div class="board-glass" style={{
                    left: percent(glass.x, picture.width),
                    top: percent(glass.y, picture.height),
                    width: percent(glass.width, picture.width),
                    height: percent(glass.height, picture.height),
                }}>
                    <Screen screen={screen} link={link} width={display?.width ?? 320} height={display?.height ?? 240}
                        touchPart={touchPart} live={live} />
                </div>
            )}
        </div>
    );
}

// Both sides; one in sight unless there is room for two (style/sizes.css), and a button that turns the board.
export function BoardView({ now, screen, link }: Props) {
    const [side, setSide] = useState<Side>("front");
    const board = now.board;
    const picture = useMemo(
        () =>
            board?.picture ?? plainPicture(board?.name ?? "", board?.display?.width ?? 320, board?.display?.height ?? 240),
        [board],
    );
    const twoSided = picture.items.some((item) => item.side === "back");
    const common = { now, screen, link, picture };
    return (
        <>
            <div class={`boards boards-${side}${twoSided ? " boards-two" : ""}`} style={{
                "--ratio": picture.width / picture.height,
                "--limit": `${picture.width * 0.8}rem`, // a small board stays one
            }}>
                <svg width="0" height="0" class="definitions" aria-hidden="true">
                    <Definitions color={picture.color} />
                </svg>
                <Face {...common} side="front" />
                {twoSided && <Face {...common} side="back" />}
            </div>
            {twoSided && (
                <button class="button turn" type="button" onClick={() => setSide(side === "front" ? "back" : "front")}
                    data-testid="turn">
                    <svg viewBox="0 0 20 20" aria-hidden="true">
                        <path d="M3.500 8.500c0-2 2.900-3.500 6.500-3.500s6.500 1.500 6.500 3.500-2.900 3.500-6.500 3.500H7m2.500-2.500L7 12l2.500 2.500"
                            fill="none" stroke="currentColor" stroke-width="1.600" stroke-linecap="round" stroke-linejoin="round" />
                    </svg>
                    {side === "front" ? "Turn over" : "Turn back"}
                </button>
            )}
        </>
    );
}
