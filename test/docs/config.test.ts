/** docs/reference/config.md has every setting of the command, with its flag, and no other. */
import { describe, expect, it } from "vitest";
import { SETTABLE, settingOf } from "../../src/cli/config-layers.ts";
import { readText } from "../architecture/source.ts";

describe("the page of the configuration file", () => {
  it("has the settings that the command has", () => {
    const rows = readText("docs/reference/config.md")
      .split("\n")
      .map((line) => /^\| `(\w+)` \|/.exec(line)?.[1])
      .filter((name) => name !== undefined);
    expect(rows.toSorted()).toEqual(SETTABLE.map(({ name }) => settingOf(name)).toSorted());
  });
});
