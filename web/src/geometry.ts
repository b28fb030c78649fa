// From the page's pixels to the screen's and back.

export interface Box {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
}

export interface Point {
    readonly x: number;
    readonly y: number;
}

const clamp = (v: number, low: number, high: number): number => Math.min(high, Math.max(low, v));

// The screen's pixel under a point of the page; a drag that leaves the screen stays at its edge, as a
// finger on the bezel would.
export function screenPoint(client: Point, box: Box, width: number, height: number): Point {
    const fraction = (at: number, from: number, size: number): number => (size > 0 ? (at - from) / size : 0);
    return {
        x: clamp(Math.floor(fraction(client.x, box.left, box.width) * width), 0, width - 1),
        y: clamp(Math.floor(fraction(client.y, box.top, box.height) * height), 0, height - 1),
    };
}

// How many canvas pixels stand for one of the screen: whole, so that enlarging keeps edges hard; the
// browser then shrinks by less than one step, which keeps fine lines even.
export function enlargement(shownWidth: number, width: number, pixelRatio: number): number {
    return clamp(Math.ceil((shownWidth * pixelRatio) / width - 0.02), 1, 12);
}
