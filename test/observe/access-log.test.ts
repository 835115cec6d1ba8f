import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accessLog } from "../../src/observe/access-log.ts";
import type { AccessLogOptions } from "../../src/observe/access-options.ts";
import type { Hooks } from "../../src/server/hooks.ts";
import { readText } from "../architecture/source.ts";
import { type ExchangeFacts, exchangeOf, HandTime, refusalOf, responseOf } from "./support/exchanges.ts";

const BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const TRACE_PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

let folder = "";
let path = "";
let time = new HandTime();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-log-"));
  path = join(folder, "access.log");
  time = new HandTime();
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What is in the file when `act` has told the hooks what happened. */
async function written(options: AccessLogOptions, act: (hooks: Hooks) => void): Promise<string> {
  const log = accessLog({ destination: path, time, ...options });
  act(log);
  await log.close();
  return readFileSync(path, "utf8");
}

async function lineOf(options: AccessLogOptions, facts: ExchangeFacts): Promise<string> {
  return written(options, (hooks) => hooks.onResponse?.(responseOf(facts)));
}

async function recordOf(options: AccessLogOptions, facts: ExchangeFacts): Promise<Record<string, unknown>> {
  return JSON.parse(await lineOf(options, facts)) as Record<string, unknown>;
}

const FULL: ExchangeFacts = {
  method: "POST",
  target: "/users/7?tab=1",
  fields: [
    ["Referer", "http://a.example/?token=t"],
    ["User-Agent", 'é "x"\\'],
  ],
  isEncrypted: true,
  requestId: "id-1",
  traceParent: TRACE_PARENT,
  status: 201,
  contentBytes: 0,
  requestContentBytes: 9,
  durationMs: 12.3456,
  firstByteMs: 0.04,
  route: "/users/:id",
};

describe("a line of JSON", () => {
  it("says all that is known of a response", async () => {
    expect(await recordOf({ base: { service: "shop" } }, FULL)).toEqual({
      time: "2000-10-10T13:55:36.000Z",
      level: "info",
      msg: "request",
      service: "shop",
      remote: "192.0.2.7",
      method: "POST",
      target: "/users/7?tab=1",
      status: 201,
      bytes: 0,
      durationMs: 12.346,
      firstByteMs: 0.04,
      version: "1.1",
      host: "a.example",
      requestBytes: 9,
      tls: true,
      route: "/users/:id",
      requestId: "id-1",
      traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
      spanId: "00f067aa0ba902b7",
      referer: "http://a.example/?token=[redacted]",
      userAgent: 'é "x"\\',
    });
  });

  it("is the same whether it is written by hand or from an object", async () => {
    const byHand = await recordOf({}, FULL);
    rmSync(path);
    expect(await recordOf({ members: () => ({}) }, FULL)).toEqual(byHand);
  });

  it.each([
    [200, "complete", "info", undefined],
    [404, "complete", "info", undefined],
    [500, "complete", "error", undefined],
    [200, "broken", "error", "broken"],
    [0, "aborted", "info", "aborted"],
    [101, "upgraded", "info", "upgraded"],
  ] as const)("of status %i, %s, has level %s", async (status, outcome, level, told) => {
    const record = await recordOf({}, { status, outcome });
    expect(record["level"]).toBe(level);
    expect(record["outcome"]).toBe(told);
  });

  it("knows the requests of one connection from each other", async () => {
    const log = accessLog({ destination: path, time });
    const first = responseOf({ fields: [["user-agent", "one"]], authority: "a" });
    const { connection } = first.exchange;
    for (const facts of [
      { fields: [["user-agent", "two"]], authority: "a" },
      { authority: "b" },
      {},
    ] as ExchangeFacts[]) {
      log.onResponse({ ...first, exchange: { ...exchangeOf(facts), connection } });
    }
    await log.close();
    const records = readFileSync(path, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(records.map(({ host, userAgent }: { host?: string; userAgent?: string }) => [host, userAgent])).toEqual([
      ["a", "two"],
      ["b", undefined],
      ["a.example", undefined],
    ]);
  });

  it("has members, fields and serialisers of the user's, and survives what is no JSON", async () => {
    const options: AccessLogOptions = {
      fields: ["Accept", "Cookie"],
      members: ({ route }) => ({ pattern: route, big: 7n }),
      serializers: { method: (method) => String(method).toLowerCase(), host: () => undefined },
      user: () => "ada",
    };
    const record = await recordOf(options, {
      fields: [
        ["accept", "*/*"],
        ["cookie", "s=1"],
      ],
      route: "/",
    });
    expect(record).toMatchObject({
      method: "get",
      fields: { accept: "*/*", cookie: "[redacted]" },
      big: "7",
      pattern: "/",
    });
    expect(record).toMatchObject({ user: "ada" });
    expect(record).not.toHaveProperty("host");
    rmSync(path);
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    expect(await recordOf({ members: () => cycle }, {})).toHaveProperty("unwritable");
  });

  it("tells of refusals and faults", async () => {
    const text = await written({}, (hooks) => {
      hooks.onRefusal?.(refusalOf("ERR_BARE_LF", { method: "GET", target: "/a?token=t" }));
      hooks.onFault?.({ id: "f-1", error: new TypeError("no\nway", { cause: "why" }), exchange: exchangeOf() });
    });
    const [refused, fault] = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(refused).toMatchObject({
      level: "warn",
      msg: "refused",
      code: "ERR_BARE_LF",
      target: "/a?token=[redacted]",
    });
    expect(fault).toMatchObject({ level: "error", msg: "fault", id: "f-1", method: "GET" });
    expect(fault).toMatchObject({ err: { type: "TypeError", message: "no\nway", cause: { message: "why" } } });
  });

  it("says what a failure may come from where its message leads nobody there", async () => {
    const error = new TypeError("res.end is not a function");
    const text = await written({}, (hooks) => {
      hooks.onFault?.({ id: "f-1", error, exchange: exchangeOf() });
      hooks.onFault?.({ id: "f-2", error: new TypeError("list.map is not a function"), exchange: exchangeOf() });
      hooks.onFault?.({ id: "f-3", error, exchange: null });
    });
    const faults = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(faults[0]).toHaveProperty("hint", expect.stringContaining("nodeHandler() of fairlead/node"));
    for (const other of faults.slice(1)) expect(other).not.toHaveProperty("hint");
  });

  it("has the code of a refusal that ended its request, and no second line", async () => {
    const text = await written({}, (hooks) => {
      const response = responseOf({ status: 413 });
      hooks.onRefusal?.(refusalOf("ERR_CONTENT_TOO_LARGE", {}, response.exchange));
      hooks.onResponse?.(response);
      hooks.onResponse?.(responseOf());
    });
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(lines).toMatchObject([{ status: 413, code: "ERR_CONTENT_TOO_LARGE" }, { status: 200 }]);
    expect(lines[1]).not.toHaveProperty("code");
  });
});

describe("Apache's forms", () => {
  const facts: ExchangeFacts = {
    method: "GET",
    target: "/apache_pb.gif",
    version: "1.0",
    address: "127.0.0.1",
    contentBytes: 2326,
    fields: [
      ["Referer", "http://www.example.com/start.html"],
      ["User-Agent", "Mozilla/4.08 [en] (Win98; I ;Nav)"],
    ],
  };

  it("are those of its documentation", async () => {
    const start = '127.0.0.1 - frank [10/Oct/2000:13:55:36 +0000] "GET /apache_pb.gif HTTP/1.0" 200 2326';
    const user = (): string => "frank";
    time.wallMs += 1.5;
    expect(await lineOf({ format: "common", user }, facts)).toBe(`${start}\n`);
    rmSync(path);
    const end = '"http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"';
    expect(await lineOf({ format: "combined", user }, facts)).toBe(`${start} ${end}\n`);
  });

  it.each([
    ['/a"b\\c', String.raw`/a\"b\\c`],
    ["/\b\n\r\t\v\f", String.raw`/\b\n\r\t\v\x0c`],
    ["/\x00\x1b[2J\x7f\x9b\xe9", String.raw`/\x00\x1b[2J\x7f\x9b\xe9`],
  ])("escape %j as Apache does", async (target, shown) => {
    expect(await lineOf({ format: "common" }, { target })).toContain(`"GET ${shown} HTTP/1.1" 200 13`);
  });

  it("has - for no content, no Referer, no User-Agent and no user, and 499 for no status", async () => {
    const line = await lineOf(
      { format: "combined" },
      { contentBytes: 0, status: 0, outcome: "aborted", durationMs: 0 },
    );
    expect(line).toBe('192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 499 - "-" "-"\n');
  });

  it("names peers without address, and addresses without their zone", async () => {
    expect(await lineOf({ format: "common" }, { family: "unix", address: "/run/a" })).toMatch(/^unix: - - \[/);
    rmSync(path);
    expect(await lineOf({ format: "common" }, { family: "IPv6", address: "fe80::1%eth0" })).toMatch(/^fe80::1 - - \[/);
  });

  it("has users in UTF-8, all of whose octets are shown alike", async () => {
    expect(await lineOf({ format: "common", user: () => "Zoë Łuk" }, {})).toMatch(
      /^192\.0\.2\.7 - Zo\\xc3\\xab\\x20\\xc5\\x81uk \[/,
    );
  });

  it("keeps a user from shifting the columns", async () => {
    expect(await lineOf({ format: "common", user: () => 'a b" 200' }, {})).toMatch(
      /^192\.0\.2\.7 - a\\x20b\\"\\x20200 \[/,
    );
  });

  it("has lines for refusals, and leaves faults to the standard error", async () => {
    const results: unknown[] = [];
    const text = await written({ format: "combined" }, (hooks) => {
      hooks.onRefusal?.(refusalOf("ERR_HEAD_TIMEOUT"));
      results.push(hooks.onFault?.({ id: "", error: new Error("x"), exchange: null }));
    });
    expect(text).toBe('192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "-" 408 - "-" "-"\n');
    expect(results).toEqual([false]);
  });

  it("has a mark in place of a target that was none, so that there are three words as in every other line", async () => {
    const text = await written({ format: "common" }, (hooks) => {
      hooks.onRefusal?.(refusalOf("ERR_TARGET_CHARACTER", { method: "GET", target: "" }));
    });
    expect(text).toBe('192.0.2.7 - - [10/Oct/2000:13:55:36 +0000] "GET - HTTP/1.1" 400 -\n');
  });

  const reader = "goaccess";
  const goaccess = spawnSync(reader, ["--version"]).status === 0 ? reader : null;
  if (goaccess === null) process.emitWarning("SKIPPED: goaccess is not installed: apt-get install goaccess");

  it.skipIf(goaccess === null)("are read by goaccess without complaint, hostile or not", async () => {
    const targets = ["/", "/a?b=c", '/"quoted"', "/\x1b[2J", "/caf\xe9", "/back\\slash", "/with space"];
    const text = await written({ format: "combined" }, (hooks) => {
      for (const target of targets) {
        hooks.onResponse?.(responseOf({ target, fields: [["user-agent", `${BROWSER} "x"`]] }));
        hooks.onResponse?.(responseOf({ target, status: 0, outcome: "aborted", fields: [["user-agent", BROWSER]] }));
      }
      hooks.onRefusal?.(refusalOf("ERR_TARGET_CHARACTER", { method: "GET", target: "" }));
      hooks.onRefusal?.(refusalOf("ERR_HEAD_TIMEOUT"));
    });
    const report = join(folder, "report.json");
    const words = [path, "--log-format=COMBINED", "--no-global-config", "-o", report];
    execFileSync(reader, words, { stdio: ["ignore", "ignore", "pipe"] });
    const {
      general,
      not_found: _,
      ...panels
    } = JSON.parse(readFileSync(report, "utf8")) as {
      general: Record<string, number>;
      not_found: unknown;
      requests: { data: { data: string; method: string }[] };
    };
    expect(panels.requests.data).toContainEqual(expect.objectContaining({ data: "-", method: "GET" }));
    expect(general).toMatchObject({ total_requests: text.trimEnd().split("\n").length, failed_requests: 0 });
  });
});

describe("the filters of fail2ban", () => {
  const program = "fail2ban-regex";
  const isThere = spawnSync(program, ["--version"]).status === 0;
  if (!isThere) process.emitWarning("SKIPPED: fail2ban is not installed: apt-get install fail2ban");
  const forged =
    'x" 200 1 "-" "-"\n198.51.100.1 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 400 - "-" "autoemailspiders';

  /** Addresses that a filter would ban, one for each line that it takes for its own. */
  async function banned(filter: string): Promise<string[]> {
    await written({ format: "combined" }, (hooks) => {
      const tell = (address: string, facts: ExchangeFacts): void =>
        void hooks.onResponse?.(responseOf({ address, fields: [["user-agent", BROWSER]], ...facts }));
      tell("192.0.2.1", {});
      tell("192.0.2.2", { fields: [["user-agent", "autoemailspider"]] });
      tell("192.0.2.3", { target: "/wp-login.php", status: 404 });
      tell("192.0.2.4", { target: "/admin", status: 401 });
      tell("2001:db8::4", { target: "/admin", status: 401, family: "IPv6" });
      tell("192.0.2.5", { target: "/x", status: 400 });
      // What a client says must ban nobody else
      tell("192.0.2.9", {
        target: '/"198.51.100.1',
        fields: [
          ["user-agent", forged],
          ["referer", forged],
        ],
      });
      hooks.onRefusal?.(refusalOf("ERR_BARE_LF"));
    });
    // Ours is on the page
    const [, ours = ""] = /```ini\n([^]*?)```/.exec(readText("docs/guides/observing.md")) ?? [];
    writeFileSync(join(folder, "fairlead-auth.conf"), ours);
    const file = filter.endsWith(".conf") ? join(folder, filter) : filter;
    return execFileSync(program, ["-o", "ip", path, file], { encoding: "utf8" }).trim().split("\n");
  }

  // Its apache-auth and nginx-limit-req read error logs, which this is not
  it.skipIf(!isThere).each<[string, readonly string[]]>([
    ["apache-badbots", ["192.0.2.2"]],
    ["nginx-botsearch", ["192.0.2.3"]],
    ["nginx-bad-request", ["192.0.2.5", "192.0.2.7"]],
    ["fairlead-auth.conf", ["192.0.2.4", "2001:db8::4"]],
  ])("find in our lines whom they are for: %s", async (filter, expected) => {
    expect(await banned(filter)).toEqual(expected);
  });
});

describe("what is kept out", () => {
  it("is the values of secret parameters and fields, in the target as in the Referer", async () => {
    const target = "/a?x=1&TOKEN=s3cret&pass%77ord=p&user[password]=q&y=2#token=z";
    const fields: ExchangeFacts["fields"] = [["referer", "http://b/?api_key=s3cret"]];
    const record = await recordOf({}, { target, fields });
    const shown = "/a?x=1&TOKEN=[redacted]&pass%77ord=[redacted]&user[password]=[redacted]&y=2#token=z";
    expect([record["target"], record["referer"]]).toEqual([shown, "http://b/?api_key=[redacted]"]);
  });

  it.each([
    [{ query: [] }, "/?token=1&x=2", "/?token=1&x=2"],
    [{ query: true }, "/?token=1&x=2&y", "/?token=[redacted]&x=[redacted]&y"],
    [{ query: ["X"] }, "/?token=1&x=2&%zz=3", "/?token=1&x=[redacted]&%zz=3"],
  ] as const)("is what %j says", async (redact, target, shown) => {
    expect((await recordOf({ redact }, { target }))["target"]).toBe(shown);
  });

  it.each([
    ["/?password[]=s3cret&x[]=1", "/?password[]=[redacted]&x[]=1"],
    ["/?token%5B0%5D=s3cret&x[y]=1", "/?token%5B0%5D=[redacted]&x[y]=1"],
    ["/?user[password][old]=s3cret&key[a][b]=s3cret", "/?user[password][old]=[redacted]&key[a][b]=[redacted]"],
    ["http://b.example:080/a@b?x=c@d", "http://b.example:080/a@b?x=c@d"],
    // Where the password ends nobody knows: what has one is never accepted
    ["http://ada:s3cret@b.example/s3cret@b?x=s3cret@d", "http://[redacted]@d"],
    ["http://s3cret@b.example?token=s3cret", "http://[redacted]@b.example?token=[redacted]"],
    ["/a@b?x=http://c@d/", "/a@b?x=http://c@d/"],
  ])("is every secret of %s", async (url, shown) => {
    const record = await recordOf({}, { target: url, fields: [["referer", url]] });
    expect([record["target"], record["referer"]]).toEqual([shown, shown]);
  });

  it("is members and fields of the user's choice", async () => {
    const redact = { members: ["remote"], fields: ["User-Agent"] };
    const record = await recordOf({ redact }, { fields: [["user-agent", "x"]] });
    expect(record).not.toHaveProperty("remote");
    expect(record["userAgent"]).toBe("[redacted]");
  });
});

describe("sampling", () => {
  it("keeps the share, and whatever went wrong", async () => {
    const draws = [0.05, 0.5, 0.09, 0.9];
    const text = await written({ sample: 0.1, random: () => draws.shift() ?? 1 }, (hooks) => {
      for (let i = 0; i < 6; i++) hooks.onResponse?.(responseOf({ target: `/${i}` }));
      hooks.onResponse?.(responseOf({ status: 404 }));
      hooks.onResponse?.(responseOf({ outcome: "aborted" }));
      hooks.onRefusal?.(refusalOf("ERR_BARE_LF"));
    });
    const records = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { target?: string });
    expect(records.map(({ target }) => target)).toEqual(["/0", "/2", "/", "/", undefined]);
  });

  it("leaves out what the user does not want, and counts it", async () => {
    const log = accessLog({ destination: path, time, skip: ({ route }) => route === "/healthz" });
    log.onResponse(responseOf({ route: "/healthz" }));
    log.onResponse(responseOf());
    await log.close();
    expect(log.omittedResponses).toBe(1);
    expect(readFileSync(path, "utf8").split("\n")).toHaveLength(2);
  });
});

describe("other takers", () => {
  it("is a logger such as pino, which gets records and errors", async () => {
    const lines: string[] = [];
    const logger = pino({ base: null }, { write: (line: string) => lines.push(line) });
    const log = accessLog({ logger });
    log.onResponse(responseOf({ target: "/\x9b2J", status: 500 }));
    log.onRefusal(refusalOf("ERR_BARE_LF"));
    log.onFault({ id: "", error: new Error("x"), exchange: null });
    await log.close();
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 50, msg: "request", target: "/\\x9b2J", status: 500 },
      { level: 40, msg: "refused", code: "ERR_BARE_LF" },
      { level: 50, msg: "fault", err: { type: "Error", message: "x" } },
    ]);
  });

  it("is a person, through pino-pretty", async () => {
    const text = await written({ format: "pretty" }, (hooks) => {
      hooks.onResponse?.(responseOf({ target: "/a\x1b[2J\nb", requestId: "r1" }));
      hooks.onRefusal?.(refusalOf("ERR_BARE_LF"));
      hooks.onFault?.({ id: "f1", error: new Error("x\x1b[2J"), exchange: exchangeOf() });
    });
    expect(text).toContain(String.raw`GET /a\x1b[2J\x0ab 200 13 B 1.5 ms`);
    expect(text).toMatch(/refused: .*ERR_BARE_LF.*RFC 9112 §2\.2/);
    expect(text).toContain("a handler failed at GET /");
    expect(text).not.toContain("\x1b[2J");
  });

  it("is a person, who is shown the frames of the handler and the number of the others", async () => {
    const error = new Error("x");
    const ours = `    at answer (${new URL("../../dist/parts/core.js", import.meta.url).href}:1:2)`;
    error.stack = ["Error: x", "    at boom (file:///srv/app.js:3:4)", ours, ours].join("\n");
    const text = await written({ format: "pretty" }, (hooks) => {
      hooks.onFault?.({ id: "f1", error, exchange: exchangeOf() });
    });
    expect(text).toMatch(/at boom \(file:\/\/\/srv\/app\.js:3:4\)\n +… 2 frames of fairlead/);
    expect(text).not.toContain("core.js");
  });

  it("is a person, who reads what is ours in its own letters, and what is a client's as escapes", async () => {
    const base = { service: "Bücher \u202e\x1b[2J" };
    const text = await written({ format: "pretty", base, fields: ["x-name"] }, (hooks) => {
      hooks.onResponse?.(responseOf({ target: "/b\xfc", fields: [["x-name", "\xfc§"]] }));
    });
    expect(text).toContain(String.raw`"service":"Bücher \u{202e}\x1b[2J"`);
    expect(text).toContain(String.raw`GET /b\xfc 200`);
    expect(text).toContain(String.raw`"x-name":"\xfc\xa7"`);
  });

  it("is a function that makes lines of its own", async () => {
    const format: AccessLogOptions["format"] = ({ exchange }) => `→ ${exchange.request.target}`;
    expect(await lineOf({ format }, { target: "/a\n\x1b[2J" })).toBe(String.raw`→ /a\x0a\x1b[2J` + "\n");
  });
});

describe("whatever a peer sends", () => {
  const octets = fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)) });
  const facts = fc.record({ target: octets, userAgent: octets, referer: octets, authority: octets });

  it.each(["json", "combined", "common", "pretty"] as const)("is one %s line of visible ASCII", async (format) => {
    await fc.assert(
      fc.asyncProperty(facts, async ({ target, userAgent, referer, authority }) => {
        const fields: ExchangeFacts["fields"] = [
          ["user-agent", userAgent],
          ["referer", referer],
        ];
        const text = await lineOf({ format, redact: { query: [] } }, { target, authority, fields });
        rmSync(path);
        // Colours are ours
        const shown = format === "pretty" ? text.replaceAll(/\x1b\[\d+m/g, "") : text;
        expect(shown).toMatch(/^[\x20-\x7e]*\n$/);
        if (format !== "json") return;
        const record: unknown = JSON.parse(text);
        expect(record).toMatchObject({ userAgent, host: authority });
        // What may be user information is left out
        if (!/@|:\/\//.test(target + referer)) expect(record).toMatchObject({ target, referer });
      }),
      { numRuns: format === "pretty" ? 30 : 100 },
    );
  });
});

describe("options", () => {
  it("are checked whole", () => {
    const wrong = { format: "jsn", sample: 0, flushMS: 1, destination: "", redact: { query: "x" } } as never;
    let message = "";
    try {
      accessLog(wrong);
    } catch (error) {
      message = String(error);
    }
    expect(message).toMatch(/^TypeError: accessLog: 5 options are invalid:/);
    expect(message).toContain(
      'format: "jsn" was given, "auto", "json", "pretty", "common", "combined" or a function is',
    );
    expect(message).toContain("flushMS: there is no such option, did you mean flushMs?");
  });

  it("of a logger exclude those of lines", () => {
    expect(() => accessLog({ logger: pino({ enabled: false }), format: "json" })).toThrow(/format: .*beside logger/);
  });

  it("name a file that can be written", () => {
    expect(() => accessLog({ destination: join(folder, "no/such/file") })).toThrow(/ENOENT/);
  });
});
