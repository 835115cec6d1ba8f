/**
 * Builds dist/: JavaScript in few files, declarations, source maps, with the command executable.
 *
 * What the library or a start of the command needs stands in one file, because loading a hundred costs more than what is in
 * them; what only one feature needs has a file of its own. The command and the library share it, so that a Response is the
 * same class to both. Everything is written beside dist/ and swapped in only when it is whole, so that a failed build leaves
 * the last good one where it was, and nobody ever runs half of one.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const next = join(root, `dist.${process.pid}`);
const dist = join(root, "dist");

/** @param {string} out */
function writeDeclarations(out) {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const flags = ["-p", join(root, "tsconfig.build.json"), "--emitDeclarationOnly", "--outDir", out];
  const { status } = spawnSync(process.execPath, [compiler, ...flags], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("the types are wrong");
}

/** @param {string} out */
async function writeModules(out) {
  const input = { "index": join(root, "src/index.ts"), "cli/main": join(root, "src/cli/main.ts") };
  // Packages stay packages, a path is ours
  const bundle = await rolldown({ input, external: /^[^./]/, platform: "node", cwd: root });
  /** @type {Map<string, boolean>} */
  const known = new Map();
  await bundle.write({
    dir: out,
    format: "esm",
    sourcemap: true,
    entryFileNames: "[name].js",
    chunkFileNames: "parts/[name].js",
    codeSplitting: {
      groups: [{ debugName: "core", name: (id, context) => (isAlwaysNeeded(id, context, known) ? "core" : null) }],
    },
  });
  await bundle.close();
}

/**
 * Whether a module is reached from an entry by import statements alone. Not the entries themselves: the command's waits for
 * its end, and a part that it loads meanwhile must not wait for it.
 *
 * @param {string} id
 * @param {{ getModuleInfo(id: string): { isEntry: boolean, importers: string[] } | null }} context
 * @param {Map<string, boolean>} known
 */
function isAlwaysNeeded(id, context, known) {
  const info = context.getModuleInfo(id);
  if (info === null || info.isEntry) return false;
  const answer = known.get(id);
  if (answer !== undefined) return answer;
  known.set(id, false);
  const isNeeded = info.importers.some(
    (importer) => context.getModuleInfo(importer)?.isEntry === true || isAlwaysNeeded(importer, context, known),
  );
  known.set(id, isNeeded);
  return isNeeded;
}

try {
  writeDeclarations(next);
  await writeModules(next);
  const command = join(next, "cli/main.js");
  if (!readFileSync(command, "utf8").startsWith("#!/usr/bin/env node\n")) throw new Error("the command has no #! line");
  chmodSync(command, 0o755);
  rmSync(dist, { recursive: true, force: true });
  renameSync(next, dist);
} catch (error) {
  rmSync(next, { recursive: true, force: true });
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
