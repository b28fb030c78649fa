import { short, withUnit } from "../format";
import type { Snapshot } from "../model";
import { SAMPLES, sparkline } from "../series";
import type { Counter, Series } from "../series";

const W = 96;
const H = 26;

interface Headline {
    readonly title: string;
    readonly unit: string;
    readonly rate: string; // the unit of what is counted in a second
    readonly scale: number;
    readonly ids: RegExp; // which of the board's counters make it up
}

const headlines: readonly Headline[] = [
    { title: "Bus traffic", unit: "B", rate: "B/s", scale: 1, ids: /^bus:.*\/bytes_(in|out)$/ },
    { title: "Pixels drawn", unit: "", rate: "/s", scale: 1, ids: /^[^/:]+\/pixels$/ },
    { title: "Full frames", unit: "", rate: "/s", scale: 1, ids: /^[^/:]+\/full_frames$/ },
    { title: "Network in", unit: "B", rate: "B/s", scale: 1, ids: /^[^/:]+\/net_in$/ },
    { title: "Network out", unit: "B", rate: "B/s", scale: 1, ids: /^[^/:]+\/net_out$/ },
    // A coulomb a second is an ampere.
    { title: "Charge", unit: "C", rate: "A", scale: 1e-6, ids: /^board\/charge uC$/ },
];

function Tile({ headline, counter }: { readonly headline: Headline; readonly counter: Counter }) {
    const { title, unit, rate, scale } = headline;
    const last = counter.rates[counter.rates.length - 1] ?? 0;
    const points = sparkline(counter.rates, W, H);
    const first = W - ((counter.rates.length - 1) * W) / (SAMPLES - 1);
    return (
        <div class="tile">
            <dt>{title}</dt>
            <dd>
                {withUnit(counter.total * scale, unit)}
                <small>{withUnit(last * scale, rate)}</small>
            </dd>
            <svg class="spark" viewBox={`0 -2 ${W} ${H + 4}`} preserveAspectRatio="none" aria-hidden="true">
                {counter.rates.length > 1 && (
                    <>
                        <polygon points={`${first},${H + 2} ${points} ${W},${H + 2}`} />
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
        .map((headline) => ({ headline, counted: ids.filter((id) => headline.ids.test(id)) }))
        .filter((tile) => tile.counted.length > 0);
    const groups = new Map<string, string[]>();
    for (const id of ids) {
        const owner = id.slice(0, id.indexOf("/"));
        groups.set(owner, [...(groups.get(owner) ?? []), id]);
    }
    const titleOf = (owner: string): string =>
        owner === "board"
            ? "Board"
            : owner.startsWith("bus:")
              ? `Bus ${owner.slice(4)}`
              : (now.board?.parts.find((p) => p.id === owner)?.title ?? owner);
    return (
        <section class="panel counters" aria-labelledby="counters-title">
            <h2 id="counters-title">Counters</h2>
            {ids.length === 0 ? (
                <p class="empty">Nothing counted yet.</p>
            ) : (
                <dl class="tiles">
                    {tiles.map(({ headline, counted }) => (
                        <Tile key={headline.title} headline={headline} counter={series.sum(headline.title, counted)} />
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
