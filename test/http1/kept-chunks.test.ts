import { describe, expect, it } from "vitest";
import type { Exchange } from "../../src/http/exchange.ts";
import { openConnection, request, written } from "../support/open-connection.ts";

const PIECE = Buffer.alloc(1000, "p");

/** Reads content; tells what the carrier was asked for, in order, chunk by chunk. */
function receiveAll(chunks: readonly Buffer[]): string[][] {
  const { connection, transport } = openConnection((exchange: Exchange) => {
    exchange.content.start({ chunk: () => {}, end: () => {}, fail: () => {} });
  });
  let asked: string[] = [];
  Object.assign(transport, {
    giveChunk: () => asked.push("give") > 0,
    giveNoMore: () => asked.push("no more"),
  });
  return chunks.map((chunk) => {
    asked = [];
    // Of its own memory, as a read has it
    connection.receive(Buffer.from(new Uint8Array(chunk).buffer));
    return asked;
  });
}

describe("a reader that gives a piece away with its memory, at once", () => {
  it("takes nothing from what stands behind it", () => {
    const got: string[] = [];
    const { connection, transport } = openConnection((exchange: Exchange) => {
      const { target } = exchange.request;
      exchange.content.start({
        chunk: (bytes) => {
          got.push(Buffer.from(bytes).toString());
          structuredClone(bytes.buffer, { transfer: [bytes.buffer as ArrayBuffer] });
        },
        end: () => {
          got.push("end");
          void exchange.respond({ status: 200, reason: "", fields: [] }, target);
        },
        fail: (reason) => got.push(reason.message),
      });
    });
    Object.assign(transport, { giveChunk: () => true, giveNoMore: () => {} });
    const all = [
      [request("POST /first HTTP/1.1", "Transfer-Encoding: chunked")],
      [Buffer.from("3e8\r\n"), PIECE, Buffer.from("\r\n3\r\nabc\r\n")],
      [Buffer.from("3e8\r\n"), PIECE, Buffer.from("\r\n0\r\n\r\n"), request("GET /second HTTP/1.1")],
      [request("POST /third HTTP/1.1", "Content-Length: 1000")],
      [PIECE, request("GET /fourth HTTP/1.1")],
    ];
    for (const parts of all) connection.receive(Buffer.from(new Uint8Array(Buffer.concat(parts)).buffer));
    const piece = PIECE.toString();
    expect(got).toEqual([piece, "abc", piece, "end", "end", piece, "end", "end"]);
    expect(written(transport).match(/\/(?:first|second|third|fourth)/g)).toEqual([
      "/first",
      "/second",
      "/third",
      "/fourth",
    ]);
  });
});

describe("a carrier of content that is kept", () => {
  it("is told at the end of content by length that no more is", () => {
    const head = request("POST / HTTP/1.1", "Content-Length: 2000");
    expect(receiveAll([head, PIECE, PIECE])).toEqual([[], ["give"], ["give", "no more"]]);
  });

  it("is told at the end of chunked content, with the last chunk or behind it", () => {
    const head = request("POST / HTTP/1.1", "Transfer-Encoding: chunked");
    const chunk = Buffer.concat([Buffer.from("3e8\r\n"), PIECE, Buffer.from("\r\n")]);
    const end = Buffer.from("0\r\n\r\n");
    expect(receiveAll([head, chunk, Buffer.concat([chunk, end])])).toEqual([[], ["give"], ["give", "no more"]]);
    expect(receiveAll([head, chunk, end])).toEqual([[], ["give"], ["no more"]]);
  });

  it("is told when content is refused", () => {
    const head = request("POST / HTTP/1.1", "Transfer-Encoding: chunked");
    const chunk = Buffer.concat([Buffer.from("3e8\r\n"), PIECE, Buffer.from("no chunk")]);
    expect(receiveAll([head, chunk])).toEqual([[], ["give", "no more"]]);
  });
});
