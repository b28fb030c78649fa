import { useEffect, useRef, useState } from "preact/hooks";

import { enlargement, screenPoint } from "../geometry";
import type { Point } from "../geometry";
import type { Link } from "../link";
import type { ScreenBuffer } from "../screen_buffer";

interface Props {
    readonly screen: ScreenBuffer;
    readonly width: number;
    readonly height: number;
    readonly link: Link;
    readonly touchPart: string | undefined;
    readonly live: boolean;
}

const KEY_STEP = 4;
const KEY_STEP_FAR = 20;

const directions: Readonly<Record<string, readonly [number, number]>> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
};

// The live screen. The buffer is enlarged by a whole factor without smoothing, then fitted by the
// browser: sharp at every size.
export function Screen({ screen, width, height, link, touchPart, live }: Props) {
    const canvas = useRef<HTMLCanvasElement>(null);
    const pressed = useRef<Point | undefined>(undefined);
    const [cursor, setCursor] = useState<Point | undefined>(undefined);

    useEffect(() => {
        const view = canvas.current;
        const pen = view?.getContext("2d", { alpha: false });
        if (view === null || pen === null || pen === undefined) return;
        let frame = 0;
        const draw = (): void => {
            frame = 0;
            const k = enlargement(view.clientWidth, width, devicePixelRatio);
            if (view.width !== width * k || view.height !== height * k) {
                view.width = width * k;
                view.height = height * k;
            }
            pen.imageSmoothingEnabled = false;
            pen.drawImage(screen.canvas, 0, 0, view.width, view.height);
            view.dataset["frames"] = String(screen.frames);
        };
        const later = (): void => {
            if (frame === 0) frame = requestAnimationFrame(draw);
        };
        const unsubscribe = screen.subscribe(later);
        const resized = new ResizeObserver(later);
        resized.observe(view);
        later();
        return () => {
            unsubscribe();
            resized.disconnect();
            cancelAnimationFrame(frame);
        };
    }, [screen, width, height]);

    function touch(point: Point | undefined): void {
        const was = pressed.current;
        if (touchPart === undefined || (was?.x === point?.x && was?.y === point?.y)) return;
        pressed.current = point;
        link.send({
            kind: "control",
            part: touchPart,
            knobs: { touch: point === undefined ? null : [point.x, point.y] },
        });
    }

    function at(event: PointerEvent): Point {
        const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
        return screenPoint({ x: event.clientX, y: event.clientY }, box, width, height);
    }

    function key(event: KeyboardEvent): void {
        const here = cursor ?? { x: Math.floor(width / 2), y: Math.floor(height / 2) };
        const step = directions[event.key];
        if (step !== undefined) {
            const far = event.shiftKey ? KEY_STEP_FAR : KEY_STEP;
            const next = {
                x: Math.min(width - 1, Math.max(0, here.x + step[0] * far)),
                y: Math.min(height - 1, Math.max(0, here.y + step[1] * far)),
            };
            setCursor(next);
            if (pressed.current !== undefined) touch(next);
        } else if (event.key === " " || event.key === "Enter") {
            setCursor(here);
            if (!event.repeat) touch(here);
        } else if (event.key === "Escape") {
            touch(undefined);
            setCursor(undefined);
        } else {
            return;
        }
        event.preventDefault();
    }

    return (
        <div class={live ? "screen" : "screen screen-off"}>
            <canvas
                ref={canvas}
                data-testid="screen"
                width={width}
                height={height}
                tabIndex={0}
                role="img"
                aria-label={
                    touchPart === undefined
                        ? "The board's screen"
                        : "The board's touch screen. Arrow keys move the finger, Space touches, Escape lets go."
                }
                style={{ cursor: touchPart === undefined ? "default" : "pointer" }}
                onPointerDown={(e) => {
                    if (e.button !== 0) return;
                    e.currentTarget.setPointerCapture(e.pointerId);
                    setCursor(undefined);
                    touch(at(e));
                }}
                onPointerMove={(e) => {
                    if (pressed.current !== undefined && e.currentTarget.hasPointerCapture(e.pointerId)) touch(at(e));
                }}
                onPointerUp={() => touch(undefined)}
                onPointerCancel={() => touch(undefined)}
                onLostPointerCapture={() => touch(undefined)}
                onKeyDown={key}
                onKeyUp={(e) => {
                    if (e.key === " " || e.key === "Enter") touch(undefined);
                }}
                onBlur={() => {
                    touch(undefined);
                    setCursor(undefined);
                }}
                onContextMenu={(e) => e.preventDefault()}
            />
            {cursor !== undefined && (
                <span
                    class="finger"
                    aria-hidden="true"
                    style={{ left: `${((cursor.x + 0.5) / width) * 100}%`, top: `${((cursor.y + 0.5) / height) * 100}%` }}
                />
            )}
        </div>
    );
}
