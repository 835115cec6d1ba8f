/**
 * Builds dist/: JavaScript in few files, declarations, source maps, with the command executable.
 *
 * What the library or a start of the command needs stands in one file, because loading a hundred costs more than what is in
 * them; what only one feature needs has a file of its own. The command that runs an app shares it with the library, so that
 * a Response is the same class to both; the command that serves a folder is a script of its own, which starts faster. Entries
 * are what package.json exports. Everything is written beside dist/ and swapped in only when it is whole, so that a failed build leaves
 * the last good one where it was, and nobody ever runs half of one.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const next = join(root, `dist.${process.pid}`);
const dist = join(root, "dist");

/** What each start of the command as a script needs, below dist/. */
const CORE_SCRIPT = "parts/core.cjs";

/**
 * V8 keeps the text of all that was loaded: in one octet per character if it is plain, in two if a single one is beyond
 * Latin-1. The comments are in src/, which the source maps lead to; those that tell other bundlers what has no effects stay.
 */
const LEAN = Object.freeze(
  /** @type {const} */ ({ charset: "ascii", comments: { legal: true, annotation: true, jsdoc: false } }),
);

/** Packages that it has in it: to find and load them takes 4 ms of a start. */
const PACKED = ["lru-cache", "mrmime"];

/** @param {string} out */
function writeDeclarations(out) {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const flags = ["-p", join(root, "tsconfig.build.json"), "--emitDeclarationOnly", "--outDir", out];
  const { status } = spawnSync(process.execPath, [compiler, ...flags], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("the types are wrong");
}

/**
 * Entries by their names in dist/: what package.json exports, the command, and what a worker thread is started with.
 *
 * @returns {Record<string, string>}
 */
function entries() {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  /** @type {Record<string, string>} */
  const found = {
    "cli/main": source("cli/main"),
    "workers/thread": source("workers/thread"),
    "processes/script-worker": source("processes/script-worker"),
  };
  for (const { default: path = "" } of Object.values(exports)) {
    const name = /^\.\/dist\/(.+)\.js$/.exec(path)?.[1];
    if (name !== undefined) found[name] = source(name);
  }
  return found;
}

/** @param {string} name */
function source(name) {
  const path = join(root, `src/${name}.ts`);
  if (!existsSync(path)) throw new Error(`package.json exports dist/${name}.js, and there is no src/${name}.ts`);
  return path;
}

/**
 * The library and the command as modules, which share what they are made of.
 *
 * @param {string} out
 */
async function writeModules(out) {
  // Packages stay packages, a path is ours
  const bundle = await rolldown({ input: entries(), external: /^[^./]/, platform: "node", cwd: root });
  const isOfCore = reachableFrom(source("index"));
  const isOfCommand = reachableFrom(source("cli/main"));
  await bundle.write({
    dir: out,
    format: "esm",
    sourcemap: true,
    // They are in the package
    sourcemapExcludeSources: true,
    ...LEAN,
    entryFileNames: "[name].js",
    chunkFileNames: "parts/[name].js",
    codeSplitting: {
      groups: [
        { debugName: "core", name: (id, context) => (isOfCore(id, context) ? "core" : null), priority: 2 },
        { debugName: "command", name: (id, context) => (isOfCommand(id, context) ? "command" : null), priority: 1 },
      ],
    },
  });
  await bundle.close();
}

/**
 * Whether a module is reached from an entry by import statements alone; not the entry itself.
 *
 * @typedef {{ getModuleInfo(id: string): { isEntry: boolean, importers: string[] } | null }} Graph
 * @param {string} entry
 * @returns {(id: string, graph: Graph) => boolean}
 */
function reachableFrom(entry) {
  /** @type {Map<string, boolean>} */
  const known = new Map();
  /** @type {(id: string, graph: Graph) => boolean} */
  const isReached = (id, graph) => {
    const info = graph.getModuleInfo(id);
    if (info === null || info.isEntry) return false;
    const answer = known.get(id);
    if (answer !== undefined) return answer;
    known.set(id, false);
    const isNeeded = info.importers.some((importer) => importer === entry || isReached(importer, graph));
    known.set(id, isNeeded);
    return isNeeded;
  };
  return isReached;
}

/**
 * The command as scripts, and what starts it: Node loads modules asynchronously and slowly. For folders and files, which have
 * nothing to do with the classes that an app imports.
 *
 * @param {string} out
 */
async function writeScripts(out) {
  await writeScript(out, "quick-main", {});
  const core = join(out, CORE_SCRIPT);
  const text = readFileSync(core, "utf8")
    // Compiled by start.ts and not by Node's loader, it has no import() of its own
    .replace(/\bimport\((?=")/g, 'require("./import.cjs")(');
  if (/\bimport\(/.test(text)) throw new Error("the core of the command imports what has no fixed name");
  writeFileSync(join(out, "parts/import.cjs"), '"use strict";\nmodule.exports = (name) => import(name);\n');
  writeFileSync(core, text);
  const id = createHash("sha256").update(text).digest("hex").slice(0, 16);
  await writeScript(out, "start", { CORE_ID: JSON.stringify(id) });
  writeFileSync(`${core}.LICENSE.txt`, `core.cjs contains these packages.\n\n${PACKED.map(licenceOf).join("\n\n")}`);
}

/**
 * @param {string} out
 * @param {"quick-main" | "start"} name
 * @param {Record<string, string>} define
 */
async function writeScript(out, name, define) {
  const entry = source(`cli/${name}`);
  const bundle = await rolldown({
    input: { [name]: entry },
    external: (id) => /^[^./]/.test(id) && !PACKED.includes(id),
    platform: "node",
    cwd: root,
    // lru-cache looks for it when it is loaded, and that loads a dozen modules of Node; it takes it for ages only, which we set none
    transform: { define: { performance: "undefined", ...define } },
    plugins: [
      {
        name: "modules-stay-modules",
        resolveId: (id) => (id === "./main.ts" ? { id: "./main.js", external: true } : null),
      },
    ],
  });
  const isOfCore = reachableFrom(entry);
  const core = {
    debugName: "core",
    name: (/** @type {string} */ id, context) => (isOfCore(id, context) ? "core" : null),
  };
  await bundle.write({
    dir: out,
    format: "cjs",
    sourcemap: true,
    // They are in the package
    sourcemapExcludeSources: true,
    ...LEAN,
    entryFileNames: "cli/[name].cjs",
    chunkFileNames: "parts/[name].cjs",
    ...(name === "quick-main" ? { codeSplitting: { groups: [core] } } : { codeSplitting: false }),
  });
  await bundle.close();
}

/**
 * @param {string} name
 * @returns {string}
 */
function licenceOf(name) {
  const folder = join(root, "node_modules", name);
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined) throw new Error(`${name} has no licence`);
  return `${name}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

/** @param {string} out */
function checkPlain(out) {
  for (const name of readdirSync(out, { recursive: true, encoding: "utf8" })) {
    if (!/\.c?js$/.test(name)) continue;
    const found = /[^\0-\x7f]/.exec(readFileSync(join(out, name), "utf8"));
    if (found !== null) throw new Error(`${name} has a character that is not ASCII: ${found[0]}`);
  }
}

/**
 * Lets the command keep its compiled code for this version of Node, as its first run would (src/cli/start.ts). It is not
 * published: nobody should have to trust bytes that nobody can read. Where it fails, the first run keeps it.
 *
 * @param {string} out
 */
async function warmUp(out) {
  const site = mkdtempSync(join(tmpdir(), "fairlead-build-"));
  writeFileSync(join(site, "index.html"), "<!doctype html><title>warm</title>");
  const words = [join(out, "cli/start.cjs"), site, "--port", "0", "--log", "text"];
  const command = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"], timeout: 10_000 });
  const ended = once(command, "exit");
  try {
    for await (const line of createInterface(command.stdout)) {
      const url = / at (http:\S+)/.exec(line)?.[1];
      if (url === undefined) continue;
      for (const path of ["", "", "missing"]) await (await fetch(url + path)).arrayBuffer();
      command.kill("SIGTERM");
    }
  } catch {
    command.kill("SIGKILL");
  }
  await ended;
  rmSync(site, { recursive: true, force: true });
}

try {
  writeDeclarations(next);
  await writeModules(next);
  await writeScripts(next);
  checkPlain(next);
  for (const name of ["cli/main.js", "cli/start.cjs"]) {
    const command = join(next, name);
    if (!readFileSync(command, "utf8").startsWith("#!/usr/bin/env node\n")) throw new Error(`${name} has no #! line`);
    chmodSync(command, 0o755);
  }
  await warmUp(next);
  rmSync(dist, { recursive: true, force: true });
  renameSync(next, dist);
} catch (error) {
  rmSync(next, { recursive: true, force: true });
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
