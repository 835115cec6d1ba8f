/** Every example is on the page of the folder, says how it is run, is short, and is asked by a test. */
import { describe, expect, it } from "vitest";
import { listFiles, readText } from "../architecture/source.ts";

const examples = listFiles("examples", [".ts", ".js"]).filter((path) => path.split("/").length === 2);
const names = examples.map((path) => path.slice("examples/".length));
const page = readText("examples/README.md");
const tests = listFiles("test/examples", [".test.ts"])
  .filter((path) => path !== "test/examples/listing.test.ts")
  .map(readText)
  .join("\n");

/** What thread-pool.ts runs in its threads. */
const PARTS = new Set(["slow-work.ts"]);

describe("the examples", () => {
  it("are there", () => {
    expect(examples.length).toBeGreaterThan(15);
  });

  it.each(names)("%s is on the page and short", (name) => {
    expect(page.split(`[${name}](${name})`)).toHaveLength(2);
    expect(readText(`examples/${name}`).split("\n").length).toBeLessThan(90);
  });

  it.each(names.filter((name) => !PARTS.has(name)))("%s says how it is run, and a test runs it", (name) => {
    expect(readText(`examples/${name}`)).toMatch(/^ \* {3}.*(?:npm start|npx fairlead examples\/|node examples\/)/m);
    expect(tests).toContain(name);
  });

  it("are all that the page has", () => {
    const linked = [...page.matchAll(/\[([\w-]+\.[jt]s)\]/g)].map(([, name = ""]) => name);
    expect(linked.toSorted()).toEqual(names);
  });
});
