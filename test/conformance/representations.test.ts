/** What answers about one representation have in common, whatever the status: RFC 9110 §13.2.1, §15.3.7, §15.4.5. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { etag } from "../../src/middleware/etag.ts";
import { ranged } from "../../src/replies/ranged.ts";
import { serve, type Server } from "../../src/server/server.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { Response } from "../../src/web/response.ts";
import { NOW, OLD, StaticSite } from "./support/sites.ts";

const TEXT = "body { color: black }\n".repeat(100);
const FIELDS = { "cache-control": "max-age=60", "content-location": "/one", "expires": OLD, "vary": "accept-language" };

let server: Server;
const site = new StaticSite({ "style.css": TEXT });
beforeAll(async () => {
  const files = serveStatic(site.folder, { cacheControl: 3600, prefix: "/files" });
  const tagged = etag();
  server = await serve({
    port: 0,
    fetch: (request, context) => {
      const path = new URL(request.url).pathname;
      if (path.startsWith("/files/")) return files(request, context);
      if (path === "/ranged") {
        return ranged(request, TEXT, { etag: '"v1"', lastModified: NOW, type: "text/css", headers: FIELDS });
      }
      return tagged(request, context, () => new Response(TEXT, { headers: FIELDS }));
    },
  });
});
afterAll(async () => {
  await server.close();
  site.remove();
});

const ask = (path: string, headers: Record<string, string> = {}, method = "GET"): Promise<globalThis.Response> =>
  fetch(new URL(path, server.url), { method, headers: { "accept-encoding": "identity", ...headers } });

/** The fields that a 304 has to say again (RFC 9110 §15.4.5), as far as they are there. */
const OF_CACHES = ["cache-control", "content-location", "date", "etag", "expires", "vary"];
const picked = (response: globalThis.Response): string[] =>
  OF_CACHES.filter((name) => response.headers.has(name)).map((name) =>
    name === "date" ? name : `${name}: ${response.headers.get(name)}`,
  );

describe.each(["/files/style.css", "/ranged", "/tagged"])("%s", (path) => {
  it("has in a 304 what caches want of a 200", async () => {
    const whole = await ask(path);
    const tag = whole.headers.get("etag") ?? "";
    const same = await ask(path, { "if-none-match": tag });
    expect([whole.status, same.status]).toEqual([200, 304]);
    expect(picked(same)).toEqual(picked(whole));
    expect(await same.text()).toBe("");
  });
});

describe.each(["/files/style.css", "/ranged"])("a part of %s", (path) => {
  it.each([
    ["bytes=0-9", [["content-length", "content-range", "date"]]],
    ["bytes=0-9,20-29", [["content-length", "content-type", "date"]]],
  ])("for %s has all fields of the whole, but for what describes the part", async (range, [differing = []]) => {
    const whole = await ask(path);
    const part = await ask(path, { range });
    expect(part.status).toBe(206);
    const rest = (response: globalThis.Response): string[] =>
      [...response.headers].filter(([name]) => !differing.includes(name) && name !== "accept-ranges").map(String);
    expect(rest(part)).toEqual(rest(whole));
    // RFC 9110 §15.3.7.2: in the parts, and not in the head
    expect(part.headers.has("content-range")).toBe(!range.includes(","));
    const text = await part.text();
    expect(text.match(/^Content-Range: bytes \d+-\d+\/\d+\r$/gm)?.length ?? 0).toBe(range.includes(",") ? 2 : 0);
    expect(part.headers.get("content-length")).toBe(String(text.length));
  });
});

describe("preconditions", () => {
  it.each([
    ["GET", "/files/missing.css", 404],
    ["POST", "/files/style.css", 405],
    ["OPTIONS", "/files/style.css", 204],
  ])("do not count where the answer is another anyway: %s %s is %i", async (method, path, status) => {
    for (const field of ["if-match", "if-none-match"]) {
      expect((await ask(path, { [field]: '"nothing"' }, method)).status).toBe(status);
      expect((await ask(path, { [field]: "*" }, method)).status).toBe(status);
    }
  });

  it("are evaluated before a range is", async () => {
    expect((await ask("/ranged", { "if-none-match": '"v1"', "range": "bytes=0-9" })).status).toBe(304);
    expect((await ask("/ranged", { "if-match": '"v2"', "range": "bytes=99999-" })).status).toBe(412);
  });
});

it("a file of the future was changed now, as far as anybody is told (RFC 9110 §8.8.2.1)", async () => {
  site.write("future.css", "p{}", new Date(Date.now() + 3_600_000));
  const response = await ask("/files/future.css");
  const lastModified = Date.parse(response.headers.get("last-modified") ?? "");
  expect(lastModified).toBeLessThanOrEqual(Date.parse(response.headers.get("date") ?? ""));
});
