import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { accessLog } from "../../src/observe/access-log.ts";
import type { AccessLogOptions } from "../../src/observe/access-options.ts";
import { HttpError } from "../../src/http/errors.ts";
import { serve } from "../../src/server/server.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-fault-ids-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Line {
  readonly msg: string;
  readonly id?: string;
  readonly faultId?: string;
  readonly status?: number;
  readonly outcome?: string;
}

/** What a client read of one answer, and the lines in the log. */
async function logged(handler: Handler, options: AccessLogOptions = {}): Promise<{ text: string; lines: Line[] }> {
  const destination = join(folder, "access.log");
  const log = accessLog({ destination, format: "json", ...options });
  const server = await serve({ port: 0, fetch: handler, hooks: log });
  const headers = { accept: "application/json" };
  const text = await (await fetch(server.url, { headers })).text().catch(String);
  await server.close();
  await log.close();
  const lines = readFileSync(destination, "utf8").trimEnd().split("\n");
  return { text, lines: lines.map((line) => JSON.parse(line) as Line) };
}

const FAILING: Handler = () => {
  throw new Error("kaputt");
};

describe("the line of an answer that a failure of the handler was", () => {
  it.each<[string, AccessLogOptions]>([
    ["by hand", {}],
    ["as an object", { members: () => ({}) }],
  ])("has the id of the failure, written %s", async (_how, options) => {
    const { text, lines } = await logged(FAILING, options);
    const { id } = JSON.parse(text) as { id: string };
    expect(lines).toMatchObject([
      { msg: "fault", id },
      { msg: "request", status: 500, faultId: id },
    ]);
  });

  it("has it where the handler failed later", async () => {
    const { lines } = await logged(async () => {
      await Promise.resolve();
      throw new Error("later");
    });
    expect(lines[1]).toMatchObject({ msg: "request", status: 500, faultId: lines[0]?.id });
  });

  it("has the id that the client was told where the answer to the failure failed as well", async () => {
    const { text, lines } = await logged(() => {
      throw new HttpError(500, "first", { headers: { "no name": "x" } });
    });
    const { id } = JSON.parse(text) as { id: string };
    expect(lines.map(({ msg }) => msg)).toEqual(["fault", "fault", "request"]);
    expect(lines[2]).toMatchObject({ faultId: id });
  });

  it("has it where the handler had begun to answer", async () => {
    const { lines } = await logged((_request, { exchange }) => {
      exchange.inform(103, ["link", "</a.css>; rel=preload"]);
      throw new Error("behind early hints");
    });
    expect(lines[1]).toMatchObject({ msg: "request", faultId: lines[0]?.id });
  });

  describe("whose content broke off midway", () => {
    /** Its first piece is out before the rest fails. */
    const brokenBy = (fail: () => unknown, declared: Record<string, string> = {}): Handler => {
      const encoder = new TextEncoder();
      async function* pieces(): AsyncGenerator<Uint8Array> {
        yield encoder.encode("begun ");
        await new Promise((resolve) => setImmediate(resolve));
        yield fail() as Uint8Array;
      }
      return () => new Response(ReadableStream.from(pieces()), { headers: declared });
    };
    const failing = brokenBy(() => {
      throw new Error("midway");
    });
    const platform: Handler = (request, context) => {
      const response = failing(request, context) as globalThis.Response;
      return new globalThis.Response(response.body);
    };

    it.each<[string, Handler, AccessLogOptions]>([
      ["its stream failed", failing, {}],
      ["its stream failed, written as an object", failing, { members: () => ({}) }],
      ["the stream of the platform's own response failed", platform, {}],
      [
        "the handler stopped it, or its upstream",
        brokenBy(() => {
          throw new DOMException("stopped", "AbortError");
        }),
        {},
      ],
      [
        "its stream answered a second time",
        (request, context) => {
          const again = (): unknown => context.exchange.respond({ status: 200, reason: "", fields: [] }, null);
          return brokenBy(again)(request, context);
        },
        {},
      ],
      ["its stream gave no octets", brokenBy(() => "text"), {}],
      ["it was longer than declared", brokenBy(() => new Uint8Array(9), { "content-length": "7" }), {}],
      ["it was shorter than declared", brokenBy(() => new Uint8Array(1), { "content-length": "9" }), {}],
      ["it is below a prefix", new App().mount("/", failing).fetch, {}],
      [
        "its file has become shorter",
        () => {
          const fd = openSync(import.meta.filename, "r");
          const length = fstatSync(fd).size + 1;
          return new Response({ fd, start: 0, length, release: () => closeSync(fd) });
        },
        {},
      ],
    ])("has it where %s", async (_what, handler, options) => {
      const { lines } = await logged(handler, options);
      expect(lines).toMatchObject([
        { msg: "fault", id: expect.stringMatching(/./) as string },
        { msg: "request", status: 200, outcome: "broken", faultId: lines[0]?.id },
      ]);
    });
  });

  it("has none where nothing failed", async () => {
    const { lines } = await logged(() => new Response("sorry", { status: 503 }));
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toHaveProperty("faultId");
  });
});
