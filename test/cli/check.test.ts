import { EventEmitter } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { issueAuthority, issueForServer } from "../../src/certificates/issue.ts";
import { runCommand } from "../../src/cli/command.ts";
import type { Environment } from "../../src/cli/config-layers.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-check-"));
  mkdirSync(join(folder, "site"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function check(
  line: string,
  environment: Environment = {},
  isTerminal = false,
): Promise<{ exitCode: number; output: string; errors: string }> {
  let output = "";
  let errors = "";
  const exitCode = await runCommand(["check", ...line.split(" ").filter((word) => word !== "")], {
    environment,
    workingFolder: folder,
    isTerminal,
    signals: new EventEmitter(),
    writeOutput: (text) => (output += text),
    writeError: (text) => (errors += text),
    writeBytes: async () => {},
    readLine: async () => "",
    onServing: () => {
      throw new Error("check must not listen");
    },
    onHangup: () => {},
    workerNumber: 0,
    commandLine: [],
    handOver: null,
  });
  return { exitCode, output, errors };
}

function write(name: string, content: string): void {
  writeFileSync(join(folder, name), content);
}

interface Json {
  ok: boolean;
  subject: unknown;
  mistakes: { message: string; advice: string[] }[];
  notes: string[];
  settings: { name: string; value: unknown; source: string; place: string }[];
}

describe("what holds", () => {
  it("is shown with where each value came from, in columns", async () => {
    write(
      "fairlead.config.ts",
      'export default {\n  root: "./site",\n  limits: { maxHeadBytes: 32768 },\n  auth: "ada:secret",\n};\n',
    );
    const { exitCode, output, errors } = await check("-p 3000 --cors=https://a.example", { FAIRLEAD_CACHE: "10m" });
    expect(errors).toBe("");
    expect(exitCode).toBe(0);
    const rows = output.split("\n").filter((line) => /^[\w.]+ {2,}\S/.test(line));
    const find = (name: string): string =>
      rows.find((line) => line.startsWith(`${name} `))?.replace(/ {2,}/g, "|") ?? "";
    expect(find("root")).toMatch(/\|\/.*\/site\|fairlead\.config\.ts:2$/);
    expect(find("port")).toBe("port|3000|--port");
    expect(find("host")).toBe("host|127.0.0.1|default");
    expect(find("cache")).toBe("cache|10m|FAIRLEAD_CACHE");
    expect(find("limits.maxHeadBytes")).toBe("limits.maxHeadBytes|32 KiB|fairlead.config.ts:3");
    expect(find("limits.maxConnectionsPerAddress")).toBe("limits.maxConnectionsPerAddress|no limit|default");
    expect(find("auth")).toBe("auth|ada:…|fairlead.config.ts:4");
    expect(output).not.toMatch(/secret|\x1b/);
    expect(output).toContain(`All is well: folder ${join(folder, "site")}\n`);
    const columns = rows.filter((line) => line.endsWith("  default")).map((line) => line.lastIndexOf("default"));
    expect(new Set(columns).size).toBe(1);
  });

  it("says what 0 of what is kept and asked for means", async () => {
    write(
      "fairlead.config.json",
      '{ "root": "site", "timeouts": { "minContentRate": 0 }, "files": { "maxCacheBytes": 0, "maxCacheEntries": 0 } }',
    );
    const { output } = await check("");
    for (const name of ["timeouts.minContentRate", "files.maxCacheBytes", "files.maxCacheEntries"])
      expect(output).toMatch(new RegExp(`^${name} +off `, "m"));
  });

  it.each(["660", "0660", "0o660"])("is a mode as text: %s", async (mode) => {
    write("fairlead.config.json", JSON.stringify({ root: "site", listen: "unix:site.sock", mode }));
    expect((await check("")).output).toMatch(/^mode +0o660 /m);
  });

  it.each(["9", "rw", "0888", 1000])("is no mode: %j", async (mode) => {
    write("fairlead.config.json", JSON.stringify({ root: "site", listen: "unix:site.sock", mode }));
    const { errors } = await check("");
    expect(errors).toContain(`mode: ${JSON.stringify(mode)} was given, text as for chmod, e.g. "0660", or its number`);
    expect(errors).toContain("1 mistake;");
  });

  it("is shown exactly, and a mode as chmod has it", async () => {
    write(
      "fairlead.config.json",
      JSON.stringify({
        root: "site",
        listen: "unix:site.sock",
        mode: 0o660,
        limits: { maxHeadBytes: 17_000 },
        timeouts: { handlerMs: 0, lingerMs: 0 },
        files: { maxCacheBytes: 1_000_000 },
      }),
    );
    const { exitCode, output } = await check("");
    expect(exitCode).toBe(0);
    expect(output).toMatch(/^mode +0o660 /m);
    expect(output).toMatch(/^limits\.maxHeadBytes +17000 B /m);
    expect(output).toMatch(/^files\.maxCacheBytes +1000000 B /m);
    expect(output).toMatch(/^timeouts\.handlerMs +no limit /m);
    expect(output).toMatch(/^timeouts\.lingerMs +0 ms /m);
    expect((JSON.parse((await check("--json")).output) as Json).settings).toContainEqual(
      expect.objectContaining({ name: "mode", value: 0o660 }),
    );
  });

  it("never shows a key", async () => {
    const authority = await issueAuthority("test", Date.now());
    const { certPem, keyPem } = await issueForServer(authority, ["localhost"], Date.now(), 86_400_000);
    write("fairlead.config.json", JSON.stringify({ root: "site", tls: { cert: certPem, key: keyPem } }));
    for (const line of ["", "--json"]) {
      const { exitCode, output } = await check(line);
      expect(exitCode).toBe(0);
      expect(output).toMatch(
        line === "" ? /^tls\.key +given +fairlead\.config\.json/m : /"name": "tls.key",\s+"value": "given"/,
      );
      expect(output).not.toContain("BEGIN");
    }
  });

  it("never shows a secret, wherever it stands", async () => {
    const authority = await issueAuthority("test", Date.now());
    const { certPem, keyPem } = await issueForServer(authority, ["localhost"], Date.now(), 86_400_000);
    const own = { cert: certPem, key: keyPem };
    const tls = {
      ...own,
      passphrase: "s3same",
      ticketKeys: "s3".padEnd(48, "x"),
      servers: [{ ...own, names: ["localhost"] }],
    };
    // As code, so that it may hold octets
    write(
      "fairlead.config.mjs",
      `const tls = ${JSON.stringify(tls)};
      export default { root: "site", tls: { ...tls, ticketKeys: Buffer.from(tls.ticketKeys) }, auth: "ada:s3cret",
        headers: { "set-cookie": "id=s3cret", "x-frame-options": "DENY", "link": "<https://ada:s3cret@b.example/?token=s3cret>" },
        health: { check: () => "s3cret" } };`,
    );
    for (const line of ["", "--json"]) {
      const { exitCode, output, errors } = await check(line, { FAIRLEAD_PASSWORD: "s3cret" });
      expect([exitCode, errors]).toEqual([0, ""]);
      expect(output).not.toMatch(/s3cret|s3same|s3x|BEGIN|MI[GH]/);
      expect(output).toContain("x-frame-options: DENY");
      expect(output).toContain("https://ada:…@b.example/?token=[redacted]");
      expect(output).toMatch(/localhost/);
    }
  });

  it("never shows a secret of what is wrong", async () => {
    write(
      "fairlead.config.json",
      JSON.stringify({ auth: ["s3cret"], tls: { key: 5, passphrse: "s3cret" }, acmeDirectory: 5 }),
    );
    const words =
      "site --acme a@b.example --domain b.example --acme-directory ftp://ada:s3cret@b.example/?token=s3cret";
    const { exitCode, output, errors } = await check(words);
    expect(exitCode).toBe(2);
    expect(errors).toContain("tls.passphrse");
    expect(output + errors).not.toContain("s3cret");
  });

  it("has colour on a terminal", async () => {
    expect((await check("", { TERM: "xterm" }, true)).output).toContain("\x1b[");
  });

  it("is JSON for programs", async () => {
    write("fairlead.config.json", '{ "timeouts": { "drainMs": 5 }, "host": ["::1", "127.0.0.1"] }');
    const { exitCode, output } = await check("site --json");
    expect(exitCode).toBe(0);
    const { ok, subject, settings, mistakes } = JSON.parse(output) as Json;
    expect({ ok, subject, mistakes }).toEqual({
      ok: true,
      subject: { kind: "folder", path: join(folder, "site") },
      mistakes: [],
    });
    const rows = new Map(settings.map((row) => [row.name, row]));
    expect(rows.get("timeouts.drainMs")).toMatchObject({ value: 5, source: "file", place: "fairlead.config.json:1" });
    expect(rows.get("host")).toMatchObject({ value: ["::1", "127.0.0.1"], source: "file" });
    expect(rows.get("limits.maxRequestsPerConnection")).toMatchObject({ value: "Infinity", source: "default" });
    expect(rows.get("list")).toMatchObject({ value: true, source: "default", place: "" });
  });

  it("shows times as they are, and what is not there as none", async () => {
    write("fairlead.config.json", '{ "timeouts": { "drainMs": 61234, "headMs": 90000 } }');
    const { output } = await check("site");
    const find = (name: string): string => output.split("\n").find((line) => line.startsWith(`${name} `)) ?? "";
    expect(find("timeouts.keepAliveMs")).toMatch(/ 75 s +default$/);
    expect(find("timeouts.drainMs")).toMatch(/ 61\.234 s +fairlead/);
    expect(find("timeouts.headMs")).toMatch(/ 1\.5 min +fairlead/);
    for (const name of ["mode", "hsts.maxAgeSeconds", "redirectFrom.port"]) {
      expect(find(name)).toMatch(/ none +default$/);
    }
    expect(output).not.toMatch(/ -1\b/);
  });

  it("names the argument as where the root came from, also before that of a file", async () => {
    for (const root of [{}, { root: "elsewhere" }]) {
      write("fairlead.config.json", JSON.stringify(root));
      expect((await check("site")).output).toMatch(/^root +\/\S+\/site +argument$/m);
      const { settings } = JSON.parse((await check("site --json")).output) as Json;
      const row = { name: "root", value: join(folder, "site"), source: "argument", place: "" };
      expect(settings).toContainEqual(row);
    }
  });

  it("takes the file itself as what to check", async () => {
    write("my.config.json", '{ "root": "site" }');
    expect((await check("my.config.json")).output).toContain(`All is well: folder ${join(folder, "site")}`);
  });

  it("notes variables that look like ours and are not", async () => {
    const { output, exitCode } = await check("", { FAIRLEAD_CAHCE: "10m", FAIRLEAD_SERVICE_HOST: "10.0.0.1" });
    expect(exitCode).toBe(0);
    expect(output).toContain("the environment's FAIRLEAD_CAHCE is nothing that is read; FAIRLEAD_CACHE is\n");
    expect(output).toContain("the environment's FAIRLEAD_SERVICE_HOST is nothing that is read\n");
  });

  it.each([
    ["FAIRLEAD_PROT", "PORT"],
    ["FAIRLEAD_PORT", "PORT"],
    ["FAIRLEAD_HSOT", "HOST"],
    ["FAIRLEAD_LSIT", "FAIRLEAD_LIST"],
    ["FAIRLEAD_CONFGI", "FAIRLEAD_CONFIG"],
  ])("names for %s the variable that was meant", async (typed, meant) => {
    const { output } = await check("", { [typed]: "1" });
    expect(output).toContain(`the environment's ${typed} is nothing that is read; ${meant} is\n`);
  });

  it("notes that the page of a single-page app is not there", async () => {
    const noted = await check("site --single app.html");
    expect(noted.output).toContain(`note  there is no app.html in ${join(folder, "site")}, the page of --single: `);
    expect(noted.exitCode).toBe(0);
    write("site/app.html", "");
    expect((await check("site --single app.html")).output).not.toContain("note");
    expect((await check("site --single")).output).toContain("there is no index.html");
  });

  it("leaves nothing behind", async () => {
    expect((await check("--log-file new.log")).exitCode).toBe(0);
    expect(existsSync(join(folder, "new.log"))).toBe(false);
  });
});

describe("what is wrong", () => {
  it("is told all at once", async () => {
    write("fairlead.config.json", '{\n  "prot": 1,\n  "logFile": "no/where/log"\n}');
    write("site/_redirects", "/a\n");
    const { exitCode, errors } = await check("site");
    expect(errors).toContain("fairlead.config.json:2: prot: there is no such setting, did you mean port?");
    expect(errors).toMatch(/wrong {2}.*_redirects:1: /);
    expect(errors).toMatch(/wrong {2}logFile in fairlead\.config\.json:3: .*no\/where\/log cannot be written/);
    expect(errors).toMatch(/3 mistakes; nothing would be served\.\n$/);
    // None of them was typed
    expect(exitCode).toBe(1);
  });

  it("has the place of the nearest setting that is there", async () => {
    write(
      "fairlead.config.json",
      `{
  "root": "site",
  "hsts": { "maxAgeSeconds": 60 },
  "mode": 432,
  "auth": "nobody",
  "cors": "no origin",
  "headers": { "a b": "c" }
}`,
    );
    const { exitCode, errors } = await check("");
    expect(errors.split("\n").filter((line) => line.startsWith("wrong"))).toEqual([
      "wrong  auth in fairlead.config.json:5 is no name and password",
      expect.stringMatching(/^wrong {2}cors in fairlead\.config\.json:6: /) as string,
      expect.stringMatching(/^wrong {2}headers in fairlead\.config\.json:7: /) as string,
      "wrong  fairlead.config.json:4: mode: it is for the file of a unix socket, and there is none",
      expect.stringMatching(/^wrong {2}fairlead\.config\.json:3: hsts: needs tls/) as string,
    ]);
    expect(exitCode).toBe(1);
    const servers = '"servers": [\n{ "certFile": "a.pem" },\n{ "names": ["{"], "certFile": "b.pem" }]';
    write("fairlead.config.json", `{ "root": "site",\n"tls": { "requestCert": true,\n${servers} } }`);
    expect((await check("")).errors.split("\n").map((line) => line.replace(folder, ""))).toEqual([
      'wrong  fairlead.config.json:5: tls.servers[1].names: "{" was given, names such as www.example.com or *.example.com is allowed',
      "wrong  fairlead.config.json:4: tls.servers[0].certFile: /a.pem does not exist",
      "wrong  fairlead.config.json:4: tls.servers[0].key: is missing",
      "",
      "3 mistakes; nothing would be served.",
      "",
    ]);
  });

  it("is an option of files, by the name that it was given", async () => {
    write("fairlead.config.json", '{ "root": "site",\n"files": {\n"index": "a/b",\n"mediaTypes": { "x": "a\\nb" } } }');
    const { errors } = await check("--single ../x.html");
    expect(errors.split("\n").filter((line) => line.startsWith("wrong"))).toEqual([
      'wrong  fairlead.config.json:3: files.index must be the name of a file, not "a/b"',
      "wrong  fairlead.config.json:4: files.mediaTypes.x is no value of a field",
      'wrong  --single must be the path of a file below the folder, not "../x.html"',
    ]);
  });

  it("is a mode without a socket file, unless flags say for now where to listen", async () => {
    write("fairlead.config.json", '{ "root": "site", "mode": 432, "listen": ["unix:here.sock", "tcp://:3000"] }');
    for (const line of ["", "-p 3000", "--listen unix:there.sock"]) expect((await check(line)).exitCode).toBe(0);
    write("fairlead.config.json", '{ "root": "site", "mode": 432, "listen": "tcp://:3000" }');
    for (const line of ["", "-p 3000"]) expect((await check(line)).errors).toContain("mode: it is for the file");
    expect((await check("--listen unix:there.sock")).exitCode).toBe(0);
  });

  it("is a certificate said in two ways by one file", async () => {
    write("fairlead.config.json", '{ "root": "site",\n"acme": "a@b.example",\n"tls": { "cert": "x", "key": "y" } }');
    expect((await check("--domain a.example")).errors).toContain(
      "fairlead.config.json:2: acme: together with tls.cert was given, one of the two is allowed",
    );
  });

  it("is a certificate that is missing, unless a flag says where it comes from", async () => {
    write("fairlead.config.json", '{ "root": "site", "tls": { "minVersion": "TLSv1.3" } }');
    const { exitCode, errors } = await check("");
    expect(errors).toMatch(/tls\.cert: is missing[^]*tls\.key: is missing/);
    expect(exitCode).toBe(1);
    expect((await check("--acme a@b.example --domain a.example")).exitCode).toBe(0);
  });

  it("is what is said of HTTPS without it, unless a flag brings it", async () => {
    write(
      "fairlead.config.json",
      '{ "root": "site", "hsts": { "maxAgeSeconds": 60 }, "redirectFrom": { "port": 80 } }',
    );
    const { exitCode, errors } = await check("");
    expect(errors).toMatch(/hsts: needs tls[^]*redirectFrom: needs tls/);
    expect(exitCode).toBe(1);
    for (const flag of ["--tls", "--no-tls"]) expect((await check(flag)).exitCode).toBe(0);
  });

  it.each([
    ["nowhere", {}, 1, /there is no nowhere/],
    ["site -p 70000", {}, 2, /--port is "70000", which is no port/],
    ["", { PORT: "x" }, 2, /the environment's PORT is "x", which is no port/],
    ["-c none.json", {}, 1, /there is no configuration file none\.json/],
    ["site --auth @nobody", {}, 1, /nobody cannot be read/],
    ["site -H x", {}, 2, /--header is "x", which is no field/],
    ["site other", {}, 2, /check takes one folder, file or module, not 2/],
    ["broken.mjs", {}, 1, /broken\.mjs failed while it was loaded: no luck/],
    ["empty.mjs", {}, 1, /empty\.mjs exports no handler/],
    ["site --prot 1", {}, 2, /there is no flag --prot; did you mean --port\?/],
  ])("%s", async (line, environment, expected, message) => {
    write("broken.mjs", "throw new Error('no luck');");
    write("empty.mjs", "export {};");
    const { exitCode, errors } = await check(line, environment);
    expect(errors).toMatch(message);
    expect(exitCode).toBe(expected);
  });

  it("is in the JSON, and the exit code stays", async () => {
    const { exitCode, output, errors } = await check("nowhere -p x --json");
    expect(errors).toBe("");
    expect(exitCode).toBe(2);
    const { ok, mistakes } = JSON.parse(output) as Json;
    expect(ok).toBe(false);
    expect(mistakes.map(({ message }) => message)).toEqual([
      '--port is "x", which is no port',
      `there is no nowhere in ${folder}`,
    ]);
  });

  it.skipIf(process.getuid?.() === 0)("is also a file that may not be written", async () => {
    write("old.log", "");
    chmodSync(join(folder, "old.log"), 0o400);
    expect((await check("--log-file old.log")).errors).toContain("cannot be written");
  });
});
