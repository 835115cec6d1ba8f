import { describe, expect, it } from "vitest";
import { serverTiming, type ServerTimingOptions, TIMING } from "../../src/middleware/server-timing.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { arrive, ask } from "./support/ask.ts";
import { ManualTime } from "./support/manual-time.ts";

async function shown(next: Handler, options: ServerTimingOptions): Promise<string | null> {
  return (await ask(serverTiming(options), next)).headers.get("server-timing");
}

describe("server timing", () => {
  it("says what handlers measured, and the total", async () => {
    const time = new ManualTime();
    const next: Handler = async (_request, context) => {
      const timing = context.get(TIMING);
      timing.start("db", 'two "queries"');
      time.move(5);
      timing.end("db");
      time.move(1);
      timing.start("db");
      time.move(2);
      timing.end("db");
      timing.end("never begun");
      timing.add("cache", 0.12345);
      timing.start("open");
      time.move(3);
      return new Response("ok");
    };
    expect(await shown(next, { time })).toBe(
      String.raw`db;dur=7;desc="two \"queries\"", cache;dur=0.123, open;dur=3, total;dur=11`,
    );
  });

  it("says nothing to those it is not for, and costs handlers nothing", async () => {
    const next: Handler = (_request, context) => {
      context.get(TIMING).start("db");
      return new Response("ok");
    };
    expect(await shown(next, { isShown: () => false })).toBeNull();
    expect(arrive().context.get(TIMING).end("x")).toBeUndefined();
    expect(await shown(() => new Response("ok"), { total: false })).toBeNull();
  });

  it("adds to what is there, and on errors too", async () => {
    const make = (): Response => new Response(null, { headers: { "server-timing": "inner" } });
    expect(await shown(make, { time: new ManualTime() })).toBe("inner, total;dur=0");
  });

  it("refuses at the handler what cannot be sent, and is bounded", async () => {
    const wrong: Handler = (_request, context) => {
      expect(() => context.get(TIMING).start("a b")).toThrow(TypeError);
      expect(() => context.get(TIMING).start("a", "b\r\nc: d")).toThrow(TypeError);
      expect(() => context.get(TIMING).add("a", NaN)).toThrow(TypeError);
      for (let i = 0; i < 1000; i++) context.get(TIMING).add(`m${i}`, 1);
      return new Response("ok");
    };
    expect((await shown(wrong, {}))?.split(",")).toHaveLength(65);
  });

  it.each([{ isShown: true }, { totl: true }])("refuses %j", (options) => {
    expect(() => serverTiming(options as ServerTimingOptions)).toThrow(TypeError);
  });
});
