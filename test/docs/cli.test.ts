/** docs/reference/cli.md has every flag that `fairlead --help` has, and no other. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readText, ROOT } from "../architecture/source.ts";

function flagsIn(text: string): string[] {
  return [...new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map((match) => match[0]))].toSorted();
}

describe("the page of the command", () => {
  const page = readText("docs/reference/cli.md");
  const help = execFileSync(process.execPath, [join(ROOT, "dist/cli/main.js"), "--help"], { encoding: "utf8" });

  it("has the flags that the command has", () => {
    const rows = page.split("\n").filter((line) => line.startsWith("| `-"));
    expect(flagsIn(rows.map((row) => row.split("|")[1]).join(" "))).toEqual(flagsIn(help));
  });
});
