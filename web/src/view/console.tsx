import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import type { ITheme } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import { useEffect, useRef, useState } from "preact/hooks";

import type { ConsoleBuffer } from "../console_buffer";
import type { Link } from "../link";
import { inputRequests } from "../protocol";

interface Props {
    readonly terminal: ConsoleBuffer;
    readonly link: Link;
    readonly live: boolean;
}

const CTRL_C = "\x03";
const CTRL_D = "\x04";

function themeFromPage(): ITheme {
    const css = getComputedStyle(document.documentElement);
    const v = (name: string): string => css.getPropertyValue(name).trim();
    return {
        background: v("--term-bg"),
        foreground: v("--term-fg"),
        cursor: v("--accent"),
        cursorAccent: v("--term-bg"),
        selectionBackground: v("--term-selection"),
        black: v("--term-black"),
        red: v("--term-red"),
        green: v("--term-green"),
        yellow: v("--term-yellow"),
        blue: v("--term-blue"),
        magenta: v("--term-magenta"),
        cyan: v("--term-cyan"),
        white: v("--term-white"),
        brightBlack: v("--term-grey"),
        brightRed: v("--term-red"),
        brightGreen: v("--term-green"),
        brightYellow: v("--term-yellow"),
        brightBlue: v("--term-blue"),
        brightMagenta: v("--term-magenta"),
        brightCyan: v("--term-cyan"),
        brightWhite: v("--term-fg"),
    };
}

// The terminal's letters grow with the page's (style/base.css: html).
function fontSize(): number {
    return Math.max(12, Math.round(parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.87));
}

// Ctrl-C copies when something is selected, as terminals on this machine do; Ctrl-V pastes.
function ownKeys(term: Terminal): (event: KeyboardEvent) => boolean {
    return (event) => {
        if (event.type !== "keydown" || !(event.ctrlKey || event.metaKey)) return true;
        const key = event.key.toLowerCase();
        if (key === "v") return false; // the browser's paste event follows
        if (key === "c" && term.hasSelection()) {
            void navigator.clipboard?.writeText(term.getSelection());
            term.clearSelection();
            event.preventDefault();
            return false;
        }
        return true;
    };
}

export function ConsolePanel({ terminal, link, live }: Props) {
    const host = useRef<HTMLDivElement>(null);
    const term = useRef<Terminal | undefined>(undefined);
    const [selected, setSelected] = useState(false);

    useEffect(() => {
        const el = host.current;
        if (el === null) return;
        const t = new Terminal({
            convertEol: true,
            cursorBlink: true,
            fontSize: fontSize(),
            lineHeight: 1.25,
            fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace',
            scrollback: 5000,
            theme: themeFromPage(),
            minimumContrastRatio: 4.5,
        });
        const fit = new FitAddon();
        t.loadAddon(fit);
        t.open(el);
        t.textarea?.setAttribute("aria-label", "Serial console of the board");
        t.attachCustomKeyEventHandler(ownKeys(t));
        t.onData((typed) => inputRequests(typed).forEach((request) => link.send(request)));
        t.onSelectionChange(() => setSelected(t.hasSelection()));
        term.current = t;

        const refit = (): void => {
            t.options.fontSize = fontSize();
            if (el.clientWidth > 0 && el.clientHeight > 0) fit.fit();
        };
        const resized = new ResizeObserver(refit);
        resized.observe(el);
        const themed = new MutationObserver(() => {
            t.options.theme = themeFromPage();
        });
        themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
        const detach = terminal.attach({ write: (bytes) => t.write(bytes), reset: () => t.reset() });
        return () => {
            detach();
            themed.disconnect();
            resized.disconnect();
            t.dispose();
        };
    }, [terminal, link]);

    const type = (what: string): void => {
        link.send({ kind: "input", text: what });
        term.current?.focus();
    };

    return (
        <section class="panel console" aria-labelledby="console-title">
            <div class="panel-head">
                <h2 id="console-title">Serial console</h2>
                <div class="panel-actions">
                    <button class="button button-small" type="button" disabled={!live} data-testid="ctrl-c"
                        title="Interrupt the program; any key then gives the REPL" onClick={() => type(CTRL_C)}>
                        Ctrl-C
                    </button>
                    <button class="button button-small" type="button" disabled={!live} data-testid="ctrl-d"
                        title="Run code.py again" onClick={() => type(CTRL_D)}>
                        Ctrl-D
                    </button>
                    <button class="button button-small" type="button" disabled={!selected}
                        onClick={() => void navigator.clipboard?.writeText(term.current?.getSelection() ?? "")}>
                        Copy
                    </button>
                    <button class="button button-small" type="button" onClick={() => term.current?.clear()}>
                        Clear
                    </button>
                </div>
            </div>
            <div class="term-host" ref={host} data-testid="console" />
        </section>
    );
}
