import { useEffect, useRef } from "preact/hooks";

import type { Snapshot } from "../model";

export function LogPanel({ now }: { readonly now: Snapshot }) {
    const list = useRef<HTMLOListElement>(null);
    const pinned = useRef(true);
    useEffect(() => {
        const el = list.current;
        if (el !== null && pinned.current) el.scrollTop = el.scrollHeight;
    }, [now.events]);
    return (
        <section class="panel log" aria-labelledby="log-title">
            <h2 id="log-title">Events</h2>
            <ol ref={list} tabIndex={0} aria-label="Events of the board" data-testid="log"
                onScroll={(e) => {
                    const el = e.currentTarget;
                    pinned.current = el.scrollHeight - el.scrollTop - el.clientHeight < 24;
                }}>
                {now.events.length === 0 && <li class="empty">Nothing has happened yet.</li>}
                {now.events.map((event) => (
                    <li key={event.n}>
                        <time>{event.t.toFixed(2)}</time>
                        <b>{event.from}</b>
                        <span>{event.text}</span>
                    </li>
                ))}
            </ol>
        </section>
    );
}
