import { describe, expect, it } from "vitest";
import { readSettings, wantsColour } from "../../src/cli/settings.ts";
import type { Environment, Flags } from "../../src/cli/settings.ts";

describe("flag over environment over default", () => {
  const rows: [flags: Flags, environment: Environment, port: number, isFixed: boolean, hostname: string][] = [
    [{}, {}, 8080, false, "127.0.0.1"],
    [{}, { PORT: "", HOST: "" }, 8080, false, "127.0.0.1"],
    [{}, { PORT: "3000", HOST: "::" }, 3000, true, "::"],
    [{ port: "0" }, { PORT: "3000" }, 0, true, "127.0.0.1"],
    [{ host: "0.0.0.0" }, { HOST: "::1" }, 8080, false, "0.0.0.0"],
    [{ port: "65535" }, { PORT: "no port" }, 65_535, true, "127.0.0.1"],
  ];
  it.each(rows)("%j and %j", (flags, environment, port, isPortFixed, hostname) => {
    expect(readSettings(flags, environment)).toEqual({ port, isPortFixed, hostname, isQuiet: false });
  });

  it.each(["quiet", "silent"])("takes --%s for quiet", (name) => {
    expect(readSettings({ [name]: true }, {}).isQuiet).toBe(true);
  });
});

describe("an impossible value", () => {
  it.each(["65536", "-1", "eighty", "80.5", "0x50", "1e3", " 80", "８０"])(
    "refuses the port %j and names the flag",
    (port) => {
      expect(() => readSettings({ port }, {})).toThrow(`--port is ${JSON.stringify(port)}, which is no port`);
    },
  );

  it("names the variable where that is wrong", () => {
    expect(() => readSettings({}, { PORT: "http" })).toThrow(`the environment's PORT is "http", which is no port`);
  });

  it("refuses an empty address and an empty port", () => {
    expect(() => readSettings({ host: "" }, {})).toThrow("--host is empty");
    expect(() => readSettings({ port: "" }, {})).toThrow(`--port is ""`);
  });
});

describe("colour", () => {
  const rows: [flags: Flags, environment: Environment, isTerminal: boolean, expected: boolean][] = [
    [{}, {}, true, true],
    [{}, {}, false, false],
    [{ color: false }, {}, true, false],
    [{ color: true }, { NO_COLOR: "1" }, true, false],
    [{}, { NO_COLOR: "" }, true, true],
    [{}, { TERM: "dumb" }, true, false],
    [{}, { TERM: "xterm-256color" }, true, true],
  ];
  it.each(rows)("%j, %j, terminal %s: %s", (flags, environment, isTerminal, expected) => {
    expect(wantsColour(flags, environment, isTerminal)).toBe(expected);
  });
});
