import { short, withUnit } from "../format";
import type { Snapshot } from "../model";
import { sparkline } from "../series";
import type { Counter, Series } from "../series";

const W = 96;
const H = 26;

interface Headline {
    readonly title: string;
    readonly unit: string;
    // Which of the board's counters make it up.
    readonly matches: (id: string) => boolean;
}

const headlines: readonly Headline[] = [
    { title: "Bus traffic", unit: "B", matches: (id) => /^bus:.*\/(bytes|bytes_\w+)$/.test(id) },
    { title: "Frames", unit: "", matches: (id) => /^display\/frames$/.test(id) },
    { title: "Pixels", unit: "", matches: (id) => /^display\/pixels/.test(id) },
    { title: "Wi-Fi sent", unit: "B", matches: (id) => /^wifi\/.*(tx|sent|out).*$/.test(id) && !/^wifi\/.*(datagram|packet|frame)/.test(id) },
    { title: "Wi-Fi received", unit: "B", matches: (id) => /^wifi\/.*(rx|received|in)$/.test(id) },
    { title: "Energy", unit: "J", matches: (id) => /energy/.test(id) },
];

function Tile({ title, unit, counter }: { readonly title: string; readonly unit: string; readonly counter: Counter }) {
    const rate = counter.rates[counter.rates.length - 1] ?? 0;
    const points = sparkline(counter.rates, W, H);
    return (
        <div class="tile">
            <dt>{title}</dt>
            <dd>
                {withUnit(counter.total, unit)}
                <small>{withUnit(rate, unit)}/s</small>
            </dd>
            <svg class="spark" viewBox={`0 -2 ${W} ${H + 4}`} preserveAspectRatio="none" aria-hidden="true">
                {counter.rates.length > 1 && (
                    <>
                        <polygon points={`${W - ((counter.rates.length - 1) * W) / 59},${H} ${points} ${W},${H}`} />
                        <polyline points={points} />
                    </>
                )}
            </svg>
        </div>
    );
}

export function CountersPanel({ now, series }: { readonly now: Snapshot; readonly series: Series }) {
    const ids = series.ids();
    const tiles = headlines
        .map((h) => ({ ...h, ids: ids.filter(h.matches) }))
        .filter((h) => h.ids.length > 0);
    const groups = new Map<string, string[]>();
    for (const id of ids) {
        const owner = id.slice(0, id.indexOf("/"));
        groups.set(owner, [...(groups.get(owner) ?? []), id]);
    }
    const titleOf = (owner: string): string =>
        owner.startsWith("bus:")
            ? `${owner.slice(4)} bus`
            : (now.board?.parts.find((p) => p.id === owner)?.title ?? owner);
    return (
        <section class="panel counters" aria-labelledby="counters-title">
            <h2 id="counters-title">Counters</h2>
            {ids.length === 0 ? (
                <p class="empty">Nothing counted yet.</p>
            ) : (
                <dl class="tiles">
                    {tiles.map((h) => (
                        <Tile key={h.title} title={h.title} unit={h.unit} counter={series.sum(h.title, h.ids)} />
                    ))}
                </dl>
            )}
            <details>
                <summary>
                    All counters <span class="count">{ids.length}</span>
                </summary>
                <table>
                    {[...groups].map(([owner, members]) => (
                        <tbody key={owner}>
                            <tr>
                                <th colSpan={2} scope="rowgroup">
                                    {titleOf(owner)}
                                </th>
                            </tr>
                            {members.map((id) => (
                                <tr key={id}>
                                    <td>{id.slice(owner.length + 1).replaceAll("_", " ")}</td>
                                    <td title={String(series.get(id).total)}>{short(series.get(id).total)}</td>
                                </tr>
                            ))}
                        </tbody>
                    ))}
                </table>
            </details>
        </section>
    );
}
