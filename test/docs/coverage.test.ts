/** docs/coverage.md names code that stands in the file that it names, and counts its rows as the table of numbers does. */
import { describe, expect, it } from "vitest";
import { readText } from "../architecture/source.ts";

const page = readText("docs/coverage.md");
const rows = [...page.matchAll(/^\| `(src\/http1?\/[\w-]+\.ts)` \| `(.+)` \| (.+) \|$/gm)].map(
  ([, file = "", code = "", reason = ""]) => ({ file, code, reason }),
);

describe("the page of coverage", () => {
  it("has a row for each branch that is not entered", () => {
    const [, entered, all] = /^\| Branches \| (\d+) \| (\d+) \|$/m.exec(page) ?? [];
    expect(rows.length).toBe(Number(all) - Number(entered));
    expect(page.match(/^\| `src\//gm)).toHaveLength(rows.length);
  });

  it.each(rows)("names code of $file that is there, and says why: $code", ({ file, code, reason }) => {
    expect(readText(file)).toContain(code);
    expect(reason.length).toBeGreaterThan(30);
  });
});
