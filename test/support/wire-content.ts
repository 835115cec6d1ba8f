/**
 * What the handler of a wire case answers with: text, bytes, an iterable, a stream or part of a file, from the case's pieces.
 *
 * A file is a real one, made for the answer and removed when it is released; releasing twice is an error.
 */

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Content, FileSlice } from "../../src/http/exchange.ts";
import type { CaseResponse } from "./wire-case.ts";

const encoder = new TextEncoder();

/** Content as the case wants it given to the wire. */
export function contentOf(response: CaseResponse): Content {
  const pieces = response.content === undefined ? ["ok"] : response.content;
  if (pieces === null) return null;
  switch (response.as ?? "string") {
    case "string":
      return pieces.join("");
    case "bytes":
      return encoder.encode(pieces.join(""));
    case "iterable":
      return piecewise(pieces, response.fails ?? false);
    case "stream":
      return ReadableStream.from<Uint8Array>(piecewise(pieces, response.fails ?? false));
    case "texts":
      return ReadableStream.from<unknown>(pieces) as ReadableStream<Uint8Array>;
    case "file":
      return fileSlice(pieces.join(""));
  }
}

async function* piecewise(pieces: readonly string[], fails: boolean): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    await Promise.resolve();
    yield encoder.encode(piece);
  }
  if (fails) throw new Error("the source failed");
}

/** The text in a file of its own, between two octets that must not be sent. */
function fileSlice(text: string): FileSlice {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-wire-"));
  const path = join(folder, "file");
  writeFileSync(path, `<${text}>`);
  const fd = openSync(path, "r");
  let isReleased = false;
  return {
    fd,
    start: 1,
    length: Buffer.byteLength(text),
    release: () => {
      if (isReleased) throw new Error("released twice");
      isReleased = true;
      closeSync(fd);
      rmSync(folder, { recursive: true });
    },
  };
}
