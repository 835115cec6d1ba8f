/**
 * Open redirects: wherever a Location is made of what a client sent, it leads to this very site as a browser reads it, where two
 * slashes, a backslash or a tab make another host of it (URL standard; RFC 3986 §4.2).
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { serve } from "../../src/app/serve.ts";
import { trailingSlash } from "../../src/middleware/index.ts";
import { isLocalPath, redirect } from "../../src/replies/index.ts";
import type { Server } from "../../src/server/server.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { Response } from "../../src/web/response.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { getAll } from "./support/asked.ts";

const ok = (): Response => new Response("ok");
const servers = new Map<string, Server>();
let site: StaticSite;

beforeAll(async () => {
  site = new StaticSite({
    "evil.example/index.html": "a",
    "evil.example.html": "a",
    "sub/evil.example/a.txt": "a",
    "_redirects": [
      "/go/* /:splat 302",
      "/deep/* /x/:splat/y 302",
      "/front/* /:splat/y 302",
      "/one/:a /:a 302",
      "/two/:a/:b /:a/:b 302",
      "/query q=:q /:q 302",
      "/part/:a /:a.example/ 302",
      "/host/* https://site.example/:splat 302",
    ].join("\n"),
  });
  mkdirSync(join(site.www, "@evil.example"));
  const options = { port: 0, hooks: { onFault: () => {} } };
  const start = async (name: string, fetch: Parameters<typeof serve>[0]["fetch"]): Promise<void> => {
    servers.set(name, await serve({ ...options, fetch: fetch as never }));
  };
  await start("folder with rules", serveStatic(site.www, { rules: true, cleanUrls: true, listing: true }));
  await start("folder", serveStatic(site.www, { cleanUrls: true, listing: true }));
  await start(
    "mounted folder",
    new App().mount("/docs", serveStatic(site.www, { cleanUrls: true, prefix: "/docs" })).fetch,
  );
  await start(
    "redirecting app",
    new App({ trailingSlash: "redirect" }).get("/:a/", ok).get("/:a/:b", ok).get("/:a/:b/:c/", ok).fetch,
  );
  await start("slashes added", new App().use(trailingSlash({ mode: "add", when: "always" })).get("/*", ok).fetch);
  await start("slashes removed", new App().use(trailingSlash({ mode: "remove", when: "always" })).get("/*", ok).fetch);
  await start(
    "login",
    new App().get("/login", (request) => {
      const next = new URL(request.url).searchParams.get("next");
      return redirect(isLocalPath(next) ? next : "/");
    }).fetch,
  );
  await start(
    "trusting login",
    new App().get("/login", (request) => redirect(new URL(request.url).searchParams.get("next") ?? "/")).fetch,
  );
});

afterAll(async () => {
  for (const server of servers.values()) server.closeNow();
  await site[Symbol.asyncDispose]();
});

/** Ways to write another host so that a careless eye takes it for a path. */
const OTHERS = [
  "//evil.example",
  "///evil.example",
  "////evil.example",
  "/%2fevil.example",
  "/%2Fevil.example",
  "/%5cevil.example",
  "/%09/evil.example",
  "/%0a/evil.example",
  "/%0d%0a/evil.example",
  "/%20/evil.example",
  "/./evil.example",
  "/.//evil.example",
  "/%2e//evil.example",
  "/%2e/evil.example",
  "/%2e%2e//evil.example",
  "/..//evil.example",
  "//evil.example/..",
  "//evil.example/%2e%2e",
  "//evil.example%2f..",
  "/@evil.example",
  "//site.example@evil.example",
  "//site.example:80@evil.example",
  "/;@evil.example",
  "/https:evil.example",
  "/https:/evil.example",
  "/https://evil.example",
  "/javascript:alert(1)",
  "/data:text/html,a",
  "/%ef%bc%8fevil.example",
  "/%e3%80%82/evil.example",
  "/%00/evil.example",
];

/** Where a browser goes. */
function destinationOf(location: string, target: string): string {
  return new URL(location, new URL(target, "http://site.example/")).origin;
}

const ENDS = ["", "/", "/x/", "?a=//evil.example", "/%2e%2e"];
const PREFIXES: Readonly<Record<string, readonly string[]>> = {
  "folder with rules": ["", "/go", "/deep", "/front", "/one", "/two", "/two/a", "/part", "/host", "/query?q="],
  "folder": ["", "/sub"],
  "mounted folder": ["", "/docs", "/docs/sub"],
  "redirecting app": ["", "/a"],
  "slashes added": [""],
  "slashes removed": [""],
  "login": ["/login?next="],
  "trusting login": ["/login?next="],
};

describe("a redirect stays on this site", () => {
  it.each(Object.entries(PREFIXES))("in %s", async (name, prefixes) => {
    const { port } = servers.get(name) as Server;
    const targets = prefixes.flatMap((before) => OTHERS.flatMap((other) => ENDS.map((end) => before + other + end)));
    const answers = await getAll(port, targets);
    const redirects = answers.flatMap(({ fields, faults }, index) => {
      const location = fields["location"];
      const target = targets[index] as string;
      return location === undefined ? faults : [`${destinationOf(location, target)} ${target}`];
    });
    expect(redirects.filter((line) => !/^https?:\/\/site\.example /.test(line))).toEqual([]);
    expect(redirects.length).toBeGreaterThan(0);
  });
});
