// The console's bytes between the link and the terminal, which may not be there yet.

export interface ConsoleSink {
    write(bytes: Uint8Array): void;
    reset(): void;
}

const KEPT = 64;

export class ConsoleBuffer {
    private sink: ConsoleSink | undefined;
    private early: Uint8Array[] = [];

    append(bytes: Uint8Array): void {
        if (this.sink !== undefined) this.sink.write(bytes);
        else this.early = [...this.early, bytes].slice(-KEPT);
    }

    // The program sends its console's history again.
    restart(): void {
        this.early = [];
        this.sink?.reset();
    }

    attach(sink: ConsoleSink): () => void {
        this.sink = sink;
        for (const bytes of this.early.splice(0)) sink.write(bytes);
        return () => {
            this.sink = undefined;
        };
    }
}
