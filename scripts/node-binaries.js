/**
 * Other versions of Node, from the npm package `node`, which ships real binaries.
 *
 * They are kept in .cache/nodes, so that only the first use of a version downloads it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Path of a Node of that version, null where it cannot be had.
 *
 * @param {string} version `26`, or all of it
 * @returns {string | null}
 */
export function nodeOf(version) {
  const folder = join(root, ".cache/nodes", version);
  const binary = join(folder, "node_modules/node/bin/node");
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const words = [
      "install",
      "--prefix",
      folder,
      "--no-save",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      `node@${version}`,
    ];
    spawnSync("npm", words, { stdio: ["ignore", "ignore", "inherit"] });
  }
  return existsSync(binary) ? binary : null;
}
