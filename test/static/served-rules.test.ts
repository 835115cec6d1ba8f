/** `_redirects`, `_headers`, clean URLs and fallbacks through the whole pipeline, as clients meet them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as sendRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "../../src/server/server.ts";
import type { Server } from "../../src/server/server.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { StaticSite } from "./support/static-site.ts";

const BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";

const FILES: Readonly<Record<string, string>> = {
  "site/_redirects": [
    "/home / 302",
    "/about.html /never 302",
    "/forced.html /about 302!",
    "/news/* /blog/:splat 302",
    "/x/* /:splat 302",
    "/y/:a/* /:splat/:a 302",
    "/hidden /.env 200",
    "/up /../secret 200",
    "/self /self-page 200",
    "/loop/* /loop/gone 200",
    "/loop2 /loop3 200",
    "/loop3 /loop2 200",
    "/gone/* /404.html 404",
    "/rules /_headers 200",
    "/pretty/* /blog/:splat.html 200",
    "/plain/* /self-page 200",
    "/none/* /404.html 404",
  ].join("\n"),
  "site/_headers":
    "/*\n  X-All: yes\n/blog/*\n  Cache-Control: max-age=600\n  ! X-All\n/about\n  X-About: clean" +
    "\n/pretty/*\n  X-Pretty: yes\n/none/*\n  X-None: yes\n/gone/*\n  X-Gone: yes\n/missing/*\n  X-Missing: yes",
  "site/index.html": "home",
  "site/about.html": "about",
  "site/forced.html": "forced",
  "site/self-page.html": "self",
  "site/404.html": "missing",
  "site/blog/a b.html": "post",
  "site/blog/404.html": "missing post",
  "site/.env": "secret",
  "app/index.html": "app",
  "app/real.html": "real",
};

describe("a site with rules", () => {
  let base = "";
  let site: Server;
  let app: Server;

  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), "fairlead-served-rules-"));
    for (const [name, content] of Object.entries(FILES)) {
      mkdirSync(dirname(join(base, name)), { recursive: true });
      writeFileSync(join(base, name), content);
    }
    const options = { rules: true, cleanUrls: true, listing: true };
    site = await serve({ port: 0, fetch: serveStatic(join(base, "site"), options) });
    app = await serve({ port: 0, fetch: serveStatic(join(base, "app"), { spa: true, prefix: "/app" }) });
  });

  afterAll(async () => {
    await Promise.all([site.close(), app.close()]);
    rmSync(base, { recursive: true, force: true });
  });

  interface Answer {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly body: string;
  }

  /** Sends a target as it is: a URL object would have removed what matters here. */
  function ask(server: Server, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Answer> {
    const { hostname, port } = server.url;
    return new Promise((resolve, reject) => {
      const request = sendRequest({ hostname, port, path, method, headers, agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (body += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      });
      request.on("error", reject);
      request.end();
    });
  }

  it.each([
    ["/home", 302, "/"],
    ["/home/?a=b", 302, "/?a=b"],
    ["/forced.html", 302, "/about"],
    ["/news/a%20b.html", 302, "/blog/a%20b.html"],
    ["/about/", 301, "/about"],
    ["/blog", 301, "/blog/"],
    ["/x//evil.example", 302, "/evil.example"],
    ["/x///evil.example/", 302, "/evil.example/"],
    ["/y/evil.example", 302, "/evil.example"],
    ["//about/", 301, "/about"],
    ["///blog", 301, "/blog/"],
  ])("redirects %s with %i to %s", async (path, status, location) => {
    const answer = await ask(site, path);
    expect([answer.status, answer.headers.location]).toEqual([status, location]);
  });

  it.each([
    ["/", 200, "home"],
    ["/about", 200, "about"],
    ["/about.html", 200, "about"],
    ["/self", 200, "self"],
    ["/blog/a%20b", 200, "post"],
    ["/gone/x", 404, "missing"],
    ["/nothing", 404, "missing"],
    ["/blog/nothing/deep", 404, "missing post"],
    ["/hidden", 404, "missing"],
    ["/up", 404, "missing"],
    ["/rules", 404, "missing"],
    ["/_headers", 404, "missing"],
    ["/_redirects", 404, "missing"],
    ["/loop/a", 404, "missing"],
    ["/loop2", 404, "missing"],
  ])("answers %s with %i %s", async (path, status, body) => {
    const answer = await ask(site, path, { accept: BROWSER });
    expect([answer.status, answer.body]).toEqual([status, body]);
  });

  it("gives fields by the path that was asked for", async () => {
    const about = await ask(site, "/about");
    expect([about.headers["x-all"], about.headers["x-about"]]).toEqual(["yes", "clean"]);
    expect((await ask(site, "/about.html")).headers["x-about"]).toBeUndefined();
    const post = await ask(site, "/blog/a%20b.html");
    expect([post.headers["x-all"], post.headers["cache-control"]]).toEqual([undefined, "max-age=600"]);
  });

  it.each([
    // What the file's own path would give is not given; what the asked one gives, is
    ["/pretty/a%20b", 200, "post", { "x-pretty": "yes", "x-all": "yes", "cache-control": "no-cache" }],
    ["/blog/a%20b.html", 200, "post", { "x-pretty": undefined, "x-all": undefined, "cache-control": "max-age=600" }],
    ["/pretty/a%20b", 200, "post", { "x-pretty": "yes", "x-all": "yes", "cache-control": "no-cache" }],
    ["/plain/x", 200, "self", { "x-pretty": undefined, "x-all": "yes" }],
    ["/none/x", 404, "missing", { "x-none": "yes", "x-all": "yes", "cache-control": "no-cache" }],
    ["/missing/x", 404, "missing", { "x-missing": "yes", "x-all": "yes", "x-none": undefined }],
    ["/pretty/nothing", 404, "missing post", { "x-pretty": "yes", "x-all": "yes" }],
  ])("gives fields by the path that was asked for, wherever a rule leads: %s", async (path, status, body, fields) => {
    const answer = await ask(site, path, { accept: BROWSER });
    expect([answer.status, answer.body]).toEqual([status, body]);
    for (const [name, value] of Object.entries(fields)) expect([name, answer.headers[name]]).toEqual([name, value]);
  });

  it("shows neither rules nor hidden files in a listing", async () => {
    const { entries } = JSON.parse((await ask(site, "/blog/", { accept: "application/json" })).body) as {
      entries: { name: string }[];
    };
    expect(entries.map((entry) => entry.name)).toEqual(["404.html", "a b.html"]);
  });

  it.each([
    ["GET", "/app/users/7", BROWSER, 200, "app"],
    ["GET", "/app/real.html", BROWSER, 200, "real"],
    ["GET", "/app/missing.js", BROWSER, 404, ""],
    ["GET", "/app/users/7", "*/*", 404, ""],
    ["GET", "/users/7", BROWSER, 404, ""],
    ["HEAD", "/app/users/7", BROWSER, 200, ""],
  ])("stands in for pages of an app: %s %s, Accept %s: %i", async (method, path, accept, status, body) => {
    const answer = await ask(app, path, { accept }, method);
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.body).toBe(body);
    if (!path.includes("real")) expect(answer.headers["vary"]).toMatch(/\baccept\b(?!-)/i);
    if (status === 200 && body === "app") expect(answer.headers["cache-control"]).toMatch(/no-cache/);
  });
});

describe("a type that _headers gives to files", () => {
  it("is that of each part of several, and not that of what stands in for a file", async () => {
    await using place = new StaticSite({
      "_headers": "/*\n  Content-Type: text/x-chart\n  X-All: yes\n",
      "chart.txt": "0123456789",
      "list/a.txt": "a",
      "own/404.html": "none",
    });
    const served = await place.serve({ rules: true, listing: true });
    expect((await served.get("/chart.txt")).headers["content-type"]).toBe("text/x-chart");
    const parts = await served.get("/chart.txt", { range: "bytes=0-0,5-5" });
    expect(parts.headers["content-type"]).toMatch(/^multipart\/byteranges/);
    expect(parts.body.toString().match(/Content-Type: .*/g)).toEqual(Array(2).fill("Content-Type: text/x-chart"));
    for (const [path, type] of [
      ["/list/", /^text\/html/],
      ["/own/gone", /^text\/html/],
      ["/gone", /^text\/plain/],
    ] as const) {
      const { headers } = await served.get(path);
      expect([path, headers["content-type"], headers["x-all"]]).toEqual([path, expect.stringMatching(type), "yes"]);
    }
    const moved = await served.get("/list");
    expect([moved.status, moved.headers["content-type"]]).toEqual([301, undefined]);
  });
});

describe("fields that _headers gives to a path", () => {
  it("are on what files do not answer, so that preflights of other sites pass (decision 0007)", async () => {
    await using place = new StaticSite({
      "_headers":
        "/data/*\n  Access-Control-Allow-Origin: *\n  Access-Control-Allow-Headers: range\n  Content-Type: text/x-chart",
      "data/a.json": "{}",
      "b.json": "{}",
    });
    const served = await place.serve({ rules: true });
    for (const [method, status] of [
      ["OPTIONS", 204],
      ["POST", 405],
    ] as const) {
      for (const path of ["/data/a.json", "/data/none", "/data/.env", "/data/%ff"]) {
        const answer = await served.ask(method, path);
        expect([answer.status, answer.headers["allow"]]).toEqual([status, "GET, HEAD, OPTIONS"]);
        expect(answer.headers["access-control-allow-origin"]).toBe("*");
        expect(answer.headers["content-type"]).not.toBe("text/x-chart");
      }
      expect((await served.ask(method, "/b.json")).headers).not.toHaveProperty("access-control-allow-origin");
    }
    // A change counts although nobody asks for a file
    place.write("_headers", "/b*\n  X-New: yes", null);
    await expect
      .poll(async () => (await served.ask("POST", "/b.json")).headers["x-new"], { timeout: 5000 })
      .toBe("yes");
  });

  it("say of a redirect and of a list how long they are kept, as of a file", async () => {
    await using place = new StaticSite({ "_headers": "/*\n  Cache-Control: max-age=60", "docs/a.txt": "a" });
    const served = await place.serve({ rules: true, listing: true });
    for (const [path, status] of [
      ["/docs", 301],
      ["/docs/", 200],
    ] as const) {
      const answer = await served.ask("GET", path);
      expect([answer.status, answer.headers["cache-control"]]).toEqual([status, "max-age=60"]);
    }
  });

  it("are on refusals of a file that is there: 406, 412 and 416", async () => {
    await using place = new StaticSite({
      "_headers": "/*\n  Access-Control-Allow-Origin: *\n  Content-Type: text/x-chart\n  Cache-Control: max-age=60",
      "a.bin": "octets",
      "a.html": "<p>".repeat(2000),
    });
    const served = await place.serve({ rules: true, headers: { "X-All": "yes", "Vary": "origin" } });
    // The second time from the cache
    for (const time of ["first", "second"]) {
      for (const [path, name, value, status] of [
        ["/a.html", "accept-encoding", "*;q=0", 406],
        ["/a.bin", "if-match", '"other"', 412],
        ["/a.bin", "range", "bytes=100-", 416],
      ] as const) {
        const { headers, status: got } = await served.get(path, { [name]: value });
        expect([time, got]).toEqual([time, status]);
        expect([headers["x-all"], headers["access-control-allow-origin"]]).toEqual(["yes", "*"]);
        expect(headers["content-type"]).not.toBe("text/x-chart");
        expect(headers).toMatchObject({ "cache-control": "no-cache" });
        expect(headers.vary).toMatch(/^accept\b.*\borigin$/);
      }
    }
  });

  it("do not say for how long an error is kept: a missing script would be missing for a year", async () => {
    const long = "public, max-age=31536000, immutable";
    await using place = new StaticSite({
      "_headers":
        `/assets/*\n  Cache-Control: ${long}\n  CDN-Cache-Control: max-age=60\n  Expires: Thu, 01 Jan 2099 00:00:00 GMT\n  X-All: yes` +
        "\n/private/*\n  Cache-Control: no-store\n  Expires: Thu, 01 Jan 2099 00:00:00 GMT",
      "assets/a.js": "a",
    });
    const served = await place.serve({ rules: true });
    expect((await served.get("/assets/a.js")).headers["cache-control"]).toBe(long);
    for (const [method, path, status] of [
      ["GET", "/assets/missing.js", 404],
      ["HEAD", "/assets/missing.js", 404],
      ["GET", "/assets/.hidden", 404],
      ["POST", "/assets/a.js", 405],
    ] as const) {
      const answer = await served.ask(method, path);
      const { "cache-control": kept, "x-all": all } = answer.headers;
      expect([answer.status, kept, all]).toEqual([status, "no-cache", "yes"]);
      expect(answer.headers).not.toHaveProperty("cdn-cache-control");
      expect(answer.headers).not.toHaveProperty("expires");
    }
    expect((await served.get("/private/a")).headers["cache-control"]).toMatch(/^no-store\b/);
    // The folder's own page says the same as ours
    place.write("404.html", "missing");
    for (const [path, kept] of [
      ["/assets/missing.js", "no-cache"],
      ["/none", "no-cache"],
      ["/private/a", "no-store"],
    ] as const) {
      const { status, headers, body } = await served.get(path);
      expect([status, body.toString()]).toEqual([404, "missing"]);
      expect(headers["cache-control"]?.split(", ")[0]).toBe(kept);
      expect(headers).not.toHaveProperty("cdn-cache-control");
      expect(headers).not.toHaveProperty("expires");
    }
    const kept = await place.serve({ headers: { "Cache-Control": long } });
    expect((await kept.get("/none")).headers["cache-control"]).toBe("no-cache");
    expect((await kept.get("/assets/a.js")).headers["cache-control"]).toBe(long);
  });

  it("say no more of an error's page of the folder's own than of the built-in one", async () => {
    const fields = `CDN-Cache-Control: max-age=60\n  Surrogate-Control: max-age=60\n  Expires: Thu, 01 Jan 2099 00:00:00 GMT`;
    await using place = new StaticSite({
      "_headers": `/assets/*\n  Cache-Control: public, max-age=31536000\n  ${fields}\n  X-All: yes\n/private/*\n  Cache-Control: private, no-store`,
      "404.html": "nothing",
    });
    const served = await place.serve({ rules: true });
    for (const accept of ["text/html", "application/json"]) {
      for (const path of ["/assets/missing.js", "/assets/.hidden"]) {
        const { status, headers } = await served.get(path, { accept });
        expect([status, headers["cache-control"], headers["x-all"]]).toEqual([404, "no-cache", "yes"]);
        for (const name of ["cdn-cache-control", "surrogate-control", "expires"])
          expect(headers).not.toHaveProperty(name);
      }
      expect((await served.get("/private/a", { accept })).headers["cache-control"]).toBe("private, no-store");
      expect((await served.get("/other", { accept })).headers["cache-control"] ?? "no-cache").toBe("no-cache");
    }
  });
});
