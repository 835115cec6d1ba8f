/** The versions of Node that a run measures: names into binaries. */
import { execFileSync } from "node:child_process";
import { nodeOf } from "../scripts/node-binaries.js";

/** One Node. */
export interface NodeBinary {
  readonly path: string;
  /** `26.1.0` */
  readonly version: string;
  /** As tables call it: `Node 26`, or the whole version where two have the same major, and the path where that is the same too. */
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
    else if (found.some((one) => one.path === path)) skip(`Node ${name} takes part already: ${path}`);
    else found.push({ path, version });
  }
  return found.map((one) => {
    const major = majorOf(one.version);
    const isAlone = (test: (version: string) => boolean): boolean =>
      found.filter(({ version }) => test(version)).length === 1;
    // Results are kept by label: two builds of one version are told apart by their places
    const ownVersion = isAlone((version) => version === one.version) ? one.version : `${one.version}, ${one.path}`;
    return { ...one, label: `Node ${isAlone((version) => majorOf(version) === major) ? major : ownVersion}` };
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
