import { describe, expect, it } from "vitest";
import { planByteranges } from "../../src/http/range.ts";
import { joinByteranges, type PartSource } from "../../src/web/byteranges.ts";

const TEXT = "0123456789";
const RANGES = [
  { start: 0, length: 2 },
  { start: 8, length: 2 },
];
const PLAN = planByteranges(RANGES, TEXT.length, "", "xyz");

function sourceOf(read: PartSource["read"], isIntact = true): PartSource & { released: number } {
  return {
    released: 0,
    read,
    isIntact: () => isIntact,
    release(): void {
      this.released++;
    },
  };
}

async function* digits({ start, length }: { start: number; length: number }): AsyncGenerator<Uint8Array> {
  for (const digit of TEXT.slice(start, start + length)) yield Buffer.from(digit);
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const bytes of content) text += Buffer.from(bytes).toString("latin1");
  return text;
}

describe("joinByteranges", () => {
  it("gives frame and parts, as long as planned, and lets go once", async () => {
    const source = sourceOf(digits);
    const text = await textOf(joinByteranges(PLAN, RANGES, source));
    expect(text).toBe(
      "--xyz\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n--xyz\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--xyz--\r\n",
    );
    expect([text.length, source.released]).toEqual([PLAN.length, 1]);
  });

  it.each<[string, string, PartSource["read"], boolean]>([
    ["a part is short", "ended short", ({ start }) => digits({ start, length: 1 }), true],
    ["a part is long", "is longer", ({ start }) => digits({ start, length: 3 }), true],
    [
      "a part fails",
      "no disk",
      () =>
        digits({
          get start(): number {
            throw new Error("no disk");
          },
          length: 1,
        }),
      true,
    ],
    ["something was written to meanwhile", "it was written to", digits, false],
  ])("breaks off where %s", async (_, message, read, isIntact) => {
    const source = sourceOf(read, isIntact);
    await expect(textOf(joinByteranges(PLAN, RANGES, source))).rejects.toThrow(message);
    expect(source.released).toBe(1);
  });

  it.each([0, 1, 2, 3, 7])("lets go once where nobody wants more after %d pieces", async (count) => {
    const source = sourceOf(digits);
    const pieces = joinByteranges(PLAN, RANGES, source)[Symbol.asyncIterator]();
    for (let i = 0; i < count; i++) await pieces.next();
    await pieces.return?.();
    await pieces.return?.();
    expect([source.released, await pieces.next()]).toEqual([1, { done: true, value: undefined }]);
  });

  it("does not let go under a read that is under way", async () => {
    let answer: () => void = () => {};
    let isClosed = false;
    const source = sourceOf(() => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise((resolve) => (answer = () => resolve({ done: false, value: Buffer.from("0") }))),
        return: async () => {
          isClosed = true;
          return { done: true, value: undefined };
        },
      }),
    }));
    const pieces = joinByteranges(PLAN, RANGES, source)[Symbol.asyncIterator]();
    await pieces.next();
    const reading = pieces.next();
    await pieces.return?.();
    expect([isClosed, source.released]).toEqual([true, 0]);
    answer();
    expect([await reading, source.released]).toEqual([{ done: true, value: undefined }, 1]);
  });
});
