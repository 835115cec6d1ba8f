/**
 * Path traversal: however a path is written, nothing outside of the folder is read, listed, told of or written over. Each spelling
 * of a way up is tried in each place where a name can come from a client.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { serve } from "../../src/app/serve.ts";
import { readMultipart } from "../../src/bodies/index.ts";
import type { Server } from "../../src/server/server.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { Response } from "../../src/web/response.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { getAll, say } from "./support/asked.ts";

const SECRET = "TOP SECRET";
const servers = new Map<string, Server>();
let site: StaticSite;

beforeAll(async () => {
  site = new StaticSite({
    "index.html": "public",
    "sub/deep/page.html": "public",
    "sub/index.html": "public",
    ".env": SECRET,
    ".git/config": SECRET,
    "sub/.htpasswd": SECRET,
    "_redirects": "/up/* /:splat 200\n/sub-of/* /sub/:splat 200\n/one/:name /sub/:name 200\n/old/* /sub/:splat 302\n",
  });
  for (const name of ["secret.txt", "index.html"]) writeFileSync(join(site.base, name), SECRET);
  mkdirSync(join(site.base, "www-old"));
  writeFileSync(join(site.base, "www-old/secret.txt"), SECRET);
  mkdirSync(join(site.base, "second/sub"), { recursive: true });
  writeFileSync(join(site.base, "second/sub/other.html"), "public");
  symlinkSync(site.base, join(site.www, "sub/out"));
  symlinkSync(join(site.base, "secret.txt"), join(site.www, "link.txt"));
  const start = async (name: string, fetch: (request: never, context: never) => unknown): Promise<void> => {
    servers.set(name, await serve({ port: 0, fetch: fetch as never }));
  };
  await start("a folder", serveStatic(site.www, { listing: true, cleanUrls: true }));
  await start("two folders", serveStatic([site.www, join(site.base, "second")], { listing: true }));
  await start("a folder with rules", serveStatic(site.www, { rules: true }));
  await start("a single-page app", serveStatic(site.www, { spa: true }));
  await start("a folder under a prefix", serveStatic(site.www, { prefix: "/sub" }));
  await start(
    "a folder in an app",
    new App().mount("/sub", serveStatic(site.www, { prefix: "/sub" })).get("/*", () => new Response("app")).fetch,
  );
});

afterAll(async () => {
  for (const server of servers.values()) server.closeNow();
  await site[Symbol.asyncDispose]();
});

/** Spellings of `..` and a slash: plain, encoded, twice, in overlong UTF-8, full width, as Windows has it, with what some drop. */
const UPS = [
  "../",
  "%2e%2e/",
  "%2E%2E/",
  "%2e./",
  ".%2e/",
  "..%2f",
  "..%2F",
  "%2e%2e%2f",
  "..%5c",
  "%2e%2e%5c",
  "..%5C/",
  "%252e%252e/",
  "%252e%252e%252f",
  "..%252f",
  "..%255c",
  "%25252e%25252e/",
  "%c0%ae%c0%ae/",
  "%c0%2e%c0%2e/",
  "%e0%80%ae%e0%80%ae/",
  "%f0%80%80%ae%f0%80%80%ae/",
  "..%c0%af",
  "..%e0%80%af",
  "..%c1%9c",
  "%u002e%u002e/",
  "%uff0e%uff0e/",
  "%ef%bc%8e%ef%bc%8e/",
  "..%ef%bc%8f",
  "..%e2%88%95",
  "..%e2%81%84",
  "..;/",
  "..;x/",
  "..%00/",
  "%00../",
  "..%09/",
  "..%0a/",
  "..%0d/",
  "..%20/",
  "%20../",
  "..%7f/",
  "..%c2%a0/",
  ".../",
  "..../",
  "....//",
  "..././",
  ".//../",
  "./../",
  "/../",
  "//../",
  "%2e/%2e%2e/",
  "..//",
  "..%2f%2f",
  "~/../",
  "x/../../",
  "..:/",
  "..::$DATA/",
  "..%3a/",
  "..%ff/",
  "%",
  "%2",
  "%2e%2",
];

/** Where the way begins, and what it leads to. */
const BEGINNINGS = ["/", "/sub/", "/sub/deep/", "/up/", "/sub-of/", "/one/", "/old/", "/none/"];
const ENDS = ["secret.txt", "secret.txt%00.html", "secret.txt/", "www-old/secret.txt", "index.html", ""];

const OTHERS = [
  "/.env",
  "/%2eenv",
  "/.git/config",
  "/.git%2fconfig",
  "/%2egit/config",
  "/sub/.htpasswd",
  "/sub/%2ehtpasswd",
  "/up/.env",
  "/sub-of/.htpasswd",
  "/one/.htpasswd",
  "/link.txt",
  "/sub/out/secret.txt",
  "/sub/out/",
  "/sub/out",
  "/sub-of/out/secret.txt",
  "/up/sub/out/secret.txt",
  "/up/link.txt",
  "//etc/passwd",
  "/%2fetc/passwd",
  "/%2Fetc%2Fpasswd",
  "/etc/passwd",
  "/%2e//etc/passwd",
  "/file:///etc/passwd",
  "/C:/boot.ini",
  "/c%3a/boot.ini",
  "/%5c%5cserver%5cshare",
  "/index.html::$DATA",
  "/index.html%3a%3a$DATA",
  "/index.html.",
  "/index.html%20",
  "/con",
  "/aux.txt",
  "/nul",
  "/INDEX~1.HTM",
  "/_redirects",
  "/%5fredirects",
  "/_headers",
  "/proc/self/environ",
  "/sub/../link.txt",
  "/www/index.html",
  "/../www/index.html",
  "http://a/../secret.txt",
  "http://a/%2e%2e/secret.txt",
];

describe("what lies outside", () => {
  it.each([
    "a folder",
    "two folders",
    "a folder with rules",
    "a single-page app",
    "a folder under a prefix",
    "a folder in an app",
  ])("is never got from %s", async (name) => {
    const { port } = servers.get(name) as Server;
    const climbs = BEGINNINGS.flatMap((begin) =>
      UPS.flatMap((up) => ENDS.flatMap((end) => [1, 3].map((times) => begin + up.repeat(times) + end))),
    );
    const targets = [...climbs, ...OTHERS];
    const answers = await getAll(port, targets);
    const faults = answers.flatMap(({ status, text, fields }, index) => {
      const told = `${targets[index]}: ${status}`;
      if (text.includes(SECRET) || text.includes("root:")) return [`${told} secret`];
      if (text.includes("www-old") && status === 200) return [`${told} listing`];
      if (status >= 500) return [told];
      // What the disk looks like is told to nobody
      return JSON.stringify([text, fields]).includes(site.base) ? [`${told} path`] : [];
    });
    expect(faults).toEqual([]);
  });
});

describe("a name in a form", () => {
  const NAMES = [
    "../../evil.txt",
    "..\\..\\evil.txt",
    "/etc/evil.txt",
    "C:\\evil.txt",
    "..",
    ".",
    "",
    "...",
    "evil.txt\\0.png",
    "a/../../evil.txt",
    "%2e%2e%2fevil.txt",
    "..%2fevil.txt",
    "\u202Eevil.txt",
    "con",
    "CON.txt",
    "aux",
    "evil.txt:stream",
    ".htaccess",
    ".",
    "evil.txt. . .",
    "a\nb",
    "a\x1b[2Jb",
    "x".repeat(3000),
    "\uFF0E\uFF0E\uFF0Fevil.txt",
  ];

  it.each(NAMES)("stays in the folder: %j", async (name) => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-names-"));
    const target = join(folder, "a/b");
    mkdirSync(target, { recursive: true });
    await using server = await serve({
      port: 0,
      fetch: async (request) => {
        for await (const part of readMultipart(request)) await part.saveTo(target);
        return new Response("saved");
      },
    });
    const shown = Buffer.from(name.replaceAll("\n", "%0A").replaceAll('"', "%22")).toString("latin1");
    const content = `--x\r\nContent-Disposition: form-data; name="f"; filename="${shown}"\r\n\r\n1\r\n--x--\r\n`;
    const head = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: ${content.length}\r\n\r\n`;
    const { responses } = await say(server.port, head + content, ["POST"]);
    const outside = [...readdirSync(folder), ...readdirSync(join(folder, "a"))];
    const saved = readdirSync(target);
    rmSync(folder, { recursive: true });
    expect([200, 400]).toContain(responses[0]?.status);
    expect(outside).toEqual(["a", "b"]);
    expect(saved.filter((one) => one.startsWith(".") || /[/\\:\p{Cc}\u202E]/u.test(one) || one.length > 255)).toEqual(
      [],
    );
    expect(existsSync("/etc/evil.txt")).toBe(false);
  });
});
