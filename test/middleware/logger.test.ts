import { describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { HttpError, ProtocolError } from "../../src/http/errors.ts";
import { logger, type LoggerOptions } from "../../src/middleware/logger.ts";
import { requestId } from "../../src/middleware/request-id.ts";
import { JsonSyntaxError } from "../../src/web/json.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { arrive, type AskOptions } from "./support/ask.ts";
import { ManualTime } from "./support/manual-time.ts";

interface Line {
  readonly level: string;
  readonly record: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** The lines of one request, and what became of it. */
async function lines(next: Handler, asked: AskOptions = {}, options: Partial<LoggerOptions> = {}): Promise<Line[]> {
  const written: Line[] = [];
  const at =
    (level: string) =>
    (record: object, message: string): void =>
      void written.push({ level, record: record as Line["record"], message });
  const time = new ManualTime();
  const { request, context } = arrive(asked);
  const middleware = logger({ logger: { info: at("info"), warn: at("warn"), error: at("error") }, time, ...options });
  const late: Handler = async (...given) => {
    time.move(12);
    return next(...given);
  };
  await Promise.resolve(middleware(request, context, late)).catch(() => {});
  return written;
}

/** An app below, whose onError fails. */
function failingWith(error: Error): Handler {
  const app = new App()
    .onError(() => {
      throw new TypeError("a mistake");
    })
    .get("/*path", () => {
      throw error;
    });
  return new App().mount("/", app).fetch;
}

describe("a line", () => {
  it("says who asked for what, and what came of it", async () => {
    const [line] = await lines(() => new Response("ok"), { target: "/a/b?token=secret", remoteAddress: "203.0.113.9" });
    expect(line).toEqual({
      level: "info",
      record: { method: "GET", path: "/a/b", status: 200, durationMs: 12, remoteAddress: "203.0.113.9" },
      message: "GET /a/b 200 12 ms",
    });
  });

  it.each<[number, string, Handler]>([
    [204, "info", () => new Response(null, { status: 204 })],
    // What the server makes of no answer
    [500, "error", () => undefined],
    [500, "error", (() => ({ a: 1 })) as unknown as Handler],
    [404, "warn", () => new Response(null, { status: 404 })],
    [
      403,
      "warn",
      () => {
        throw new HttpError(403);
      },
    ],
    [
      413,
      "warn",
      () => {
        throw new ProtocolError("ERR_CONTENT_TOO_LARGE");
      },
    ],
    [
      503,
      "error",
      () => {
        throw new HttpError(503);
      },
    ],
    [
      500,
      "error",
      () => {
        throw new Error("broken");
      },
    ],
    [500, "error", () => Promise.reject(new Error("broken"))],
    // An HTTP client's, whose status is that of somebody else's answer
    [500, "error", () => Promise.reject(Object.assign(new Error("upstream"), { status: 404 }))],
    [400, "warn", () => Promise.reject(new JsonSyntaxError("", 0))],
    // An app's onError has failed, and the server answers the first error
    [404, "warn", failingWith(new HttpError(404))],
    [500, "error", failingWith(new Error("broken"))],
  ])("of %i has level %s", async (status, level, next) => {
    const written = await lines(next);
    expect(written.map((line) => [line.record["status"], line.level])).toEqual([[status, level]]);
    expect(written[0]?.record["err"] !== undefined).toBe(status >= 500);
  });

  it("has the query, a name and more where that is wanted", async () => {
    const options = { query: true, fields: () => ({ user: "ada" }) };
    const named: Handler = (request, context) =>
      requestId({ generate: () => "n-1" })(request, context, () => new Response("ok"));
    const [line] = await lines(named, { target: "/a?b=c" }, options);
    expect(line?.record).toMatchObject({ path: "/a?b=c", user: "ada", requestId: "n-1" });
  });

  it.each([
    ["/a\u001b[2Jb", String.raw`/a\u{1b}[2Jb`],
    ["/a\nGET /b 200", String.raw`/a\u{a}GET /b 200`],
    ["/a\u202eb", String.raw`/a\u{202e}b`],
    ["/a\\u{a}b", String.raw`/a\u{5c}u{a}b`],
    ["/\ud800", String.raw`/\u{d800}`],
  ])("of %j cannot be taken for another", async (target, path) => {
    const [line] = await lines(() => new Response("ok"), { target });
    expect([line?.record["path"], line?.message]).toEqual([path, `GET ${path} 200 12 ms`]);
  });

  it("has an end", async () => {
    const [line] = await lines(() => new Response("ok"), { target: `/${"a".repeat(10_000)}` });
    expect(line?.message.length).toBeLessThan(2100);
  });
});

describe("a logger", () => {
  it("that throws changes no answer", async () => {
    const { request, context } = arrive();
    const fail = (): never => {
      throw new Error("disk full");
    };
    const response = new Response("ok");
    expect(logger({ logger: { info: fail, warn: fail, error: fail } })(request, context, () => response)).toBe(
      response,
    );
  });

  it.each([{}, { logger: () => {} }, { logger: { info: () => {} } }, { loger: {} }])("is not %j", (options) => {
    expect(() => logger(options as LoggerOptions)).toThrow(TypeError);
  });
});
