import { describe, expect, it } from "vitest";
import { bodyLimit, type BodyLimitOptions } from "../../src/middleware/body-limit.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { serve } from "../../src/server/server.ts";
import { MemoryContent } from "../web/support/memory-exchange.ts";
import { arrive, ask } from "./support/ask.ts";

const ok: Handler = () => new Response("ok");

describe("a limit of content", () => {
  it.each([
    [10, "0123456789", true],
    [10, "01234567890", false],
    [0, "0", false],
  ])("of %i octets lets %j in: %s", async (maxBytes, content, isIn) => {
    const asked = ask(bodyLimit({ maxBytes }), ok, { method: "POST", content });
    if (isIn) expect((await asked).status).toBe(200);
    else
      await expect(asked).rejects.toMatchObject({
        status: 413,
        message: `the content has ${content.length} octets, ${maxBytes} are taken here`,
      });
  });

  it("is left to the wire where nobody said how much comes", () => {
    const { request, context, exchange } = arrive({ method: "POST", body: new MemoryContent(null) });
    void bodyLimit({ maxBytes: 10 })(request, context, ok);
    expect(exchange.content.maxBytes).toBe(10);
  });

  it("is never raised, and means nothing without content", () => {
    const { request, context, exchange } = arrive({ method: "POST", body: new MemoryContent(null) });
    void bodyLimit({ maxBytes: 10 })(request, context, () => bodyLimit({ maxBytes: 20 })(request, context, ok));
    expect(exchange.content.maxBytes).toBe(10);
    const empty = arrive();
    const before = empty.exchange.content.maxBytes;
    void bodyLimit({ maxBytes: 0 })(empty.request, empty.context, ok);
    expect(empty.exchange.content.maxBytes).toBe(before);
  });

  it("is kept on a true connection, whether the length is declared or not", async () => {
    const limit = bodyLimit({ maxBytes: 10 });
    const read: Handler = async (request) => new Response(await request.text());
    await using server = await serve({ port: 0, fetch: (request, context) => limit(request, context, read) });
    const post = (body: string | ReadableStream): Promise<globalThis.Response> =>
      fetch(server.url, { method: "POST", body, duplex: "half" });
    expect(await (await post("0123456789")).text()).toBe("0123456789");
    expect((await post("01234567890")).status).toBe(413);
    expect((await post(new Blob(["0123456789", "0"]).stream())).status).toBe(413);
  });

  it.each([{}, { maxBytes: -1 }, { maxBytes: "10" }, { maxByte: 3 }])("refuses %j", (options) => {
    expect(() => bodyLimit(options as BodyLimitOptions)).toThrow(TypeError);
  });
});
