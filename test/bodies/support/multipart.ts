/** Forms as octets, and what a reader makes of them. */

import type { MultipartOptions } from "../../../src/bodies/index.ts";
import { readMultipart } from "../../../src/bodies/index.ts";
import { requestWith } from "./content-request.ts";

export interface SentPart {
  head: string;
  content: string | Uint8Array;
}

export const BOUNDARY = "edge";
export const MULTIPART_TYPE: string = `multipart/form-data; boundary=${BOUNDARY}`;

/** A field, or a file if it has a file name. */
export function part(name: string, content: string | Uint8Array, filename?: string, type?: string): SentPart {
  const file = filename === undefined ? "" : `; filename="${filename}"`;
  const line = type === undefined ? "" : `\r\nContent-Type: ${type}`;
  return { head: `Content-Disposition: form-data; name="${name}"${file}${line}`, content };
}

/** The content of a form, whole. */
export function formOf(parts: readonly SentPart[], boundary: string = BOUNDARY): Buffer {
  const pieces: (string | Uint8Array)[] = [];
  for (const { head, content } of parts) pieces.push(`--${boundary}\r\n${head}\r\n\r\n`, content, "\r\n");
  pieces.push(`--${boundary}--\r\n`);
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece as string)));
}

/** The content in two pieces or more, cut at these places. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const place of places.toSorted((a, b) => a - b)) {
    pieces.push(bytes.slice(from, place));
    from = place;
  }
  return [...pieces, bytes.slice(from)];
}

export interface ReadPart {
  name: string;
  filename: string | null;
  original: string | null;
  type: string;
  content: string;
}

/** All parts, and the code of what ended them, `""` if nothing did. Content is latin1. */
export async function readParts(
  pieces: string | Uint8Array | readonly (string | Uint8Array)[],
  options: MultipartOptions & { type?: string } = {},
): Promise<{ parts: ReadPart[]; error: string; message: string }> {
  const { type = MULTIPART_TYPE, ...limits } = options;
  const parts: ReadPart[] = [];
  try {
    for await (const one of readMultipart(requestWith(type, pieces), limits)) {
      const content = Buffer.from(await one.bytes()).toString("latin1");
      const { name, filename, originalFilename: original } = one;
      parts.push({ name, filename, original, type: one.type, content });
    }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return { parts, error: code ?? String(error), message };
  }
  return { parts, error: "", message: "" };
}
