/** docs/guides/from-the-socket-up.md shows the examples as they are, each of them. */
import { describe, expect, it } from "vitest";
import { readText } from "../architecture/source.ts";

const page = readText("docs/guides/from-the-socket-up.md");
const shown = [...page.matchAll(/^```\w+ file=(examples\/\S+)\n([^]*?)^```$/gm)].map(
  ([, path = "", text = ""]) => [path, text] as const,
);

describe("the guide from the socket up", () => {
  it.each(shown)("shows %s as it is", (path, text) => {
    expect(text).toBe(readText(path));
  });

  it("has all of them but the demonstration", () => {
    const listed = [...readText("examples/README.md").matchAll(/\]\(([\w-]+\.[jt]s)\)/g)].map(
      ([, name = ""]) => `examples/${name}`,
    );
    const missing = listed.filter((path) => !shown.some(([one]) => one === path));
    expect(missing).toEqual(["examples/demo.ts"]);
  });
});
