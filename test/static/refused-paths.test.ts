/** Paths by which nothing can be asked for: their 404 is that of whatever is missing, with the folder's page and fields. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StaticSite } from "./support/static-site.ts";
import type { Served } from "./support/static-site.ts";

/** A hidden name, one that is not there either, names that are none, a way up. */
const REFUSED = ["/.env", "/.nothing", "/docs/.git/config", "/100%", "/caf%E9", "/a%00b", "/docs/../index.html"];

describe("a path by which nothing can be asked for", () => {
  let site: StaticSite;
  let served: Served;

  beforeAll(async () => {
    site = new StaticSite({
      "404.html": "no such page",
      "docs/404.html": "no such chapter",
      ".git/404.html": "secret",
      "docs/.git/404.html": "secret",
      "docs/.git/config": "secret",
      ".env": "secret",
      "index.html": "home",
      "_headers": "/*\n  X-All: yes\n/docs/*\n  X-Docs: yes\n",
    });
    served = await site.serve({ rules: true, headers: { "x-site": "mine" } });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  it.each(REFUSED)("is answered with the root's own page: %s", async (path) => {
    // The second time it could come from the cache
    for (let i = 0; i < 2; i++) {
      const { status, body } = await served.get(path);
      expect([status, body.toString()]).toEqual([404, "no such page"]);
    }
  });

  it.each(REFUSED)("has the fields that the folder gives it: %s", async (path) => {
    const { headers } = await served.get(path);
    expect([headers["x-all"], headers["x-site"], headers["vary"]]).toEqual(["yes", "mine", "accept"]);
    expect(headers["x-docs"]).toBe(path.startsWith("/docs/") ? "yes" : undefined);
  });

  it("has problem details for programs, with the same fields", async () => {
    const { status, headers, body } = await served.get("/.env", { accept: "application/json" });
    expect([status, headers["content-type"], headers["x-all"]]).toEqual([404, "application/problem+json", "yes"]);
    expect(body.toString()).toContain("there is nothing here");
  });

  it("is no way to a page that is hidden with it", async () => {
    for (const path of ["/.git/x", "/.git/404.html", "/docs/.git/x", "/docs/.git/"])
      expect((await served.get(path)).body.toString()).toBe("no such page");
  });

  it("has no page of the folder where that was not asked for, or beside its prefix", async () => {
    const plain = await site.serve({ notFound: false });
    expect((await plain.get("/.env")).body.toString()).toMatch(/^404 Not Found/);
    const below = await site.serve({ prefix: "/docs" });
    expect((await below.get("/docs/.env")).body.toString()).toBe("no such page");
    expect((await below.get("/.env")).body.toString()).toMatch(/^404 Not Found/);
  });

  it("is no page of an app", async () => {
    const app = await site.serve({ spa: true });
    for (const path of ["/.env", "/caf%E9"]) {
      const { status, body } = await app.get(path, { accept: "text/html" });
      expect([status, body.toString()]).toEqual([404, "no such page"]);
    }
  });
});
