/** The examples that bring handlers of other kinds: in threads, and of other frameworks. Each asked over a real socket. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunningExample } from "./running-example.ts";

let example: RunningExample;

/** Starts an example for a block of tests, which must leave it running. */
function running(name: string): void {
  beforeAll(async () => {
    example = await RunningExample.start(name);
  });
  afterAll(async () => {
    expect(await example.end()).toBe(0);
    expect(example.errors).toBe("");
  });
}

describe("thread-pool.ts", () => {
  running("thread-pool.ts");

  it("answers others while all threads work, and turns away who would wait behind five", async () => {
    const order: string[] = [];
    const ask = async (path: string): Promise<globalThis.Response> => {
      const response = await example.fetch(path);
      await response.clone().text();
      order.push(`${path.split("?")[0]} ${response.status}`);
      return response;
    };
    const slow = Array.from({ length: 9 }, () => ask("/slow?ms=600"));
    const refused = await Promise.race(slow);
    expect([refused.status, Number(refused.headers.get("retry-after"))]).toEqual([503, expect.any(Number)]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    await ask("/quick");
    expect(await (await ask("/pool")).json()).toMatchObject({ threads: 3, running: 3, queued: 5, refused: 1 });
    const statuses = (await Promise.all(slow)).map(({ status }) => status);
    expect([statuses.filter((status) => status === 200).length, statuses.includes(503)]).toEqual([8, true]);
    // Quick ones overtook all that were let in
    expect(order.slice(0, 3)).toEqual(["/slow 503", "/quick 200", "/pool 200"]);
  });

  it("finds a prime, and refuses a time that is none", async () => {
    expect(await (await example.fetch("/slow?ms=1")).text()).toMatch(/^The largest prime that I found is \d+\.\n$/);
    for (const ms of ["x", "-1", "1e9"]) expect((await example.fetch(`/slow?ms=${ms}`)).status).toBe(400);
  });
});

describe.each([
  ["hono.ts", "Hono", "text/plain"],
  ["express.ts", "Express", "text/html"],
])("%s", (name, framework, type) => {
  running(name);

  it("routes as it always did", async () => {
    const hello = await example.fetch("/");
    expect([hello.status, await hello.text()]).toEqual([200, `Hello from ${framework}!\n`]);
    expect(hello.headers.get("content-type")?.toLowerCase()).toMatch(new RegExp(`^${type}; ?charset=utf-8$`));
    expect(await (await example.fetch("/users/a%20b?tab=1")).json()).toEqual({ id: "a b", query: { tab: "1" } });
    expect((await example.fetch("/none")).status).toBe(404);
  });

  it("takes JSON, and says when it is none", async () => {
    const post = (body: string): Promise<globalThis.Response> =>
      example.fetch("/book", { method: "POST", headers: { "content-type": "application/json" }, body });
    const made = await post('{"title":"Emma"}');
    expect([made.status, await made.json()]).toEqual([201, { title: "Emma", id: 1 }]);
    expect((await post('{"title":')).status).toBe(400);
  });
});
