import { render } from "preact";

import { openFakeLink } from "./fake";
import { openLink } from "./link";
import type { Link, LinkListener } from "./link";
import { Model } from "./model";
import { ScreenBuffer } from "./screen_buffer";
import { ConsoleBuffer } from "./console_buffer";
import { App } from "./view/app";
import { applyTheme, loadTheme } from "./view/theme";

declare const ADDER_FAKE: boolean; // set by build.mjs: true for the development page only

const model = new Model();
const screen = new ScreenBuffer();
const terminal = new ConsoleBuffer();

const listener: LinkListener = {
    state: (state) => model.link(state),
    text(message) {
        if (message.kind === "hello") terminal.restart(); // the whole history follows
        model.accept(message);
    },
    binary(message) {
        switch (message.kind) {
            case "screen":
                screen.apply(message);
                link.send({ kind: "ack", revision: message.revision });
                return;
            case "console":
                terminal.append(message.bytes);
                return;
        }
    },
};

// Where ADDER_FAKE is false the bundler leaves the fake board out.
const link: Link =
    ADDER_FAKE && new URLSearchParams(location.search).has("fake")
        ? openFakeLink(listener)
        : openLink(`ws://${location.host}/ws`, listener);

applyTheme(loadTheme());
const root = document.getElementById("app");
if (root !== null) render(<App model={model} screen={screen} terminal={terminal} link={link} />, root);
