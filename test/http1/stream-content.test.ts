/** Content from a stream: what is sent is let go of, however long the stream is. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { pumpContent } from "../../src/http1/stream-content.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

interface Target {
  readonly pushed: number;
  push(bytes: Uint8Array): boolean;
  drained(): Promise<void>;
  isOver(): boolean;
  onAbort(callback: (reason: Error) => void): void;
}

function targetWith(onPush: (count: number) => void): Target & { abort(reason: Error): void } {
  let pushed = 0;
  let isOver = false;
  let tell: (reason: Error) => void = () => {};
  return {
    get pushed() {
      return pushed;
    },
    push: () => {
      pushed++;
      onPush(pushed);
      return true;
    },
    drained: async () => {},
    isOver: () => isOver,
    onAbort: (callback) => {
      tell = callback;
    },
    abort: (reason) => {
      isOver = true;
      tell(reason);
    },
  };
}

describe("a long stream", () => {
  it("does not hold on to the pieces that were sent", async () => {
    const early: WeakRef<Uint8Array>[] = [];
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 200; i++) {
        const piece = new Uint8Array(1024);
        if (i < 50) early.push(new WeakRef(piece));
        // A turn of the event loop, since a WeakRef holds its object for the rest of the one that made it
        await new Promise((resolve) => setImmediate(resolve));
        yield piece;
      }
      collectGarbage();
      expect(early.filter((piece) => piece.deref() !== undefined).length).toBeLessThan(5);
    }
    const target = targetWith(() => {});
    expect(await pumpContent(pieces(), target)).toBe(true);
    expect(target.pushed).toBe(200);
  });
});

describe("a peer that leaves", () => {
  it("is not kept waiting for by a source that gives nothing", async () => {
    let isCancelled = false;
    const silent = new ReadableStream<Uint8Array>({
      cancel() {
        isCancelled = true;
      },
    });
    const target = targetWith(() => {});
    const sent = pumpContent(silent, target);
    target.abort(new Error("left"));
    expect(await sent).toBe(false);
    expect(isCancelled).toBe(true);
  });

  it("leaves no rejection behind that nobody looks at", async () => {
    let fail: (error: Error) => void = () => {};
    const slow: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise((_, reject) => (fail = reject)) }),
    };
    const target = targetWith(() => {});
    const sent = pumpContent(slow, target);
    target.abort(new Error("left"));
    expect(await sent).toBe(false);
    // Vitest fails a run in which a rejection is not handled
    fail(new Error("too late"));
  });
});

describe("a piece that is not bytes", () => {
  it.each([
    [null, "null"],
    ["text", "string"],
  ])("is named in what the handler hears: %j", async (piece, name) => {
    const source = (async function* (): AsyncGenerator<Uint8Array> {
      yield piece as unknown as Uint8Array;
    })();
    await expect(
      pumpContent(
        source,
        targetWith(() => {}),
      ),
    ).rejects.toMatchObject({
      code: "ERR_RESPONSE_CONTENT",
      message: expect.stringContaining(`not ${name}`) as unknown,
    });
  });
});

describe("a source that complains when it is cancelled", () => {
  it("is not listened to", async () => {
    let isAsked = false;
    const source: AsyncIterable<Uint8Array> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: () => {
          isAsked = true;
          return Promise.reject(new Error("not now"));
        },
      }),
    };
    const target = targetWith(() => {});
    const sent = pumpContent(source, target);
    target.abort(new Error("left"));
    // Vitest fails a run in which a rejection is not handled
    expect(await sent).toBe(false);
    expect(isAsked).toBe(true);
  });
});
