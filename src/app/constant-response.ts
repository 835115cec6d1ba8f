/**
 * A response that is the same for every request: read once at the start, then sent as it is.
 *
 * Its field lines are one frozen array, which the wire renders once, and its content is text or octets, which can be sent any
 * number of times and never is used up. A stream cannot be told from a short body of the platform's by looking, so that it is
 * read: one that is not all there at once is refused. Conditional requests are answered (RFC 9110 §13) where it has a validator:
 * none is made, since it would cost every request a look at its fields.
 */

import { evaluatePreconditions, NOT_MODIFIED, PROCEED, type Validators } from "../http/conditional.ts";
import { parseHttpDate } from "../http/date.ts";
import { HandlerError } from "../http/errors.ts";
import type { Content, FieldLines } from "../http/exchange.ts";
import { markLasting } from "../http/lasting-octets.ts";
import { discardContent } from "../http1/content-sender.ts";
import { SYSTEM_TIME } from "../web/clock.ts";
import { type Handler, problemResponse } from "../web/handler.ts";
import { indexOfLine } from "../web/header-lines.ts";
import { fieldLinesOf } from "../web/headers.ts";
import { isFastResponse, Response, responseOfLines, takeAnswer } from "../web/response.ts";

/** The most octets that a constant read from a stream may have. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Turns of the event loop that a piece may take: a Blob in memory needs a few, what waits for something needs more. */
const MAX_TURNS = 50;

/** Why a response cannot be a constant. */
export class NoConstant extends Error {
  override readonly name: string = "NoConstant";
}

/**
 * Makes the response that all requests get.
 *
 * @returns text and octets; null content for null
 * @throws NoConstant for content that can be had once only, or not at once
 */
export async function constantResponse(response: globalThis.Response): Promise<Response> {
  if (response.status === 0) throw new NoConstant("a network error cannot be sent");
  if (!isFastResponse(response)) {
    const { status, statusText, headers, body, bodyUsed } = response;
    if (bodyUsed || body?.locked === true) throw new NoConstant("its content has been read already");
    return freeze(status, statusText, fieldLinesOf(headers), body === null ? null : await gather(body));
  }
  const { head, content } = takeFrom(response);
  return freeze(head.status, head.reason, head.fields, await readContent(content));
}

/** Answers every request with a constant; who has it already, by its ETag or Last-Modified, with 304. */
export function constantHandler(constant: Response): Handler {
  // Its own headers would be made for nothing, and looked at by each answer from then on
  const { status, fields: lines } = takeAnswer(constant).head;
  const etag = valueOf(lines, "etag") ?? "";
  const lastModified = valueOf(lines, "last-modified");
  // RFC 9110 §13.2.1: only where the answer would otherwise be a success with a representation
  if (status !== 200 || (etag === "" && lastModified === null)) return () => constant;
  const nowMs = SYSTEM_TIME.nowMs();
  const lastModifiedMs = lastModified === null ? NaN : (parseHttpDate(lastModified, nowMs) ?? NaN);
  const validators: Validators = { etag, lastModifiedMs };
  const notModified = responseOfLines(304, Object.freeze(linesOfNotModified(lines, etag !== "")), null);
  return (request, { exchange }) => {
    const { method, fields } = exchange.request;
    const verdict = evaluatePreconditions(method, fields, validators, SYSTEM_TIME.nowMs());
    if (verdict === PROCEED) return constant;
    if (verdict === NOT_MODIFIED) return notModified;
    const detail = "what is here is not what the request is about";
    return problemResponse(request, 412, detail, etag === "" ? [] : ["etag", etag]);
  };
}

/** RFC 9110 §15.4.5: what describes content that is not sent is the client's already; the date only where there is no tag. */
function linesOfNotModified(lines: FieldLines, hasTag: boolean): string[] {
  return lines.filter((_, i) => {
    const name = (lines[i - (i % 2)] as string).toLowerCase();
    return (!name.startsWith("content-") || name === "content-location") && !(hasTag && name === "last-modified");
  });
}

function valueOf(lines: FieldLines, lowerName: string): string | null {
  const index = indexOfLine(lines, lowerName);
  return index === -1 ? null : (lines[index + 1] as string);
}

function takeFrom(response: Parameters<typeof takeAnswer>[0]): ReturnType<typeof takeAnswer> {
  try {
    return takeAnswer(response);
  } catch (error) {
    if (!(error instanceof HandlerError)) throw error;
    throw new NoConstant("its content has been read already", { cause: error });
  }
}

async function readContent(content: Content): Promise<string | Uint8Array | null> {
  if (content === null || typeof content === "string" || content instanceof Uint8Array) return content;
  if (content instanceof ReadableStream) return gather(content);
  const mistake = new NoConstant(
    "release" in content
      ? "part of an open file can be sent once: serveFile() serves files"
      : "what is made piece by piece can be sent once: give a function that returns a new one",
  );
  discardContent(content, mistake);
  throw mistake;
}

/** All octets of a stream that are there at once. */
async function gather(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const step = await soon(reader.read());
    if (step?.done === true) return Buffer.concat(pieces);
    if (step !== null) length += step.value.length;
    if (step === null || length > MAX_BYTES) {
      reader.cancel().catch(() => {});
      const what = step === null ? "is not all there at once" : `has more than ${MAX_BYTES} octets`;
      throw new NoConstant(`a stream that ${what} can be sent once: give a function that returns a new one`);
    }
    pieces.push(step.value);
  }
}

/** Null for what takes its time. Rejects if `step` does. */
async function soon<T>(step: Promise<T>): Promise<T | null> {
  const state = { isSettled: false };
  const settle = (): void => {
    state.isSettled = true;
  };
  step.then(settle, settle);
  for (let turn = 0; turn < MAX_TURNS && !state.isSettled; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return state.isSettled ? step : null;
}

function freeze(
  status: number,
  reason: string,
  fields: readonly string[],
  content: string | Uint8Array | null,
): Response {
  const lines = Object.freeze([...fields]);
  // A copy that nobody else has, and as octets, to which the constructor adds no type
  const octets = content === null ? null : Buffer.from(content);
  if (reason === "") return lastingResponse(responseOfLines(status, lines, octets));
  const headers: [string, string][] = [];
  for (let i = 0; i < lines.length; i += 2) headers.push([lines[i] as string, lines[i + 1] as string]);
  return lastingResponse(new Response(octets, { status, statusText: reason, headers }));
}

/** The wire may keep what it makes of its content. */
function lastingResponse(response: Response): Response {
  const { content } = takeAnswer(response);
  if (content instanceof Uint8Array) markLasting(content);
  return response;
}
