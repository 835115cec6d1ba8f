/** docs/reference/config.md has every setting of the command, with its flag, and no other. */
import { describe, expect, it } from "vitest";
import { SETTABLE, settingOf } from "../../src/cli/config-layers.ts";
import { ACME_DIRECTORIES } from "../../src/certificates/acme-names.ts";
import { FLAG_TABLE } from "../../src/cli/flags.ts";
import { explainFlags } from "../../src/cli/foreign-flags.ts";
import { LOG_FORMS } from "../../src/cli/settings.ts";
import { UnknownFlag } from "../../src/cli/usage.ts";
import { readText } from "../architecture/source.ts";

describe("the page of the configuration file", () => {
  it("has the settings that the command has", () => {
    const rows = readText("docs/reference/config.md")
      .split("\n")
      .map((line) => /^\| `(\w+)` \|/.exec(line)?.[1])
      .filter((name) => name !== undefined);
    expect(rows.toSorted()).toEqual(SETTABLE.map(({ name }) => settingOf(name)).toSorted());
  });

  it.each([
    ["log", LOG_FORMS],
    ["acmeDirectory", Object.keys(ACME_DIRECTORIES)],
  ])("has each word that %s may be", (name, words) => {
    const row = readText("docs/reference/config.md")
      .split("\n")
      .find((line) => line.startsWith(`| \`${name}\` |`));
    const allowed = row?.split("|")[2]?.matchAll(/`([^`]+)`/g) ?? [];
    expect([...allowed].map(([, word]) => word)).toEqual(words);
  });

  it("is not alone in having each form of a log", () => {
    const { meaning = "" } = FLAG_TABLE.find(({ name }) => name === "log") ?? {};
    const said = [meaning.replace(/ \(.*/, ""), explainFlags(new UnknownFlag("--access-log", "--access-log")).message];
    for (const text of said) expect(text).toContain(LOG_FORMS.join(", ").replace(/, (\w+)$/, " or $1"));
  });
});
