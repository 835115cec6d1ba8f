import { describe, expect, it } from "vitest";
import { CommandError } from "../../src/cli/command-error.ts";
import { readSettings, wantsColour } from "../../src/cli/settings.ts";
import { layer } from "../../src/cli/config-layers.ts";
import type { Environment } from "../../src/cli/config-layers.ts";
import type { Settings } from "../../src/cli/settings.ts";
import { readUsage } from "../../src/cli/usage.ts";

/** Settings from flags as they are typed. */
function settingsOf(line: string, environment: Environment = {}, isTerminal = false): Settings {
  return readSettings(layer(readUsage(line === "" ? [] : line.split(" ")).flags, environment, null), isTerminal);
}

function tcp(hostname: string, port: number): unknown {
  return { kind: "tcp", hostname, port };
}

describe("flag over environment over default", () => {
  const rows: [line: string, environment: Environment, target: unknown, isFixed: boolean][] = [
    ["", {}, tcp("127.0.0.1", 8080), false],
    ["", { PORT: "", HOST: "" }, tcp("127.0.0.1", 8080), false],
    ["", { PORT: "3000", HOST: "::" }, tcp("::", 3000), true],
    ["-p 0", { PORT: "3000" }, tcp("127.0.0.1", 0), true],
    ["--host 0.0.0.0", { HOST: "::1" }, tcp("0.0.0.0", 8080), false],
    ["-p 65535", { PORT: "no port" }, tcp("127.0.0.1", 65_535), true],
    ["--no-port-switching", {}, tcp("127.0.0.1", 8080), true],
    ["-l unix:/run/x.sock", { PORT: "3000" }, { kind: "unix", path: "/run/x.sock" }, true],
  ];
  it.each(rows)("%j and %j", (line, environment, target, isPortFixed) => {
    expect(settingsOf(line, environment)).toMatchObject({ targets: [target], isPortFixed });
  });

  it("takes the password from the environment, and the flag before it", () => {
    expect(settingsOf("", { FAIRLEAD_AUTH: "a:b" }).gate.auth).toBe("a:b");
    expect(settingsOf("--auth c:d", { FAIRLEAD_AUTH: "a:b" }).gate.auth).toBe("c:d");
  });

  it("listens on each address once", () => {
    expect(settingsOf("--host ::1 --host 127.0.0.1 --host ::1 -p 1").targets).toEqual([
      tcp("::1", 1),
      tcp("127.0.0.1", 1),
    ]);
    expect(settingsOf("-l tcp://[::1]:1 -l fd:3").targets).toEqual([tcp("::1", 1), { kind: "fd", fd: 3 }]);
  });

  it("takes a bare --host for all addresses", () => {
    expect(settingsOf("--host").targets).toEqual([tcp(expect.stringMatching(/^(?:::|0\.0\.0\.0)$/) as string, 8080)]);
  });
});

describe("files", () => {
  it("have safe and handy defaults", () => {
    expect(settingsOf("").files).toEqual({
      singlePage: false,
      cache: "auto",
      hasCleanUrls: true,
      listsFolders: true,
      showsDotFiles: false,
      followsLinks: false,
      compresses: true,
      usesPrecompressed: true,
      hasRules: true,
      more: {},
    });
  });

  it.each([
    ["", true],
    ["--host localhost", true],
    ["-l unix:/run/x.sock", true],
    ["--host 0.0.0.0", false],
    ["--host 127.0.0.1 --host 192.0.2.7", false],
    ["-l fd:3", false],
    ["--host 0.0.0.0 --list", true],
    ["--no-list", false],
  ])("are listed only to this machine, unless asked for: %j", (line, expected) => {
    expect(settingsOf(line).files.listsFolders).toBe(expected);
  });

  it.each([
    ["-s", { singlePage: true }],
    ["--spa=200.html", { singlePage: "200.html" }],
    ["--cache off", { cache: "off" }],
    ["--cache 10m", { cache: 600 }],
    ["--maxage 60", { cache: 60 }],
    ["--cache auto", { cache: "auto" }],
    ["--no-clean-urls --dotfiles --follow", { hasCleanUrls: false, showsDotFiles: true, followsLinks: true }],
    ["--no-rules", { hasRules: false }],
    ["--no-compress --no-precompressed", { compresses: false, usesPrecompressed: false }],
  ])("%s", (line, expected) => {
    expect(settingsOf(line).files).toMatchObject(expected);
  });

  it("not within the kernel under TLS, which is said", () => {
    const said = "sendfile does nothing under TLS: what is encrypted passes through this process";
    expect(settingsOf("--sendfile --tls").notes).toEqual([said]);
    expect(["--sendfile", "--tls", "--sendfile --no-tls"].map((line) => settingsOf(line).notes)).toEqual([[], [], []]);
  });

  it("within the kernel only where somebody asks for it", () => {
    expect(["", "--sendfile", "--sendfile --no-sendfile"].map((line) => settingsOf(line).usesSendfile)).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe("what is said", () => {
  it.each([
    ["", false, "json"],
    ["", true, "text"],
    ["--log-file x", true, "json"],
    ["--log combined", true, "combined"],
    ["--log common", true, "common"],
    ["--log off", false, "off"],
  ])("%j on a terminal %s: %s", (line, isTerminal, logForm) => {
    expect(settingsOf(line, {}, isTerminal).logForm).toBe(logForm);
  });

  it.each(["-q", "--quiet", "--silent"])("is nothing with %s", (flag) => {
    expect(settingsOf(flag).isQuiet).toBe(true);
  });
});

describe("the gate", () => {
  it("is open at first", () => {
    expect(settingsOf("").gate).toEqual({ auth: "", corsOrigins: null, isIsolated: false, headers: [] });
  });

  it.each([
    ["--cors", "*"],
    ["--cors=*", "*"],
    ["--cors https://a.example,https://b.example", ["https://a.example", "https://b.example"]],
    ["--no-cors", null],
  ])("%s", (line, origins) => {
    expect(settingsOf(line).gate.corsOrigins).toEqual(origins);
  });

  it("splits fields at the first colon", () => {
    expect(settingsOf("--header=A:b:c -H X-Y:").gate.headers).toEqual([
      ["A", "b:c"],
      ["X-Y", ""],
    ]);
  });
});

describe("an impossible value", () => {
  it.each(["65536", "eighty", "80.5", "0x50", "1e3", "８０", "-1"])(
    "refuses the port %j and names the flag",
    (port) => {
      expect(() => settingsOf(`--port=${port}`)).toThrow(`--port is ${JSON.stringify(port)}, which is no port`);
    },
  );

  const rows: [line: string, environment: Environment, message: string][] = [
    ["", { PORT: "http" }, `the environment's PORT is "http", which is no port`],
    ["--host=", {}, "--host is empty"],
    ["--host=http://a", {}, `--host is "http://a", which is no address`],
    ["--port=", {}, `--port is ""`],
    ["-l 3000", {}, `--listen is "3000", which is no address`],
    ["-l tcp://a:b", {}, `the port of --listen is "b"`],
    ["-l unix:/a -p 1", {}, "--listen and --port both say where to listen"],
    ["-l unix:/a --host", {}, "--listen and --host both say where to listen"],
    ["--cache -1", {}, `--cache is "-1", which is no time`],
    ["--cache 5x", {}, `--cache is "5x", which is no time`],
    ["--log xml", {}, `--log is "xml", which is no form of a log`],
    ["--log-file=", {}, "--log-file is empty"],
    ["--auth=", {}, "--auth is empty"],
    ["--header nope", {}, `--header is "nope", which is no field`],
    ["--open=x", {}, `--open is "x", which is no path`],
  ];
  it.each(rows)("%j and %j", (line, environment, message) => {
    const attempt = (): Settings => settingsOf(line, environment);
    expect(attempt).toThrow(CommandError);
    expect(attempt).toThrow(message);
  });
});

describe("listening URIs", () => {
  it.each([
    ["tcp://127.0.0.1:3000", tcp("127.0.0.1", 3000)],
    ["tcp://localhost", tcp("localhost", 8080)],
    ["tcp://[::1]:0/", tcp("::1", 0)],
    ["TCP://a.example:80", tcp("a.example", 80)],
    ["unix:site.sock", { kind: "unix", path: "site.sock" }],
    ["unix:///run/a.sock", { kind: "unix", path: "/run/a.sock" }],
    ["fd:3", { kind: "fd", fd: 3 }],
    ["fd://4", { kind: "fd", fd: 4 }],
  ])("%s", (uri, target) => {
    expect(settingsOf(`-l ${uri}`).targets).toEqual([target]);
  });

  it.each(["http://a:1", "tcp:a", "tcp://a:1/x", "fd:x", "unix:", "pipe:x", ""])("refuses %j", (uri) => {
    expect(() => readSettings(layer(new Map([["listen", [uri]]]), {}, null), false)).toThrow("which is no address");
  });
});

describe("colour", () => {
  const rows: [line: string, environment: Environment, isTerminal: boolean, expected: boolean][] = [
    ["", {}, true, true],
    ["", {}, false, false],
    ["--no-color", {}, true, false],
    ["--color", { NO_COLOR: "1" }, true, false],
    ["", { NO_COLOR: "" }, true, true],
    ["", { TERM: "dumb" }, true, false],
    ["", { TERM: "xterm-256color" }, true, true],
  ];
  it.each(rows)("%j, %j, terminal %s: %s", (line, environment, isTerminal, expected) => {
    const { flags } = readUsage(line === "" ? [] : line.split(" "));
    expect(wantsColour(flags, environment, isTerminal)).toBe(expected);
  });
});
