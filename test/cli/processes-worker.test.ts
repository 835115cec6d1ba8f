import { describe, expect, it } from "vitest";
import { withChosenPort } from "../../src/cli/processes-worker.ts";
import { layer } from "../../src/cli/config-layers.ts";
import { readSettings } from "../../src/cli/settings.ts";
import type { Settings } from "../../src/cli/settings.ts";
import { readUsage } from "../../src/cli/usage.ts";

function settingsOf(words: string): Settings {
  return readSettings(layer(readUsage(words.split(" ").filter((word) => word !== "")).flags, {}, null), false);
}

describe("the port of a later worker", () => {
  it.each([
    ["as it was asked for where nothing was chosen", "", undefined, 8080, false],
    ["that which the first worker found free", "", "8080:8081", 8081, true],
    ["the one that was asked for by its number, as that can be no other", "--port 8080", "8080:8081", 8080, true],
    ["that of port 0, once nobody listens there any more", "--port 0", "0:40123", 40_123, true],
    ["that of a new configuration, if it asks for another", "--port 9000", "0:40123", 9000, true],
  ])("is %s", (_what, words, choice, port, isFixed) => {
    const { targets, isPortFixed } = withChosenPort(settingsOf(words), choice);
    expect(targets).toEqual([{ kind: "tcp", hostname: "127.0.0.1", port }]);
    expect(isPortFixed).toBe(isFixed);
  });
});

describe("--workers", () => {
  it.each([
    ["", 0],
    ["--workers 3", 3],
  ])("%j is %i", (words, workers) => {
    expect(settingsOf(words).workers).toBe(workers);
  });

  it("auto is at least one", () => {
    expect(settingsOf("--workers auto").workers).toBeGreaterThan(0);
  });

  it.each(["0", "-1", "1.5", "many", "2000"])("%s is no number of workers", (value) => {
    expect(() => settingsOf(`--workers=${value}`)).toThrow(
      `--workers is ${JSON.stringify(value)}, which is no number of workers`,
    );
  });
});
