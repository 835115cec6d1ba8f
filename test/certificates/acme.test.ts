import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AcmeKeeper } from "../../src/certificates/acme-keeper.ts";
import type { AcmeOptions } from "../../src/certificates/acme-keeper.ts";
import { isMailAddress, readDirectory, readDomain } from "../../src/certificates/acme-names.ts";
import { orderCertificate } from "../../src/certificates/acme-order.ts";
import { readBundle } from "../../src/certificates/bundle.ts";
import { serve } from "../../src/server/server.ts";
import type { Server } from "../../src/server/server.ts";
import { request } from "../../src/testing/index.ts";
import { AcmeServer } from "./support/acme-server.ts";
import { TestTime } from "./support/test-time.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let folder = "";
let time = new TestTime();
let authority: AcmeServer;
let server: Server | null = null;
let keeper: AcmeKeeper | null = null;
let heard: string[] = [];
let hear: (() => void) | null = null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-acme-"));
  time = new TestTime(Date.now());
  heard = [];
  authority = await AcmeServer.start();
  authority.nowMs = () => time.now;
});

afterEach(async () => {
  keeper?.stop();
  await server?.close({ drainMs: 0 });
  server = null;
  await authority.close();
  rmSync(folder, { recursive: true, force: true });
});

function say(line: string): void {
  heard.push(line);
  hear?.();
}

/** The next line that is said. */
async function nextLine(): Promise<string> {
  const before = heard.length;
  while (heard.length === before) await new Promise<void>((done) => (hear = done));
  return heard.at(-1) ?? "";
}

/** Waits until the keeper waits: the timer is set when an order has come to its end. */
async function untilWaiting(): Promise<void> {
  while (time.nextMs === Infinity) await new Promise(setImmediate);
}

/** A keeper, and a server of ours that answers its challenges. */
async function open(options: Partial<AcmeOptions> = {}): Promise<AcmeKeeper> {
  keeper = await AcmeKeeper.open({
    mail: "ada@example.com",
    domains: ["site.example", "www.site.example"],
    directoryUrl: authority.directoryUrl,
    folder,
    time,
    random: () => 0,
    order: orderCertificate,
    onObtained: () => {},
    say,
    ...options,
  });
  await server?.close({ drainMs: 0 });
  server = await serve({ port: 0, fetch: keeper.challenge });
  authority.challengePort = server.port;
  return keeper;
}

/** Starts it and waits for what comes of the first order. */
async function begin(options: Partial<AcmeOptions> = {}): Promise<AcmeKeeper> {
  const made = await open(options);
  made.start();
  const line = nextLine();
  time.jump();
  await line;
  return made;
}

describe("a certificate from ACME", () => {
  it("is a placeholder at first, so that TLS can be spoken, then a true one for all names", async () => {
    const made = await open();
    expect(made.isTrue).toBe(false);
    const placeholder = await readBundle(made.bundlePath);
    expect(placeholder?.leaf.checkHost("www.site.example")).toBe("www.site.example");
    made.start();
    const line = nextLine();
    time.jump();
    expect(await line).toMatch(
      /^certificate for site\.example, www\.site\.example obtained, valid until \d{4}-\d\d-\d\d$/,
    );
    expect(made.isTrue).toBe(true);
    const bundle = await readBundle(made.bundlePath);
    expect(bundle?.leaf.issuer).toContain("ACME Test Root");
    expect(bundle?.leaf.checkHost("www.site.example")).toBe("www.site.example");
    // The chain is whole
    expect(bundle?.certPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(new Set(authority.validations.map((one) => one.replace(/\/.*/, "")))).toEqual(
      new Set(["site.example", "www.site.example"]),
    );
  });

  it("leaves no challenge behind, and closes keys to others", async () => {
    const made = await begin();
    const inner = join(folder, readdirSync(folder)[0] ?? "");
    expect(readdirSync(join(inner, "challenges"))).toEqual([]);
    for (const path of [made.bundlePath, join(inner, "account.pem")]) {
      if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
    }
  });

  it("is used again by the next start, with the same account", async () => {
    const first = await begin();
    first.stop();
    const bundle = readFileSync(first.bundlePath, "utf8");
    const second = await open();
    second.start();
    expect(second.isTrue).toBe(true);
    expect(readFileSync(second.bundlePath, "utf8")).toBe(bundle);
    expect(authority.issued).toHaveLength(1);
    const line = nextLine();
    while (authority.issued.length === 1 && heard.length === 1) {
      await untilWaiting();
      time.jump();
      if (time.now >= second.dueMs) break;
    }
    await line;
    expect(authority.issued).toHaveLength(2);
    expect(authority.accounts.size).toBe(1);
    expect([...authority.accounts.values()][0]?.contact).toEqual(["mailto:ada@example.com"]);
  });

  it.each([
    [90, 0, 60],
    [90, 1, 57],
    [6, 0, 4],
  ])("of %d days is renewed when a third is left, random %d: after %d days", async (days, random, after) => {
    authority.lifetimeMs = days * DAY_MS;
    const began = time.now;
    const made = await begin({ random: () => random });
    expect(Math.abs(made.dueMs - began - after * DAY_MS)).toBeLessThan(2000);
  });

  it("is looked after again every hour at least, because clocks are put right", async () => {
    await begin();
    await untilWaiting();
    expect(time.nextMs).toBe(60 * MINUTE_MS);
  });

  it("is ordered anew for other names, and the old one holds meanwhile", async () => {
    (await begin()).stop();
    const made = await open({ domains: ["site.example", "new.site.example"] });
    expect(made.isTrue).toBe(true);
    made.start();
    const line = nextLine();
    time.jump();
    await line;
    expect(authority.issued.at(-1)).toBe("site.example,new.site.example");
  });
});

describe("a failure", () => {
  it("is tried again later and later, and changes nothing", async () => {
    const made = await begin();
    const bundle = readFileSync(made.bundlePath, "utf8");
    authority.failure = { status: 429, type: "rateLimited", detail: "too many\r\n\x1b[31mcertificates" };
    await untilWaiting();
    time.now = made.dueMs;
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      const before = heard.length;
      // Long waits are several, an hour each
      for (; heard.length === before; await untilWaiting()) {
        await untilWaiting();
        time.jump();
      }
      const said = heard.at(-1) ?? "";
      // What an authority says cannot forge a line
      expect(said).toMatch(/^no certificate for .*: .*too many \[31mcertificates; next try in \d+ minutes$/);
      waits.push(Number(/in (\d+) minutes/.exec(said)?.[1]));
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
    expect(readFileSync(made.bundlePath, "utf8")).toBe(bundle);
  });

  it("of the challenge names what the authority met", async () => {
    const made = await open();
    await server?.close({ drainMs: 0 });
    server = await serve({ port: 0, fetch: () => new Response("somebody else's site") });
    authority.challengePort = server.port;
    made.start();
    const line = nextLine();
    time.jump();
    expect(await line).toMatch(/no certificate for .*the challenge was answered with somebody else/);
  });

  it("is also an authority that is not there", async () => {
    const closed = createServer();
    await new Promise<void>((done) => closed.listen(0, "127.0.0.1", done));
    const { port } = closed.address() as { port: number };
    await new Promise((done) => closed.close(done));
    const made = await begin({ directoryUrl: `http://127.0.0.1:${port}/directory` });
    expect(heard[0]).toMatch(/: 127\.0\.0\.1:\d+ cannot be reached; next try in 2 minutes$/);
    expect(made.isTrue).toBe(false);
  });

  it("does not come after the end", async () => {
    const made = await open();
    made.start();
    made.stop();
    expect(time.nextMs).toBe(Infinity);
  });

  it.each<[string, () => Promise<{ certPem: string; keyPem: string }>, RegExp]>([
    ["nonsense", async () => ({ certPem: "x", keyPem: "y" }), /issued what is no certificate/],
    ["an error that is none", () => Promise.reject(new Error("line\nbreak")), /: line break; next/],
  ])("is %s", async (_what, order, message) => {
    await begin({ order });
    expect(heard[0]).toMatch(message);
  });
});

describe("challenges", () => {
  it("are answered by any process that has the folder, and nothing else is", async () => {
    const { challenge } = await open();
    const inner = join(folder, readdirSync(folder)[0] ?? "");
    const { AcmeChallenges } = await import("../../src/certificates/acme-challenge.ts");
    const challenges = new AcmeChallenges(inner);
    const token = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA";
    await challenges.put(token, `${token}.thumb`);
    const ask = (path: string, method = "GET"): Promise<{ status: number; text: () => Promise<string> }> =>
      request(challenge, path, { method });
    const answer = await ask(`/.well-known/acme-challenge/${token}`);
    expect(await answer.text()).toBe(`${token}.thumb`);
    for (const path of [
      `/${token}`,
      `/.well-known/acme-challenge/`,
      `/.well-known/acme-challenge/..%2faccount.pem`,
      `/.well-known/acme-challenge/../account.pem`,
      `/.well-known/acme-challenge/${token}?x`,
      `/.well-known/acme-challenge/${"a".repeat(40)}`,
    ]) {
      expect((await ask(path)).status, path).toBe(404);
    }
    expect((await ask(`/.well-known/acme-challenge/${token}`, "POST")).status).toBe(404);
    await challenges.remove(token);
    expect((await ask(`/.well-known/acme-challenge/${token}`)).status).toBe(404);
    await expect(challenges.put("../../x", "y")).rejects.toThrow("a token that is none");
  });
});

describe("what is given to ACME", () => {
  it.each([
    ["Example.COM.", "example.com"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["a-b.c1.example", "a-b.c1.example"],
  ])("%s is %s", (text, name) => {
    expect(readDomain(text)).toEqual({ name });
  });

  it.each([
    ["192.0.2.1", /address/],
    ["[::1]", /address/],
    ["*.example.com", /HTTP-01/],
    ["https://example.com", /URL/],
    ["localhost", /dot/],
    ["a_b.example", /no name/],
    ["-a.example", /no name/],
    [`${"a".repeat(64)}.example`, /no name/],
    ["", /no name/],
    ["a..b", /no name/],
  ])("%j cannot be", (text, mistake) => {
    expect(readDomain(text)).toEqual({ mistake: expect.stringMatching(mistake) as string });
  });

  it("is a directory by name or URL", () => {
    expect(readDirectory("staging")).toContain("staging");
    expect(readDirectory("https://ca.example/dir")).toBe("https://ca.example/dir");
    expect([readDirectory("file:///x"), readDirectory("stagin")]).toEqual([null, null]);
  });

  it.each([
    ["ada@example.com", true],
    ["ada", false],
    ["a@b@c", false],
    ["a b@c", false],
    ["a@b,c@d", false],
  ])("%s is an address of mail: %s", (text, expected) => {
    expect(isMailAddress(text)).toBe(expected);
  });
});
