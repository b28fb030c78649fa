// Light, dark, or as the system has it; kept in this browser.

export type Theme = "auto" | "light" | "dark";

const KEY = "adder.theme";

export function loadTheme(): Theme {
    try {
        const kept = localStorage.getItem(KEY);
        return kept === "light" || kept === "dark" ? kept : "auto";
    } catch {
        return "auto"; // storage is switched off
    }
}

export function applyTheme(theme: Theme): void {
    if (theme === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
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
