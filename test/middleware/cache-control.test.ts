import { describe, expect, it } from "vitest";
import { HttpError } from "../../src/http/errors.ts";
import { cacheControl, type CacheControlOptions } from "../../src/middleware/cache-control.ts";
import { Response } from "../../src/web/response.ts";
import { ask, refused } from "./support/ask.ts";

async function said(options: CacheControlOptions, target = "/", method = "GET", status = 200): Promise<string | null> {
  const response = await ask(cacheControl(options), () => new Response(null, { status }), { target, method });
  return response.headers.get("cache-control");
}

describe("cache-control", () => {
  it.each<[CacheControlOptions, string, string]>([
    [{}, "/", "no-cache"],
    [{}, "/assets/app.3f2a9c1b.js?v=1", "max-age=31536000, immutable"],
    [{ reuse: "10 minutes" }, "/app.3f2a9c1b.js", "max-age=600"],
    [{ reuse: 60 }, "/", "max-age=60"],
    [{ reuse: 0 }, "/", "no-cache"],
    [{ reuse: "off" }, "/", "no-store"],
    [{ reuse: "1h", isPrivate: true }, "/", "private, max-age=3600"],
    [{ reuse: "off", isPrivate: true }, "/", "no-store"],
  ])("%j for %s is %s", async (options, target, value) => {
    expect(await said(options, target)).toBe(value);
  });

  it.each([
    ["POST", 200, null],
    ["GET", 500, null],
    ["GET", 404, null],
    ["GET", 302, null],
    ["GET", 304, "max-age=60"],
    ["HEAD", 200, "max-age=60"],
    ["GET", 308, "max-age=60"],
  ])("of %s with %i is %s", async (method, status, value) => {
    expect(await said({ reuse: 60 }, "/", method, status)).toBe(value);
  });

  it("says off of everything, errors too", async () => {
    expect(await said({ reuse: "off" }, "/", "POST", 500)).toBe("no-store");
    const fields = await refused(cacheControl({ reuse: "off" }), new HttpError(403));
    expect(fields["cache-control"]).toBe("no-store");
  });

  it("leaves alone what the handler says itself", async () => {
    const make = async (): Promise<Response> => new Response(null, { headers: { "Cache-Control": "max-age=1" } });
    expect((await ask(cacheControl({ reuse: 60 }), make)).headers.get("cache-control")).toBe("max-age=1");
  });

  it.each([{ reuse: "soon" }, { reuse: -1 }, { reuse: 1.5 }, { resue: 3 }, { isPrivate: "yes" }])(
    "refuses %j",
    (options) => {
      expect(() => cacheControl(options as CacheControlOptions)).toThrow(TypeError);
    },
  );
});
