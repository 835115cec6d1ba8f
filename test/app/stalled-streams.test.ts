/** A stream of Node that has no more to say for now ends with the peer, and its connection or file with it. */
import { once } from "node:events";
import { connect } from "node:net";
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "../../src/app/serve.ts";
import type { Server } from "../../src/server/server.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";

const faults: string[] = [];
let source = new PassThrough();
let server: Server;

/** As node-fetch gives it. */
function foreignResponse(body: PassThrough): globalThis.Response {
  const [status, statusText, headers] = [200, "", new Headers()];
  return { status, statusText, headers, body, bodyUsed: false, [Symbol.toStringTag]: "Response" } as never;
}

const WAYS: Readonly<Record<string, Handler>> = {
  "/body": () => new Response(source),
  "/foreign": () => foreignResponse(source),
  "/exchange": (_request, context) => {
    void Promise.resolve(context.exchange.respond({ status: 200, reason: "", fields: [] }, source)).catch(() => {});
    return undefined;
  },
};

beforeAll(async () => {
  const onFault = ({ error }: { error: unknown }): void => void faults.push((error as Error).message);
  server = await serve({ port: 0, routes: WAYS, hooks: { onFault } });
});
afterAll(() => server.close());

describe("a stream of Node that is stalled", () => {
  it.each(Object.keys(WAYS).flatMap((path) => [`GET ${path}`, `HEAD ${path}`]))(
    "is destroyed when nobody wants the rest: %s",
    async (line) => {
      source = new PassThrough();
      source.write("begun");
      const closed = once(source, "close");
      const client = connect(server.port, "127.0.0.1");
      client.write(`${line} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await once(client, "data");
      client.resetAndDestroy();
      await closed;
      expect([source.destroyed, faults]).toEqual([true, []]);
    },
  );

  describe.each(Object.keys(WAYS))("whose destroy() fails is nobody's fault: %s", (path) => {
    it.each<[string, () => unknown]>([
      ["at once", () => raise()],
      ["later", () => Promise.reject(new Error("cannot be let go"))],
    ])("%s", async (_when, fail) => {
      const rejections: unknown[] = [];
      const note = (reason: unknown): void => void rejections.push(reason);
      process.on("unhandledRejection", note);
      try {
        source = new PassThrough();
        source.write("begun");
        const asked = new Promise<void>((resolve) => {
          const destroy = (): unknown => {
            resolve();
            return fail();
          };
          Object.assign(source, { destroy });
        });
        const client = connect(server.port, "127.0.0.1");
        client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
        await once(client, "data");
        client.resetAndDestroy();
        await asked;
        // Node tells of rejections when the turn is over
        await setImmediate();
        expect([rejections, faults]).toEqual([[], []]);
      } finally {
        process.off("unhandledRejection", note);
      }
    });
  });
});

function raise(): never {
  throw new Error("cannot be let go");
}
