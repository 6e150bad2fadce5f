// Builds the page into dist/: the script and its worker, one style sheet, the page and its icons. Nothing is loaded from elsewhere, and nothing
// stands inline, so that the strictest content security policy holds.
import { build } from "esbuild";
import { cp, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import path from "node:path";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, "dist");

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.ts", timer: "src/timer.ts" },
  outdir: out,
  bundle: true,
  format: "esm",
  target: ["es2022", "chrome109", "firefox115", "safari16"],
  minify: true,
  legalComments: "none",
  alias: { "@secureconnect/sdk": path.join(here, "../sdk/src/index.ts") },
});
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/styles/app.css" },
  outdir: out,
  bundle: true,
  minify: true,
  target: ["chrome109", "firefox115", "safari16"],
});
await cp(path.join(here, "public"), out, { recursive: true });
