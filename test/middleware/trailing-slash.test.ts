import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HttpError } from "../../src/http/errors.ts";
import { trailingSlash, type TrailingSlashOptions } from "../../src/middleware/trailing-slash.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { ask } from "./support/ask.ts";

const missing: Handler = () => new Response("nothing", { status: 404 });

async function led(options: TrailingSlashOptions, target: string, next = missing, method = "GET"): Promise<string> {
  const response = await ask(trailingSlash(options), next, { target, method });
  return response.status === 308 ? (response.headers.get("location") ?? "") : String(response.status);
}

describe("a trailing slash", () => {
  it.each<[TrailingSlashOptions, string, string]>([
    [{}, "/about/", "/about"],
    [{}, "/a/b/?q=1/", "/a/b?q=1/"],
    [{}, "/about//", "/about"],
    [{}, "/about", "404"],
    [{}, "/", "404"],
    [{}, "//", "404"],
    [{}, "//evil.example/", "404"],
    [{}, "/\\evil.example/", "404"],
    [{}, "*", "404"],
    [{}, "http://evil.example/", "404"],
    [{ mode: "add" }, "/about", "/about/"],
    [{ mode: "add" }, "/about?q", "/about/?q"],
    [{ mode: "add" }, "/v1.2/about", "/v1.2/about/"],
    [{ mode: "add" }, "/app.js", "404"],
    [{ mode: "add" }, "/", "404"],
    [{ mode: "add" }, "//evil.example", "404"],
  ])("%j: %s leads to %s", async (options, target, location) => {
    expect(await led(options, target)).toBe(location);
  });

  it("of what is there is left alone, unless the option says always", async () => {
    const there: Handler = () => new Response("ok");
    expect(await led({}, "/about/", there)).toBe("200");
    expect(await led({ when: "always" }, "/about/", there)).toBe("/about");
  });

  it.each<[string, Handler]>([
    ["later", async () => new Response(null, { status: 404 })],
    [
      "thrown",
      () => {
        throw new HttpError(404);
      },
    ],
    [
      "rejected",
      async () => {
        throw new HttpError(404);
      },
    ],
  ])("is seen when 404 comes %s", async (_how, next) => {
    expect(await led({}, "/about/", next)).toBe("/about");
  });

  it("of other methods, and other errors, are no business of it", async () => {
    expect(await led({}, "/about/", missing, "POST")).toBe("404");
    const broken = new Error("broken");
    await expect(led({}, "/about/", () => Promise.reject(broken))).rejects.toBe(broken);
    await expect(
      led({}, "/about/", () => {
        throw broken;
      }),
    ).rejects.toBe(broken);
  });

  it("lets go of the answer that it replaces", async () => {
    let isCancelled = false;
    const next: Handler = () =>
      new Response(new ReadableStream({ cancel: () => void (isCancelled = true) }), { status: 404 });
    await led({}, "/about/", next);
    expect(isCancelled).toBe(true);
  });

  it("never leads to another host", async () => {
    const target = fc.array(fc.constantFrom("/", "\\", "a", ".", "?", "evil.example", "@", ":"), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(target, fc.constantFrom("add" as const, "remove" as const), async (parts, mode) => {
        const location = await led({ mode, when: "always" }, `/${parts.join("")}`);
        expect(new URL(location.startsWith("/") ? location : "/", "http://a.example").host).toBe("a.example");
      }),
      { seed: 3, numRuns: 500 },
    );
  });

  it("is checked", () => {
    expect(() => trailingSlash({ mode: "both", wen: "always" } as object)).toThrow(/mode: "both"[^]*wen: [^]*when\?/);
  });
});
