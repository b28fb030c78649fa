// A board that lives in the page, for working on the page without the program: node build.mjs --serve,
// then /?fake. It is left out of what `npm run build` makes.

import type { Link, LinkListener } from "./link";
import { parseText } from "./protocol";
import type { Request } from "./protocol";
import { fakeBoard } from "./fake_board";

const W = 320;
const H = 240;

export function openFakeLink(listener: LinkListener): Link {
    const knobs = new Map<string, Record<string, unknown>>([
        ["light", { lux: 180 }],
        ["temperature", { celsius: 22.4 }],
        ["wifi", { wifi: true, rssi: -52 }],
        ["neopixel", { pixels: ["#996628"] }],
    ]);
    const faults = new Map<string, string>();
    let touch: readonly [number, number] | undefined;
    let lamp = true;
    let time = 0;
    let bytes = 0;
    let revision = 1;
    let event = 0;
    const events: unknown[] = [];
    const log = (from: string, text: string): void => {
        events.push({ n: event++, t: time, from, text });
    };

    const canvas = document.createElement("canvas");
    canvas.width = W;
    canvas.height = H;
    const pen = canvas.getContext("2d");

    function draw(): void {
        if (pen === null) return;
        pen.fillStyle = "#0b1320";
        pen.fillRect(0, 0, W, H);
        pen.fillStyle = "#162338";
        pen.fillRect(8, 34, 148, 92);
        pen.fillRect(164, 34, 148, 92);
        pen.fillRect(8, 134, 200, 98);
        pen.fillStyle = lamp ? "#ffaa3c" : "#2b3d5c";
        pen.fillRect(216, 134, 96, 98);
        pen.fillStyle = "#e8eef8";
        pen.font = "bold 34px sans-serif";
        pen.fillText(`${Number(knobs.get("temperature")?.["celsius"]).toFixed(1)}°`, 20, 95);
        pen.fillText(`${Number(knobs.get("light")?.["lux"]).toFixed(0)}`, 176, 95);
        pen.font = "12px sans-serif";
        pen.fillText("Room monitor", 10, 21);
        pen.fillText("temperature", 20, 52);
        pen.fillText("light", 176, 52);
        pen.fillText("LAMP", 247, 188);
        pen.strokeStyle = "#4bd3a5";
        pen.beginPath();
        for (let x = 0; x < 190; x++) pen.lineTo(13 + x, 183 + 24 * Math.sin((x + time * 20) / 24) * Math.cos(x / 50));
        pen.stroke();
        if (touch !== undefined) {
            pen.fillStyle = "#fff";
            pen.fillRect(touch[0] - 2, touch[1] - 2, 5, 5);
        }
        const rgba = new Uint8ClampedArray(pen.getImageData(0, 0, W, H).data);
        listener.binary({ kind: "screen", revision, width: W, height: H, rects: [{ x: 0, y: 0, w: W, h: H, rgba }] });
        bytes += W * H * 2;
    }

    const print = (s: string): void =>
        listener.binary({ kind: "console", position: 0, bytes: new TextEncoder().encode(s) });

    function state(): void {
        const part = (id: string, counters: object): object => ({
            state: knobs.get(id) ?? {},
            counters,
            fault: faults.get(id) ?? "none",
        });
        listener.text(
            parseText(
                JSON.stringify({
                    kind: "state",
                    state: {
                        revision: ++revision,
                        time,
                        charge_uc: time * 57000,
                        parts: {
                            display: part("display", { full_frames: Math.floor(time * 12), pixels: bytes / 2, bytes_in: bytes }),
                            wifi: part("wifi", {
                                commands: Math.floor(time * 31),
                                net_out: Math.floor(time * 143),
                                net_in: Math.floor(time * 61),
                                sockets: 1,
                            }),
                            light: part("light", {}),
                            temperature: part("temperature", { reads: Math.floor(time * 2) }),
                            neopixel: part("neopixel", { frames: Math.floor(time) }),
                            led: { state: { brightness: Math.floor(time * 2) % 2 } },
                            touch: part("touch", { conversions: Math.floor(time * 80) }),
                        },
                        events: events.splice(0),
                        buses: [
                            { kind: "par8", pin: "TFT_WR", bytes_out: bytes, transactions: Math.floor(time * 90) },
                            { kind: "spi", pin: "SCK", bytes_out: Math.floor(time * 700), transactions: Math.floor(time * 40) },
                            { kind: "i2c", pin: "SCL", bytes_out: Math.floor(time * 12), transactions: Math.floor(time * 4) },
                        ],
                        pins: { D13: { mode: "out", level: Math.floor(time * 2) % 2 } },
                    },
                }),
            ),
        );
    }

    function obey(request: Request): void {
        switch (request.kind) {
            case "control": {
                const fault = request.knobs["fault"];
                if (typeof fault === "object" && fault !== null && "kind" in fault) {
                    faults.set(request.part, String(fault.kind));
                    log(request.part, `fault: ${String(fault.kind)}`);
                } else if (request.part === "touch") {
                    const at = request.knobs["touch"];
                    const was = touch;
                    touch = Array.isArray(at) ? [Number(at[0]), Number(at[1])] : undefined;
                    if (touch !== undefined && was === undefined && touch[0] > 216 && touch[1] > 134) {
                        lamp = !lamp;
                        knobs.set("neopixel", { pixels: [lamp ? "#996628" : "#000000"] });
                        log("mqtt", `room/lamp ${lamp ? "on" : "off"}`);
                        print(`lamp ${lamp ? "on" : "off"}\r\n`);
                    }
                } else {
                    knobs.set(request.part, { ...knobs.get(request.part), ...request.knobs });
                }
                return;
            }
            case "input":
                print(request.text.replace(/\r/g, "\r\n"));
                return;
            case "action":
                log("board", request.action);
                return;
            case "ack":
                return;
        }
    }

    const timers: ReturnType<typeof setInterval>[] = [];
    setTimeout(() => {
        listener.state({ kind: "open" });
        listener.text(parseText(JSON.stringify({ kind: "hello", protocol: 1, board: fakeBoard })));
        listener.text({ kind: "program", state: "running", name: "code.py" });
        print("Auto-reload is on. Simply save files over USB to run them or enter REPL to disable.\r\n");
        print("code.py output:\r\nWi-Fi: adder as 192.168.4.2\r\nMQTT: connected to \x1b[32mlocalhost\x1b[0m\r\n");
        log("wifi", "joined adder, 192.168.4.2");
        log("wifi", "socket 0: TCP to localhost:1883");
        timers.push(setInterval(() => ((time += 0.05), draw()), 50), setInterval(state, 100));
    }, 50);
    return { send: obey, close: () => timers.forEach(clearInterval) };
}
