// Readers for data from outside: each takes an unknown value and where it stood, and returns it typed
// or throws a CheckError that names the place.

export class CheckError extends Error {
    constructor(where: string, wanted: string, got: unknown) {
        super(`${where}: expected ${wanted}, got ${describe(got)}`);
        this.name = "CheckError";
    }
}

function describe(value: unknown): string {
    if (value === null) return "null";
    if (Array.isArray(value)) return "a list";
    return typeof value;
}

export type Reader<T> = (value: unknown, where: string) => T;
export type Dict = Readonly<Record<string, unknown>>;

export const text: Reader<string> = (v, at) => {
    if (typeof v !== "string") throw new CheckError(at, "text", v);
    return v;
};

export const number: Reader<number> = (v, at) => {
    if (typeof v !== "number" || !Number.isFinite(v)) throw new CheckError(at, "a number", v);
    return v;
};

export const bool: Reader<boolean> = (v, at) => {
    if (typeof v !== "boolean") throw new CheckError(at, "true or false", v);
    return v;
};

export const dict: Reader<Dict> = (v, at) => {
    if (typeof v !== "object" || v === null || Array.isArray(v)) throw new CheckError(at, "an object", v);
    return v as Dict;
};

export const unknown: Reader<unknown> = (v) => v;

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
    return (v, at) => {
        if (!Array.isArray(v)) throw new CheckError(at, "a list", v);
        return v.map((x: unknown, i) => item(x, `${at}[${i}]`));
    };
}

export function map<T>(item: Reader<T>): Reader<ReadonlyMap<string, T>> {
    return (v, at) =>
        new Map(Object.entries(dict(v, at)).map(([key, x]) => [key, item(x, `${at}.${key}`)] as const));
}

export function oneOf<T extends string>(...choices: readonly T[]): Reader<T> {
    return (v, at) => {
        const found = choices.find((c) => c === v);
        if (found === undefined) throw new CheckError(at, choices.join(" or "), v);
        return found;
    };
}

export function field<T>(from: Dict, name: string, at: string, read: Reader<T>): T {
    return read(from[name], `${at}.${name}`);
}

export function fieldOr<T, D>(from: Dict, name: string, at: string, read: Reader<T>, otherwise: D): T | D {
    const v = from[name];
    return v === undefined || v === null ? otherwise : read(v, `${at}.${name}`);
}
