import { useEffect, useState } from "preact/hooks";

import type { Model, Snapshot } from "../model";

// The model's snapshot, again whenever it changed.
export function useSnapshot(model: Model): Snapshot {
    const [snapshot, setSnapshot] = useState(model.now);
    useEffect(() => {
        setSnapshot(model.now);
        return model.subscribe(() => setSnapshot(model.now));
    }, [model]);
    return snapshot;
}
