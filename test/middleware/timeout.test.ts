import { describe, expect, it } from "vitest";
import { timeout, type TimeoutOptions, timeoutSignal } from "../../src/middleware/timeout.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { arrive, type Asked } from "./support/ask.ts";
import { ManualTime } from "./support/manual-time.ts";

/** A handler that answers when it is told to. */
interface Waiting {
  readonly asked: Asked;
  readonly time: ManualTime;
  readonly result: Promise<globalThis.Response | undefined>;
  readonly signal: AbortSignal;
  answer(response: Response): void;
  fail(error: unknown): void;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function wait(): Waiting {
  const asked = arrive();
  const time = new ManualTime();
  let answer: (response: Response) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const next: Handler = () =>
    new Promise((resolve, reject) => {
      answer = resolve;
      fail = reject;
    });
  const result = timeout({ ms: 100, time })(asked.request, asked.context, next) as Promise<globalThis.Response>;
  return { asked, time, result, signal: timeoutSignal(asked.context), answer, fail };
}

describe("an answer", () => {
  it("that is there at once costs no timer", () => {
    const { request, context } = arrive();
    const time = new ManualTime();
    const response = new Response("ok");
    expect(timeout({ ms: 100, time })(request, context, () => response)).toBe(response);
    expect(time.size).toBe(0);
  });

  it("in time is given, and its timer stopped", async () => {
    const { time, result, answer, signal } = wait();
    time.move(99);
    const response = new Response("ok");
    answer(response);
    expect(await result).toBe(response);
    expect([time.size, signal.aborted]).toEqual([0, false]);
  });

  it("that is an error in time stays that error", async () => {
    const { result, fail } = wait();
    const error = new Error("broken");
    fail(error);
    await expect(result).rejects.toBe(error);
  });

  it("that is late is 503, and the handler is told", async () => {
    const { time, result, signal } = wait();
    time.move(100);
    await expect(result).rejects.toMatchObject({ status: 503, message: "the answer took longer than 100 ms to make" });
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ status: 503 });
  });

  it("that comes all the same is let go of", async () => {
    const { asked, time, result, answer } = wait();
    time.move(100);
    await expect(result).rejects.toMatchObject({ status: 503 });
    let isCancelled = false;
    answer(new Response(new ReadableStream({ cancel: () => void (isCancelled = true) })));
    await Promise.all(asked.background);
    expect(isCancelled).toBe(true);
  });

  it("that fails late is reported like other work behind an answer, unless the signal made it fail", async () => {
    const late = wait();
    late.time.move(100);
    await expect(late.result).rejects.toMatchObject({ status: 503 });
    late.fail(new Error("broken"));
    await expect(Promise.all(late.asked.background)).rejects.toThrow("broken");

    const told = wait();
    told.time.move(100);
    await expect(told.result).rejects.toMatchObject({ status: 503 });
    told.fail(told.signal.reason);
    await expect(Promise.all(told.asked.background)).resolves.toEqual([undefined]);
  });

  it("to nobody has no timer", async () => {
    const { asked, time, result, answer } = wait();
    asked.exchange.leave(new Error("gone"));
    expect(time.size).toBe(0);
    answer(new Response("ok"));
    await result;
  });
});

describe("the signal", () => {
  it("is aborted already for who asks late, and never without the middleware", async () => {
    const { asked, time, result } = wait();
    time.move(100);
    await expect(result).rejects.toMatchObject({ status: 503 });
    expect(timeoutSignal(asked.context).aborted).toBe(true);
    expect(timeoutSignal(arrive().context).aborted).toBe(false);
  });
});

describe("one inside of another", () => {
  interface Nested extends Omit<Waiting, "answer" | "signal"> {
    readonly signal: () => AbortSignal;
  }

  function nest(outerMs: number, innerMs: number): Nested {
    const asked = arrive();
    const time = new ManualTime();
    let fail: (error: unknown) => void = () => {};
    const handler: Handler = () => new Promise((_, reject) => (fail = reject));
    const inner: Handler = (request, context) => timeout({ ms: innerMs, time })(request, context, handler);
    const result = timeout({ ms: outerMs, time })(asked.request, asked.context, inner) as Waiting["result"];
    result.catch(() => {});
    return { asked, time, result, signal: () => timeoutSignal(asked.context), fail: (error) => fail(error) };
  }

  it.each([
    ["the outer", 100, 200],
    ["the inner", 200, 100],
  ])("tells the handler by whichever is over first: %s", async (_which, outerMs, innerMs) => {
    const { asked, time, result, signal, fail } = nest(outerMs, innerMs);
    const early = signal();
    time.move(99);
    expect(early.aborted).toBe(false);
    time.move(1);
    const message = "the answer took longer than 100 ms to make";
    expect([early.aborted, early.reason]).toMatchObject([true, { status: 503, message }]);
    await expect(result).rejects.toBe(early.reason);
    fail(early.reason);
    time.move(100);
    await expect(Promise.all(asked.background)).resolves.toBeDefined();
    expect(signal()).toBe(early);
  });

  it("tells who asks late what it was that was over first", () => {
    const { time, signal } = nest(100, 200);
    time.move(100);
    expect(signal().reason).toMatchObject({ message: "the answer took longer than 100 ms to make" });
  });

  describe("that begins behind the end of the outer one", () => {
    /** What the handler inside is told when it is called at last. */
    async function begin(isAnswered: boolean): Promise<AbortSignal | undefined> {
      const { request, context } = arrive();
      const time = new ManualTime();
      let signal: AbortSignal | undefined;
      const handler: Handler = (_, inside) => {
        signal = timeoutSignal(inside);
        return new Response("late");
      };
      let goOn = (): void => {};
      const slowly: Handler = async (...asked) => {
        await new Promise<void>((resolve) => (goOn = resolve));
        return timeout({ ms: 500, time })(...asked, handler);
      };
      const result = timeout({ ms: 100, time })(request, context, slowly) as Waiting["result"];
      time.move(100);
      await expect(result).rejects.toMatchObject({ status: 503 });
      if (isAnswered) void context.exchange.respond({ status: 503, reason: "", fields: [] }, null);
      goOn();
      await turn();
      return signal;
    }

    it("is over from its beginning where the answer was given", async () => {
      expect((await begin(true))?.reason).toMatchObject({ message: "the answer took longer than 100 ms to make" });
    });

    it("has its time where who is outside of both tries anew", async () => {
      expect((await begin(false))?.aborted).toBe(false);
    });
  });

  it.each([
    [100, 200],
    [100, 100],
    [200, 100],
  ])("that are both over (%i ms and %i ms) are told as no failure", async (outerMs, innerMs) => {
    const { asked, time, result, signal, fail } = nest(outerMs, innerMs);
    time.move(200);
    await expect(result).rejects.toMatchObject({ status: 503 });
    fail(signal().reason);
    await expect(Promise.all(asked.background)).resolves.toBeDefined();
  });
});

it.each([{}, { ms: 0 }, { ms: 2 ** 31 }, { ms: "5s" }, { milliseconds: 5 }])("options: refuses %j", (options) => {
  expect(() => timeout(options as TimeoutOptions)).toThrow(TypeError);
});
