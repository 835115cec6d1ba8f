/** docs/faults.md names tests that exist, for every row, and leaves out none of the tests of faults. */
import { describe, expect, it } from "vitest";
import { listFiles, readText } from "../architecture/source.ts";

const page = readText("docs/faults.md");
const rows = page.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| Fault "));

/** File and title that a row names. */
function testOf(row: string): readonly [path: string, title: string] | null {
  const [, path = "", title = ""] = /`(test\/[\w/-]+\.test\.ts)`: "(.+)" \|$/.exec(row) ?? [];
  return title === "" ? null : [path, title];
}

describe("the table of faults", () => {
  it("has five cells in each row, and a test", () => {
    expect(rows.length).toBeGreaterThan(25);
    expect(rows.filter((row) => row.split("|").length !== 7 || testOf(row) === null)).toEqual([]);
  });

  it.each(rows)("names a test that exists: %s", (row) => {
    const [path, title] = testOf(row) ?? ["", ""];
    expect(readText(path)).toContain(`"${title}"`);
  });

  it("leaves out no test of faults", () => {
    const named = new Set(rows.map((row) => testOf(row)?.join()));
    const missing = listFiles("test/faults", [".test.ts"])
      .filter((path) => path !== "test/faults/table.test.ts")
      .flatMap((path) =>
        [...readText(path).matchAll(/^ *(?:\]\)|it|it\.each[^\n]*|it\.skipIf[^\n]*)\(\s*"([^"]+)", async/gm)].map(
          ([, title]) => `${path},${title}`,
        ),
      );
    expect(missing.filter((one) => !named.has(one))).toEqual([]);
  });
});
