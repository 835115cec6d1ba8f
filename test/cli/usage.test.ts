import { describe, expect, it } from "vitest";
import { CommandError } from "../../src/cli/command-error.ts";
import { FLAG_TABLE } from "../../src/cli/flags.ts";
import { explainFlags } from "../../src/cli/foreign-flags.ts";
import { renderHelp } from "../../src/cli/help.ts";
import { plainPainter } from "../../src/cli/paint.ts";
import { readUsage, UnknownFlag } from "../../src/cli/usage.ts";

/** The error that arguments lead to, as the command says it. */
function errorOf(...args: string[]): CommandError {
  try {
    readUsage(args);
  } catch (error) {
    if (error instanceof UnknownFlag) return explainFlags(error);
    if (error instanceof CommandError) return error;
  }
  throw new Error(`${args.join(" ")} is no wrong usage`);
}

/** Flags as an object, to be compared. */
function flagsOf(...args: string[]): Record<string, readonly (string | boolean)[]> {
  return Object.fromEntries(readUsage(args).flags);
}

describe("reading arguments", () => {
  it("takes nothing at all", () => {
    expect(readUsage([])).toEqual({ verb: "serve", words: [], flags: new Map() });
  });

  it.each([
    [["site", "-p", "3000", "--host", "::1", "-q"]],
    [["-p3000", "--host=::1", "--quiet", "site"]],
    [["-p=3000", "--host", "::1", "--quiet", "site"]],
    [["--port=3000", "-q", "site", "--host", "::1"]],
    [["-qp", "3000", "--host", "::1", "--", "site"]],
  ])("takes flags in any order and form: %j", (args) => {
    const { words, flags } = readUsage(args);
    expect(words).toEqual(["site"]);
    expect(Object.fromEntries(flags)).toEqual({ port: ["3000"], host: ["::1"], quiet: [true] });
  });

  it("keeps all values of what is repeatable, and the last of what is not", () => {
    expect(flagsOf("-H", "A: 1", "-p", "1", "--header=B: 2", "-p", "2")).toEqual({
      header: ["A: 1", "B: 2"],
      port: ["2"],
    });
  });

  it.each([
    ["--no-list", { list: [false] }],
    ["--no-clean-urls", { "clean-urls": [false] }],
    ["--no-compress", { compress: [false] }],
    ["--no-color", { color: [false] }],
    ["--no-dotfiles", { dotfiles: [false] }],
    ["--no-cors", { cors: [false] }],
  ])("switches off by %s", (flag, expected) => {
    expect(flagsOf(flag)).toEqual(expected);
  });

  it.each([
    [["--silent"], { quiet: [true] }],
    [["--maxage", "3600"], { cache: ["3600"] }],
    [["--browse"], { list: [true] }],
    [["--no-browse"], { list: [false] }],
    [["--root", "site"], { root: ["site"] }],
    [["--no-port-switching"], { "port-switching": [false] }],
    [["--gzip"], { precompressed: [true] }],
    [["--no-compression"], { compress: [false] }],
    [["--bind", "0.0.0.0"], { host: ["0.0.0.0"] }],
    [["--address=::1"], { host: ["::1"] }],
    [["--spa=app.html"], { single: ["app.html"] }],
  ])("takes the names of other tools: %j", (args, expected) => {
    expect(flagsOf(...args)).toEqual(expected);
  });
});

describe("a value that may be left out", () => {
  const rows: [args: string[], flags: Record<string, (string | boolean)[]>, words: string[]][] = [
    [["-s", "build"], { single: [true] }, ["build"]],
    [["--spa", "200.html", "build"], { single: ["200.html"] }, ["build"]],
    [["build", "--single"], { single: [true] }, ["build"]],
    [["--host", "site"], { host: [true] }, ["site"]],
    [["--host", "./site.v2"], { host: [true] }, ["./site.v2"]],
    [["--host", "0.0.0.0", "site"], { host: ["0.0.0.0"] }, ["site"]],
    [["--host", "[::1]"], { host: ["[::1]"] }, []],
    [["--host", "localhost", "--host", "192.0.2.7"], { host: ["localhost", "192.0.2.7"] }, []],
    [["--host", "dead"], { host: [true] }, ["dead"]],
    [["--host=dead"], { host: ["dead"] }, []],
    [["--cors", "site"], { cors: [true] }, ["site"]],
    [["--cors", "*", "site"], { cors: ["*"] }, ["site"]],
    [["--cors", "https://a.example,https://b.example"], { cors: ["https://a.example,https://b.example"] }, []],
    [["-o", "/srv/site"], { open: [true] }, ["/srv/site"]],
    [["/srv/site", "-o", "/docs/"], { open: ["/docs/"] }, ["/srv/site"]],
    [["--open=/docs/", "/srv/site"], { open: ["/docs/"] }, ["/srv/site"]],
  ];
  it.each(rows)("%j", (args, flags, words) => {
    const usage = readUsage(args);
    expect(Object.fromEntries(usage.flags)).toEqual(flags);
    expect(usage.words).toEqual(words);
  });
});

describe("verbs", () => {
  it.each([
    [["explain", "/a"], "explain", ["/a"]],
    [["check", "site", "--json"], "check", ["site"]],
    [["fetch", "site", "HEAD", "/a"], "fetch", ["site", "HEAD", "/a"]],
    [["hash-password"], "hash-password", []],
    [["./explain"], "serve", ["./explain"]],
    [["-p", "1", "explain", "/a"], "explain", ["/a"]],
  ])("%j", (args, verb, words) => {
    expect(readUsage(args)).toMatchObject({ verb, words });
  });
});

describe("the help", () => {
  const help = renderHelp(plainPainter);

  it("has every flag that is shown, and examples", () => {
    for (const { shown, group } of FLAG_TABLE) if (group !== "") expect(help).toContain(shown);
    for (const word of ["Examples:", "NO_COLOR", "8080", "FAIRLEAD_AUTH", "fairlead explain"])
      expect(help).toContain(word);
    expect(help).not.toMatch(/--silent|--no-port-switching|--root/);
  });

  it("fits a terminal", () => {
    expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it("gives each letter to one flag only", () => {
    const letters = FLAG_TABLE.map(({ short }) => short).filter((short) => short !== "");
    expect(new Set(letters).size).toBe(letters.length);
  });
});

describe("wrong usage", () => {
  it.each([
    [["-m=60"], "there is no flag -m=60; caching for 60 seconds is --cache 60s"],
    [["-a", "::1"], "there is no flag -a; the address is --host, name and password are --auth"],
    [
      ["-S"],
      "there is no flag -S; links that lead out of the folder are followed by --follow; HTTPS is --tls, or --tls-cert FILE --tls-key FILE",
    ],
    [["--unix=/x"], "there is no flag --unix; a unix socket is --listen unix:/PATH"],
    [
      ["--live"],
      "there is no flag --live; changes show when a page is loaded again, which nothing does for the browser",
    ],
    [["--tsl-cert", "x"], "there is no flag --tsl-cert; did you mean --tls-cert?"],
    [["--user=ada"], "there is no flag --user; name and password are --auth USER:PASS"],
    [["-o=/x"], "there is no flag -o=/x; a value goes behind the long name: --open=/x"],
    [
      ["--inspect-brk=9230"],
      "there is no flag --inspect-brk; flags of Node go before the command: node --inspect node_modules/.bin/fairlead app.js",
    ],
    [
      ["--import", "./otel.js"],
      "there is no flag --import; flags of Node go before the command: node --import FILE node_modules/.bin/fairlead app.js",
    ],
    [
      ["--loader", "x"],
      "there is no flag --loader; flags of Node go before the command: node FLAG node_modules/.bin/fairlead app.js",
    ],
    [
      ["--max-old-space-size=512"],
      "there is no flag --max-old-space-size; flags of Node go before the command: node FLAG node_modules/.bin/fairlead app.js",
    ],
    [
      ["--h2"],
      "there is no flag --h2; HTTP/2 is not spoken here yet; HTTPS is --tls, or --tls-cert FILE --tls-key FILE",
    ],
    [["--upload"], "there is no flag --upload; files are only read here, never written"],
    [["--mime", "x"], "there is no flag --mime; types by extension are files.mediaTypes in a configuration file"],
    [
      ["--daemon"],
      "there is no flag --daemon; it stays in the foreground, and a service manager keeps it, e.g. systemd",
    ],
    [["--prot"], "there is no flag --prot; did you mean --port?"],
    [["--silnet"], "there is no flag --silnet; did you mean --quiet?"],
    [["--prot=3000"], "there is no flag --prot; did you mean --port?"],
    [["--doftiles"], "there is no flag --doftiles; did you mean --dotfiles?"],
    [["--no-lst"], "there is no flag --no-lst; did you mean --no-list?"],
    [["--hiden"], "there is no flag --hiden; did you mean --dotfiles?"],
    [["--frobnicate"], "there is no flag --frobnicate"],
    [["-!"], "there is no flag -!"],
  ])("names ours for %j", (args, message) => {
    const error = errorOf(...args);
    expect(error.message).toBe(message);
    expect(error.exitCode).toBe(2);
    expect(error.advice.join("\n")).toContain("--help");
  });

  it.each([
    [["--port"], "--port needs a value: -p, --port <N>"],
    [["--port", "--quiet"], "--port needs a value: -p, --port <N>"],
    [["--quiet=yes"], "--quiet takes no value"],
    [["--no-list=yes"], "--no-list takes no value"],
    [["a", "b"], "one thing can be served, not 2: a b"],
    [["trust", "x"], "trust takes nothing more, and was given x"],
    [["--json"], "--json is for fairlead check"],
    [["-c"], "-c needs a value: -c, --config <FILE>, --no-config"],
    [["--no-port"], "there is no flag --no-port"],
    [["--prot", "x", "--doftiles"], "2 flags are wrong"],
    [["--quiet=yes", "--port"], "2 flags are wrong"],
  ])("says what is wrong with %j", (args, message) => {
    expect(errorOf(...args)).toMatchObject({ exitCode: 2, message });
  });

  it.each([
    [["public", "8080"], "A port is --port 8080"],
    [["--admin", "9180", "-p", "80", "public"], "If 9180 is the value of --admin, write --admin=9180"],
    [["--cors", "public", "8080"], "A port is --port 8080"],
    [["--open", "docs", "public"], "If docs is the value of --open, write --open=docs"],
    [["serve", "public"], "What is served stands alone, as in fairlead ./site"],
    [["serv", "public"], "What is served stands alone, as in fairlead ./site"],
    [["chekc", "public"], "Did you mean fairlead check?"],
    [
      ["reload", "x"],
      "A server that runs reads everything again at SIGHUP, as in kill -HUP PID; one on a terminal ends",
    ],
    [["stop", "x"], "A server that runs ends at SIGTERM, as in kill PID, when the requests under way are done"],
    [["validate", "x"], "Did you mean fairlead check?"],
    [["a", "b"], "Put them into one folder, or run the command once for each with a --port of its own"],
    [["--quiet=yes"], "On it is --quiet alone, off it is --no-quiet"],
  ])("says what may have been meant by %j", (args, hint) => {
    expect(errorOf(...args).advice[0]).toBe(hint);
  });

  it("tells all that are wrong, each with the name that was meant, and where all are once", () => {
    const error = errorOf("--prot", "1", "--cros", "-Z", "--host=::", "--quiet=yes", "--port");
    expect([error.message, ...error.advice]).toEqual([
      "5 flags are wrong",
      "there is no flag --prot; did you mean --port?",
      "there is no flag --cros; did you mean --cors?",
      "there is no flag -Z",
      "--quiet takes no value",
      "  On it is --quiet alone, off it is --no-quiet",
      "--port needs a value: -p, --port <N>",
      "fairlead --help shows all flags",
    ]);
  });

  it("takes a value that begins with a dash behind =, and a negative number as it is", () => {
    expect(flagsOf("--log-file=-x", "--cache", "-1")).toEqual({ "log-file": ["-x"], "cache": ["-1"] });
  });
});

describe("a flag for watching", () => {
  it.each(["--watch", "-w", "--dev", "-D"])("is told what shows by itself, and what does not: %s", (flag) => {
    expect(errorOf("app.js", flag).message).toMatch(
      /changed files show by themselves; the code of an app .*node --watch/,
    );
  });
});
