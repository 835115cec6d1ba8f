/** The words of the command line: what they come to, and every mistake at once. */
import { describe, expect, it } from "vitest";
import { parseSettings, USAGE } from "../../bench/settings.ts";

describe("settings", () => {
  it("have defaults", () => {
    expect(parseSettings([])).toMatchObject({
      profiles: [],
      nodes: [],
      rounds: 5,
      repeats: 2,
      seconds: 5,
      load: "wrk",
    });
  });

  it("take lists between commas, each word once", () => {
    const words = ["--profile", "plaintext, json,plaintext", "--against", "nginx,bun", "--node", "20,/usr/bin/node"];
    const { profiles, against, nodes } = parseSettings(words);
    expect({ profiles, against, nodes }).toEqual({
      profiles: ["plaintext", "json"],
      against: ["nginx", "bun"],
      nodes: ["20", "/usr/bin/node"],
    });
  });

  it.each([
    { words: ["--rounds", "0"], mistakes: ["--rounds 0"] },
    { words: ["--seconds", "1.5"], mistakes: ["--seconds 1.5"] },
    { words: ["--rounds", "x", "--connections=-1"], mistakes: ["--rounds x", "--connections -1"] },
    { words: ["--load", "ab", "--repeats", "99"], mistakes: ["--load ab", "--repeats 99"] },
    { words: ["--subjects", "nginx", "--against", "bun"], mistakes: ["--against has nothing to add"] },
    { words: ["--profile", "", "--from", ","], mistakes: ["--profile: names nothing", "--from: names nothing"] },
    { words: ["--profiles", "all"], mistakes: ["--profiles"] },
  ])("refuse $words", ({ words, mistakes }) => {
    for (const mistake of mistakes) expect(() => parseSettings(words)).toThrow(mistake);
  });

  it("are all told of in the usage", () => {
    const known = [...USAGE.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name);
    const text = ["profile", "against", "subjects", "node", "rounds", "seconds", "repeats", "connections", "load"];
    const rest = ["json", "charts", "write-docs", "from", "install", "list"];
    expect(new Set(known)).toEqual(new Set([...text, ...rest]));
  });
});
