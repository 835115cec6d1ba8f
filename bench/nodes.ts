/** The versions of Node that a run measures: names into binaries. */
import { execFileSync } from "node:child_process";
import { nodeOf } from "../scripts/node-binaries.js";

/** One Node. */
export interface NodeBinary {
  readonly path: string;
  /** `26.1.0` */
  readonly version: string;
  /** As tables call it: `Node 26`, or the whole version where two have the same major. */
  readonly label: string;
}

/**
 * @param names versions, which are installed where they are not yet, or paths; none: the Node that runs this
 * @param skip told of each that cannot be had
 */
export function findNodes(names: readonly string[], skip: (message: string) => void): readonly NodeBinary[] {
  const found: { path: string; version: string }[] = [];
  for (const name of names.length === 0 ? [process.execPath] : names) {
    const path = name.includes("/") ? name : ownOrInstalled(name);
    const version = path === null ? null : versionOf(path);
    if (path === null || version === null) skip(`Node ${name} cannot be had here`);
    else found.push({ path, version });
  }
  return found.map((one) => {
    const major = majorOf(one.version);
    const isAlone = found.filter(({ version }) => majorOf(version) === major).length === 1;
    return { ...one, label: `Node ${isAlone ? major : one.version}` };
  });
}

function ownOrInstalled(version: string): string | null {
  const own = process.versions.node;
  return own === version || majorOf(own) === version ? process.execPath : nodeOf(version);
}

function majorOf(version: string): string {
  return version.split(".")[0] ?? version;
}

function versionOf(path: string): string | null {
  try {
    return execFileSync(path, ["--version"], { encoding: "utf8" }).trim().replace(/^v/, "");
  } catch {
    return null;
  }
}
