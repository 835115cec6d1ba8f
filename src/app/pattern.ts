/**
 * Patterns of paths: text to segments, with every mistake told where the pattern was written.
 *
 * A pattern is a path whose segments are literals (`users`), params (`:id`), constrained params (`:id(\\d+)`), several of them
 * with literals between (`:year-:month`, `:name.json`), and as the last one perhaps a wildcard (`*`, `*path`). A param that is
 * a whole segment may be optional (`:page?`). A backslash makes the next character a literal. Literals are compared decoded, so
 * that `/café` and `/caf%C3%A9` are one. Pure; it never sees a request.
 */

import { decodePath } from "../http/target.ts";

/** A param inside of a segment, or all of it. */
export interface Capture {
  readonly name: string;
  /** Tested against the whole decoded value; null takes anything that is not empty. */
  readonly constraint: RegExp | null;
}

/** What stands between two slashes of a pattern. */
export type Segment =
  | { readonly kind: "static"; readonly text: string }
  | { readonly kind: "param"; readonly name: string }
  /** Params with constraints, or with literals beside them. */
  | { readonly kind: "mixed"; readonly parts: ReadonlyArray<string | Capture> }
  | { readonly kind: "wildcard"; readonly name: string };

/** A pattern, taken apart. */
export interface Pattern {
  readonly text: string;
  /** With and without each optional param; each at least one segment, the root a single empty literal. */
  readonly variants: ReadonlyArray<readonly Segment[]>;
}

const NAME = /^[A-Za-z_]\w*/;
/** Would mean something else in a URL, or is kept for patterns. */
const RESERVED = /[?#{}()*]/;
/** Each doubles the variants. */
const MAX_OPTIONAL = 5;

/** A segment while it is read. */
interface Draft {
  readonly parts: (string | Capture)[];
  isOptional: boolean;
  wildcard: string | null;
}

/**
 * Takes a pattern apart.
 *
 * @throws TypeError that shows the pattern and says what is wrong with it
 */
export function parsePattern(text: string): Pattern {
  return new PatternParser(text).parse();
}

/**
 * The pattern of a route inside of an app that has a prefix. `/` inside stands for the prefix itself.
 *
 * @param prefix as {@link checkPrefix} gives it: `""` or `/docs`
 */
export function joinPatterns(prefix: string, text: string): string {
  if (prefix === "") return text === "" ? "/" : text;
  return text === "/" || text === "" ? prefix : `${prefix}${text}`;
}

/**
 * A prefix without slash at its end; `""` for none.
 *
 * @throws TypeError for what is no pattern, and for one with a wildcard or an optional param
 */
export function checkPrefix(text: string): string {
  if (text === "" || text === "/") return "";
  const prefix = text.endsWith("/") ? text.slice(0, -1) : text;
  const { variants } = parsePattern(prefix);
  const isOpen = variants.length > 1 || variants.some((segments) => segments.at(-1)?.kind === "wildcard");
  if (isOpen)
    throw mistake(text, "a prefix has neither wildcard nor optional params: all that begins with it belongs to it");
  return prefix;
}

/** Text that two variants share if they match the same paths, whatever their params are called. */
export function shapeOf(segments: readonly Segment[]): string {
  return JSON.stringify(segments.map(shapeOfSegment));
}

function shapeOfSegment(segment: Segment): string | unknown[] {
  switch (segment.kind) {
    case "static":
      return `=${segment.text}`;
    case "param":
      return ":";
    case "wildcard":
      return "*";
    case "mixed":
      return segment.parts.map((part) => (typeof part === "string" ? part : [part.constraint?.source ?? ""]));
  }
}

function mistake(pattern: string, text: string, cause?: unknown): TypeError {
  return new TypeError(`the pattern ${JSON.stringify(pattern)} is wrong: ${text}`, { cause });
}

class PatternParser {
  readonly #text: string;
  #at = 0;
  readonly #drafts: Draft[] = [];
  readonly #names: Set<string> = new Set();

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Pattern {
    const text = this.#text;
    if (typeof text !== "string" || !text.startsWith("/")) throw mistake(text, "it begins with a slash");
    while (this.#at < text.length) {
      // Stands on the slash before a segment
      this.#at++;
      this.#drafts.push(this.#readSegment());
    }
    return { text, variants: this.#expand() };
  }

  #readSegment(): Draft {
    const draft: Draft = { parts: [], isOptional: false, wildcard: null };
    let literal = "";
    const start = this.#at;
    for (; this.#at < this.#text.length && this.#text[this.#at] !== "/";) {
      const character = this.#text[this.#at] as string;
      if (character === ":") {
        this.#pushLiteral(draft, literal);
        literal = "";
        this.#readParam(draft);
      } else if (character === "*" && this.#at === start) {
        this.#readWildcard(draft);
      } else {
        literal += this.#readCharacter(character);
      }
    }
    this.#pushLiteral(draft, literal);
    if (draft.isOptional && draft.parts.length > 1) this.#fail("only a param that is a whole segment can be optional");
    this.#checkLiteralSegment(draft, this.#at === this.#text.length);
    return draft;
  }

  #checkLiteralSegment({ parts, wildcard }: Draft, isLast: boolean): void {
    if (parts.length === 0 && wildcard === null && !isLast) this.#fail("a segment in the middle is empty");
    // RFC 3986 §5.2.4: they are removed from every path before it is compared
    if (parts.length === 1 && (parts[0] === "." || parts[0] === "..")) this.#fail("dot segments are in no path");
  }

  #readCharacter(character: string): string {
    this.#at++;
    if (character === "\\") {
      const escaped = this.#text[this.#at];
      if (escaped === undefined || escaped === "/")
        this.#fail("a backslash stands before the character that it escapes");
      this.#at++;
      return escaped;
    }
    if (!RESERVED.test(character)) return character;
    if (character === "{") this.#fail("a constraint is written in parentheses, as in :id(\\\\d+)");
    if (character === "*") this.#fail("a wildcard is the last segment, alone or with a name: /* or /*path");
    if (character === "?")
      this.#fail("a question mark stands behind a param that is optional, and queries are not matched");
    return this.#fail(`${character} means something here, a backslash before it takes that away`);
  }

  #pushLiteral(draft: Draft, literal: string): void {
    if (literal === "") return;
    const decoded = decodePath(literal);
    if (decoded === null) this.#fail(`${JSON.stringify(literal)} is not valid percent-encoded UTF-8`);
    draft.parts.push(decoded);
  }

  #readParam(draft: Draft): void {
    const name = NAME.exec(this.#text.slice(this.#at + 1))?.[0];
    if (name === undefined)
      return this.#fail("a colon stands before a name of letters, digits and _; write \\\\: for a colon");
    this.#claimName(name);
    this.#at += 1 + name.length;
    const previous = draft.parts.at(-1);
    if (previous !== undefined && typeof previous !== "string") {
      this.#fail(`nothing tells where :${previous.name} ends and :${name} begins`);
    }
    draft.parts.push({ name, constraint: this.#text[this.#at] === "(" ? this.#readConstraint() : null });
    if (this.#text[this.#at] !== "?") return;
    draft.isOptional = true;
    this.#at++;
    if (this.#at < this.#text.length && this.#text[this.#at] !== "/") {
      this.#fail("only a param that is a whole segment can be optional");
    }
  }

  #readWildcard(draft: Draft): void {
    const name = this.#text.slice(this.#at + 1);
    if (name !== "" && NAME.exec(name)?.[0] !== name) {
      this.#fail("a wildcard is the last segment, alone or with a name: /* or /*path");
    }
    draft.wildcard = name === "" ? "*" : name;
    this.#claimName(draft.wildcard);
    this.#at = this.#text.length;
  }

  /** Up to the parenthesis that closes it; a slash cannot be in it, because none is in a segment of a pattern. */
  #readConstraint(): RegExp {
    const start = this.#at + 1;
    let depth = 0;
    do {
      const character = this.#text[this.#at];
      if (character === undefined || character === "/")
        return this.#fail("a constraint is not closed, or holds a slash");
      if (character === "\\") this.#at++;
      else if (character === "(") depth++;
      else if (character === ")") depth--;
      this.#at++;
    } while (depth > 0);
    const source = this.#text.slice(start, this.#at - 1);
    if (source === "") this.#fail("a constraint is empty");
    try {
      return new RegExp(`^(?:${source})$`, "u");
    } catch (error) {
      throw mistake(this.#text, `the constraint ${source} is no regular expression`, error);
    }
  }

  #claimName(name: string): void {
    if (this.#names.has(name)) this.#fail(`two params are called ${name}`);
    this.#names.add(name);
  }

  #expand(): Segment[][] {
    if (this.#drafts.filter((draft) => draft.isOptional).length > MAX_OPTIONAL) {
      this.#fail(`at most ${MAX_OPTIONAL} params are optional`);
    }
    let variants: Segment[][] = [[]];
    for (const draft of this.#drafts) {
      const segment = segmentOf(draft);
      const longer = variants.map((segments) => [...segments, segment]);
      variants = draft.isOptional ? [...variants, ...longer] : longer;
    }
    return variants.map((segments) => (segments.length === 0 ? [ROOT] : segments));
  }

  #fail(text: string): never {
    throw mistake(this.#text, text);
  }
}

const ROOT: Segment = { kind: "static", text: "" };

function segmentOf({ parts, wildcard }: Draft): Segment {
  if (wildcard !== null) return { kind: "wildcard", name: wildcard };
  const [first] = parts;
  if (first === undefined) return ROOT;
  if (parts.length > 1) return { kind: "mixed", parts };
  if (typeof first === "string") return { kind: "static", text: first };
  return first.constraint === null ? { kind: "param", name: first.name } : { kind: "mixed", parts };
}
