import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { countHidden, renderHidden } from "../../src/cli/hidden.ts";
import { layer } from "../../src/cli/config-layers.ts";
import { readSettings } from "../../src/cli/settings.ts";
import type { FileSettings } from "../../src/cli/settings.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-hidden-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { files: usual } = readSettings(layer(new Map(), {}, null), false);

function count(changes: Partial<FileSettings> = {}): ReturnType<typeof countHidden> {
  return countHidden(folder, { ...usual, ...changes });
}

function write(path: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), "");
}

describe("what is hidden", () => {
  beforeEach(() => {
    for (const path of [".env", ".git/config", ".git/hooks/a", "docs/.draft", ".well-known/x", "docs/a.html"])
      write(path);
    symlinkSync(tmpdir(), join(folder, "out"));
    symlinkSync("docs/a.html", join(folder, "in"));
    symlinkSync("nowhere", join(folder, "docs/broken"));
    symlinkSync("..", join(folder, "docs/loop"));
  });

  it("is counted: dot files, a hidden folder as one, and links that lead out", async () => {
    expect(await count()).toEqual({ dotFiles: 3, outsideLinks: 1, isComplete: true });
  });

  it("is not what a flag shows", async () => {
    expect(await count({ showsDotFiles: true, followsLinks: true })).toMatchObject({ dotFiles: 0, outsideLinks: 0 });
  });
});

it("is not looked for without end", async () => {
  for (let i = 0; i < 2100; i++) write(`.${i}`);
  const found = await count();
  expect(found.isComplete).toBe(false);
  expect(renderHidden(found)).toBe("at least 2000 dot files hidden: --dotfiles");
});

it("is nothing where nothing can be read", async () => {
  rmSync(folder, { recursive: true });
  expect(await count()).toEqual({ dotFiles: 0, outsideLinks: 0, isComplete: true });
});

it.each([
  [0, 0, ""],
  [1, 0, "1 dot file hidden: --dotfiles"],
  [3, 1, "3 dot files, 1 outside link hidden: --dotfiles, --follow"],
  [0, 2, "2 outside links hidden: --follow"],
])("is said in words: %i and %i", (dotFiles, outsideLinks, text) => {
  expect(renderHidden({ dotFiles, outsideLinks, isComplete: true })).toBe(text);
});
