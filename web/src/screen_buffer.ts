// The screen's pixels, put together from the frames' rectangles; whoever shows them is told.

import type { BinaryMessage } from "./protocol";

type Frame = Extract<BinaryMessage, { kind: "screen" }>;

export class ScreenBuffer {
    readonly canvas = document.createElement("canvas");
    private readonly pen = this.canvas.getContext("2d", { alpha: false });
    private readonly listeners = new Set<() => void>();
    frames = 0;

    apply(frame: Frame): void {
        if (this.canvas.width !== frame.width || this.canvas.height !== frame.height) {
            this.canvas.width = frame.width;
            this.canvas.height = frame.height;
        }
        for (const r of frame.rects) this.pen?.putImageData(new ImageData(r.rgba, r.w, r.h), r.x, r.y);
        this.frames++;
        for (const listener of this.listeners) listener();
    }

    subscribe(listener: () => void): () => void {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }
}
