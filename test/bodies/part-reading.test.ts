/** Parts as handlers read them: once, in order, in the form they ask for, and no faster than they take it. */
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readMultipart } from "../../src/bodies/index.ts";
import { MemoryContent } from "../web/support/memory-exchange.ts";
import { failureOf, requestOver, requestWith } from "./support/content-request.ts";
import { cut, formOf, MULTIPART_TYPE, part } from "./support/multipart.ts";

const KIB = 1024;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a part", () => {
  it("is read as a stream, as octets or as text", async () => {
    const form = formOf([
      part("a", "é1"),
      part("b", "é2"),
      part("c", Buffer.from("\u00e93", "latin1"), undefined, "text/plain;charset=iso-8859-1"),
    ]);
    const seen: unknown[] = [];
    for await (const one of readMultipart(requestWith(MULTIPART_TYPE, cut(form, [60, 61])))) {
      if (one.name === "a") seen.push(await new globalThis.Response(one.stream()).text());
      if (one.name === "b") seen.push(Buffer.from(await one.bytes()).toString());
      if (one.name === "c") seen.push(await one.text());
      expect(one.bodyUsed).toBe(true);
    }
    expect(seen).toEqual(["é1", "é2", "é3"]);
  });

  it("has the octets to itself", async () => {
    const form = formOf([part("a", "same"), part("b", "other")]);
    const copy = Buffer.from(form);
    const seen: string[] = [];
    for await (const one of readMultipart(requestWith(MULTIPART_TYPE, form))) {
      const bytes = await one.bytes();
      seen.push(Buffer.from(bytes).toString());
      bytes.fill(0);
    }
    expect([seen, form.equals(copy)]).toEqual([["same", "other"], true]);
  });

  it.each([
    ["as it came", (form: Buffer): Request => requestWith(MULTIPART_TYPE, form), {}],
    [
      "unpacked",
      (form: Buffer): Request => {
        const request = requestWith(MULTIPART_TYPE, gzipSync(form));
        request.headers.set("content-encoding", "gzip");
        return request;
      },
      { decompress: true },
    ],
  ])("may give the memory of its pieces away, %s", async (_how, requestOf, options) => {
    const form = formOf([part("a", "aaaa"), part("b", "bbbb"), part("c", "x\r\n--edg\r\ny"), part("d", "dddd")]);
    const seen: string[] = [];
    for await (const one of readMultipart(requestOf(form), options)) {
      let text = "";
      for await (const piece of one.stream()) {
        text += Buffer.from(piece).toString();
        structuredClone(piece, { transfer: [piece.buffer] });
      }
      seen.push(text);
    }
    expect(seen).toEqual(["aaaa", "bbbb", "x\r\n--edg\r\ny", "dddd"]);
  });

  it("is read once, and before the next", async () => {
    const parts = readMultipart(requestWith(MULTIPART_TYPE, formOf([part("a", "1"), part("b", "2")])));
    const { value: first } = await parts.next();
    expect(await first!.text()).toBe("1");
    for (const act of [() => first!.text(), () => first!.stream(), () => first!.bytes(), () => first!.saveTo("x")]) {
      expect(await failureOf(act)).toBeInstanceOf(TypeError);
    }
    const { value: second } = await parts.next();
    await parts.next();
    expect((await failureOf(second!.text())).message).toContain("gone on to its next part");
  });

  it("in an unknown charset is 415", async () => {
    const form = formOf([part("a", "1", undefined, "text/plain;charset=klingon")]);
    for await (const one of readMultipart(requestWith(MULTIPART_TYPE, form))) {
      expect(await failureOf(one.text())).toMatchObject({ status: 415, code: "ERR_CONTENT_CHARSET" });
      expect(one.bodyUsed).toBe(false);
    }
  });

  it("not read, or read in part, is passed over", async () => {
    const parts = ["a", "b", "c", "d"].map((name) => part(name, name.repeat(50)));
    const pieces = cut(
      formOf(parts),
      Array.from({ length: 40 }, (_, i) => i * 10 + 5),
    );
    const seen: string[] = [];
    for await (const one of readMultipart(requestWith(MULTIPART_TYPE, pieces))) {
      seen.push(one.name);
      if (one.name === "b") await one.stream().getReader().read();
      if (one.name === "c") await one.stream().cancel();
      if (one.name === "d") seen.push(await one.text());
    }
    expect(seen).toEqual(["a", "b", "c", "d", "d".repeat(50)]);
  });

  it("counts what has come", async () => {
    for await (const one of readMultipart(requestWith(MULTIPART_TYPE, formOf([part("a", "12345")])))) {
      await one.bytes();
      expect(one.receivedBytes).toBe(5);
    }
  });
});

describe("backpressure", () => {
  it("holds the client while nobody takes what has come", async () => {
    const content = new MemoryContent(null);
    const request = requestOver(MULTIPART_TYPE, content, null);
    const received: number[] = [];
    const parts = readMultipart(request, { onProgress: (bytes) => void received.push(bytes) });
    content.feed(formOf([part("a", "x", "a.bin")]).subarray(0, -12));
    const { value: file } = await parts.next();
    const reader = file!.stream().getReader();
    const taken = reader.read();
    const before = received.length;
    for (let i = 0; i < 40; i++) content.feed(Buffer.alloc(16 * KIB, 97));
    await turn();
    // Of 640 KiB the source took what its stream may hold, the form one piece
    expect(content.isPaused).toBe(true);
    expect(received.length - before).toBeLessThanOrEqual(1);
    expect((await taken).value?.length).toBeGreaterThan(0);
    let size = 0;
    for (let i = 0; i < 10; i++) size += (await reader.read()).value!.length;
    expect(file!.receivedBytes - size).toBeLessThanOrEqual(32 * KIB);
    content.feed("\r\n--edge--\r\n").end();
    while (!(await reader.read()).done);
    expect(file!.receivedBytes).toBe(640 * KIB + 1);
    expect(await parts.next()).toEqual({ done: true, value: undefined });
  });

  it("holds the client between parts", async () => {
    const content = new MemoryContent(null);
    const received: number[] = [];
    const options = { onProgress: (bytes: number) => void received.push(bytes) };
    const parts = readMultipart(requestOver(MULTIPART_TYPE, content, null), options);
    const forms = Array.from({ length: 50 }, (_, i) => formOf([part(`p${i}`, "x".repeat(8 * KIB))]).subarray(0, -10));
    for (const form of forms) content.feed(form);
    content.feed("--edge--\r\n").end();
    await parts.next();
    await turn();
    expect(received.at(-1)).toBeLessThan(20 * KIB);
    let count = 1;
    for await (const _ of parts) count++;
    expect(count).toBe(50);
  });
});

describe("the loop", () => {
  it("left early gives the rest up", async () => {
    const content = new MemoryContent(null).feed(formOf([part("a", "1"), part("b", "2")]).subarray(0, -10));
    const kept: { text(): Promise<string> }[] = [];
    for await (const one of readMultipart(requestOver(MULTIPART_TYPE, content, null))) {
      kept.push(one);
      break;
    }
    expect(content.isCancelled).toBe(true);
    expect(await failureOf(kept[0]!.text())).toBeInstanceOf(TypeError);
  });

  it("ended stays ended, and failed stays failed", async () => {
    const good = readMultipart(requestWith(MULTIPART_TYPE, formOf([])));
    expect([await good.next(), await good.next()]).toEqual([
      { done: true, value: undefined },
      { done: true, value: undefined },
    ]);
    const bad = readMultipart(requestWith(MULTIPART_TYPE, "rubbish"));
    expect((await failureOf(bad.next()))["code"]).toBe("ERR_MULTIPART");
    expect((await failureOf(bad.next()))["code"]).toBe("ERR_MULTIPART");
  });

  it("ends with what broke the content, for the part in hand too", async () => {
    const content = new MemoryContent(null);
    const parts = readMultipart(requestOver(MULTIPART_TYPE, content, null));
    content.feed(formOf([part("a", "1"), part("b", "22")]).subarray(0, -13));
    await parts.next();
    const { value } = await parts.next();
    const reading = failureOf(value!.text());
    const reason = new Error("the peer left");
    content.feed(reason);
    expect(await reading).toBe(reason);
    expect(await failureOf(parts.next())).toBe(reason);
  });

  it("ends with what its listener throws", async () => {
    const content = new MemoryContent(null).feed("--edge");
    const onProgress = (): void => {
      throw new RangeError("enough");
    };
    expect(
      await failureOf(readMultipart(requestOver(MULTIPART_TYPE, content, null), { onProgress }).next()),
    ).toBeInstanceOf(RangeError);
    expect(content.isCancelled).toBe(true);
  });

  it("cannot read what was read", async () => {
    const request = requestWith(MULTIPART_TYPE, formOf([]));
    await request.text();
    expect(await failureOf(() => readMultipart(request))).toBeInstanceOf(TypeError);
    const locked = requestWith(MULTIPART_TYPE, formOf([]));
    readMultipart(locked);
    expect(await failureOf(() => readMultipart(locked))).toBeInstanceOf(TypeError);
  });
});
