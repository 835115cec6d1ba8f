/**
 * Host header poisoning: whatever a client says of the host, pages, links, errors and fields are the same; only the redirect to HTTPS
 * names the host that was asked for, and that is one host, valid, and never one of X-Forwarded-Host.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { serve } from "../../src/app/serve.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { Response } from "../../src/web/response.ts";
import { authority, startTls } from "../server/support/tls-server.ts";
import { StaticSite } from "../static/support/static-site.ts";
import type { Server } from "../../src/server/server.ts";
import { get, say } from "./support/asked.ts";

const own = await authority.issue({ names: ["a.test"] });
const servers: Server[] = [];
const ports = new Map<string, number>();
let site: StaticSite;

beforeAll(async () => {
  site = new StaticSite({ "a/b.txt": "b", "a/c.html": "c", "_redirects": "/old /a/ 301\n/x/* /a/:splat 302\n" });
  const app = new App({ trailingSlash: "redirect" })
    .get("/a/", () => new Response("a"))
    .get("/fault", () => {
      throw new Error("mine");
    });
  const start = async (name: string, fetch: unknown): Promise<void> => {
    const server = await serve({ port: 0, fetch: fetch as never, hooks: { onFault: () => {} } });
    servers.push(server);
    ports.set(name, server.port);
  };
  await start("a folder", serveStatic(site.www, { listing: true, rules: true, cleanUrls: true }));
  await start("an app", app.fetch);
});
afterAll(async () => {
  for (const server of servers) server.closeNow();
  await site[Symbol.asyncDispose]();
});

/** What says that the host is another. */
const LIES: ReadonlyArray<Readonly<Record<string, string>>> = [
  { Host: "evil.example" },
  { Host: "evil.example:80" },
  { "X-Forwarded-Host": "evil.example" },
  { "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4" },
  { Forwarded: "host=evil.example;proto=https" },
  { "X-Host": "evil.example" },
  { "X-Forwarded-Server": "evil.example" },
  { "X-HTTP-Host-Override": "evil.example" },
  { "X-Original-Host": "evil.example" },
];

describe.each([
  ["a folder", ["/", "/a/", "/a", "/a/c/", "/a/c", "/old", "/x/b", "/none", "/%00", "/a/b.txt/"]],
  ["an app", ["/a", "/a/", "/none", "/fault", "/%ff"]],
])("%s", (name, targets) => {
  it.each(targets)("answers %s alike whatever host it is told", async (target) => {
    const port = ports.get(name) as number;
    for (const accept of ["text/html", "application/json", "*/*"]) {
      const strip = (text: string): string => text.replaceAll(/"id":"[^"]*"|id {6}\S+/g, "");
      const honest = await get(port, target, { Accept: accept });
      for (const lie of LIES) {
        const told = await get(port, target, { Accept: accept, ...lie });
        expect([told.status, told.fields["location"], strip(told.text)]).toEqual([
          honest.status,
          honest.fields["location"],
          strip(honest.text),
        ]);
        expect(JSON.stringify([told.fields, told.text])).not.toContain("evil");
      }
    }
  });
});

describe("a host that is none, or two", () => {
  it.each([
    "evil.example/path",
    "evil.example?x",
    "evil.example#x",
    "user@evil.example",
    "a b",
    "a,b",
    "a\tb",
    "evil.example:",
    "evil.example:x",
    "evil.example:99999999",
    "[::1",
    "::1",
    "[::1]x",
    "<script>",
    '"a"',
    "a\\b",
    "%zz",
    "a%00b",
    "\xe4.example",
    "..",
    "a..b",
  ])("gets no redirect and no echo: %j", async (host) => {
    const { responses, text } = await say(
      ports.get("a folder") as number,
      `GET /a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      ["GET"],
    );
    const [response] = responses;
    expect([308, 301, 302, 400]).toContain(response?.status);
    expect(text.slice(text.indexOf("\r\n\r\n"))).not.toContain(host);
    const location = response?.fields.find(([field]) => field.toLowerCase() === "location")?.[1] ?? "/";
    expect(location).toMatch(/^\/(?!\/)/);
  });
});

describe("the redirect to HTTPS", () => {
  it.each<[string, string, RegExp | null]>([
    ["GET /x?y HTTP/1.1\r\nHost: a.test", "", /^https:\/\/a\.test(?::\d+)?\/x\?y$/],
    ["GET //evil.example/x HTTP/1.1\r\nHost: a.test", "", /^https:\/\/a\.test(?::\d+)?\/\/evil\.example\/x$/],
    ["GET /x HTTP/1.1\r\nHost: a.test", "X-Forwarded-Host: evil.example\r\n", /^https:\/\/a\.test(?::\d+)?\/x$/],
    ["GET http://b.test/x HTTP/1.1\r\nHost: a.test", "", /^https:\/\/b\.test(?::\d+)?\/x$/],
    ["GET /x HTTP/1.1\r\nHost: a.test:99", "", /^https:\/\/a\.test(?::\d+)?\/x$/],
    ["GET /x HTTP/1.1\r\nHost: a.test@evil.example", "", null],
    ["GET /x HTTP/1.1\r\nHost: a.test/@evil.example", "", null],
    ["GET /x HTTP/1.1\r\nHost: a.test\\@evil.example", "", null],
    ["GET /x HTTP/1.1\r\nHost: a.test\r\nHost: evil.example", "", null],
    ["GET /x HTTP/1.1\r\nHost:", "", null],
    ["GET /x HTTP/1.0", "", null],
    ["GET http:///x HTTP/1.1\r\nHost: a.test", "", null],
    ["GET http://user@evil.example/x HTTP/1.1\r\nHost: a.test", "", null],
  ])("of %j leads to the host that was asked for, or nowhere", async (head, fields, expected) => {
    await using setup = await startTls({ tls: own });
    const { responses, text } = await say(setup.server.port, `${head}\r\n${fields}Connection: close\r\n\r\n`, ["GET"]);
    const location = responses[0]?.fields.find(([field]) => field.toLowerCase() === "location")?.[1] ?? null;
    if (expected === null) expect([location, (responses[0]?.status ?? 0) >= 400]).toEqual([null, true]);
    else expect(location).toMatch(expected);
    expect(text).not.toMatch(/location: [^\r]*@/i);
  });
});
