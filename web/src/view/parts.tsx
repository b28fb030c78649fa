import { useRef, useState } from "preact/hooks";

import { knobValue } from "../format";
import { pixelColors } from "../lights";
import type { Link } from "../link";
import type { Snapshot } from "../model";
import type { Knob, Part, PartState } from "../protocol";

interface KnobProps {
    readonly part: Part;
    readonly knob: Knob;
    readonly state: PartState | undefined;
    readonly link: Link;
    readonly live: boolean;
}

const asNumber = (...candidates: readonly unknown[]): number =>
    candidates.find((v): v is number => typeof v === "number" && Number.isFinite(v)) ?? 0;

// What the board says of a knob; before it said anything, what the board file says.
function valueOf(knob: Knob, state: PartState | undefined): unknown {
    return state?.state[knob.name] ?? knob.value;
}

// While the user drags, the slider shows the hand; else it shows the board.
function Slider({ part, knob, state, link, live }: KnobProps) {
    const [held, setHeld] = useState<number | undefined>(undefined);
    const sent = useRef(0);
    const value = held ?? asNumber(valueOf(knob, state), knob.min);
    const fill = knob.max > knob.min ? ((value - knob.min) / (knob.max - knob.min)) * 100 : 0;
    const id = `knob-${part.id}-${knob.name}`;
    const turn = (to: number): void => {
        setHeld(to);
        link.send({ kind: "control", part: part.id, knobs: { [knob.name]: to } });
        // The board's answer arrives within a state or two; then it has the word again.
        clearTimeout(sent.current);
        sent.current = window.setTimeout(() => setHeld(undefined), 300);
    };
    return (
        <div class="knob">
            <label for={id}>{knob.label}</label>
            <output for={id}>{knobValue(value, knob.step, knob.unit)}</output>
            <input id={id} type="range" min={knob.min} max={knob.max} step={knob.step} value={value} disabled={!live}
                data-testid={id} style={{ "--fill": `${Math.min(100, Math.max(0, fill))}%` }}
                aria-valuetext={knobValue(value, knob.step, knob.unit)} onInput={(e) => turn(e.currentTarget.valueAsNumber)} />
        </div>
    );
}

function Switch({ part, knob, state, link, live }: KnobProps) {
    const on = valueOf(knob, state) === true;
    const id = `knob-${part.id}-${knob.name}`;
    return (
        <div class="knob knob-row">
            <label for={id}>{knob.label}</label>
            <button id={id} type="button" role="switch" class="switch" aria-checked={on} aria-label={knob.label} disabled={!live}
                data-testid={id} onClick={() => link.send({ kind: "control", part: part.id, knobs: { [knob.name]: !on } })}>
                <span />
            </button>
        </div>
    );
}

// Pressed while held, by hand or by key.
function Press({ part, knob, link, live }: KnobProps) {
    const set = (down: boolean): void =>
        link.send({ kind: "control", part: part.id, knobs: { [knob.name]: down } });
    return (
        <div class="knob knob-row">
            <span>{part.title}</span>
            <button class="button" type="button" disabled={!live} data-testid={`knob-${part.id}-${knob.name}`}
                onPointerDown={(e) => {
                    e.currentTarget.setPointerCapture(e.pointerId);
                    set(true);
                }}
                onPointerUp={() => set(false)} onPointerCancel={() => set(false)}
                onKeyDown={(e) => (e.key === " " || e.key === "Enter") && !e.repeat && set(true)}
                onKeyUp={(e) => (e.key === " " || e.key === "Enter") && set(false)}>
                {knob.label}
            </button>
        </div>
    );
}

// Applied when it is left or Enter is pressed, not letter by letter.
function TextKnob({ part, knob, state, link, live }: KnobProps) {
    const value = valueOf(knob, state);
    const id = `knob-${part.id}-${knob.name}`;
    return (
        <div class="knob knob-row">
            <label for={id}>{knob.label}</label>
            <input id={id} type="text" value={typeof value === "string" ? value : ""} disabled={!live} data-testid={id}
                onChange={(e) => link.send({ kind: "control", part: part.id, knobs: { [knob.name]: e.currentTarget.value } })} />
        </div>
    );
}

// Of a radio: where it is in the network.
function Radio({ part, state }: { readonly part: Part; readonly state: PartState | undefined }) {
    const say = (name: string): string => {
        const value = state?.state[name];
        return typeof value === "string" && value !== "0.0.0.0" ? value : "";
    };
    if (typeof state?.state["ssid"] !== "string") return null;
    const words = [say("status"), say("ssid"), say("ip")].filter((word) => word !== "");
    return (
        <p class="radio" data-testid="radio">
            {part.title.split(",")[0]}: {words.join(" · ").replaceAll("_", " ")}
        </p>
    );
}

interface AccessPoint {
    readonly ssid: string;
    readonly up: boolean;
    readonly rssi: number;
}

function accessPoints(state: PartState | undefined): readonly AccessPoint[] {
    const list = state?.state["access_points"];
    if (!Array.isArray(list)) return [];
    return list.filter(
        (a: unknown): a is AccessPoint =>
            typeof a === "object" && a !== null && "ssid" in a && typeof a.ssid === "string" && "up" in a &&
            typeof a.up === "boolean" && "rssi" in a && typeof a.rssi === "number",
    );
}

// Each access point in the radio's surroundings, on the air or off it.
function AccessPoints({ part, state, link, live }: Omit<KnobProps, "knob">) {
    return (
        <>
            {accessPoints(state).map(({ ssid, up, rssi }) => (
                <div key={ssid} class="knob knob-row">
                    <span>
                        Access point “{ssid}” <small>{rssi} dBm</small>
                    </span>
                    <button type="button" role="switch" class="switch" aria-checked={up} disabled={!live}
                        aria-label={`Access point ${ssid} on the air`}
                        onClick={() => link.send({ kind: "control", part: part.id, knobs: { [up ? "drop" : "restore"]: ssid } })}>
                        <span />
                    </button>
                </div>
            ))}
        </>
    );
}

// What a part shows rather than takes: the colours of pixels.
function Swatches({ part, state }: { readonly part: Part; readonly state: PartState | undefined }) {
    const colors = pixelColors(state);
    if (colors.length === 0) return null;
    return (
        <div class="knob knob-row">
            <span>{part.title}</span>
            <span class="swatch-text">
                {colors.length === 1 && colors[0]}
                {colors.slice(0, 12).map((color, i) => (
                    <span key={i} class="swatch" style={{ background: color }} aria-hidden="true" />
                ))}
            </span>
        </div>
    );
}

function KnobView(props: KnobProps) {
    switch (props.knob.kind) {
        case "number":
            return <Slider {...props} />;
        case "bool":
            return <Switch {...props} />;
        case "press":
            return <Press {...props} />;
        case "text":
            return <TextKnob {...props} />;
        case "touch": // the screen itself
            return null;
    }
}

const faults: readonly (readonly [string, string])[] = [
    ["none", "works"],
    ["unplug", "unplugged"],
    ["nack", "does not acknowledge"],
    ["bit_flip", "flips bits"],
    ["stuck", "stuck"],
];

const faultShown = (state: PartState | undefined): string => state?.fault ?? "none";

function FaultRow({ part, state, link, live }: Omit<KnobProps, "knob">) {
    const id = `fault-${part.id}`;
    const shown = faultShown(state);
    const set = (kind: string): void =>
        link.send({ kind: "control", part: part.id, knobs: { fault: { kind } } });
    return (
        <div class={shown === "none" ? "fault" : "fault fault-on"}>
            <label for={id}>
                {part.title}
                <small>{part.type}</small>
            </label>
            <select id={id} data-testid={id} disabled={!live} value={shown} onChange={(e) => set(e.currentTarget.value)}>
                {faults.map(([kind, label]) => (
                    <option key={kind} value={kind}>
                        {label}
                    </option>
                ))}
            </select>
            <button class="button button-small" type="button" disabled={!live} title={`Reset ${part.title} in the middle of its next transfer`}
                onClick={() => set("reset")}>
                Glitch
            </button>
        </div>
    );
}

export function PartsPanel({ now, link }: { readonly now: Snapshot; readonly link: Link }) {
    const live = now.link.kind === "open" && now.board !== undefined;
    const parts = now.board?.parts ?? [];
    // The touch panel's control is the screen itself; how hard a finger presses belongs to a touch.
    const surroundings = parts.filter((p) => !p.knobs.some((k) => k.kind === "touch"));
    // A radio's text knobs are its access points' switches; other parts' stand in the details, too.
    const texts = surroundings.filter((p) => accessPoints(now.parts.get(p.id)).length === 0);
    const faulty = parts.filter((p) => faultShown(now.parts.get(p.id)) !== "none").length;
    const common = (part: Part) => ({ part, state: now.parts.get(part.id), link, live });
    return (
        <section class="panel parts" aria-labelledby="parts-title">
            <h2 id="parts-title">Surroundings</h2>
            {surroundings.map((part) => (
                <div key={part.id}>
                    {part.knobs.filter((knob) => knob.kind !== "text").map((knob) => (
                        <KnobView key={knob.name} knob={knob} {...common(part)} />
                    ))}
                    <Radio part={part} state={now.parts.get(part.id)} />
                </div>
            ))}
            {parts.map((part) => (
                <Swatches key={part.id} part={part} state={now.parts.get(part.id)} />
            ))}
            <details class="faults" data-testid="faults">
                <summary>
                    Parts and faults
                    <span class={faulty === 0 ? "count" : "count count-bad"}>{faulty === 0 ? "none" : faulty}</span>
                </summary>
                {parts.map((part) => (
                    <FaultRow key={part.id} {...common(part)} />
                ))}
                {surroundings.map((part) => (
                    <AccessPoints key={part.id} {...common(part)} />
                ))}
                {texts.flatMap((part) =>
                    part.knobs.filter((knob) => knob.kind === "text").map((knob) => (
                        <KnobView key={`${part.id}.${knob.name}`} knob={knob} {...common(part)} />
                    )),
                )}
            </details>
        </section>
    );
}
