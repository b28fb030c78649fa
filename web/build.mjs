// Bundles the page: node build.mjs writes ../build/web-dist (or $ADDER_WEB_OUT), node build.mjs --serve
// offers it with the fake board at http://127.0.0.1:8000/?fake and rebuilds at each load.
import { context, build } from "esbuild";
import { cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const serve = process.argv.includes("--serve");
const out = process.env.ADDER_WEB_OUT ?? join(here, "..", "build", serve ? "web-dev" : "web-dist");

const options = {
    entryPoints: { app: join(here, "src/main.tsx") },
    outdir: out,
    bundle: true,
    format: "esm",
    target: "es2021",
    jsx: "automatic",
    jsxImportSource: "preact",
    minify: !serve,
    sourcemap: serve ? "inline" : false,
    legalComments: "linked",
    define: { ADDER_FAKE: String(serve) },
    logLevel: "warning",
};

await mkdir(out, { recursive: true });
for (const file of ["index.html", "icon.svg"]) await cp(join(here, file), join(out, file));
if (serve) {
    const c = await context(options);
    const { port } = await c.serve({ servedir: out, host: "127.0.0.1", port: Number(process.env.PORT ?? 8000) });
    console.log(`http://127.0.0.1:${port}/?fake`);
} else {
    await build(options);
}
