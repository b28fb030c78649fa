import type { ConsoleBuffer } from "../console_buffer";
import type { Link } from "../link";
import type { Model } from "../model";
import type { ScreenBuffer } from "../screen_buffer";
import { BoardView } from "./board";
import { ConsolePanel } from "./console";
import { CountersPanel } from "./counters";
import { Banner, Head } from "./head";
import { LogPanel } from "./log";
import { PartsPanel } from "./parts";
import { useSnapshot } from "./use";
// In this order: what comes later is more particular.
import "../style/base.css";
import "../style/board.css";
import "../style/panels.css";
import "../style/sizes.css";

interface Props {
    readonly model: Model;
    readonly screen: ScreenBuffer;
    readonly terminal: ConsoleBuffer;
    readonly link: Link;
}

export function App({ model, screen, terminal, link }: Props) {
    const now = useSnapshot(model);
    const live = now.link.kind === "open" && now.board !== undefined;
    return (
        <div class={live ? "page" : "page page-off"}>
            <Head now={now} link={link} />
            <Banner now={now} onDismiss={() => model.dismissNotice()} />
            <main>
                <section class="bench" aria-label="Board">
                    <BoardView now={now} screen={screen} link={link} />
                </section>
                <div class="side">
                    <PartsPanel now={now} link={link} />
                    <CountersPanel now={now} series={model.series} />
                    <LogPanel now={now} />
                </div>
                <ConsolePanel terminal={terminal} link={link} live={live} />
            </main>
        </div>
    );
}
