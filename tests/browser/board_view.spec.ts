// The page against the real program: `adder run` with a small code.py that answers to everything.

import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

import type { Browser, Page } from "playwright-core";

import { Adder, consoleText, drive, eventually, launch, pixel, pointOf } from "./support";

// Paints a square where it is touched and says what it sees. No library, so that it starts at once.
const code = `
import time
import board
import digitalio
import displayio
import neopixel_write
from analogio import AnalogIn
from digitalio import DigitalInOut

print("tester starts")
bitmap = displayio.Bitmap(320, 240, 3)
palette = displayio.Palette(3)
palette[0] = 0x0000FF
palette[1] = 0xFF0000
palette[2] = 0x00FF00
group = displayio.Group()
group.append(displayio.TileGrid(bitmap, pixel_shader=palette))
board.DISPLAY.root_group = group
light = AnalogIn(board.LIGHT)
led = DigitalInOut(board.LED)
led.switch_to_output(False)
neo = DigitalInOut(board.NEOPIXEL)
neo.switch_to_output(False)


def measure(high, low, sense):
    with DigitalInOut(high) as p, DigitalInOut(low) as m:
        p.switch_to_output(True)
        m.switch_to_output(False)
        with AnalogIn(sense) as a:
            return a.value


def pressed():
    with DigitalInOut(board.TOUCH_YU) as p, DigitalInOut(board.TOUCH_XL) as m:
        p.switch_to_output(True)
        m.switch_to_output(False)
        with AnalogIn(board.TOUCH_XR) as a, AnalogIn(board.TOUCH_YD) as b:
            return 65535 - b.value + a.value > 5000


def scaled(raw, low, high, size):
    return min(size - 1, max(0, (raw - low) * size // (high - low)))


down = False
seen = -9999
while True:
    now = pressed()
    if now:
        # The sheet between YD and YU lies along the screen's x.
        x = scaled(measure(board.TOUCH_YU, board.TOUCH_YD, board.TOUCH_XR), 5200, 59000, 320)
        y = scaled(measure(board.TOUCH_XR, board.TOUCH_XL, board.TOUCH_YU), 5800, 57000, 240)
    if now and not down:
        print("touched", x, y)
        for i in range(x - 8, x + 8):
            for k in range(y - 8, y + 8):
                if 0 <= i < 320 and 0 <= k < 240:
                    bitmap[i, k] = 1
        neopixel_write.neopixel_write(neo, bytes((0, 200, 0)))
    if down and not now:
        print("released")
        neopixel_write.neopixel_write(neo, bytes((0, 0, 0)))
    led.value = down = now
    value = light.value
    if abs(value - seen) > 600:
        seen = value
        print("light", value)
    time.sleep(0.02)
`;

let browser: Browser;
let adder: Adder;
let page: Page;
const files = drive(code);
const requests: string[] = [];
const complaints: string[] = [];

async function open(): Promise<Page> {
    const p = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    p.on("request", (r) => requests.push(r.url()));
    p.on("pageerror", (e) => complaints.push(e.message));
    p.on("console", (m) => {
        if (m.type() === "error" && !m.text().includes("WebSocket connection")) complaints.push(m.text());
    });
    await p.goto(adder.address);
    await p.getByTestId("console").waitFor();
    return p;
}

async function shows(text: string | RegExp, ms?: number): Promise<void> {
    await eventually(async () => expect(await consoleText(page)).toMatch(text), ms);
}

async function stateOfPart(id: string): Promise<Record<string, unknown>> {
    const answer = await page.request.get(`${adder.address}api/state`, { headers: { Origin: new URL(adder.address).origin } });
    const body = (await answer.json()) as { state: { parts: Record<string, Record<string, unknown>> } };
    const part = body.state.parts[id];
    if (part === undefined) throw new Error(`no part ${id}`);
    return part;
}

async function clear(): Promise<void> {
    await page.getByRole("button", { name: "Clear" }).click();
}

async function typeLine(line: string): Promise<void> {
    await page.locator(".xterm-helper-textarea").focus();
    await page.keyboard.type(line);
    await page.keyboard.press("Enter");
}

beforeAll(async () => {
    browser = await launch();
    adder = await Adder.start([files.path]);
    page = await open();
    await shows(/tester starts/, 30_000);
});

afterAll(async () => {
    await browser?.close();
    await adder?.stop();
    files.remove();
});

describe("the board", () => {
    it("shows what the program draws", async () => {
        await eventually(async () => expect(await pixel(page, 160, 120)).toBe("#0000ff"));
        expect(await page.getByTestId("program").innerText()).toMatch(/code\.py · running/);
    });

    it("is touched with the mouse: program, screen and lights answer, release included", async () => {
        const at = await pointOf(page, 200, 60);
        await page.mouse.move(at.x, at.y);
        await page.mouse.down();
        await shows(/touched (19\d|20\d) (5\d|6\d)/);
        await eventually(async () => expect(await pixel(page, 200, 60)).toBe("#ff0000"));
        expect(await pixel(page, 100, 200)).toBe("#0000ff");
        await eventually(async () => expect(await page.getByTestId("neopixel").getAttribute("data-lit")).toBe("#ff0000"));
        await eventually(async () => expect(await page.getByTestId("led-led").getAttribute("data-on")).toBe("true"));
        await page.mouse.up();
        await shows(/released/);
        await eventually(async () => expect(await page.getByTestId("neopixel").getAttribute("data-lit")).toBe(""));
    });

    it("is touched from the keyboard", async () => {
        await clear();
        await page.getByTestId("screen").focus();
        for (let i = 0; i < 3; i++) await page.keyboard.press("Shift+ArrowDown");
        await page.keyboard.down(" ");
        await shows(/touched 1[56]\d (17\d|18\d)/);
        await page.keyboard.up(" ");
        await shows(/released/);
    });

    it("lets go when the finger slides off the screen and up", async () => {
        await clear();
        const at = await pointOf(page, 300, 120);
        await page.mouse.move(at.x, at.y);
        await page.mouse.down();
        await shows(/touched/);
        await page.mouse.move(at.x + 400, at.y + 50, { steps: 5 });
        await page.mouse.up();
        await shows(/released/);
        expect((await stateOfPart("touch"))["state"]).toMatchObject({ touch: null });
    });

    it("turns over and back", async () => {
        await page.getByTestId("turn").click();
        await eventually(async () => expect(await page.locator(".face-back").isVisible()).toBe(true));
        await page.getByTestId("turn").click();
        await eventually(async () => expect(await page.locator(".face-back").isVisible()).toBe(false));
    });
});

describe("the surroundings", () => {
    it("a slider is what the sensor measures", async () => {
        await clear();
        const slider = page.getByTestId("knob-light-lux");
        await slider.fill("0");
        await shows(/light \d{1,3}\b/);
        await slider.fill("900");
        await shows(/light \d{4,5}/);
        expect((await stateOfPart("light"))["state"]).toMatchObject({ lux: 900 });
    });

    it("Wi-Fi goes and comes, and the switch shows what the board says", async () => {
        const wifi = page.getByTestId("knob-wifi-wifi");
        expect(await wifi.getAttribute("aria-checked")).toBe("true");
        await wifi.click();
        await eventually(async () => expect(await wifi.getAttribute("aria-checked")).toBe("false"));
        expect((await stateOfPart("wifi"))["state"]).toMatchObject({ wifi: false });
        await wifi.click();
        await eventually(async () => expect(await wifi.getAttribute("aria-checked")).toBe("true"));
    });

    it("a chip is unplugged and plugged in", async () => {
        await page.getByTestId("faults").locator("summary").click();
        const menu = page.getByTestId("fault-temperature");
        await menu.selectOption("unplug");
        await eventually(async () => expect((await stateOfPart("temperature"))["fault"]).toBe("unplug"));
        await eventually(async () => expect(await page.getByTestId("faults").locator("summary").innerText()).toMatch(/1/));
        await menu.selectOption("none");
        await eventually(async () => expect((await stateOfPart("temperature"))["fault"]).toBe("none"));
        await page.getByTestId("faults").locator("summary").click();
    });
});

describe("the console", () => {
    it("interrupts the program, gives the REPL, and reloads", async () => {
        await page.getByTestId("ctrl-c").click();
        await shows(/KeyboardInterrupt/);
        await page.keyboard.press("Enter");
        await shows(/>>> *$/m);
        await typeLine("6*7");
        await shows(/^42 *$/m);
        await eventually(async () => expect(await page.getByTestId("program").innerText()).toMatch(/REPL/));
        await clear();
        await page.getByTestId("ctrl-d").click();
        await shows(/tester starts/, 20_000);
        await eventually(async () => expect(await page.getByTestId("program").innerText()).toMatch(/running/));
    });

    it("the reset button starts the program again", async () => {
        await clear();
        await page.getByTestId("reset").click();
        await shows(/tester starts/, 20_000);
    });

    it("is there for a page that comes later", async () => {
        const later = await open();
        await eventually(async () => expect(await consoleText(later)).toMatch(/tester starts/));
        await eventually(async () => expect(await pixel(later, 5, 5)).toBe("#0000ff"));
        await later.close();
    });
});

describe("who may talk to it", () => {
    it("garbage on the socket closes that socket with a reason, and nothing else", async () => {
        const closed = await page.evaluate(
            (garbage) =>
                Promise.all(
                    garbage.map(
                        (text) =>
                            new Promise<string>((done) => {
                                const s = new WebSocket(`ws://${location.host}/ws`);
                                s.onopen = () => s.send(text);
                                s.onclose = (e) => done(`${e.code} ${e.reason}`);
                            }),
                    ),
                ),
            ["}{", '{"kind":"format the drive"}', "[".repeat(16384), "x".repeat(20000)],
        );
        expect(closed).toEqual([
            "1008 message is not JSON",
            '1008 unknown kind of message: "format the drive"',
            "1008 message is not JSON",
            "1009 message longer than 16384 bytes",
        ]);
        await clear();
        const at = await pointOf(page, 20, 20);
        await page.mouse.click(at.x, at.y, { delay: 150 });
        await shows(/touched/);
    });

    it("a page of another origin gets no socket and no data", async () => {
        const other = createServer((_, answer) => answer.end("<p>elsewhere"));
        await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
        const stranger = await browser.newPage();
        try {
            await stranger.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
            const got = await stranger.evaluate(
                (port) =>
                    Promise.all([
                        new Promise<string>((done) => {
                            const s = new WebSocket(`ws://127.0.0.1:${port}/ws`);
                            s.onopen = () => done("open");
                            s.onclose = () => done("refused");
                        }),
                        fetch(`http://127.0.0.1:${port}/api/state`).then(
                            () => "read",
                            () => "refused",
                        ),
                    ]),
                adder.port,
            );
            expect(got).toEqual(["refused", "refused"]);
        } finally {
            await stranger.close();
            other.close();
        }
    });

    it("a name that was made to resolve to this machine is refused", async () => {
        const status = await new Promise<number | undefined>((done, fail) => {
            request({ host: "127.0.0.1", port: adder.port, path: "/", headers: { Host: `evil.example:${adder.port}` } }, (answer) => {
                answer.resume();
                done(answer.statusCode);
            })
                .on("error", fail)
                .end();
        });
        expect(status).toBe(403);
    });

    it("the page asks nobody but the program", () => {
        expect(requests.filter((url) => !url.startsWith(adder.address) && !/^(data|blob):/.test(url))).toEqual([]);
        expect(complaints).toEqual([]);
    });
});

describe("the page", () => {
    it.each([
        [360, 740],
        [820, 1180],
        [1280, 800],
        [1920, 1080],
        [3840, 2160],
    ])("fits %i x %i, the screen in its 4:3", async (width, height) => {
        await page.setViewportSize({ width, height });
        await eventually(async () => {
            const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            expect(beyond).toBeLessThanOrEqual(0);
            const box = await page.getByTestId("screen").boundingBox();
            if (box === null) throw new Error("no screen");
            expect(box.width / box.height).toBeCloseTo(4 / 3, 1);
            expect(box.width).toBeGreaterThan(200);
        });
        await page.setViewportSize({ width: 1280, height: 900 });
    });

    it("names every control", async () => {
        const nameless = await page.evaluate(() =>
            [...document.querySelectorAll("button, input, select, a[href], [tabindex='0'], textarea")]
                .filter((e) => {
                    const labels = e instanceof HTMLInputElement || e instanceof HTMLSelectElement || e instanceof HTMLTextAreaElement ? e.labels : null;
                    return !(e.getAttribute("aria-label") ?? e.textContent ?? "").trim() && !labels?.length;
                })
                .map((e) => e.outerHTML.slice(0, 120)),
        );
        expect(nameless).toEqual([]);
    });

    it("says when the program has gone, and comes back with it", async () => {
        const port = adder.port;
        await adder.stop();
        await page.getByText("The program has stopped.").waitFor();
        expect(await page.getByTestId("reset").isDisabled()).toBe(true);
        adder = await Adder.start([files.path, "--port", String(port)]);
        await page.getByText("The program has stopped.").waitFor({ state: "detached", timeout: 20_000 });
        await shows(/tester starts/, 20_000);
        await eventually(async () => expect(await pixel(page, 160, 120)).toBe("#0000ff"));
    });
});

describe("another board", () => {
    it("needs no word of the page: its buttons are pressed and held on the picture", async () => {
        const feather = drive(`
import time
import board
from digitalio import DigitalInOut, Pull

button = DigitalInOut(board.D9)
button.switch_to_input(Pull.UP)
was = True
print("feather starts")
while True:
    if button.value != was:
        was = button.value
        print("button", "up" if was else "down")
    time.sleep(0.01)
`);
        const other = await Adder.start([feather.path, "--board", "feather_m4_express"]);
        const p = await browser.newPage({ viewport: { width: 1280, height: 900 } });
        try {
            await p.goto(other.address);
            await eventually(async () => expect(await consoleText(p)).toMatch(/feather starts/), 30_000);
            const box = await p.getByTestId("press-a").boundingBox();
            if (box === null) throw new Error("no button A");
            await p.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
            await p.mouse.down();
            await eventually(async () => expect(await consoleText(p)).toMatch(/button down/));
            expect(await consoleText(p)).not.toMatch(/button up/);
            await p.mouse.up();
            await eventually(async () => expect(await consoleText(p)).toMatch(/button up/));
        } finally {
            await p.close();
            await other.stop();
            feather.remove();
        }
    });
});
