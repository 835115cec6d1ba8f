import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accessLog } from "../../src/observe/access-log.ts";
import type { AccessLogOptions } from "../../src/observe/access-options.ts";
import { Redactor, SECRET_PARAMETERS } from "../../src/observe/redact.ts";
import { serve } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";
import { authority, startTls } from "../server/support/tls-server.ts";
import { refusalOf } from "./support/exchanges.ts";

let folder = "";
let path = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-refused-"));
  path = join(folder, "access.log");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const AGENT = "Mozilla/5.0 (compatible; autoemailspider)";
const HEAD = `Host: a\r\nUser-Agent: ${AGENT}\r\nReferer: http://b.example/?token=s3cret\r\n`;

/** The lines of a server that was sent these octets, each on a connection of its own, and how much content came back. */
async function logged(
  sent: readonly string[],
  options: AccessLogOptions,
): Promise<{ lines: string[]; sizes: number[] }> {
  const log = accessLog({ destination: path, ...options });
  const server = await serve({ port: 0, fetch: () => new Response("hello"), hooks: log });
  const sizes: number[] = [];
  for (const octets of sent) {
    const socket = connect(server.port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
    socket.end(octets, "latin1");
    await once(socket, "close");
    sizes.push(answer.length - answer.indexOf("\r\n\r\n") - 4);
  }
  await server.close();
  await log.close();
  return { lines: readFileSync(path, "utf8").trimEnd().split("\n"), sizes };
}

async function recordOf(octets: string, options: AccessLogOptions = {}): Promise<Record<string, unknown>> {
  const { lines } = await logged([octets], options);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? "") as Record<string, unknown>;
}

describe("a refused request in Apache's forms", () => {
  it("has the content that was sent, the first line, and who asked, as far as the head was read", async () => {
    const { lines, sizes } = await logged([`BREW /pot?x=1 HTTP/1.0\r\n${HEAD}\r\n`], { format: "combined" });
    expect(sizes[0]).toBeGreaterThan(0);
    expect(lines[0]?.replace(/\[.*?\]/, "[]")).toBe(
      `127.0.0.1 - - [] "BREW /pot?x=1 HTTP/1.0" 501 ${sizes[0]} "http://b.example/?token=[redacted]" "${AGENT}"`,
    );
  });

  it.each<[string, string, string]>([
    [
      "a target with what none may have",
      'GET /a\x00\x1b[2J"\\ HTTP/1.1\r\n',
      String.raw`GET /a\x00\x1b[2J\"\\ HTTP/1.1`,
    ],
    ["no version", "GET /\r\n", "GET /"],
    ["another version", "PRI * HTTP/2.0\r\n", "PRI * HTTP/2.0"],
    ["white space of other kinds", "GET\t/a b HTTP/1.1\r\n", String.raw`GET\t/a b HTTP/1.1`],
    ["TLS", "\x16\x03\x01\x02\x00", String.raw`\x16\x03\x01\x02\x00`],
    ["a lone LF behind it", 'GET /x HTTP/1.1\n"- 200', "GET /x HTTP/1.1"],
    ["a lone CR in it", "GET /x\r2 HTTP/1.1\r\n", String.raw`GET /x\r2 HTTP/1.1`],
    ["an end before its own", "GET /half", "GET /half"],
    ["empty lines before it", "\r\n\r\nG(T / HTTP/1.1\r\n", "G(T / HTTP/1.1"],
    ["nothing but a line feed", "\nGET / HTTP/1.1\r\n", "-"],
  ])("has the first line with %s", async (_what, octets, shown) => {
    const { lines } = await logged([octets], { format: "common" });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.replace(/\[.*?\] /, "[] ")).toMatch(/^127\.0\.0\.1 - - \[\] ".*" [45]\d\d \d+$/);
    expect(lines[0]).toContain(`] "${shown}" `);
  });

  it("has 8190 octets of a line that is longer, as Apache reads of one", async () => {
    const { lines } = await logged([`GET /${"a".repeat(20_000)} HTTP/1.1\r\n`], { format: "common" });
    expect(/"(.*)" 414 \d+$/.exec(lines[0] ?? "")?.[1]).toBe(`GET /${"a".repeat(8185)}`);
  });

  it("has fields that came before the one that was wrong, and none behind it", async () => {
    const { lines } = await logged(
      [
        `GET / HTTP/1.1\r\n${HEAD}no field\r\n\r\n`,
        `GET / HTTP/1.1\r\nno field\r\n${HEAD}\r\n`,
        `POST / HTTP/1.1\r\n${HEAD}Content-Length: x\r\n\r\n`,
      ],
      { format: "combined" },
    );
    expect(lines.map((line) => line.endsWith(`token=[redacted]" "${AGENT}"`))).toEqual([true, false, true]);
    expect(lines[1]).toMatch(/"-" "-"$/);
  });

  it("has no octets for the answer to HEAD", async () => {
    const { lines } = await logged(["HEAD / HTTP/1.1\r\n\r\n"], { format: "common" });
    expect(lines[0]).toMatch(/"HEAD \/ HTTP\/1\.1" 400 -$/);
  });

  const isThere = (program: string): boolean => spawnSync(program, ["--version"]).status === 0;

  it.skipIf(!isThere("goaccess"))("is read by goaccess without complaint", async () => {
    const odd = [
      'GET /\x00" x HTTP/1.1\r\n',
      "\x16\x03\x01",
      "GET /half",
      "GET /a\r\n",
      "{} \r\n",
      "\n",
      "a b c d\r\n",
    ];
    const { lines } = await logged([...odd, `BREW / HTTP/1.1\r\n${HEAD}\r\n`], { format: "combined" });
    const report = join(folder, "report.json");
    const words = [path, "--log-format=COMBINED", "--no-global-config", "-o", report];
    execFileSync("goaccess", words, { stdio: ["ignore", "ignore", "pipe"] });
    const { general } = JSON.parse(readFileSync(report, "utf8")) as { general: Record<string, number> };
    expect(general).toMatchObject({ total_requests: lines.length, failed_requests: 0 });
  });

  it.skipIf(!isThere("fail2ban-regex"))("is found by fail2ban's filter for user agents", async () => {
    await logged([`GET /x HTTP/1.1\r\nUser-Agent: autoemailspider\r\nno field\r\n\r\n`], { format: "combined" });
    const found = execFileSync("fail2ban-regex", ["-o", "ip", path, "apache-badbots"], { encoding: "utf8" });
    expect(found.trim()).toBe("127.0.0.1");
  });
});

describe("a refused request in JSON and in records", () => {
  it("has the same facts, and what it had before", async () => {
    expect(await recordOf(`BREW /pot?token=s3cret HTTP/1.0\r\n${HEAD}\r\n`)).toMatchObject({
      msg: "refused",
      method: "BREW",
      target: "/pot?token=[redacted]",
      status: 501,
      bytes: expect.any(Number) as number,
      code: "ERR_METHOD_UNKNOWN",
      requestLine: "BREW /pot?token=[redacted] HTTP/1.0",
      userAgent: AGENT,
      referer: "http://b.example/?token=[redacted]",
    });
  });

  it("has no user information of an authority-form", async () => {
    const record = await recordOf("CONNECT ada:s3cret@b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n");
    expect(record).toMatchObject({ target: "[redacted]@b.example:443", code: "ERR_METHOD_REFUSED" });
    expect(JSON.stringify(record)).not.toContain("s3cret");
  });

  it("leaves out what there is not", async () => {
    const record = await recordOf("\n");
    expect(Object.keys(record)).toEqual([
      "time",
      "level",
      "msg",
      "remote",
      "status",
      "bytes",
      "code",
      "rule",
      "reason",
    ]);
  });

  it.each([
    ["is cut at 8190 octets", `GET http://user:${"S3CRET".repeat(4_000)}@h/`, undefined, "GET http://[redacted]"],
    [
      "is cut before the `@`",
      `GET http://${"a".repeat(8_172)}:S3CRET@h/ HTTP/1.1\r\nHost: h\r\n\r\n`,
      "http://[redacted]@h/",
      "GET http://[redacted]",
    ],
    [
      "has a slash in the password",
      "GET http://user:S3/CRET@host/ HTTP/1.1\r\nHost: host\r\n\r\n",
      "http://[redacted]@host/",
      "GET http://[redacted]@host/ HTTP/1.1",
    ],
    ["ends in the password", "GET http://user:S3CRET", undefined, "GET http://[redacted]"],
    [
      "has a space in the password",
      "GET http://user:S3CRET x@h/ HTTP/1.1\r\n\r\n",
      "http://[redacted]",
      "GET http://[redacted]@h/ HTTP/1.1",
    ],
  ])("has no user information of a line that %s", async (_what, octets, target, requestLine) => {
    const record = await recordOf(octets);
    expect(record["requestLine"]).toBe(requestLine);
    if (target !== undefined) expect(record["target"]).toBe(target);
    expect(JSON.stringify(record)).not.toMatch(/S3|CRET/);
  });

  it("obeys what the owner keeps out", async () => {
    const redact = { fields: ["User-Agent", "Referer"], members: ["requestLine"] };
    const record = await recordOf(`BREW / HTTP/1.1\r\n${HEAD}\r\n`, { redact });
    expect(record).toMatchObject({ userAgent: "[redacted]", referer: "[redacted]" });
    expect(record).not.toHaveProperty("requestLine");
  });

  it("says the same to a logger, visibly", async () => {
    const written: string[] = [];
    const logger = pino({ base: null }, { write: (line: string) => written.push(line) });
    const log = accessLog({ logger });
    log.onRefusal({ ...refusalOf("ERR_TARGET_CHARACTER"), requestLine: "GET /\x1b[2J HTTP/1.1", contentBytes: 9 });
    await log.close();
    expect(JSON.parse(written[0] ?? "")).toMatchObject({ requestLine: "GET /\\x1b[2J HTTP/1.1", bytes: 9 });
  });

  it("says what an ordinary line says of TLS", async () => {
    const log = accessLog({ destination: path });
    await using setup = await startTls({ tls: await authority.issue({ names: ["a.test"] }), hooks: log });
    const socket = await setup.secure();
    socket.end("GET / HTTP/1.1\nHost: a.test\n\n");
    await once(socket.resume(), "close");
    await setup.server.close();
    await log.close();
    const record: unknown = JSON.parse(readFileSync(path, "utf8"));
    expect(record).toMatchObject({ msg: "refused", code: "ERR_BARE_LF", tls: "TLSv1.3" });
  });
});

describe("a connection that there is no room for", () => {
  /** The only line of a server with room for one connection, when there was a second; and the octets that this one got. */
  async function turnedAway(
    options: AccessLogOptions,
    limits: { maxConnections?: number; maxConnectionsPerAddress?: number },
    tls?: Awaited<ReturnType<typeof authority.issue>>,
  ): Promise<{ line: string; answer: string }> {
    const log = accessLog({ destination: path, ...options });
    const secured = tls === undefined ? {} : { tls };
    const server = await serve({ port: 0, fetch: () => new Response("hello"), hooks: log, limits, ...secured });
    const first = connect(server.port, "127.0.0.1");
    await once(first, "connect");
    const second = connect(server.port, "127.0.0.1");
    let answer = "";
    second.setEncoding("latin1").on("data", (text: string) => (answer += text));
    second.end();
    await once(second, "close");
    first.destroy();
    await server.close();
    await log.close();
    return { line: readFileSync(path, "utf8").trimEnd(), answer };
  }

  const sizeOf = (answer: string): number => answer.length - answer.indexOf("\r\n\r\n") - 4;

  it.each(["common", "combined"] as const)("has the octets of its answer in %s", async (format) => {
    for (const limits of [{ maxConnections: 1 }, { maxConnectionsPerAddress: 1 }]) {
      const { line, answer } = await turnedAway({ format }, limits);
      expect(sizeOf(answer)).toBeGreaterThan(100);
      const rest = format === "common" ? "" : ' "-" "-"';
      expect(line.replace(/\[.*?\]/, "[]")).toBe(`127.0.0.1 - - [] "-" 503 ${sizeOf(answer)}${rest}`);
      rmSync(path);
    }
  });

  it("has them in JSON and in records", async () => {
    const { line, answer } = await turnedAway({}, { maxConnections: 1 });
    expect(JSON.parse(line)).toMatchObject({ status: 503, bytes: sizeOf(answer), code: "ERR_TOO_MANY_CONNECTIONS" });
    const written: string[] = [];
    const logger = pino({ base: null }, { write: (text: string) => written.push(text) });
    const other = await turnedAway({ logger, destination: undefined }, { maxConnections: 1 });
    expect(JSON.parse(written[0] ?? "")).toMatchObject({ status: 503, bytes: sizeOf(other.answer) });
  });

  it("has none under TLS, where it is cut off without an answer", async () => {
    const certificate = await authority.issue({ names: ["a.test"] });
    const { line, answer } = await turnedAway({}, { maxConnections: 1 }, certificate);
    expect(answer).toBe("");
    expect(JSON.parse(line)).toMatchObject({ status: 503, bytes: 0, code: "ERR_TOO_MANY_CONNECTIONS" });
  });
});

describe("the first line of a refused request", () => {
  const redactor = new Redactor(SECRET_PARAMETERS, []);

  it.each([
    ["GET /?token=s3cret&x=1 HTTP/1.1", "GET /?token=[redacted]&x=1 HTTP/1.1"],
    ["GET /a?x=1 HTTP/1.1", "GET /a?x=1 HTTP/1.1"],
    ["GET /wp-login.php?\x00a=../../etc/passwd HTTP/1.1", "GET /wp-login.php?\x00a=../../etc/passwd HTTP/1.1"],
    // A value that holds what ends a target for us may go on for its sender
    ["GET /?token=s3c ret#s3cret?s3cret HTTP/1.1", "GET /?token=[redacted] HTTP/1.1"],
    ["GET /?token=s3c\rret\t;s3cret&y=2 HTTP/1.1", "GET /?token=[redacted]&y=2 HTTP/1.1"],
    ["GET /?x=1&PASS%77ord=s3cret", "GET /?x=1&PASS%77ord=[redacted]"],
    ["GET /?user[password]=s3 cret HTTP/1.1", "GET /?user[password]=[redacted] HTTP/1.1"],
    ["GET /a#access_token=s3cret HTTP/1.1", "GET /a#access_token=[redacted] HTTP/1.1"],
    ["GET /\x00;token=s3cret HTTP/1.1", "GET /\x00;token=[redacted] HTTP/1.1"],
    // User information (RFC 3986 §3.2.1), of an absolute-form and of an authority-form
    ["GET http://ada:s3cret@b.example/ HTTP/1.1", "GET http://[redacted]@b.example/ HTTP/1.1"],
    ["GET http://ada:s3 c/r?et@b.example/ HTTP/1.1", "GET http://[redacted]@b.example/ HTTP/1.1"],
    ["CONNECT ada:s3cret@b.example:443 HTTP/1.1", "CONNECT [redacted]@b.example:443 HTTP/1.1"],
    ["GET /a\x00?u=http://b&token=s3c@ret HTTP/1.1", "GET /a\x00?u=http://b&token=[redacted] HTTP/1.1"],
    ["GET http://user:S3/CRET@host/ HTTP/1.1", "GET http://[redacted]@host/ HTTP/1.1"],
    ["GET http://user:p@ss/S3CRET@host/a HTTP/1.1", "GET http://[redacted]@host/a HTTP/1.1"],
    ["GET http://user:S3CRET;token=S3CRET@host/ HTTP/1.1", "GET http://[redacted]@host/ HTTP/1.1"],
    ["CONNECT ada:S3/C?RET@b.example:443 HTTP/1.1", "CONNECT [redacted]@b.example:443 HTTP/1.1"],
    // Cut off before its `@`, or before the last one
    ["GET http://user:S3CRET", "GET http://[redacted]"],
    [`GET http://user:${"S3CRET".repeat(1_000)}`, "GET http://[redacted]"],
    [`GET http://${"a".repeat(8_171)}:S3CRET`, "GET http://[redacted]"],
    ["GET http://user:p@S3CRET", "GET http://[redacted]"],
    ["GET http://user:/S3CRET", "GET http://[redacted]"],
    ["GET http://user:80S3CRET", "GET http://[redacted]"],
    ["GET http://user:80 S3CRET", "GET http://[redacted]"],
    ["GET http://user:S3CRET HTTP/1.1", "GET http://[redacted] HTTP/1.1"],
    ["CONNECT ada:S3CRET", "CONNECT [redacted]"],
    ["CONNECT  ada: S3CRET", "CONNECT  [redacted]"],
    ["GET /login?next=http://ada:S3CRET", "GET /login?next=http://[redacted]"],
    // What is a host, a port and a path is shown
    ["GET http://b.example:8080/a:b?c=d:e", "GET http://b.example:8080/a:b?c=d:e"],
    ["GET http://[::1]:8080/a", "GET http://[::1]:8080/a"],
    ["GET http://b.example/a:b HTTP/1.1", "GET http://b.example/a:b HTTP/1.1"],
    ["GET /a:b@c?d=e:f@g HTTP/1.1", "GET /a:b@c?d=e:f@g HTTP/1.1"],
    ["GET /a:b@c", "GET /a:b@c"],
    ["CONNECT b.example:443", "CONNECT b.example:443"],
    ["GET /\x00?u=http://b:80&x=a:b", "GET /\x00?u=http://b:80&x=a:b"],
    // Content of a request before it whose length was told wrong, and fields without their head
    ["user=ada&password=s3cret&x=1", "user=ada&password=[redacted]&x=1"],
    ['{"user": "ada", "dbPassword" : "s3cret", "x": 1}', '{"user": "ada", "dbPassword" :[redacted]'],
    ["Authorization: Basic s3cret", "Authorization:[redacted]"],
    ["cookie: a=s3cret", "cookie:[redacted]"],
  ])("has no secret: %j", (line, shown) => {
    expect(redactor.line(line)).toBe(shown);
  });

  it("has no value where the owner wants none, and all of them where all", () => {
    expect(new Redactor(true, []).line("GET /\x00?a=s3cret&b=s3cret")).toBe("GET /\x00?a=[redacted]&b=[redacted]");
    expect(new Redactor([], []).line("GET /\x00?token=1 HTTP/1.1")).toBe("GET /\x00?token=1 HTTP/1.1");
  });

  it("takes no more than linear time", () => {
    for (const part of ["=", ":", "a", "//", "@", " ", "token", "a:", "?", "%", "%c3", "http://a:", "a:1@"]) {
      const line = part.repeat(400_000);
      const before = performance.now();
      redactor.line(line);
      expect(performance.now() - before).toBeLessThan(2_000);
    }
  });

  it.each(["json", "common", "combined"] as const)(
    "is of one %s line of visible ASCII, whatever it holds",
    async (format) => {
      const octets = fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)) });
      await fc.assert(
        fc.asyncProperty(octets, async (requestLine) => {
          const log = accessLog({ destination: path, format });
          log.onRefusal({ ...refusalOf("ERR_REQUEST_LINE"), requestLine });
          await log.close();
          const text = readFileSync(path, "utf8");
          rmSync(path);
          expect(text).toMatch(/^[\x20-\x7e]*\n$/);
        }),
        { numRuns: 50 },
      );
    },
  );
});
