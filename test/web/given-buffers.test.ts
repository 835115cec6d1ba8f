/** Whose memory a piece of content is: handed on where it was given away, copied where somebody else may look at it. */
import { describe, expect, it } from "vitest";
import type { ContentSink, ContentSource } from "../../src/http/exchange.ts";
import { Fields } from "../../src/http/fields.ts";
import { streamOfSource } from "../../src/web/content-stream.ts";

function sourceOf(pieces: readonly Uint8Array[], givesBuffers: boolean | undefined): ContentSource {
  return {
    isEmpty: false,
    length: null,
    isStarted: false,
    maxBytes: Infinity,
    ...(givesBuffers === undefined ? {} : { givesBuffers }),
    start(sink: ContentSink) {
      for (const piece of pieces) sink.chunk(piece);
      sink.end(Fields.EMPTY);
    },
    pause() {},
    resume() {},
    cancel() {},
  };
}

async function piecesOf(source: ContentSource): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of streamOfSource(source)) pieces.push(piece);
  return pieces;
}

async function read(source: ContentSource): Promise<string> {
  return new globalThis.Response(streamOfSource(source)).text();
}

describe("a piece that fills its buffer", () => {
  it("is handed on where buffers are given away", async () => {
    const whole = new Uint8Array(new TextEncoder().encode("given"));
    expect((await piecesOf(sourceOf([whole], true)))[0]).toBe(whole);
  });

  it.each([false, undefined])("is left alone where they are not (%s)", async (givesBuffers) => {
    const whole = new Uint8Array(new TextEncoder().encode("kept"));
    expect(await read(sourceOf([whole], givesBuffers))).toBe("kept");
    expect(new TextDecoder().decode(whole)).toBe("kept");
  });
});

describe("a large piece of a larger buffer", () => {
  it("is handed on where buffers are given away, and copied where they are not", async () => {
    const piece = new Uint8Array(40_000).fill(1).subarray(10, 20_011);
    expect((await piecesOf(sourceOf([piece], true)))[0]).toBe(piece);
    const [copy] = await piecesOf(sourceOf([piece], false));
    expect(copy).not.toBe(piece);
    expect(copy).toEqual(piece);
  });
});

describe("a small piece of a larger buffer", () => {
  it("leaves what is around it alone", async () => {
    const buffer = new Uint8Array(new TextEncoder().encode("left piece right"));
    expect(await read(sourceOf([buffer.subarray(5, 10), buffer.subarray(0, 4)], true))).toBe("pieceleft");
    expect(new TextDecoder().decode(buffer)).toBe("left piece right");
  });
});
