import { EventEmitter } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type * as nodeModule from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { issueAuthority, issueForServer } from "../../src/certificates/issue.ts";
import { runCommand } from "../../src/cli/command.ts";
import { CommandError } from "../../src/cli/command-error.ts";
import { layer } from "../../src/cli/config-layers.ts";
import type { Environment } from "../../src/cli/config-layers.ts";
import { readSettings } from "../../src/cli/settings.ts";
import type { Settings } from "../../src/cli/settings.ts";
import { readUsage } from "../../src/cli/usage.ts";
import { AcmeServer } from "../certificates/support/acme-server.ts";
import { RunningCommand } from "./run-command.ts";

/** Why the package acme-client cannot be resolved; `""`: it can. */
const hidden = vi.hoisted(() => ({ code: "" }));

vi.mock("node:module", async (original) => {
  const real = await original<typeof nodeModule>();
  const resolve = (name: string): never => {
    throw Object.assign(new Error(`no ${name}`), { code: hidden.code });
  };
  return {
    ...real,
    createRequire: (from: string): unknown => (hidden.code === "" ? real.createRequire(from) : { resolve }),
  };
});

let folder = "";
let stop: (() => Promise<void>) | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-tls-"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site/index.html"), "<h1>hello</h1>");
});

afterEach(async () => {
  await stop?.();
  stop = null;
  rmSync(folder, { recursive: true, force: true });
});

/** The command in this process. */
interface Run {
  readonly signals: EventEmitter;
  readonly exit: Promise<number>;
  output(): string;
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

function run(line: string, environment: Environment = {}): Run {
  const signals = new EventEmitter();
  const written = new EventEmitter();
  let output = "";
  const take = (text: string): void => {
    output += text;
    written.emit("text");
  };
  const exit = runCommand(line.trim().split(" "), {
    environment: { HOME: folder, XDG_CONFIG_HOME: join(folder, "config"), ...environment },
    workingFolder: folder,
    commandLine: [],
    workerNumber: 0,
    isTerminal: false,
    signals,
    writeOutput: take,
    writeError: take,
    writeBytes: async () => {},
    readLine: async () => "",
    onServing: () => {},
    onHangup: () => {},
    handOver: null,
  });
  void exit.then(() => written.emit("text"));
  let isOver = false;
  void exit.then(() => (isOver = true));
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(output);
      if (match !== null) return match;
      if (isOver) throw new Error(`ended without ${pattern}: ${output}`);
      await new Promise((resolve) => written.once("text", resolve));
    }
  };
  return { signals, exit, output: () => output, until };
}

/** Serves until the test is over. */
function serve(line: string, environment: Environment = {}): Run {
  const running = run(`${line} --log text`, environment);
  stop = async () => {
    running.signals.emit("SIGTERM");
    await running.exit;
  };
  return running;
}

async function urlOf(running: Run): Promise<URL> {
  const [, url = ""] = await running.until(/ at (https?:\S+)/);
  return new URL(url);
}

function get(url: URL, ca: string, servername?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { ca, agent: false, ...(servername === undefined ? {} : { servername }) };
    const asked = httpsRequest(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve(text));
    });
    asked.on("error", reject);
    asked.end();
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

describe("--tls", () => {
  it("speaks HTTPS with a certificate of this machine's authority, and says how to trust it", async () => {
    const running = serve("site -p 0 --tls");
    const url = await urlOf(running);
    expect(url.protocol).toBe("https:");
    const ca = readFileSync(join(folder, "config/fairlead/certificates/authority.crt"), "utf8");
    expect(await get(url, ca)).toBe("<h1>hello</h1>");
    await running.until(/a local authority was made; browsers warn until you trust it, once:/);
    await running.until(/Firefox: .*authority\.crt/);
    await stop?.();
    const again = serve("site -p 0 --https");
    expect(await get(await urlOf(again), ca)).toBe("<h1>hello</h1>");
    expect(again.output()).toContain("fairlead trust");
    expect(again.output()).not.toContain("a local authority was made");
  });

  it("is explained by fairlead trust, which changes nothing", async () => {
    const running = run("trust");
    expect(await running.exit).toBe(0);
    expect(running.output()).toContain(join(folder, "config/fairlead/certificates/authority.crt"));
    expect(running.output()).toMatch(/nothing has been changed[^]*Firefox:/);
  });

  it("is told of where nothing can be kept", async () => {
    writeFileSync(join(folder, "config"), "in the way");
    const running = run("site -p 0 --tls");
    expect(await running.exit).toBe(1);
    expect(running.output()).toMatch(/^fairlead: the certificate cannot be kept: /);
    const place = join(folder, "config/fairlead/certificates");
    expect(running.output()).toContain(`\n  It is kept in ${place}; XDG_CONFIG_HOME=/path names another place\n`);
  });
});

describe("--tls-cert", () => {
  async function issue(name: string): Promise<string> {
    const authority = await issueAuthority("test", Date.now());
    const { certPem, keyPem } = await issueForServer(authority, ["localhost", "127.0.0.1"], Date.now(), 86_400_000);
    writeFileSync(join(folder, `${name}.crt`), certPem);
    writeFileSync(join(folder, `${name}.key`), keyPem);
    return authority.certPem;
  }

  it("takes files, and takes them again at SIGHUP", async () => {
    const ca = await issue("a");
    const running = serve("site -p 0 --tls-cert a.crt --tls-key a.key");
    const url = await urlOf(running);
    expect(await get(url, ca)).toBe("<h1>hello</h1>");
    const other = await issue("b");
    copyFileSync(join(folder, "b.crt"), join(folder, "a.crt"));
    copyFileSync(join(folder, "b.key"), join(folder, "a.key"));
    running.signals.emit("SIGHUP");
    await running.until(/Read again/);
    expect(await get(url, other)).toBe("<h1>hello</h1>");
  });

  it("takes one file with both", async () => {
    const ca = await issue("a");
    writeFileSync(
      join(folder, "both.pem"),
      readFileSync(join(folder, "a.crt"), "utf8") + readFileSync(join(folder, "a.key"), "utf8"),
    );
    expect(await get(await urlOf(serve("site -p 0 --cert both.pem")), ca)).toBe("<h1>hello</h1>");
  });

  it.each(["site -p 0", "check site"])("says what is wrong with them: %s", async (line) => {
    await issue("a");
    await issue("b");
    const running = run(`${line} --ssl-cert a.crt --ssl-key b.key`);
    expect(await running.exit).toBe(1);
    expect(running.output()).toMatch(/--tls-key: .*not the key of the certificate/);
  });

  it.each(["site -p 0", "check site"])("names a file that holds none: %s", async (line) => {
    const path = join(folder, "package.json");
    writeFileSync(path, "{}");
    const running = run(`${line} --tls-cert package.json`);
    expect(await running.exit).toBe(1);
    expect(running.output()).toContain(`--tls-cert: ${path} holds no certificate in PEM (a text with -----BEGIN)\n`);
    expect(running.output()).not.toContain("certFile");
  });

  it("can be said in full by a file, and taken back by a flag", async () => {
    const ca = await issue("a");
    mkdirSync(join(folder, "etc"));
    const config = {
      root: "../site",
      port: 0,
      tls: { certFile: "../a.crt", keyFile: "../a.key", minVersion: "TLSv1.3" },
    };
    writeFileSync(join(folder, "etc/web.json"), JSON.stringify(config));
    const url = await urlOf(serve("-c etc/web.json"));
    expect(await get(url, ca)).toBe("<h1>hello</h1>");
    await stop?.();
    expect((await urlOf(serve("-c etc/web.json --no-tls"))).protocol).toBe("http:");
  });
});

describe("--acme", () => {
  it("serves at once, obtains a certificate, and takes it without a restart", async () => {
    const authority = await AcmeServer.start();
    authority.challengePort = await freePort();
    const config = {
      root: "site",
      port: 0,
      host: "127.0.0.1",
      acme: "ada@example.com",
      domain: ["site.example"],
      acmeDirectory: authority.directoryUrl,
      redirectFrom: { port: authority.challengePort },
    };
    writeFileSync(join(folder, "fairlead.config.json"), JSON.stringify(config));
    try {
      const running = serve("", { STATE_DIRECTORY: join(folder, "state") });
      const url = await urlOf(running);
      await running.until(/certificate for site\.example obtained, valid until/);
      expect(await get(url, authority.rootPem, "site.example").catch(String)).toBe("<h1>hello</h1>");
      expect(authority.issued).toEqual(["site.example"]);
      // Everything else on the port of plain HTTP is sent on
      const location = await new Promise((resolve) => {
        httpRequest({ port: authority.challengePort, path: "/a?b", headers: { host: "site.example" } }, (response) => {
          response.resume();
          resolve(response.headers.location);
        }).end();
      });
      expect(location).toBe(`https://site.example:${url.port}/a?b`);
      expect(existsSync(join(folder, "state/acme"))).toBe(true);
    } finally {
      await stop?.();
      stop = null;
      await authority.close();
    }
  });
});

describe("--acme with --workers", () => {
  it(
    "orders once, answers the authority by any worker, and serves the certificate by all",
    { timeout: 30_000 },
    async () => {
      const authority = await AcmeServer.start();
      authority.challengePort = await freePort();
      writeFileSync(join(folder, "app.mjs"), "export const fetch = () => new Response(process.env.FAIRLEAD_WORKER);");
      const config = {
        root: "app.mjs",
        port: 0,
        host: "127.0.0.1",
        workers: 2,
        acme: "ada@example.com",
        domain: ["site.example"],
        acmeDirectory: authority.directoryUrl,
        redirectFrom: { port: authority.challengePort },
        tls: { watch: false },
      };
      writeFileSync(join(folder, "fairlead.config.json"), JSON.stringify(config));
      const command = new RunningCommand(["--log", "text"], {
        cwd: folder,
        env: { STATE_DIRECTORY: join(folder, "state") },
      });
      try {
        const [, href = ""] = await command.until(/ at (https:\S+)/);
        await command.until(
          new RegExp(`^fairlead: http://127.0.0.1:${authority.challengePort}/ is sent on to HTTPS$`, "m"),
        );
        await command.until(/2 worker processes/);
        await command.until(/certificate for site\.example obtained/);
        const trusted = new Set<string>();
        const untilBoth = async (): Promise<void> => {
          // A worker that has not taken it up yet has one that nobody trusts
          for (let i = 0; i < 5_000 && trusted.size < 2; i++) {
            const answer = await get(new URL(href), authority.rootPem, "site.example").catch(() => "");
            if (answer !== "") trusted.add(answer);
          }
        };
        await untilBoth();
        expect([...trusted].toSorted()).toEqual(["1", "2"]);
        expect(authority.issued).toEqual(["site.example"]);
        // What one of them has put there all of them answer with
        const kept = join(folder, "state/acme", new URL(authority.directoryUrl).host.replaceAll(":", "_"));
        const token = "a-token-for-all-workers";
        mkdirSync(join(kept, "challenges"), { recursive: true });
        writeFileSync(join(kept, "challenges", token), "the-answer");
        for (let i = 0; i < 10; i++) {
          const url = `http://127.0.0.1:${authority.challengePort}/.well-known/acme-challenge/${token}`;
          const response = await fetch(url, { headers: { connection: "close" } });
          expect([response.status, await response.text()]).toEqual([200, "the-answer"]);
        }
        // New workers find what is there
        command.child.kill("SIGHUP");
        await command.until(/All workers are new/);
        trusted.clear();
        await untilBoth();
        expect(trusted.size).toBe(2);
        expect(authority.issued).toEqual(["site.example"]);
        expect(await command.end("SIGTERM")).toBe(0);
      } finally {
        await command.end("SIGKILL");
        await authority.close();
      }
    },
  );
});

describe("--acme without its package", () => {
  afterEach(() => (hidden.code = ""));

  it.each(["site -p 0", "check site"])("says what to install, and does nothing else: %s", async (line) => {
    hidden.code = "MODULE_NOT_FOUND";
    const running = run(`${line} --acme a@b.example --domain a.example`, { STATE_DIRECTORY: join(folder, "state") });
    expect(await running.exit).toBe(1);
    expect(running.output()).toMatch(
      /--acme needs the package acme-client, which is missing\n.*npm install acme-client/,
    );
    expect(existsSync(join(folder, "state"))).toBe(false);
  });

  it.each([
    ["MODULE_NOT_FOUND", "check site --acme a@b.example --domain a.example --no-tls"],
    // There, but for import alone
    ["ERR_PACKAGE_PATH_NOT_EXPORTED", "check site --acme a@b.example --domain a.example"],
  ])("is well where it is not missed: %s, %s", async (code, line) => {
    hidden.code = code;
    const running = run(line);
    expect(await running.exit).toBe(0);
    expect(running.output()).toContain("All is well");
  });
});

describe("what is given about TLS", () => {
  function settingsOf(line: string): Settings {
    return readSettings(layer(readUsage(line.split(" ")).flags, {}, null), false);
  }

  it.each([
    ["-q", null],
    ["--tls", { kind: "local" }],
    ["--https --no-tls", null],
    ["--acme a@b.example --domain a.example --no-tls", null],
    ["--tls-cert a", { kind: "files", certFile: "a", keyFile: "a" }],
    ["--cert a --key b --tls", { kind: "files", certFile: "a", keyFile: "b" }],
  ])("%s", (line, tls) => {
    expect(settingsOf(line).tls).toEqual(tls);
    expect(settingsOf(line).targets).toMatchObject([{ port: 8080 }]);
  });

  it("listens where the names of an ACME certificate lead to", () => {
    const { tls, targets, isPortFixed } = settingsOf(
      "--acme a@b.example --domain Example.com --domain b.example --domain example.com",
    );
    expect(tls).toMatchObject({
      domains: ["example.com", "b.example"],
      directory: expect.stringContaining("acme-v02") as string,
    });
    expect(targets).toEqual([
      { kind: "tcp", hostname: expect.stringMatching(/^(?:::|0\.0\.0\.0)$/) as string, port: 443 },
    ]);
    expect(isPortFixed).toBe(true);
    expect(settingsOf("--acme a@b.example --domain a.example -p 8443 --host ::1").targets).toEqual([
      { kind: "tcp", hostname: "::1", port: 8443 },
    ]);
    expect(settingsOf("--acme a@b.example --domain a.example --acme-directory staging").tls).toMatchObject({
      directory: expect.stringContaining("staging") as string,
    });
  });

  it.each([
    ["--acme a@b.example", "--acme needs a name"],
    ["--acme b.example --domain a.example", '--acme is "b.example", which is no address of mail'],
    ["--acme a@b.example --domain *.example.com", '--domain is "*.example.com", which stands for many names'],
    ["--acme a@b.example --domain localhost", '--domain is "localhost", which has no dot'],
    ["--acme a@b.example --domain a.example --acme-directory x", '--acme-directory is "x", which is no directory'],
    ["--acme a@b.example --domain a.example --tls-cert x", "--tls-cert and --acme do not go together"],
    [
      "--acme a@b.example --domain a.example --tls-cert x --tls-key y",
      "--tls-cert, --tls-key and --acme do not go together",
    ],
    ["--acme a@b.example --domain a.example --tls-key x", "--tls-key and --acme do not go together"],
    ["--domain a.example", "--domain is for certificates of ACME, and --acme is missing"],
    ["--tls-key x", "--tls-key needs a certificate besides"],
  ])("refuses %s", (line, message) => {
    let error: unknown = null;
    try {
      settingsOf(line);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CommandError);
    expect((error as CommandError).message).toContain(message);
    expect((error as CommandError).exitCode).toBe(2);
  });
});
