// The default example as its user sees it: touch the lamp button in the browser, and an independent MQTT
// client sees the message; publish with that client, and the lamp on the screen follows.

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";

import { Adder, consoleText, eventually, launch, pixel, pointOf, root } from "./support";

const LAMP = { x: 34, y: 212 };
const BUTTON = { x: 258, y: 212 };

const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin` };

async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    return port;
}

const red = (color: string): number => parseInt(color.slice(1, 3), 16);

let folder: string;
let port: number;
let broker: ChildProcess;
let listener: ChildProcess;
let heard = "";
let adder: Adder;
let browser: Browser;
let page: Page;

beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "adder-room-"));
    cpSync(join(root, "examples/room_monitor"), folder, { recursive: true });
    port = await freePort();
    const settings = join(folder, "settings.toml");
    writeFileSync(settings, readFileSync(settings, "utf8").replace(/^MQTT_PORT *=.*$/m, `MQTT_PORT = ${port}`));
    broker = spawn("mosquitto", ["-p", String(port)], { env, stdio: "ignore" });
    await eventually(() => {
        const done = spawnSync("mosquitto_pub", ["-p", String(port), "-t", "up", "-m", "1"], { env });
        if (done.status !== 0) throw new Error(`no broker: ${String(done.stderr)}`);
    });
    listener = spawn("mosquitto_sub", ["-v", "-p", String(port), "-t", "room/#"], { env });
    listener.stdout?.on("data", (bytes: Buffer) => (heard += bytes.toString()));
    adder = await Adder.start([folder]);
    browser = await launch();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(adder.address);
    await eventually(async () => expect(await consoleText(page)).toMatch(/MQTT: connected/), 90_000);
});

afterAll(async () => {
    await browser?.close();
    await adder?.stop();
    listener?.kill();
    broker?.kill();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

describe("the room monitor", () => {
    it("publishes a touch of the lamp button and shows the lamp lit", async () => {
        await eventually(async () => expect(red(await pixel(page, LAMP.x, LAMP.y))).toBeLessThan(100));
        const at = await pointOf(page, BUTTON.x, BUTTON.y);
        await page.mouse.move(at.x, at.y);
        await page.mouse.down();
        await eventually(() => expect(heard).toMatch(/^room\/lamp on$/m));
        await page.mouse.up();
        await eventually(async () => expect(red(await pixel(page, LAMP.x, LAMP.y))).toBeGreaterThan(200));
        await eventually(async () => expect(await page.getByTestId("neopixel").getAttribute("data-lit")).not.toBe(""));
    });

    it("obeys a command of another client", async () => {
        spawnSync("mosquitto_pub", ["-p", String(port), "-t", "room/lamp/set", "-m", "off"], { env });
        await eventually(async () => expect(red(await pixel(page, LAMP.x, LAMP.y))).toBeLessThan(100));
        await eventually(() => expect(heard).toMatch(/room\/lamp on[\s\S]*room\/lamp off/));
        await eventually(async () => expect(await page.getByTestId("neopixel").getAttribute("data-lit")).toBe(""));
    });

    it("publishes what the page's slider makes the sensor measure", async () => {
        await page.getByTestId("knob-temperature-celsius").fill("31.5");
        await eventually(() => expect(heard).toMatch(/31\.5/), 15_000);
    });

    it("says so when Wi-Fi goes, and goes on when it comes", async () => {
        const wifi = page.getByTestId("knob-wifi-wifi");
        await wifi.click();
        // The co-processor misses beacons for some seconds before it calls the link lost.
        await eventually(async () => expect(await consoleText(page)).toMatch(/Network: .*again in/), 30_000);
        const before = heard.length;
        await wifi.click();
        await eventually(() => expect(heard.slice(before)).toMatch(/room\/temperature 31\.5/), 45_000);
    });
});
