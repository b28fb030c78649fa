// Light, dark, or as the system has it; the choice is kept in this browser. The style sheet knows only
// light and dark: <html data-theme>.

export type Theme = "auto" | "light" | "dark";

const KEY = "adder.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
let chosen: Theme = "auto";

export function loadTheme(): Theme {
    try {
        const kept = localStorage.getItem(KEY);
        return kept === "light" || kept === "dark" ? kept : "auto";
    } catch {
        return "auto"; // storage is switched off
    }
}

function show(): void {
    const dark = chosen === "auto" ? system.matches : chosen === "dark";
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

system.addEventListener("change", show);

export function applyTheme(theme: Theme): void {
    chosen = theme;
    show();
    try {
        if (theme === "auto") localStorage.removeItem(KEY);
        else localStorage.setItem(KEY, theme);
    } catch {
        // the choice then lasts until the page is closed
    }
}

export function nextTheme(theme: Theme): Theme {
    switch (theme) {
        case "auto":
            return "light";
        case "light":
            return "dark";
        case "dark":
            return "auto";
    }
}
