/**
 * Cache poisoning: what changes an answer that a shared cache may keep is part of its key, or is named in Vary
 * (RFC 9110 §12.5.5, RFC 9111 §4.1). Each field is tried on each answer; a difference that Vary does not name is a fault.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { serve } from "../../src/app/serve.ts";
import { HttpError } from "../../src/http/errors.ts";
import { compress, cors, etag, responseHeaders, securityHeaders, trailingSlash } from "../../src/middleware/index.ts";
import { ranged, redirect } from "../../src/replies/index.ts";
import type { Server } from "../../src/server/server.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { Response } from "../../src/web/response.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { type Answer, get } from "./support/asked.ts";

const LONG = "All work and no play makes Jack a dull boy.\n".repeat(200);
let site: StaticSite;
let bare: StaticSite;
const servers = new Map<string, Server>();

beforeAll(async () => {
  site = new StaticSite({
    "page.html": LONG,
    "about.html": LONG,
    "data.json": `"${"x".repeat(5000)}"`,
    "photo.png": "png",
    "folder/a.txt": "a",
    "sub/index.html": LONG,
    "404.html": "<h1>Gone fishing</h1>",
    "_redirects": "/old /page.html 301\n/moved/* /:splat 302\n",
    "_headers": "/data.json\n  X-Mine: yes\n",
  });
  bare = new StaticSite({ "a.txt": "a" });
  const app = new App()
    .use(securityHeaders())
    .use(cors({ origins: ["https://a.example"], credentials: true }))
    .use(responseHeaders({ "x-served": "yes" }))
    .use(etag())
    .use(compress({ minBytes: 1 }))
    .get("/text", () => new Response(LONG))
    .get("/json", () => Response.json({ text: LONG }))
    .get("/gone", () => {
      throw new HttpError(410, "gone for good");
    })
    .get("/fault", () => {
      throw new Error("mine");
    })
    .get("/elsewhere", () => redirect("/text", 301))
    .get("/ranged", (request) => ranged(request, Buffer.from(LONG), { headers: { "content-type": "text/plain" } }));
  const slashed = new App().use(trailingSlash({ mode: "add" })).get("/there/", () => new Response("there"));
  const options = { port: 0, hooks: { onFault: () => {} } };
  servers.set(
    "folder",
    await serve({ ...options, fetch: serveStatic(site.www, { cleanUrls: true, listing: true, rules: true }) }),
  );
  servers.set("bare folder", await serve({ ...options, fetch: serveStatic(bare.www, {}) }));
  servers.set("spa", await serve({ ...options, fetch: serveStatic(site.www, { spa: true }) }));
  servers.set("app", await serve({ ...options, fetch: app.fetch }));
  servers.set("slashes", await serve({ ...options, fetch: slashed.fetch }));
  servers.set(
    "redirecting",
    await serve({ ...options, fetch: new App({ trailingSlash: "redirect" }).get("/a", () => new Response("a")).fetch }),
  );
});

afterAll(async () => {
  for (const server of servers.values()) server.closeNow();
  await site[Symbol.asyncDispose]();
  await bare[Symbol.asyncDispose]();
});

/** Fields that nobody keys by, with values that could matter. */
const INPUTS: ReadonlyArray<readonly [name: string, values: readonly string[]]> = [
  [
    "Accept",
    ["text/html", "application/json", "application/problem+json", "text/plain", "image/webp", "*/*;q=0", "x/y"],
  ],
  ["Accept-Encoding", ["gzip", "br", "identity", "zstd", "*", "identity;q=0", "gzip, br;q=0.1"]],
  ["Accept-Language", ["de", "en"]],
  ["Origin", ["https://a.example", "https://evil.example", "null"]],
  ["Cookie", ["a=b", "session=1"]],
  ["User-Agent", ["curl/8", "Mozilla/5.0"]],
  ["Referer", ["https://evil.example/"]],
  ["Forwarded", ["for=1.2.3.4;host=evil.example;proto=https"]],
  ["X-Forwarded-For", ["1.2.3.4"]],
  ["X-Forwarded-Host", ["evil.example"]],
  ["X-Forwarded-Proto", ["https"]],
  ["X-Forwarded-Scheme", ["https"]],
  ["X-Forwarded-Port", ["444"]],
  ["X-Forwarded-Prefix", ["/evil"]],
  ["X-Host", ["evil.example"]],
  ["X-Original-URL", ["/page.html"]],
  ["X-Rewrite-URL", ["/page.html"]],
  ["X-HTTP-Method-Override", ["DELETE"]],
  ["X-Method-Override", ["POST"]],
  ["Via", ["1.0 evil"]],
  ["Prefer", ["return=minimal"]],
  ["X-Requested-With", ["XMLHttpRequest"]],
  ["Sec-Fetch-Mode", ["navigate", "cors"]],
  ["Sec-Fetch-Dest", ["document", "image"]],
  ["Upgrade-Insecure-Requests", ["1"]],
  ["Save-Data", ["on"]],
];

/** What differs without a difference: who reads it has to expect that. */
const EACH_TIME = new Set(["date", "connection", "content-length"]);

function fingerprint(answer: Answer): string {
  const fields = Object.entries(answer.fields).flatMap(([name, value]) =>
    EACH_TIME.has(name) ? [] : [`${name}: ${value}`],
  );
  const text = answer.text.replaceAll(/"id":"[^"]*"|id {6}\S+/g, "");
  return JSON.stringify([answer.status, fields.toSorted(), text]);
}

/** RFC 9111 §5.2.2: what no shared cache may keep. */
function isKept({ fields }: Answer): boolean {
  return !/no-store|private/.test(fields["cache-control"] ?? "");
}

function keyOf({ fields }: Answer): string[] {
  return (fields["vary"] ?? "").toLowerCase().split(/ *, */);
}

describe.each<[string, readonly string[]]>([
  [
    "folder",
    [
      "/page.html",
      "/about",
      "/data.json",
      "/photo.png",
      "/folder/",
      "/folder",
      "/sub/",
      "/none",
      "/none.js",
      "/old",
      "/moved/x",
      "/%00",
      "/..%2f",
    ],
  ],
  ["bare folder", ["/", "/a.txt", "/none", "/none.js", "/.env", "/a.txt/"]],
  ["spa", ["/", "/some/route", "/none.js", "/packages/@scope%2Fname"]],
  ["app", ["/text", "/json", "/gone", "/fault", "/elsewhere", "/ranged", "/none", "/%ff"]],
  ["slashes", ["/there", "/there/", "/none"]],
  ["redirecting", ["/a", "/a/", "/none"]],
])("what a cache may keep of %s", (name, targets) => {
  it.each(targets)("%s differs by nothing but its URL and what Vary names", async (target) => {
    const { port } = servers.get(name) as Server;
    const plain = await get(port, target);
    expect(plain.faults).toEqual([]);
    const faults: string[] = [];
    for (const [field, values] of INPUTS) {
      const key = field.toLowerCase();
      for (const value of values) {
        const other = await get(port, target, { [field]: value });
        if (fingerprint(other) === fingerprint(plain)) continue;
        for (const answer of [plain, other]) {
          if (!isKept(answer) || keyOf(answer).includes(key)) continue;
          faults.push(
            `${field}: ${value} makes ${other.status} of ${plain.status}, Vary: ${answer.fields["vary"] ?? ""}`,
          );
        }
      }
    }
    expect(faults).toEqual([]);
  });
});
