/** docs/architecture.md is a true map: every file of src is on it once, and nothing is on it that does not exist. */
import { describe, expect, it } from "vitest";
import { listFiles, readText } from "../architecture/source.ts";

const page = readText("docs/architecture.md");

/** `src/room/file.ts` for every row of the map. */
function filesOfMap(): string[] {
  const map = page.slice(page.indexOf("<!-- map"), page.indexOf("<!-- end of map"));
  return map.split(/^### /m).flatMap((section) => {
    const room = /^`(\w+)\/`/.exec(section)?.[1] ?? "";
    return [...section.matchAll(/^\| `([\w.-]+\.ts)` \|/gm)].map((match) => `src/${room}/${match[1]}`);
  });
}

describe("the map", () => {
  it("has every file of every room, once", () => {
    const files = listFiles("src", [".ts"]).filter((path) => path !== "src/index.ts");
    expect(filesOfMap().toSorted()).toEqual(files);
  });

  it("names only files that exist in the journey of a request", () => {
    const journey = page.slice(page.indexOf("## One request"), page.indexOf("## Time"));
    const named = [...journey.matchAll(/\b(?:http1?|web|server|static)\/[\w-]+\.ts/g)].map(
      (match) => `src/${match[0]}`,
    );
    const files = listFiles("src", [".ts"]);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !files.includes(path))).toEqual([]);
  });
});
