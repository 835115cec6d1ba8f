/** A handler that returns something else than a Response is told so, whatever middleware is around it. */
import { describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import {
  bodyLimit,
  cacheControl,
  compress,
  cors,
  etag,
  logger,
  rateLimit,
  requestId,
  responseHeaders,
  securityHeaders,
  serverTiming,
  timeout,
  trailingSlash,
} from "../../src/middleware/index.ts";
import { request } from "../../src/testing/index.ts";
import type { Middleware } from "../../src/web/handler.ts";

const AROUND: Readonly<Record<string, () => Middleware>> = {
  bodyLimit: () => bodyLimit({ maxBytes: 1 }),
  cacheControl: () => cacheControl({ reuse: "off" }),
  compress,
  cors,
  etag,
  logger: () => logger({ logger: { info: () => {}, warn: () => {}, error: () => {} } }),
  rateLimit: () => rateLimit({ limit: 100 }),
  requestId,
  responseHeaders: () => responseHeaders({ "x-a": "b" }),
  securityHeaders,
  serverTiming,
  timeout: () => timeout({ ms: 1000 }),
  trailingSlash,
};

const VALUES: readonly (readonly [unknown, string])[] = [
  ["text", "it returned a string: new Response() makes an answer of it"],
  [{ status: 200, title: "Emma" }, "it returned an object that is no Response: Response.json() makes an answer of it"],
  [[1, 2], "it returned an object that is no Response: Response.json() makes an answer of it"],
  [null, "it returned null"],
  [404, "it returned a number"],
];

describe.each(Object.entries(AROUND))("inside of %s", (_name, make) => {
  it.each(VALUES)("%j is no answer, and is said to be none", async (value, message) => {
    for (const handler of [() => value, async () => value]) {
      const app = new App().use(make()).get("/", handler as never);
      const response = await request(app, "/", { headers: { "accept-encoding": "gzip" } });
      expect(response.status).toBe(500);
      expect(response.faults).toHaveLength(1);
      const error: unknown = response.faults[0]?.error;
      expect(error).toMatchObject({
        code: "ERR_RESPONSE_MISSING",
        message: expect.stringContaining(message) as string,
      });
    }
  });
});
