import { useMemo } from "preact/hooks";

import { pixelColor, pinLit } from "../lights";
import type { Link } from "../link";
import type { Snapshot } from "../model";
import { plainPicture } from "../picture";
import type { Shape } from "../picture";
import type { ScreenBuffer } from "../screen_buffer";
import { Screen } from "./screen";
import { ShapeView, Substrate } from "./shapes";
import type { Lit } from "./shapes";

interface Props {
    readonly now: Snapshot;
    readonly screen: ScreenBuffer;
    readonly link: Link;
}

const percent = (part: number, whole: number): string => `${(part / whole) * 100}%`;

// The board: an SVG drawn from the board file's picture, with the screen as a canvas on top.
export function BoardView({ now, screen, link }: Props) {
    const board = now.board;
    const display = board?.display;
    const picture = useMemo(
        () => board?.picture ?? plainPicture(board?.name ?? "", display?.width ?? 320, display?.height ?? 240),
        [board],
    );
    const live = now.link.kind === "open" && board !== undefined;
    const glass = picture.shapes.find((s) => s.kind === "screen");
    const touchPart = board?.parts.find((p) => p.knobs.some((k) => k.kind === "touch"))?.id;

    function lit(shape: Shape): Lit {
        if (!live) return { color: undefined, fault: false };
        const part = now.parts.get(shape.part);
        const color =
            shape.kind === "neopixel"
                ? pixelColor(part)
                : shape.kind === "led" && pinLit(now.pins, shape.pin)
                  ? shape.color || "#ff4436"
                  : undefined;
        return { color, fault: part !== undefined && part.fault !== "none" };
    }

    const reset = (): void => link.send({ kind: "action", action: "reset" });

    return (
        <div class="board" style={{ "--ratio": picture.width / picture.height, aspectRatio: `${picture.width} / ${picture.height}` }}>
            <svg class="board-art" viewBox={`0 0 ${picture.width} ${picture.height}`} role="group"
                aria-label={board?.name ?? "Board"}>
                <Substrate picture={picture} />
                {picture.shapes.map((shape, i) => (
                    <ShapeView key={i} shape={shape} lit={lit(shape)} onReset={live ? reset : undefined} />
                ))}
            </svg>
            {glass !== undefined && (
                <div class="board-glass" style={{
                    left: percent(glass.x, picture.width),
                    top: percent(glass.y, picture.height),
                    width: percent(glass.w, picture.width),
                    height: percent(glass.h, picture.height),
                }}>
                    <Screen screen={screen} link={link} width={display?.width ?? 320} height={display?.height ?? 240}
                        touchPart={touchPart} live={live} />
                </div>
            )}
        </div>
    );
}
