import { setImmediate as turn } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HandlerError } from "../../src/http/errors.ts";
import { faultText } from "../../src/server/fault-text.ts";
import { guardHooks } from "../../src/server/hooks.ts";
import { joinHooks } from "../../src/server/join-hooks.ts";
import { exchangeOf } from "../observe/support/exchanges.ts";

const THEIRS = "    at boom (file:///srv/app.js:3:4)";
const OURS = `    at #handle (${new URL("../../dist/parts/core.js", import.meta.url).href}:1:2)`;
const NODE = "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)";

function failure(message = "kaputt", members: object = {}): Error {
  const error = Object.assign(new TypeError(message), members);
  error.stack = [`TypeError: ${message}`, THEIRS, OURS, NODE].join("\n");
  return error;
}

function textOf(error: unknown): string {
  return faultText("f-1", error, exchangeOf({ method: "PUT", target: "/a?token=s3cret" }));
}

describe("a failure that nobody takes", () => {
  it("has its request, its id, and the frames of the user's own code", () => {
    expect(textOf(failure())).toBe(
      [
        "fairlead: a handler failed at PUT /a?… (f-1)",
        "  TypeError: kaputt",
        "      at boom (file:///srv/app.js:3:4)",
        "      … 2 frames of fairlead and node",
        "",
      ].join("\n"),
    );
  });

  it("names nodeHandler() where a handler was written in the way of node:http", () => {
    const hint = /\n {2}A handler is called with a Request and a context, .* nodeHandler\(\) of fairlead\/node\.\n$/;
    const handler = (_req: object, res: { end(text: string): void }): void => res.end("x");
    try {
      handler({}, {} as never);
    } catch (error) {
      expect(textOf(error)).toMatch(hint);
      // Of a promise nobody has made a handler
      expect(faultText("", error, null)).not.toMatch(hint);
    }
    expect(textOf(failure("response.writeHead is not a function"))).toMatch(hint);
    expect(textOf(failure("list.map is not a function"))).not.toMatch(hint);
    expect(textOf(failure("the call res.end is not a function"))).not.toMatch(hint);
  });

  it("has no request where it belongs to none", () => {
    expect(faultText("", failure(), null)).toMatch(
      /^fairlead: something failed outside of a request, such as a promise of waitUntil\(\)\n {2}TypeError: kaputt\n/,
    );
  });

  it("has causes, several errors and plain members, and nothing of objects", () => {
    const cause = new AggregateError([failure("first"), failure("second")], "both");
    const text = textOf(
      failure("outer", { cause, code: "E_DB", attempts: 2, request: { headers: { authorization: "Basic s3cret" } } }),
    );
    expect(text).toMatch(/\n {4}code: 'E_DB'\n {4}attempts: 2\n {4}\[cause\]: AggregateError: both\n/);
    expect(text).toMatch(
      /\n +\[error\]: TypeError: first\n +at boom .*\n +… 2 frames .*\n +\[error\]: TypeError: second\n/,
    );
    expect(text).not.toContain("s3cret");
  });

  it("has the time where it is told, and no member whose name says that it is a secret", () => {
    const text = faultText(
      "f-1",
      failure("no", { dbPassword: "s3cret", user: "me" }),
      null,
      "2026-11-22T08:00:00.123Z",
    );
    expect(text).toMatch(/^fairlead: 2026-11-22T08:00:00.123Z something failed/);
    expect(text).toContain("user: 'me'");
    expect(text).not.toContain("s3cret");
  });

  it("ends, whatever hangs together", () => {
    const circle = failure("round");
    circle.cause = circle;
    expect(textOf(circle)).toContain("[cause]: TypeError: [told above]");
    let chain = failure();
    for (let i = 0; i < 1000; i++) chain = failure("x".repeat(100_000), { cause: chain });
    const text = textOf(chain);
    expect(text).toContain("at boom");
    expect(text.length).toBeLessThan(50_000);
  });

  it.each<[string, unknown, RegExp]>([
    ["text", "just\x1b[2Jtext", /\n {2}'just\\x1B\[2Jtext'\n$/],
    ["nothing", undefined, /\n {2}undefined\n$/],
    ["an object that throws when it is read", new Proxy({}, { get: throwing, ownKeys: throwing }), /\n {2}\S/],
    ["a revoked proxy", revoked(), /\n {2}\S/],
    ["an error whose stack is none", Object.assign(new Error("bare"), { stack: undefined }), /\n {2}Error: bare\n$/],
    ["an error of another realm", runInNewContext("new RangeError('far')"), /\n {2}RangeError: far\n/],
    ["an error that throws when it is read", unreadable(), /\n {2}Error: \[cannot be read\]\n$/],
    ["a message that would be a line of ours", new Error("x\nfairlead: all is well"), /x\n {2}fairlead: all is well\n/],
    ["a file that has changed", new HandlerError("ERR_FILE_CHANGED"), /^fairlead: broken off at PUT \/a\?…: .*\n$/],
  ])("may be %s", (_what, thrown, expected) => {
    const text = textOf(thrown);
    expect(text).toMatch(expected);
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});

function throwing(): never {
  throw new Error("no");
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable(() => {}, {});
  revoke();
  return proxy;
}

function unreadable(): Error {
  const property = { get: throwing };
  return Object.defineProperties(new Error("x"), { stack: property, message: property, cause: property });
}

describe("standard error", () => {
  let written: string[] = [];

  beforeEach(() => {
    written = [];
    vi.spyOn(process.stderr, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
  });

  afterEach(() => vi.restoreAllMocks());

  it("is told once what takes failures in its place", () => {
    const { onFault } = guardHooks({});
    for (const id of ["f-1", "f-2"]) onFault({ id, error: failure(), exchange: null });
    expect(written).toHaveLength(2);
    expect(written[0]).toMatch(
      /\n {2}\(serve\(\{ hooks: \{ onFault \} \}\) takes failures in place of this; said once\)\n$/,
    );
    expect(written[1]).not.toContain("onFault");
  });

  it("is not told that where a hook has left the failure to it", () => {
    guardHooks({ onFault: () => false }).onFault({ id: "f-1", error: failure(), exchange: null });
    expect(written[0]).toContain("TypeError: kaputt");
    expect(written[0]).not.toContain("onFault");
  });

  it.each([
    ["one", [false]],
    ["several", [false, false, false]],
  ])("gets what %s of its observers left to it, be it by a promise", async (_how, answers) => {
    const { onFault } = guardHooks(joinHooks(...answers.map((answer) => ({ onFault: async () => answer }))));
    onFault({ id: "f-1", error: failure(), exchange: null });
    await turn();
    expect(written).toHaveLength(1);
    expect(written[0]).not.toContain("onFault");
  });

  it.each([
    ["the first", [undefined, false]],
    ["the last", [false, true]],
  ])("gets nothing where %s takes it by a promise", async (_which, answers) => {
    const { onFault } = guardHooks(joinHooks(...answers.map((answer) => ({ onFault: async () => answer }))));
    onFault({ id: "f-1", error: failure(), exchange: null });
    await turn();
    expect(written).toEqual([]);
  });

  it.each([
    [
      "throws",
      (): unknown => {
        throw new Error("its own");
      },
    ],
    ["rejects", (): unknown => Promise.reject(new Error("its own"))],
  ])("gets the failure that a hook was to take which itself %s", async (_how, onFault) => {
    const warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { onFault: told } = guardHooks({ onFault });
    for (const id of ["f-1", "f-2"]) told({ id, error: failure(), exchange: null });
    await turn();
    expect(written.map((text) => /TypeError: \w+/.exec(text)?.[0])).toEqual(["TypeError: kaputt", "TypeError: kaputt"]);
    expect(warnings.mock.calls.map(([text]) => String(text).split("\n")[0])).toEqual([
      "hooks.onFault failed; this is said once: Error: its own",
    ]);
  });
});
