/**
 * Builds dist/: JavaScript, declarations and both kinds of source maps, with the command executable.
 *
 * The compiler writes beside dist/ and the result is swapped in only when it is whole, so that a failed build leaves the
 * last good one where it was, and nobody ever runs half of one.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const next = join(root, `dist.${process.pid}`);
const dist = join(root, "dist");

const compiler = join(root, "node_modules/typescript/bin/tsc");
const result = spawnSync(process.execPath, [compiler, "-p", join(root, "tsconfig.build.json"), "--outDir", next], {
  cwd: root,
  stdio: "inherit",
});
if (result.status !== 0) {
  rmSync(next, { recursive: true, force: true });
  process.exitCode = 1;
} else {
  const command = join(next, "cli/main.js");
  if (existsSync(command)) {
    if (!readFileSync(command, "utf8").startsWith("#!/usr/bin/env node\n"))
      throw new Error("dist/cli/main.js has no #! line");
    chmodSync(command, 0o755);
  }
  rmSync(dist, { recursive: true, force: true });
  renameSync(next, dist);
}
