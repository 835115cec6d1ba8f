/**
 * Content -> JSON value, and for content that is no JSON the place where it stops being it (RFC 8259).
 *
 * JSON.parse does the work; only after it has refused is the text gone through again, because its messages name a place in
 * some cases only and quote the content in others. It must never build a value of its own.
 */

import { ERRORS } from "../http/errors.ts";

/**
 * What `json()` rejects with: a SyntaxError, as the platform's, which an uncaught passage through the handler turns into
 * 400 with its place.
 */
export class JsonSyntaxError extends SyntaxError {
  readonly code = "ERR_JSON";
  readonly status = 400;
  /** UTF-16 code units from the start of the text. */
  readonly offset: number;
  /** Octets from the start of the content, if that was UTF-8. */
  readonly byteOffset: number;
  /** From 1. */
  readonly line: number;
  /** From 1, in code units. */
  readonly column: number;

  /** @param textStart octets of the content before its text, as those of a byte order mark */
  constructor(text: string, offset: number, textStart = 0, options?: ErrorOptions) {
    const line = countLines(text, offset);
    const column = offset - text.lastIndexOf("\n", offset - 1);
    const what = offset >= text.length ? "it ends too early" : "unexpected character";
    super(`${ERRORS.ERR_JSON.sentence}: ${what} at line ${line}, column ${offset === 0 ? 1 : column}`, options);
    this.offset = offset;
    this.byteOffset = textStart + Buffer.byteLength(offset === text.length ? text : text.slice(0, offset));
    this.line = line;
    this.column = offset === 0 ? 1 : column;
  }
}

/**
 * Parses JSON text. `__proto__` becomes an own property and changes no prototype.
 *
 * @param textStart octets of the content before its text, for the place
 * @throws JsonSyntaxError with the place of the first mistake
 */
export function parseJson(text: string, textStart = 0): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new JsonSyntaxError(text, findJsonError(text), textStart, { cause: error });
  }
}

function countLines(text: string, end: number): number {
  let lines = 1;
  for (let i = text.indexOf("\n"); i !== -1 && i < end; i = text.indexOf("\n", i + 1)) lines++;
  return lines;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;

const SPACE = /[ \t\n\r]*/y;
/** RFC 8259 §6 and §3: what is neither string nor structure. */
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const NUMBER_START = /[-\d]/;
const LITERALS = ["true", "false", "null"];
const ESCAPED = /["\\/bfnrt]/;
const HEX = /[0-9a-fA-F]/;

/** Offset of the first character that cannot be; the length of the text where it only ends too early. */
export function findJsonError(text: string): number {
  return new JsonScanner(text).scan();
}

/** Goes through JSON text without recursion, since nesting is the sender's to choose. */
class JsonScanner {
  readonly #text: string;
  #at: number;
  #isWrong: boolean;

  constructor(text: string) {
    this.#text = text;
    this.#at = 0;
    this.#isWrong = false;
  }

  scan(): number {
    const open: string[] = [];
    do {
      this.#value(open);
      while (!this.#isWrong && open.length > 0 && !this.#separator(open)) {
        // an object or array has ended, and perhaps the one around it
      }
    } while (!this.#isWrong && open.length > 0);
    if (!this.#isWrong) this.#skipSpace();
    return this.#at;
  }

  /** Reads up to the end of a plain value, or into the first place where one is needed; `open` holds what closes. */
  #value(open: string[]): void {
    for (;;) {
      this.#skipSpace();
      const code = this.#text.charCodeAt(this.#at);
      if (code !== OPEN_OBJECT && code !== OPEN_ARRAY) return this.#scalar(code);
      const closing = code === OPEN_OBJECT ? "}" : "]";
      this.#at++;
      this.#skipSpace();
      if (this.#text[this.#at] === closing) {
        this.#at++;
        return;
      }
      open.push(closing);
      if (code === OPEN_OBJECT) this.#name();
      if (this.#isWrong) return;
    }
  }

  /** After a value: true if another follows in the innermost structure, false if that has ended. */
  #separator(open: string[]): boolean {
    this.#skipSpace();
    const closing = open.at(-1) as string;
    const next = this.#text[this.#at];
    if (next !== "," && next !== closing) {
      this.#isWrong = true;
      return true;
    }
    this.#at++;
    if (next === closing) {
      open.pop();
      return false;
    }
    if (closing === "}") {
      this.#skipSpace();
      this.#name();
    }
    return true;
  }

  #name(): void {
    if (this.#text.charCodeAt(this.#at) === QUOTE) this.#string();
    else this.#isWrong = true;
    if (this.#isWrong) return;
    this.#skipSpace();
    if (this.#text[this.#at] === ":") this.#at++;
    else this.#isWrong = true;
  }

  #scalar(code: number): void {
    if (code === QUOTE) return this.#string();
    const text = this.#text;
    if (NUMBER_START.test(text.charAt(this.#at))) return this.#number();
    for (const literal of LITERALS) {
      if (literal[0] !== text[this.#at]) continue;
      for (const letter of literal) {
        if (text[this.#at] !== letter) break;
        this.#at++;
      }
      this.#isWrong = text[this.#at - 1] !== literal.at(-1) || !text.endsWith(literal, this.#at);
      return;
    }
    this.#isWrong = true;
  }

  #number(): void {
    NUMBER.lastIndex = this.#at;
    if (NUMBER.test(this.#text)) {
      this.#at = NUMBER.lastIndex;
      return;
    }
    // Only a minus without digit is no number at all
    this.#at++;
    this.#isWrong = true;
  }

  #string(): void {
    const text = this.#text;
    for (this.#at++; this.#at < text.length; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE) {
        this.#at++;
        return;
      }
      if (code < 0x20 || (code === BACKSLASH && !this.#escape())) break;
    }
    this.#isWrong = true;
  }

  /** From the backslash to the last character of the escape. */
  #escape(): boolean {
    const text = this.#text;
    this.#at++;
    if (ESCAPED.test(text.charAt(this.#at))) return true;
    if (text[this.#at] !== "u") return false;
    for (let i = 0; i < 4; i++) {
      this.#at++;
      if (!HEX.test(text.charAt(this.#at))) return false;
    }
    return true;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }
}
