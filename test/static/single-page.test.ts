/** The page of a single-page app over a server: how long it is kept, wherever it is answered. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StaticOptions } from "../../src/static/serve-static.ts";
import { Request } from "../../src/web/request.ts";
import { StaticSite } from "./support/static-site.ts";

let site: StaticSite;

beforeAll(() => {
  site = new StaticSite({
    "index.html": "<title>App</title>",
    "200.html": "<title>Other</title>",
    "about.html": "<title>About</title>",
    "docs/index.html": "<title>Docs</title>",
    "logo.svg": "<svg/>",
  });
});

afterAll(() => site[Symbol.asyncDispose]());

/** What an answer to a browser says of its reuse. */
async function kept(options: StaticOptions, path: string): Promise<unknown> {
  const served = await site.serve(options);
  const { status, headers } = await served.get(path, { accept: "text/html,*/*;q=0.8" });
  return status === 200 ? (headers["cache-control"] ?? "") : status;
}

const YEAR = 31_536_000;

describe("the page of a single-page app, where files are kept for a year", () => {
  // It names the scripts of its build: one that is kept asks for what a deployment has taken away
  it.each(["/", "/index.html", "/boats/7"])("is asked for anew each time: %s", async (path) => {
    expect(await kept({ spa: true, cacheControl: YEAR }, path)).toBe("no-cache");
  });

  it.each(["/about.html", "/docs/", "/logo.svg"])("is not what else there is: %s", async (path) => {
    expect(await kept({ spa: true, cacheControl: YEAR }, path)).toBe(`max-age=${YEAR}`);
  });

  it.each<[StaticOptions, string, string]>([
    [{ spa: "200.html" }, "/boats/7", "no-cache"],
    [{ spa: "200.html" }, "/200.html", "no-cache"],
    [{ spa: "/200.html" }, "/", `max-age=${YEAR}`],
    [{ spa: false }, "/", `max-age=${YEAR}`],
    [{ spa: "docs/index.html" }, "/docs/", "no-cache"],
    [{ spa: true, prefix: "/app" }, "/app/boats/7", "no-cache"],
    [{ spa: true, prefix: "/app" }, "/app/", "no-cache"],
  ])("with %j %s is %s", async (options, path, value) => {
    expect(await kept({ ...options, cacheControl: YEAR }, path)).toBe(value);
  });

  it.each<[StaticOptions, string]>([
    [{ headers: { "cache-control": "max-age=60" } }, "max-age=60"],
    [{ cacheControl: () => "max-age=61" }, "max-age=61"],
    [{ cacheControl: "off" }, "no-store"],
    [{ cacheControl: "auto" }, "no-cache"],
  ])("is kept as %j says", async (options, value) => {
    expect(await kept({ spa: true, cacheControl: YEAR, ...options }, "/boats/7")).toBe(value);
  });

  it("is told of by explain", async () => {
    const { handler } = await site.serve({ spa: true, cacheControl: YEAR });
    const { fields } = await handler.explain(new Request("http://a.example/", { headers: { accept: "text/html" } }));
    const field = fields.find(({ name }) => name.toLowerCase() === "cache-control");
    expect(field).toMatchObject({ value: "no-cache", origin: expect.stringContaining("option spa") as string });
  });
});
