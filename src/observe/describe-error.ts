/**
 * What was thrown, as members of a record: type, message, stack, members of its own, what caused it, and of several errors each.
 *
 * Anything can be thrown, and its line must never be lost: the client was told that the log says more. So each property is read
 * where it may throw; causes may lead in a circle or on for ever, and one error may hold a request or a whole content (log
 * flooding). Of members only plain values are shown: clients of HTTP hang requests with their fields and contents on errors,
 * and those hold credentials (CWE-532).
 */

import { types } from "node:util";
import type { LogMembers } from "./access-options.ts";
import type { Redactor } from "./redact.ts";

/** Longest message, and longest stack: more than any that people write, and read. */
const MAX_TEXT = 65_536;
/** Of a message within a stack, which is there for its frames. */
const MAX_MESSAGE_IN_STACK = 1024;
const MAX_MEMBER_TEXT = 4096;
const MAX_MEMBERS = 32;
/** Causes behind each other; people write two or three. */
const MAX_DEPTH = 8;
/** Of several errors in one. */
const MAX_ERRORS = 16;
/** In one line, however they hang together. */
const MAX_DESCRIBED = 32;
/** Characters of one line, before escaping. */
const MAX_CHARACTERS = 262_144;

/** Have members of their own in the record. */
const TOLD_OTHERWISE: ReadonlySet<string> = new Set([
  "name",
  "type",
  "message",
  "stack",
  "cause",
  "errors",
  "__proto__",
]);

const UNREADABLE = "[cannot be read]";

/**
 * Describes it. Never throws, runs no getter but those of the names that every error has.
 *
 * @param redactor for members whose names say that they are secrets
 */
export function describeError(error: unknown, redactor: Redactor): LogMembers {
  return new Description(redactor).of(error, 0);
}

/** One line's worth, with what has been used up of it. */
class Description {
  readonly #redactor: Redactor;
  readonly #seen: WeakSet<object> = new WeakSet();
  #charactersLeft = MAX_CHARACTERS;
  #errorsLeft = MAX_DESCRIBED;

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  of(error: unknown, depth: number): LogMembers {
    if (!isObject(error)) return { type: typeof error, message: this.#text(textOf(error)) };
    if (this.#seen.has(error)) return { type: typeOf(error), message: "[told above]" };
    if (depth === MAX_DEPTH || this.#errorsLeft === 0) return { type: "omitted", message: "[more causes left out]" };
    this.#seen.add(error);
    this.#errorsLeft--;
    return isError(error) ? this.#error(error, depth) : this.#object(error);
  }

  /** As pino writes it. */
  #error(error: object, depth: number): LogMembers {
    const message = textOf(read(error, "message"));
    const code = read(error, "code");
    const cause = read(error, "cause");
    const errors = isAggregate(error) ? read(error, "errors") : undefined;
    return {
      type: typeOf(error),
      message: this.#text(message),
      ...(typeof code === "string" ? { code: this.#text(code, MAX_MEMBER_TEXT) } : {}),
      ...this.#members(error),
      stack: this.#stack(read(error, "stack"), message),
      ...(cause === undefined ? {} : { cause: this.of(cause, depth + 1) }),
      ...(isArray(errors) ? { errors: this.#errors(errors, depth + 1) } : {}),
    };
  }

  #object(value: object): LogMembers {
    const said = read(value, "message");
    const message = typeof said === "string" && said !== UNREADABLE ? said : textOf(value);
    return { type: typeof value, message: this.#text(message), ...this.#members(value) };
  }

  #errors(errors: readonly unknown[], depth: number): LogMembers[] {
    const total = read(errors, "length");
    const count = typeof total === "number" ? total : 0;
    const shown: LogMembers[] = [];
    while (shown.length < Math.min(count, MAX_ERRORS)) shown.push(this.of(read(errors, String(shown.length)), depth));
    const left = count - shown.length;
    if (left > 0) shown.push({ type: "omitted", message: `[${left} more errors left out]` });
    return shown;
  }

  /** A long message would leave no place for the frames behind it. */
  #stack(stack: unknown, message: string): string {
    if (typeof stack !== "string") return "";
    const at = message.length > MAX_MESSAGE_IN_STACK ? stack.indexOf(message) : -1;
    if (at === -1) return this.#text(stack);
    const shortened = cut(message, MAX_MESSAGE_IN_STACK);
    return this.#text(stack.slice(0, at) + shortened + stack.slice(at + message.length));
  }

  #members(value: object): LogMembers {
    const members: Record<string, unknown> = {};
    let count = 0;
    for (const name of namesOf(value)) {
      if (TOLD_OTHERWISE.has(name)) continue;
      if (count++ === MAX_MEMBERS) {
        members["…"] = "[more members left out]";
        break;
      }
      const member = this.#member(name, dataOf(value, name));
      if (member !== undefined) members[cut(name, MAX_MEMBER_TEXT)] = member;
    }
    return members;
  }

  #member(name: string, value: unknown): unknown {
    switch (typeof value) {
      case "undefined":
      case "function":
        return undefined;
      case "object":
        return value === null ? null : this.#inner(name, value);
      case "string":
        return this.#text(this.#redactor.member(name, value), MAX_MEMBER_TEXT);
      case "number":
      case "boolean":
        return this.#redactor.isSecretMember(name) ? this.#redactor.member(name, "") : value;
      default:
        return this.#text(this.#redactor.member(name, textOf(value)), MAX_MEMBER_TEXT);
    }
  }

  /** Lists of plain values are as good as those. */
  #inner(name: string, value: object): unknown {
    if (this.#redactor.isSecretMember(name)) return this.#redactor.member(name, "");
    if (!isArray(value)) return "[object]";
    const shown: unknown[] = [];
    const total = read(value, "length");
    const count = Math.min(typeof total === "number" ? total : 0, MAX_ERRORS);
    while (shown.length < count) {
      const one = read(value, String(shown.length));
      shown.push(isObject(one) ? "[object]" : (this.#member(name, one) ?? null));
    }
    if (typeof total === "number" && total > count) shown.push(`[${total - count} more left out]`);
    return shown;
  }

  /** What of a text there is place for. */
  #text(text: string, most = MAX_TEXT): string {
    const shown = cut(text, Math.min(most, this.#charactersLeft));
    this.#charactersLeft = Math.max(0, this.#charactersLeft - shown.length);
    return shown;
  }
}

/** Says how much is missing. */
function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}… [${text.length - most} more characters left out]` : text;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Also those of another realm, e.g. of `node:vm`. A proxy may throw at the question. */
function isError(value: object): boolean {
  return attempt(() => types.isNativeError(value) || value instanceof Error, false);
}

function isAggregate(value: object): boolean {
  return attempt(() => value instanceof AggregateError, false);
}

/** A revoked proxy throws at the question. */
function isArray(value: unknown): value is readonly unknown[] {
  return attempt(() => Array.isArray(value), false);
}

function typeOf(value: object): string {
  const name = isError(value) ? read(value, "name") : typeof value;
  return cut(textOf(name), MAX_MEMBER_TEXT);
}

function read(target: object, name: string): unknown {
  return attempt(() => Reflect.get(target, name) as unknown, UNREADABLE);
}

/** Own and enumerable; of octets and lists they are what is in them, and too many. */
function namesOf(value: object): readonly string[] {
  if (ArrayBuffer.isView(value) || isArray(value)) return [];
  return attempt(() => Object.keys(value), []);
}

/** Of a getter nothing: it is code, which may do anything. */
function dataOf(target: object, name: string): unknown {
  return attempt(() => Object.getOwnPropertyDescriptor(target, name)?.value as unknown, UNREADABLE);
}

/** Any value as text; some throw at that. */
export function textOf(value: unknown): string {
  return attempt(() => String(value), UNREADABLE);
}

function attempt<T>(run: () => T, otherwise: T): T {
  try {
    return run();
  } catch {
    return otherwise;
  }
}
