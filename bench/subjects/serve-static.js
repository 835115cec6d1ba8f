/**
 * Subject: the command `serve` (not Express's serve-static), without its log and without redirects from names with .html, with
 * the fields that ours sends.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "./support/command.js";

const fields = { "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff" };
const headers = Object.entries(fields).map(([key, value]) => ({ key, value }));
const home = mkdtempSync(join(tmpdir(), "fairlead-serve-"));
const config = join(home, "serve.json");
writeFileSync(config, JSON.stringify({ cleanUrls: false, headers: [{ source: "**", headers }] }));
await runCommand("serve", "build/main.js", (port) => [
  "--no-request-logging",
  "--no-clipboard",
  "--no-port-switching",
  "--config",
  config,
  "--listen",
  `tcp://127.0.0.1:${port}`,
  process.env.FAIRLEAD_BENCH_FOLDER,
]);
rmSync(home, { recursive: true });
