// What the page knows of the board: the last word of the program, kept in one place. Views read it and
// are told when it changed, at most once per animation frame; they hold no truth of their own.

import type { LinkState } from "./link";
import type { Board, BoardEvent, Bus, PartState, PinState, ProgramState, TextMessage } from "./protocol";
import { Series } from "./series";

const EVENTS_KEPT = 300;

export interface Snapshot {
    readonly link: LinkState;
    readonly board: Board | undefined;
    readonly program: { readonly state: ProgramState; readonly name: string };
    readonly time: number;
    readonly parts: ReadonlyMap<string, PartState>;
    readonly pins: ReadonlyMap<string, PinState>;
    readonly buses: ReadonlyMap<string, Bus>;
    readonly events: readonly BoardEvent[];
    readonly notice: string; // the last error the program told us
}

const nothing: Snapshot = {
    link: { kind: "connecting" },
    board: undefined,
    program: { state: "boot", name: "" },
    time: 0,
    parts: new Map(),
    pins: new Map(),
    buses: new Map(),
    events: [],
    notice: "",
};

export class Model {
    private snapshot: Snapshot = nothing;
    private readonly listeners = new Set<() => void>();
    private scheduled = false;
    readonly series = new Series();

    get now(): Snapshot {
        return this.snapshot;
    }

    subscribe(listener: () => void): () => void {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    }

    private set(change: Partial<Snapshot>): void {
        this.snapshot = { ...this.snapshot, ...change };
        if (this.scheduled) return;
        this.scheduled = true;
        schedule(() => {
            this.scheduled = false;
            for (const listener of this.listeners) listener();
        });
    }

    link(link: LinkState): void {
        this.set({ link });
    }

    dismissNotice(): void {
        this.set({ notice: "" });
    }

    accept(message: TextMessage): void {
        switch (message.kind) {
            case "hello":
                // A new start or a new program: what was known before may be of another run.
                this.series.clear();
                this.set({ ...nothing, link: this.snapshot.link, board: message.board });
                return;
            case "program":
                this.set({ program: { state: message.state, name: message.name } });
                return;
            case "error":
                this.set({ notice: message.message });
                return;
            case "state": {
                const { state } = message;
                const was = this.snapshot;
                const last = was.events[was.events.length - 1]?.n ?? -1;
                const fresh = state.events.filter((e) => e.n > last);
                const buses = new Map(was.buses);
                for (const bus of state.buses) buses.set(bus.name, bus);
                const parts = new Map([...was.parts, ...state.parts]);
                this.series.take(state.time, parts, buses, state.charge);
                this.set({
                    time: state.time,
                    parts,
                    pins: new Map([...was.pins, ...state.pins]),
                    buses,
                    events: fresh.length === 0 ? was.events : [...was.events, ...fresh].slice(-EVENTS_KEPT),
                });
                return;
            }
        }
    }
}

// A hidden page gets no animation frames but must not fall behind for ever.
function schedule(run: () => void): void {
    if (typeof requestAnimationFrame === "function" && !document.hidden) requestAnimationFrame(run);
    else setTimeout(run, 100);
}
