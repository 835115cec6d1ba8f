/** Which Nodes take part, and what they are called: results are kept by that name. */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findNodes } from "../../bench/nodes.ts";

const version = process.versions.node;

function find(names: readonly string[]): { labels: readonly string[]; left: readonly string[] } {
  const left: string[] = [];
  const nodes = findNodes(names, (message) => left.push(message));
  return { labels: nodes.map(({ label }) => label), left };
}

describe("a Node", () => {
  it("is the one that runs this where nobody says another", () => {
    expect(find([])).toEqual({ labels: [`Node ${version.split(".")[0]}`], left: [] });
  });

  it("takes part once, however often it is named", () => {
    const { labels, left } = find([version, process.execPath]);
    expect(labels).toHaveLength(1);
    expect(left).toEqual([`Node ${process.execPath} takes part already: ${process.execPath}`]);
  });

  it("has a name of its own beside another build of the same version", () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-nodes-"));
    try {
      const other = join(folder, "node");
      symlinkSync(process.execPath, other);
      expect(find([process.execPath, other]).labels).toEqual([
        `Node ${version}, ${process.execPath}`,
        `Node ${version}, ${other}`,
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
