/** No mistake hides another one: all that is wrong with a file, its values and what they have to do with each other, in one round. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../src/cli/command.ts";
import type { Environment } from "../../src/cli/config-layers.ts";
import { quietWorld } from "./support/quiet-world.ts";

let folder = "";

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "fairlead-together-")));
  mkdirSync(join(folder, "site"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const NAME = "fairlead.config.json";

/** Each setting on a line of its own, the first on line 2. */
function write(settings: Readonly<Record<string, unknown>>): void {
  const lines = Object.entries(settings).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  writeFileSync(join(folder, NAME), `{\n${lines.join(",\n")}\n}\n`);
}

/** What is said to be wrong, without advice, by a start or a check; and the exit code. */
async function told(line = "", environment: Environment = {}): Promise<{ exitCode: number; mistakes: string[] }> {
  let errors = "";
  const world = quietWorld(folder, { environment, writeError: (text) => (errors += text) });
  const args = line.split(" ").filter((word) => word !== "");
  const exitCode = await runCommand(args, world);
  const isOne = errors.startsWith("fairlead: ") && !/^fairlead: \d+ \w+ are wrong\n/.test(errors);
  const lines = isOne ? [errors.split("\n", 1)[0]?.slice("fairlead: ".length)] : errors.split("\n");
  const mistakes = lines.flatMap((one) => /^(?:wrong {2}| {2}(?! )|)(\S.*)$/.exec(one ?? "")?.slice(1) ?? []);
  const isCounted = (one: string): boolean => /^fairlead: \d+ |^\d+ mistakes?; /.test(one);
  return { exitCode, mistakes: mistakes.filter((one) => !isCounted(one)).map((one) => one.replaceAll(folder, "")) };
}

const WRONG = {
  root: "site",
  port: "x",
  listen: ["unix:", "fd:x"],
  host: "a b",
  tlsCert: "nope.crt",
  tls: { certFile: "a.crt", keyFile: "b.key", minVersion: "x" },
  acme: "x y",
  domain: ["*.x.test", true, "bad name"],
  headers: { "x y": "z", "a": "b\0c", "x-key": true },
  cors: ["x", 5, "https://a.example/b"],
  trustProxy: { from: ["x", 5, "y"], header: "z" },
  additionalMethods: ["a b", "c d"],
  health: { livePath: "/up", readyPath: "/up", reddyPath: "/" },
  limits: 5,
  timeouts: null,
  files: { mediaTypes: { a: 5, b: true }, index: "a/b" },
  auth: "ada",
  healht: {},
  logFile: "no/log",
};

const PLACES = "addresses, networks such as 10.0.0.0/8 or fd00::/8, or the words loopback, private, unix is allowed";

const SAID = [
  `${NAME}:9: domain: true was given, text is allowed`,
  `${NAME}:10: headers.x-key: a boolean was given, text, or an array of it is allowed`,
  `${NAME}:11: cors: 5 was given, text is allowed`,
  `${NAME}:17: files.mediaTypes.a: 5 was given, text is allowed`,
  `${NAME}:17: files.mediaTypes.b: true was given, text is allowed`,
  `${NAME}:19: healht: there is no such setting, did you mean health?`,
  `${NAME}:13: additionalMethods: "a b" was given, the name of a method, a token (RFC 9110 §9.1), is allowed`,
  `${NAME}:13: additionalMethods: "c d" was given, the name of a method, a token (RFC 9110 §9.1), is allowed`,
  `${NAME}:12: trustProxy.from: 5 was given, text is allowed`,
  `${NAME}:12: trustProxy.header: "z" was given, "x-forwarded" or "forwarded" is allowed`,
  `${NAME}:7: tls.minVersion: "x" was given, "TLSv1.2" or "TLSv1.3" is allowed`,
  `${NAME}:15: limits: 5 was given, an object is allowed`,
  `${NAME}:16: timeouts: null was given, an object is allowed`,
  `${NAME}:14: health.reddyPath: there is no such setting, did you mean health.readyPath?`,
  `${NAME}:7: tls.certFile: /a.crt does not exist`,
  `${NAME}:7: tls.keyFile: /b.key does not exist`,
  `${NAME}:12: trustProxy.from: "x" was given, ${PLACES}`,
  `${NAME}:12: trustProxy.from: "y" was given, ${PLACES}`,
  `${NAME}:14: health.readyPath: the same as livePath was given, another path is allowed`,
  `${NAME}:6: tlsCert: together with tls.certFile was given, one of the two is allowed`,
  `${NAME}:8: acme: together with tls.certFile was given, one of the two is allowed`,
  `port in ${NAME}:3 is "x", which is no port`,
  `host in ${NAME}:5 is "a b", which is no address`,
  `listen in ${NAME}:4 is "unix:", which is no address`,
  `listen in ${NAME}:4 is "fd:x", which is no address`,
  `listen in ${NAME}:4 and port in ${NAME}:3 both say where to listen`,
  `listen in ${NAME}:4 and host in ${NAME}:5 both say where to listen`,
  `acme in ${NAME}:8 is "x y", which is no address of mail`,
  `domain in ${NAME}:9 is "*.x.test", which stands for many names, which HTTP-01 cannot prove; name each`,
  `domain in ${NAME}:9 is "bad name", which is no name of a host`,
  `tlsCert in ${NAME}:6 and acme in ${NAME}:8 do not go together`,
  `${NAME}:17: files.index must be the name of a file, not "a/b"`,
  `auth in ${NAME}:18 is no name and password`,
  `cors in ${NAME}:11: "x" is no origin, as https://app.example is one`,
  `cors in ${NAME}:11: "https://a.example/b" is no origin, as https://app.example is one: scheme, host, port`,
  `headers in ${NAME}:10: "x y" is no name of a field`,
  `headers in ${NAME}:10: the value of a holds a character that no field may have`,
  `tlsCert in ${NAME}:6: /nope.crt does not exist`,
  `logFile in ${NAME}:20: /no/log cannot be written: there is no folder /no`,
];

describe("all mistakes of a file", () => {
  it.each(["", "check"])("are told in one round, each once: fairlead %s", async (line) => {
    write(WRONG);
    expect(await told(line)).toEqual({ exitCode: 1, mistakes: SAID });
  });

  it("are told beside those of flags and the environment", async () => {
    write({ root: "site", host: "a b", headers: { "x y": "z" }, tls: { minVersion: "x" } });
    const environment = { FAIRLEAD_LIST: "maybe", FAIRLEAD_DOMAIN: "bad_name, *.a.test", FAIRLEAD_ACME_DIRECTORY: "x" };
    for (const line of ["-p x --cache y", "check -p x --cache y"]) {
      expect(await told(line, environment)).toEqual({
        exitCode: 2,
        mistakes: [
          'the environment\'s FAIRLEAD_LIST is "maybe", which is neither on nor off',
          `${NAME}:5: tls.minVersion: "x" was given, "TLSv1.2" or "TLSv1.3" is allowed`,
          '--port is "x", which is no port',
          `host in ${NAME}:3 is "a b", which is no address`,
          '--cache is "y", which is no time',
          'the environment\'s FAIRLEAD_DOMAIN is "bad_name", which is no name of a host',
          'the environment\'s FAIRLEAD_DOMAIN is "*.a.test", which stands for many names, which HTTP-01 cannot prove; name each',
          'the environment\'s FAIRLEAD_ACME_DIRECTORY is "x", which is no directory',
          "the environment's FAIRLEAD_DOMAIN is for certificates of ACME, and --acme is missing",
          "the environment's FAIRLEAD_ACME_DIRECTORY is for certificates of ACME, and --acme is missing",
          `headers in ${NAME}:4: "x y" is no name of a field`,
          `${NAME}:5: tls.cert: is missing`,
          `${NAME}:5: tls.key: is missing`,
        ],
      });
    }
  });

  it("are told of how files are served though there is no folder, and of the folder's rules besides", async () => {
    const index = `${NAME}:3: files.index must be the name of a file, not "a/b"`;
    write({ root: "nowhere", files: { index: "a/b" }, single: "../x" });
    const single = `single in ${NAME}:4 must be the path of a file below the folder, not "../x"`;
    for (const line of ["", "check"]) {
      const { exitCode, mistakes } = await told(line);
      expect(exitCode).toBe(1);
      expect(mistakes).toEqual([expect.stringContaining("there is no /nowhere"), index, single]);
    }
    write({ root: "site", files: { index: "a/b" }, single: "../x" });
    writeFileSync(join(folder, "site/_redirects"), "/a\n");
    for (const line of ["", "check"]) {
      const { exitCode, mistakes } = await told(line);
      expect(exitCode).toBe(1);
      expect(mistakes).toEqual([index, single, expect.stringContaining("site/_redirects:1: ")]);
    }
  });

  it("leave nothing behind that is at odds only because of them", async () => {
    write({ root: "site", port: true, listen: 5.5, acme: "a@b.example", domain: [true], tlsKey: true });
    expect((await told("check")).mistakes).toEqual([
      `${NAME}:3: port: true was given, a number is allowed`,
      `${NAME}:4: listen: 5.5 was given, text, or an array of it is allowed`,
      `${NAME}:6: domain: true was given, text is allowed`,
      `${NAME}:7: tlsKey: true was given, text is allowed`,
      `listen in ${NAME}:4 and port in ${NAME}:3 both say where to listen`,
      `tlsKey in ${NAME}:7 and acme in ${NAME}:5 do not go together`,
    ]);
  });

  it("are those of a key without its certificate beside ACME too, whatever else is wrong", async () => {
    write({ root: "site", acme: "a@b.example", domain: ["a.example", 5], tlsKey: "a.key" });
    for (const line of ["", "check"]) {
      expect(await told(line)).toEqual({
        exitCode: 1,
        mistakes: [
          `${NAME}:4: domain: 5 was given, text is allowed`,
          `tlsKey in ${NAME}:5 and acme in ${NAME}:3 do not go together`,
        ],
      });
    }
  });
});

describe("a number", () => {
  it.each([
    ["root", "text is allowed"],
    ["host", "true, false or text, or an array of it is allowed"],
    ["listen", "text, or an array of it is allowed"],
    ["domain", "text, or an array of it is allowed"],
    ["acme", "text is allowed"],
    ["acmeDirectory", "text is allowed"],
    ["tlsCert", "text is allowed"],
    ["log", "text is allowed"],
    ["logFile", "text is allowed"],
  ])("is no %s", async (name, allowed) => {
    write({ root: "site", [name]: 5 });
    const { exitCode, mistakes } = await told("check");
    expect(exitCode).toBe(1);
    expect(mistakes).toContainEqual(expect.stringMatching(new RegExp(`:[23]: ${name}: 5 was given, ${allowed}$`)));
    expect(mistakes.filter((one) => one.includes('"5"'))).toEqual([]);
  });

  it("is a port, a count and a time in seconds", async () => {
    write({ root: "site", port: 0, workers: 2, cache: 60 });
    expect(await told("check")).toEqual({ exitCode: 0, mistakes: [] });
    write({ root: "site", cache: true });
    expect((await told("check")).mistakes).toEqual([`${NAME}:3: cache: true was given, text or a number is allowed`]);
  });
});

describe("null", () => {
  it.each([
    ["timeouts", "an object is allowed"],
    ["port", "a number is allowed"],
    ["listen", "text, or an array of it is allowed"],
    ["tls", "true or false is allowed"],
    ["files", "an object is allowed"],
    ["headers", "an object of field names and values is allowed"],
    ["backlog", "an integer from 1 to 65535 is allowed"],
  ])("is no value of %s", async (name, allowed) => {
    write({ root: "site", [name]: null });
    expect(await told("check")).toEqual({ exitCode: 1, mistakes: [`${NAME}:3: ${name}: null was given, ${allowed}`] });
  });

  it("is none of a setting in a group either, and undefined is as good as not given", async () => {
    write({ root: "site", files: { index: null } });
    expect((await told("check")).mistakes).toEqual([`${NAME}:3: files.index: null was given, text is allowed`]);
    rmSync(join(folder, NAME));
    const text = "export default { root: 'site', timeouts: undefined, port: undefined, files: { index: undefined } };";
    writeFileSync(join(folder, "fairlead.config.mjs"), text);
    expect(await told("check")).toEqual({ exitCode: 0, mistakes: [] });
  });
});
