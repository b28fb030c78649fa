import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// The tests stand outside web/, so that its packages must be named for them.
export default defineConfig({
    root: here(".."),
    server: { fs: { strict: false } },
    resolve: { alias: { "playwright-core": here("node_modules/playwright-core/index.mjs") } },
    test: {
        include: ["tests/browser/**/*.spec.ts"],
        globals: true,
        fileParallelism: false,
        testTimeout: 90_000,
        hookTimeout: 120_000,
    },
});
