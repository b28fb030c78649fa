// What the browser tests share: the program with a page on a free port, and Debian's Chromium.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

export const root = process.env["ADDER_ROOT"] ?? resolve(__dirname, "../..");
const program = process.env["ADDER_PROGRAM"] ?? join(root, "build/release/adder");
const chromiumPath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

const START_MS = 60_000;

export async function launch(): Promise<Browser> {
    return chromium.launch({
        executablePath: chromiumPath,
        args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    });
}

// A running `adder run` and everything it printed.
export class Adder {
    private readonly child: ChildProcess;
    private readonly ended: Promise<number | null>;
    printed = "";
    address = "";

    private constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
        this.child = spawn(program, ["run", ...args], {
            env: { ...process.env, ADDER_ROOT: root, ...env },
            stdio: ["pipe", "pipe", "pipe"],
        });
        const take = (bytes: Buffer): void => {
            this.printed += bytes.toString("utf8");
        };
        this.child.stdout?.on("data", take);
        this.child.stderr?.on("data", take);
        this.ended = new Promise((done) => {
            this.child.on("exit", (code) => done(code));
            this.child.on("error", (error) => {
                this.printed += String(error);
                done(null);
            });
        });
    }

    static async start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Adder> {
        const adder = new Adder(args, env);
        try {
            await eventually(() => {
                const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(adder.printed);
                if (found === null) throw new Error("no address of a page yet");
                adder.address = found[0];
            }, START_MS);
        } catch (error) {
            await adder.stop();
            throw new Error(`adder run did not serve a page; it said:\n${adder.printed}`, { cause: error });
        }
        return adder;
    }

    get port(): number {
        return Number(new URL(this.address).port);
    }

    async stop(): Promise<number | null> {
        this.child.kill("SIGTERM");
        const patience = setTimeout(() => this.child.kill("SIGKILL"), 5000);
        const code = await this.ended;
        clearTimeout(patience);
        return code;
    }
}

// A CIRCUITPY drive with this code.py.
export function drive(code: string): { readonly path: string; remove(): void } {
    const path = mkdtempSync(join(tmpdir(), "adder-browser-"));
    writeFileSync(join(path, "code.py"), code);
    return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

// Again and again until it does not throw.
export async function eventually<T>(check: () => T | Promise<T>, ms = 10_000): Promise<T> {
    const until = Date.now() + ms;
    for (;;) {
        try {
            return await check();
        } catch (error) {
            if (Date.now() > until) throw error;
            await new Promise((done) => setTimeout(done, 50));
        }
    }
}

// What the page's console shows; the terminal pads with no-break spaces.
export async function consoleText(page: Page): Promise<string> {
    const text = await page.locator(".xterm-rows").innerText();
    return text.replaceAll("\u00a0", " ");
}

// The colour the page shows for a pixel of the board's screen, "#rrggbb".
export async function pixel(page: Page, x: number, y: number): Promise<string> {
    return page.getByTestId("screen").evaluate(
        (canvas, at) => {
            if (!(canvas instanceof HTMLCanvasElement)) throw new Error("no canvas");
            const k = canvas.width / 320;
            const rgb = canvas.getContext("2d")?.getImageData((at.x + 0.5) * k, (at.y + 0.5) * k, 1, 1).data;
            if (rgb === undefined) throw new Error("no pixels");
            return `#${[...rgb.slice(0, 3)].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
        },
        { x, y },
    );
}

// The page's coordinates of a pixel of the board's screen.
export async function pointOf(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
    const box = await page.getByTestId("screen").boundingBox();
    if (box === null) throw new Error("the screen is not shown");
    return { x: box.x + ((x + 0.5) * box.width) / 320, y: box.y + ((y + 0.5) * box.height) / 240 };
}
