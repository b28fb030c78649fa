// The one WebSocket to the program: connects, comes back when it is lost, hands on checked messages.

import { parseBinary, parseText } from "./protocol";
import type { BinaryMessage, Request, TextMessage } from "./protocol";

export type LinkState =
    | { readonly kind: "connecting" }
    | { readonly kind: "open" }
    | { readonly kind: "lost"; readonly reason: string };

export interface LinkListener {
    state(state: LinkState): void;
    text(message: TextMessage): void;
    binary(message: BinaryMessage): void;
}

export interface Link {
    send(request: Request): void;
    close(): void;
}

// The program is on the same machine: asking once a second costs nothing.
const RETRY_MS = 1000;

export function openLink(url: string, listener: LinkListener): Link {
    let socket: WebSocket | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let closed = false;

    function connect(): void {
        timer = undefined;
        const s = new WebSocket(url);
        socket = s;
        s.binaryType = "arraybuffer";
        let complaint = "";
        s.onopen = () => listener.state({ kind: "open" });
        s.onmessage = (event: MessageEvent<unknown>) => {
            try {
                if (typeof event.data === "string") listener.text(parseText(event.data));
                else if (event.data instanceof ArrayBuffer) listener.binary(parseBinary(event.data));
            } catch (error) {
                // A program of another version: say so instead of drawing nonsense.
                complaint = error instanceof Error ? error.message : String(error);
                console.error("adder: message not understood:", complaint);
                s.close(4000, "message not understood");
            }
        };
        s.onclose = (event) => {
            if (closed) return;
            listener.state({ kind: "lost", reason: complaint || event.reason });
            timer = setTimeout(connect, RETRY_MS);
        };
    }

    listener.state({ kind: "connecting" });
    connect();
    return {
        send(request) {
            if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(request));
        },
        close() {
            closed = true;
            clearTimeout(timer);
            socket?.close();
        },
    };
}
