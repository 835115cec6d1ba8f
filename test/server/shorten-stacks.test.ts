import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { shortenStacks } from "../../src/server/shorten-stacks.ts";

const HERE = new URL("../../", import.meta.url).href;
const OURS = `    at #handle (${HERE}dist/parts/core.js:1:2)`;
const SCRIPT = `    at handle (${new URL(HERE).pathname}dist/parts/core.cjs:1:2)`;
const NODE = "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)";
const THEIRS = "    at boom (file:///srv/app.js:3:4)";

function shorten(...lines: readonly string[]): string[] {
  return shortenStacks(["Error: x", ...lines].join("\n"), true)
    .split("\n")
    .slice(1);
}

describe("a stack", () => {
  it.each<[string, string[], string[]]>([
    ["has the user's frames, and of ours the number", [THEIRS, OURS, SCRIPT], [THEIRS, "    … 2 frames of fairlead"]],
    ["says one of one", [THEIRS, NODE], [THEIRS, "    … 1 frame of node"]],
    ["says whose they are", [THEIRS, NODE, OURS], [THEIRS, "    … 2 frames of fairlead and node"]],
    [
      "keeps its order",
      [OURS, THEIRS, OURS, THEIRS],
      ["    … 1 frame of fairlead", THEIRS, "    … 1 frame of fairlead", THEIRS],
    ],
    [
      "keeps native code that the user has called, and not what we have called",
      ["    at Array.map (<anonymous>)", THEIRS, "    at new Promise (<anonymous>)", OURS],
      ["    at Array.map (<anonymous>)", THEIRS, "    … 2 frames of fairlead"],
    ],
    [
      "keeps packages of the user's",
      ["    at a (/srv/node_modules/b/c.js:1:1)", OURS],
      ["    at a (/srv/node_modules/b/c.js:1:1)", "    … 1 frame of fairlead"],
    ],
    ["is left as it is where no frame is the user's", [OURS, NODE], [OURS, NODE]],
    [
      "keeps what follows a frame of an error with members",
      [THEIRS, `${OURS} {`, "  code: 'E'", "}"],
      [THEIRS, "    … 1 frame of fairlead {", "  code: 'E'", "}"],
    ],
  ])("%s", (_what, lines, expected) => expect(shorten(...lines)).toEqual(expected));

  it("is cut to the number alone where that is asked for", () => {
    expect(shortenStacks(["E: x", OURS, NODE].join("\n"), false)).toBe("E: x\n    … 2 frames of fairlead and node");
  });

  it("of a cause is cut as well", () => {
    const error = new Error("outer", { cause: new Error("inner") });
    error.stack = ["Error: outer", THEIRS, OURS, SCRIPT].join("\n");
    (error.cause as Error).stack = ["Error: inner", THEIRS, OURS].join("\n");
    const text = shortenStacks(inspect(error), true);
    expect(text).toContain("… 2 frames of fairlead {\n");
    expect(text).toMatch(/\[cause\]: Error: inner\n +at boom \(file:.*\)\n +… 1 frame of fairlead\n/);
    expect(text).not.toContain(pathToFileURL("dist").pathname);
  });

  it("counts what inspect() leaves out", () => {
    const inner = ["    at deep (file:///srv/b.js:1:1)", OURS, SCRIPT, NODE, NODE];
    const error = new Error("outer", { cause: new Error("inner") });
    error.stack = ["Error: outer", THEIRS, OURS, SCRIPT, NODE, NODE].join("\n");
    (error.cause as Error).stack = ["Error: inner", ...inner].join("\n");
    expect(shortenStacks(inspect(error), true)).not.toMatch(/lines matching|core\.c?js/);
  });
});
