/**
 * Failures that no observer takes, as text for people: at which request, under which id, what it was and where in their code.
 *
 * Anything can be thrown, and its text must never be lost, nor be without end: what may throw is read where that does no harm,
 * causes may lead in a circle, and one error may hold a whole content. Of members only plain values are shown: clients of HTTP
 * hang requests with their fields on errors, and those hold credentials (CWE-532); nor what is called a secret. Nothing in the text can command a terminal, or
 * pass for another line (log injection): errors speak of what a client has sent.
 */

import { inspect, types } from "node:util";
import { HandlerError } from "../http/errors.ts";
import type { Exchange } from "../http/exchange.ts";
import { isSecretName } from "./secret-names.ts";
import { shortenStacks } from "./shorten-stacks.ts";

/** Longest text, in characters. */
const MAX_TEXT = 32_768;
/** Of a message, which is within the stack as well, and of a member. */
const MAX_MESSAGE = 2048;
const MAX_TARGET = 256;
const MAX_MEMBERS = 16;
/** Causes behind each other. */
const MAX_DEPTH = 8;
/** In one text, however they hang together. */
const MAX_ERRORS = 16;

const TOLD_OTHERWISE: ReadonlySet<string> = new Set(["name", "message", "stack", "cause", "errors"]);

/** Runs none of the code of what is shown. */
const SHALLOW = { depth: 0, customInspect: false, maxArrayLength: MAX_MEMBERS, maxStringLength: MAX_MESSAGE } as const;

/**
 * Says it. Never throws.
 *
 * @param id of the failure, `""` if it has none
 * @param exchange null for what belongs to no request
 * @param time stands before it, e.g. `2026-11-22T08:00:00.123Z`; `""` where others write the time
 * @returns lines, the last with its end; all but the first are indented. The query stays out: who knows what is secret in it?
 */
export function faultText(id: string, error: unknown, exchange: Exchange | null, time: string = ""): string {
  const start = time === "" ? "fairlead:" : `fairlead: ${time}`;
  const ours = attempt(() => (error instanceof HandlerError ? error : null), null);
  const request = exchange === null ? "" : ` at ${exchange.request.method} ${shownTarget(exchange.request.target)}`;
  // Nobody's mistake, and nothing to look for
  if (ours?.code === "ERR_FILE_CHANGED") return `${start} ${harmless(`broken off${request}: ${ours.message}`)}\n`;
  const what =
    exchange === null ? "something failed outside of a request, such as a promise of waitUntil()" : "a handler failed";
  const known = id === "" ? "" : ` (${id})`;
  const hint = exchange === null ? "" : hintAt(error);
  return `${start} ${harmless(`${what}${request}${known}\n${errorText(error)}${hint === "" ? "" : `\n${hint}`}`)}\n`;
}

/** What was thrown, as lines that are not yet {@link harmless}. Never throws. */
export function errorText(error: unknown): string {
  return cut(new ErrorText().of(error, 0), MAX_TEXT);
}

/** What `(req, res)` do first with what is a {@link Context} here. */
const NODES_WAY = /^\w+\.(?:end|write|writeHead|setHeader|appendHeader|flushHeaders) is not a function$/;
const NODES_HINT =
  "A handler is called with a Request and a context, and returns a Response; one for (req, res) of node:http becomes a " +
  "handler by nodeHandler() of fairlead/node.";

/** What may be behind a failure whose message leads nobody there; `""` for nothing. */
export function hintAt(error: unknown): string {
  if (!isError(error) || textOf(error, "name") !== "TypeError") return "";
  return NODES_WAY.test(textOf(error, "message")) ? NODES_HINT : "";
}

/** Shows what a terminal would obey; what follows the first line is indented. */
export function harmless(text: string): string {
  const visible = text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return visible.replaceAll("\n", "\n  ");
}

/** Controls but for the end of a line, marks that reorder or hide text, halves of characters, other ends of lines. */
const UNSAFE = /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/gu;

/** One text's worth, with what has been told in it. */
class ErrorText {
  readonly #told: Set<object> = new Set();

  of(error: unknown, depth: number): string {
    if (!isError(error)) return attempt(() => inspect(error, SHALLOW), "[what was thrown cannot be shown]");
    if (this.#told.has(error)) return `${nameOf(error)}: [told above]`;
    if (depth === MAX_DEPTH || this.#told.size === MAX_ERRORS) return "[more causes left out]";
    this.#told.add(error);
    const lines = [stackOf(error), ...membersOf(error)];
    const cause = read(error, "cause");
    if (cause !== undefined) lines.push(`  [cause]: ${this.#inner(cause, depth)}`);
    const errors = read(error, "errors");
    if (attempt(() => Array.isArray(errors), false)) {
      for (const one of (errors as unknown[]).slice(0, MAX_ERRORS)) lines.push(`  [error]: ${this.#inner(one, depth)}`);
    }
    return lines.join("\n");
  }

  #inner(error: unknown, depth: number): string {
    return this.of(error, depth + 1).replaceAll("\n", "\n  ");
  }
}

/** A long message would leave no place for the frames behind it. */
function stackOf(error: object): string {
  const message = textOf(error, "message");
  const stack = read(error, "stack");
  if (typeof stack !== "string" || stack === "") return `${nameOf(error)}: ${cut(message, MAX_MESSAGE)}`;
  const at = message.length > MAX_MESSAGE ? stack.indexOf(message) : -1;
  const text = at === -1 ? stack : stack.slice(0, at) + cut(message, MAX_MESSAGE) + stack.slice(at + message.length);
  // What we say of a handler has frames of our own alone, in which there is nothing to find
  return shortenStacks(cut(text, MAX_TEXT), !(error instanceof HandlerError));
}

function membersOf(error: object): string[] {
  const names = attempt(() => Object.keys(error), []).filter(
    (name) => !TOLD_OTHERWISE.has(name) && !isSecretName(name),
  );
  const lines: string[] = [];
  for (const name of names) {
    // Of a getter nothing: it is code, which may do anything
    const value = attempt(() => Object.getOwnPropertyDescriptor(error, name)?.value as unknown, undefined);
    if (!["string", "number", "bigint", "boolean"].includes(typeof value)) continue;
    if (lines.length === MAX_MEMBERS) return [...lines, "  [more members left out]"];
    lines.push(`  ${cut(name, MAX_TARGET)}: ${inspect(value, SHALLOW)}`);
  }
  return lines;
}

/** Also those of another realm, e.g. of `node:vm`. A proxy may throw at the question. */
function isError(value: unknown): value is object {
  return attempt(() => types.isNativeError(value) || value instanceof Error, false);
}

function nameOf(error: object): string {
  return cut(textOf(error, "name"), MAX_TARGET);
}

function shownTarget(target: string): string {
  return cut(target.replace(/\?.*/s, "?…"), MAX_TARGET);
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}… [${text.length - most} more characters left out]` : text;
}

function read(target: object, name: string): unknown {
  return attempt(() => Reflect.get(target, name) as unknown, undefined);
}

function textOf(target: object, name: string): string {
  const text = read(target, name);
  return typeof text === "string" ? text : "[cannot be read]";
}

function attempt<T>(run: () => T, otherwise: T): T {
  try {
    return run();
  } catch {
    return otherwise;
  }
}
