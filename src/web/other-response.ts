/**
 * Responses that are not ours, seen through their interface alone: the platform's, and those of other implementations.
 *
 * A library that brings a `fetch` of its own (undici, node-fetch) brings a class of its own too, and what it gives is an answer
 * like any other. Such an object says what it is by its `Symbol.toStringTag`, and is taken if it has whatever is sent; what it
 * lacks is named. This file must never ask whether something is ours or the platform's: that is the cheaper question, and
 * comes first.
 */

import type { Content, FieldLines } from "../http/exchange.ts";
import { appendLines, indexOfLine } from "./header-lines.ts";
import { fieldLinesOf } from "./headers.ts";
import type { Answer } from "./response.ts";

/** Whether something that is neither ours nor the platform's is a response all the same. */
export function isForeignResponse(value: object): value is globalThis.Response {
  return claimsToBeResponse(value) && lackOf(value) === "";
}

/** Whether it says that it is a Response, true or not. */
export function claimsToBeResponse(value: object): boolean {
  return (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === "Response";
}

/** What keeps it from being sent, as the end of a sentence; `""` if nothing does. */
export function lackOf(value: object): string {
  const { status, statusText, headers, body, bodyUsed } = value as Record<keyof globalThis.Response, unknown>;
  if (!Number.isInteger(status)) return "its status is no whole number";
  if (typeof statusText !== "string") return "its statusText is no string";
  if (!hasMethod(headers, Symbol.iterator)) return "its headers cannot be iterated";
  if (body !== null && !(body instanceof ReadableStream) && !hasMethod(body, Symbol.asyncIterator))
    return "its body is neither null nor a stream nor an async iterable";
  if (typeof bodyUsed !== "boolean") return "its bodyUsed is no boolean";
  return "";
}

function hasMethod(value: unknown, name: symbol): boolean {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, name) === "function";
}

/** Status, fields and content of a response of the platform. */
export function platformAnswer(response: globalThis.Response): Answer {
  return answerOf(response, fieldLinesOf);
}

/** Status, fields and content of a response of another implementation. */
export function foreignAnswer(response: globalThis.Response): Answer {
  return answerOf(response, foreignLines);
}

function answerOf(response: globalThis.Response, linesOf: (headers: Headers) => FieldLines): Answer {
  // First: frameworks have light ones too, some of which know their Content-Type only when their content was asked for (h3)
  const body = response.body as Content;
  const lines = linesOf(response.headers);
  const fields = body === null ? lines : decodedLines(response, lines);
  return { head: { status: response.status, reason: response.statusText, fields }, content: body };
}

/** RFC 6265 §3: cookies stay lines of their own; some implementations join them like other fields when they are iterated. */
function foreignLines(headers: Headers & { raw?: () => Readonly<Record<string, readonly string[]>> }): FieldLines {
  const pairs = [...headers];
  const cookies =
    typeof headers.getSetCookie === "function" ? headers.getSetCookie() : (headers.raw?.()["set-cookie"] ?? null);
  const lines: string[] = [];
  if (cookies === null) return appended(lines, pairs);
  appended(
    lines,
    pairs.filter(([name]) => name.toLowerCase() !== "set-cookie"),
  );
  return appended(
    lines,
    cookies.map((cookie): [string, string] => ["set-cookie", cookie]),
  );
}

function appended(lines: string[], pairs: [string, string][]): string[] {
  appendLines(lines, pairs);
  return lines;
}

/** Codings that the platform's fetch takes off without a word. */
const DECODED = /^(?:x-)?(?:gzip|deflate|br|zstd)$/i;

/**
 * One that came from `fetch` may still say how its content was coded and how long it was then, though what can be read is
 * decoded: passed on, that would be wrong (RFC 9110 §8.4, §8.6).
 */
function decodedLines(response: globalThis.Response, lines: FieldLines): FieldLines {
  if ((response.url ?? "") === "") return lines;
  const coding = indexOfLine(lines, "content-encoding");
  if (coding === -1 || !(lines[coding + 1] as string).split(",").every((name) => DECODED.test(name.trim())))
    return lines;
  return lines.filter((_, i) => !/^content-(?:encoding|length)$/i.test(lines[i - (i % 2)] as string));
}
