#!/usr/bin/env node
/**
 * What people call as `fairlead`: starts the command as fast as Node can.
 *
 *  1 choose   an app runs as modules (main.ts), all else as scripts (quick-main.ts)
 *  2 compile  the large one of them, from what V8 made of it the last time where that is at hand
 *  3 keep     what V8 has made of it now, if it was not
 *
 * What is kept lies beside the script, so that only who could change the script can change it, and its name tells for which
 * script and which V8 it is. Where it cannot be written or is not taken, a start is slower and nothing else. It must never
 * fail a start, and never write during one.
 */

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { SYSTEM_TIME } from "../web/clock.ts";
import type * as QuickMain from "./quick-main.ts";

/** Of the script's content, put in when it is built. V8 itself compares no more than lengths. */
declare const CORE_ID: string;

const MAIN = join(import.meta.dirname, "quick-main.cjs");
const CORE = join(dirname(import.meta.dirname), "parts/core.cjs");
const KEPT = CORE.replace(/\.cjs$/, `-${CORE_ID}-${process.versions.v8}-${process.arch}.cache`);

/** What Node puts around a script of this kind. */
const HEAD = "(function (exports, require, module, __filename, __dirname) {";
const TAIL = "\n})";

/** By then a server that will be ended by force has mostly answered what its first visitor asked. */
const KEEP_AFTER_MS = 3000;

function start(): void {
  // Whatever has not begun to listen for it yet: Node would open its inspector, and everybody on this machine may use that
  process.on("SIGUSR1", () => {});
  // A guess that may be wrong both ways: as modules everything runs, and the scripts hand over
  if (process.argv.slice(2).some((word) => /\.[cm]?[jt]sx?$/i.test(word))) void import("./main.ts");
  else runScripts();
}

function runScripts(): void {
  const require = createRequire(MAIN);
  const core = isUnwelcome() ? null : compileCore();
  if (core !== null) evaluateCore(core);
  const { run } = require(MAIN) as typeof QuickMain;
  run(() => {
    if (core === null || core.cachedDataRejected === false) return;
    SYSTEM_TIME.after(KEEP_AFTER_MS, () => keep(core));
    // Again: with what the requests needed that came since
    process.once("exit", () => keep(core));
  });
}

/** To who measures which code runs, to who wants to see its sources, and to who asked Node for no such thing. */
function isUnwelcome(): boolean {
  const { NODE_V8_COVERAGE: coverage = "", NODE_DISABLE_COMPILE_CACHE: disabled = "" } = process.env;
  return coverage !== "" || disabled !== "" || Reflect.get(process, "sourceMapsEnabled") === true;
}

function compileCore(): Script {
  const cachedData = readKept();
  return new Script(HEAD + readFileSync(CORE, "latin1") + TAIL, {
    filename: CORE,
    columnOffset: -HEAD.length,
    ...(cachedData === null ? {} : { cachedData }),
  });
}

/** As `require` would; whoever requires it from now on gets this one. */
function evaluateCore(script: Script): void {
  const module = new Module(CORE);
  const require = createRequire(CORE);
  require.cache[CORE] = module;
  const evaluate = script.runInThisContext() as (...names: readonly unknown[]) => void;
  evaluate.call(module.exports, module.exports, require, module, CORE, dirname(CORE));
  module.loaded = true;
}

function readKept(): Buffer | null {
  try {
    return readFileSync(KEPT);
  } catch {
    return null;
  }
}

/** Whole or not at all: V8 does not check what it is given. */
function keep(script: Script): void {
  const unfinished = `${KEPT}.${process.pid}`;
  try {
    const fd = openSync(unfinished, "wx", 0o644);
    try {
      writeSync(fd, script.createCachedData());
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(unfinished, KEPT);
  } catch {
    // A folder that is not ours to write to; or no space, and part of a file
    remove(unfinished);
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Then it stays; it is never read
  }
}

start();
