import { useState } from "preact/hooks";

import { clock } from "../format";
import type { Link } from "../link";
import type { Snapshot } from "../model";
import type { ProgramState } from "../protocol";
import { applyTheme, loadTheme, nextTheme } from "./theme";
import type { Theme } from "./theme";

const programText: Record<ProgramState, string> = {
    boot: "starting",
    running: "running",
    repl: "REPL",
    waiting: "done, waiting for a change",
    stopped: "stopped",
};

const themeText: Record<Theme, string> = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };

function ThemeIcon({ theme }: { readonly theme: Theme }) {
    return (
        <svg viewBox="0 0 20 20" aria-hidden="true">
            <circle cx="10" cy="10" r="6.5" fill="none" stroke="currentColor" stroke-width="1.6" />
            {theme === "auto" && <path d="M10 3.500a6.500 6.500 0 0 1 0 13z" fill="currentColor" />}
            {theme === "dark" && <circle cx="10" cy="10" r="6.500" fill="currentColor" />}
        </svg>
    );
}

export function Head({ now, link }: { readonly now: Snapshot; readonly link: Link }) {
    const [theme, setTheme] = useState(loadTheme);
    const live = now.link.kind === "open";
    const state = live ? now.program.state : "stopped";
    return (
        <header class="head">
            <img class="logo" src="icon.svg" alt="" width="32" height="32" />
            <div class="head-names">
                <h1>{now.board?.name ?? "Adder"}</h1>
                <p>
                    {[now.board?.chip.toUpperCase() ?? "", "simulated by Adder"].filter((s) => s !== "").join(" · ")}
                </p>
            </div>
            <p class={`pill pill-${state}`} role="status" data-testid="program">
                <span class="dot" aria-hidden="true" />
                {live ? [now.program.name, programText[state]].filter((s) => s !== "").join(" · ") : "not connected"}
            </p>
            <span class="uptime" title="Time since power-on">
                {live && now.time > 0 ? clock(Math.floor(now.time)) : ""}
            </span>
            <div class="head-actions">
                <button class="button" type="button" disabled={!live} title="Run code.py again (Ctrl-D)"
                    onClick={() => link.send({ kind: "action", action: "reload" })}>
                    Reload
                </button>
                <button class="button button-strong" type="button" disabled={!live} data-testid="reset"
                    title="Press the board's reset button"
                    onClick={() => link.send({ kind: "action", action: "reset" })}>
                    Reset
                </button>
                <a class="button button-icon" href="/api/screenshot.png" download={`${now.board?.id ?? "board"}.png`}
                    title="Save the screen as a picture" aria-label="Save the screen as a picture">
                    <svg viewBox="0 0 20 20" aria-hidden="true">
                        <path d="M10 3v9m0 0 3.500-3.500M10 12 6.500 8.500M4 16.500h12" fill="none" stroke="currentColor"
                            stroke-width="1.700" stroke-linecap="round" stroke-linejoin="round" />
                    </svg>
                </a>
                <button class="button button-icon" type="button" title={themeText[theme]} aria-label={themeText[theme]}
                    onClick={() => {
                        const next = nextTheme(theme);
                        applyTheme(next);
                        setTheme(next);
                    }}>
                    <ThemeIcon theme={theme} />
                </button>
            </div>
        </header>
    );
}

export function Banner({ now, onDismiss }: { readonly now: Snapshot; readonly onDismiss: () => void }) {
    if (now.link.kind === "lost") {
        return (
            <div class="banner banner-lost" role="alert">
                <span class="spinner" aria-hidden="true" />
                <span>
                    <strong>The program has stopped.</strong> Start it again with <code>./adder run</code>: this page
                    comes back by itself.{now.link.reason !== "" && ` (${now.link.reason})`}
                </span>
            </div>
        );
    }
    if (now.notice === "") return null;
    return (
        <div class="banner" role="alert">
            <span>{now.notice}</span>
            <button class="button" type="button" onClick={onDismiss}>
                Close
            </button>
        </div>
    );
}
