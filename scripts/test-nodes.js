/**
 * Installs the packed package into an empty folder and runs test/smoke/package.js on several versions of Node.
 *
 * `npm run test:nodes [-- 22 24 26]`. The binaries come from the npm package `node` and are kept in .cache/nodes, so that
 * only the first run downloads them. With --suite every test of the repository runs on them too. A version that cannot be
 * installed here (no network) is skipped aloud, not failed.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeOf } from "./node-binaries.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const smoke = join(root, "test/smoke/package.js");
const suite = join(root, "node_modules/vitest/vitest.mjs");
const isWhole = process.argv.includes("--suite");
const majors = process.argv.slice(2).filter((word) => /^\d+$/.test(word));
if (majors.length === 0) majors.push("22", "24", "26");

/** Packs this package and installs the tarball with its dependencies, as somebody who uses it would. */
function installPackage() {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-package-"));
  const quiet = {
    cwd: root,
    encoding: /** @type {const} */ ("utf8"),
    stdio: /** @type {const} */ (["ignore", "pipe", "inherit"]),
  };
  const packed = execFileSync("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], quiet);
  const answer = JSON.parse(packed);
  const [{ filename }] = Array.isArray(answer) ? answer : Object.values(answer);
  const words = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", join(folder, filename)];
  execFileSync("npm", words, quiet);
  return folder;
}

let failed = 0;
const folder = installPackage();
try {
  for (const binary of [process.execPath, ...majors.map((major) => nodeOf(major) ?? major)]) {
    if (!binary.includes("/")) {
      console.log(`SKIPPED ALOUD: Node ${binary} could not be installed here`);
      continue;
    }
    const version = execFileSync(binary, ["--version"], { encoding: "utf8" }).trim();
    const runs = [[smoke, folder], ...(isWhole ? [[suite, "run", "--reporter=dot"]] : [])];
    const isRight = runs.every((words) => spawnSync(binary, words, { cwd: root, stdio: "inherit" }).status === 0);
    if (!isRight) failed += 1;
    console.log(`Node ${version}: ${isRight ? "passed" : "FAILED"}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
