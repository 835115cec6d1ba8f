/**
 * `_redirects`: one rule a line, `from [query] to [status][!]`, as static hosts have it; the first rule that matches wins.
 *
 * A capture is encoded anew from decoded names, the origin of a target is the author's alone, and a local target begins
 * with exactly one slash whatever was captured: what a client writes can never choose the host (open redirect), nor end a
 * line (response splitting). This file must never look at the disk; whether a file shadows a rule is the caller's to say.
 * RFC 9110 §15.4 (redirects), §10.2.2 (Location); RFC 3986 §4.2 (a reference that begins with two slashes).
 */

import type { AskedPath, Captures, Mistakes, RulesLine } from "./rules-text.ts";
import { encodePath, encodeSegment, PathPattern } from "./rules-text.ts";

/** What a rule wants done. */
export type RuleAction = RedirectAction | RewriteAction;

/** Answer with a redirect. */
export interface RedirectAction {
  readonly kind: "redirect";
  readonly status: 301 | 302 | 303 | 307 | 308;
  /** Value of the Location field: ASCII, `/…` or an absolute URL that the author wrote. */
  readonly location: string;
  /** Where the rule stands, `_redirects:3`. */
  readonly place: string;
}

/**
 * Answer with what another path would give. Whoever follows it must not apply rules to that path again, not even where it is
 * missing (two rewrites that lead to one another would never end), and must take the files of rules for missing.
 */
export interface RewriteAction {
  readonly kind: "rewrite";
  readonly status: 200 | 404;
  /** Path below the root, encoded, to be resolved like a client's (and refused like one). */
  readonly target: string;
  readonly place: string;
}

/** A path with the query that came with it. */
export interface AskedTarget extends AskedPath {
  /** With its `?`, or `""`. */
  readonly search: string;
}

/** Cloudflare Pages: 2,000 fixed rules and 100 that vary. The latter are tried one after the other on each miss. */
const MAX_RULES = 2000;
const MAX_VARYING_RULES = 200;

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const REWRITES: readonly number[] = [200, 404];
/** Netlify; a browser keeps a 301 for long, so a rule that is still being tried out should say 302. */
const DEFAULT_STATUS = 301;

const STATUS = /^(\d{3})(!?)$/;
const QUERY_WORD = /^([\w.~-]+)=(.*)$/;
const CAPTURE = /:([A-Za-z]\w*)/g;
/** What a URL must not hold as it is (RFC 3986 §2); `%` stays, since a target is written encoded. */
const UNSAFE_IN_URL = /[^!-~]|["<>\\^`{|}]/gu;
const SAFE_SEARCH = /^\?[!-~]*$/;

/** A word of a query that must be there: with a value, or to be captured. */
interface QueryWord {
  readonly key: string;
  readonly value: string;
  readonly capture: string;
}

/** A target in pieces: text, capture, text, …, of one part of a URL. */
type Template = readonly string[];

/** Where a rule leads. */
interface RuleTarget {
  /** `https://example.org`, or `""` for here. */
  readonly origin: string;
  readonly path: Template;
  /** With its `?`; no piece if there is none. */
  readonly query: Template;
  /** With its `#`. */
  readonly fragment: string;
}

interface RedirectRule {
  readonly place: string;
  readonly from: PathPattern;
  readonly query: readonly QueryWord[];
  readonly to: RuleTarget;
  readonly status: number;
  readonly isForced: boolean;
}

/** Rules ordered for search: the fixed ones by path, the others one after the other. */
class RuleTable {
  readonly isEmpty: boolean;
  readonly #fixed: Map<string, [index: number, rule: RedirectRule]>;
  readonly #varying: [index: number, rule: RedirectRule][];

  constructor(rules: readonly RedirectRule[]) {
    this.isEmpty = rules.length === 0;
    this.#fixed = new Map();
    this.#varying = [];
    for (const [index, rule] of rules.entries()) {
      const names = isFixed(rule) ? rule.from.fixedNames : null;
      if (names === null) this.#varying.push([index, rule]);
      else if (!this.#fixed.has(names.join("/"))) this.#fixed.set(names.join("/"), [index, rule]);
    }
  }

  find(asked: AskedTarget, base: string): RuleAction | null {
    if (this.isEmpty) return null;
    const [fixedIndex, fixed] = this.#fixed.get(asked.names.join("/")) ?? [Infinity, null];
    for (const [index, rule] of this.#varying) {
      if (index > fixedIndex) break;
      const action = applyRule(rule, asked, base);
      if (action !== null) return action;
    }
    return fixed === null ? null : applyRule(fixed, asked, base);
  }
}

/** All rules of a file, in order. */
export class RedirectRules {
  static readonly NONE: RedirectRules = new RedirectRules([]);

  /** Number of rules. */
  readonly size: number;
  readonly #forced: RuleTable;
  readonly #all: RuleTable;

  private constructor(rules: readonly RedirectRule[]) {
    this.size = rules.length;
    this.#all = new RuleTable(rules);
    this.#forced = new RuleTable(rules.filter((rule) => rule.isForced));
  }

  /** Reads the lines of a file; lines that are wrong are noted and left out. */
  static parse(lines: readonly RulesLine[], mistakes: Mistakes): RedirectRules {
    const rules: RedirectRule[] = [];
    let varying = 0;
    for (const line of lines) {
      const rule = parseRule(line, mistakes);
      if (rule === null) continue;
      if (!isFixed(rule)) varying++;
      if (rules.length === MAX_RULES || varying > MAX_VARYING_RULES) {
        mistakes.add(line.number, `more than ${MAX_RULES} rules, or ${MAX_VARYING_RULES} with ":name", "*" or a query`);
        break;
      }
      rules.push(rule);
    }
    return new RedirectRules(rules);
  }

  /**
   * Whether any rule is forced; otherwise what is there answers without a look at the rules.
   */
  get hasForced(): boolean {
    return !this.#forced.isEmpty;
  }

  /**
   * What the forced rules (`301!`) want: to be asked before the disk is looked at.
   *
   * @param asked path below the root as resolve.ts gives it
   * @param base prefix under which the root is mounted, `""` or `/docs`; put before local targets
   */
  findForced(asked: AskedTarget, base = ""): RuleAction | null {
    return this.#forced.find(asked, base);
  }

  /** What all rules want: to be asked where there is no file. An existing file wins over a rule that is not forced. */
  find(asked: AskedTarget, base = ""): RuleAction | null {
    return this.#all.find(asked, base);
  }
}

function isFixed(rule: RedirectRule): boolean {
  return rule.from.fixedNames !== null && rule.query.length === 0;
}

/** What a rule wants of this request; null if it does not match, or would lead to where the client is (a loop). */
function applyRule(rule: RedirectRule, asked: AskedTarget, base: string): RuleAction | null {
  const ofPath = rule.from.match(asked.names);
  const captures = ofPath === null ? null : captureQuery(rule.query, asked.search, ofPath);
  if (captures === null) return null;
  const { origin, query, fragment } = rule.to;
  let path = fillPath(rule.to.path, captures, asked.isFolderPath);
  if (rule.status === 200 || rule.status === 404) {
    // The page that it leads to is asked for itself, and is not there
    if (rule.status === 200 && isSamePath(path, encodePath(asked))) return null;
    return { kind: "rewrite", status: rule.status, target: path, place: rule.place };
  }
  if (origin === "") path = base + path;
  let search = query.map((piece, index) => (index % 2 === 0 ? piece : fillQuery(piece, captures))).join("");
  // A query goes along, unless the rule has one of its own or has taken it apart
  if (query.length === 0 && rule.query.length === 0 && SAFE_SEARCH.test(asked.search)) search = asked.search;
  if (origin === "" && path + search === base + encodePath(asked) + asked.search) return null;
  const status = rule.status as RedirectAction["status"];
  return { kind: "redirect", status, location: origin + path + search + fragment, place: rule.place };
}

function isSamePath(a: string, b: string): boolean {
  return a.replace(/\/$/, "") === b.replace(/\/$/, "");
}

/** Captures of the query in addition; null if a word is missing or would be no segment. */
function captureQuery(words: readonly QueryWord[], search: string, captures: Captures): Captures | null {
  if (words.length === 0) return captures;
  const parameters = new URLSearchParams(search);
  const all = new Map(captures);
  for (const { key, value, capture } of words) {
    const given = parameters.get(key);
    if (given === null || (capture === "" && given !== value)) return null;
    if (capture === "") continue;
    // As a segment these would mean another folder, however they are encoded
    if (given === "" || given === "." || given === "..") return null;
    all.set(capture, [given]);
  }
  return all;
}

/** A path from its template. Empty captures leave no double slash: at the start it would name a host (open redirect). */
function fillPath(template: Template, captures: Captures, isFolderPath: boolean): string {
  let path = "";
  for (const [index, piece] of template.entries()) {
    if (index % 2 === 0) {
      path += piece;
      continue;
    }
    const names = captures.get(piece) ?? [];
    path += names.map(encodeSegment).join("/");
    if (piece === "splat" && names.length > 0 && isFolderPath) path += "/";
  }
  return path.replace(/\/{2,}/g, "/");
}

function fillQuery(name: string, captures: Captures): string {
  return encodeURIComponent((captures.get(name) ?? []).join("/").replace(/\p{Cs}/gu, "\uFFFD"));
}

/** Reads a line: words, status, pattern, target, in that order. */
function parseRule(line: RulesLine, mistakes: Mistakes): RedirectRule | null {
  const words = line.text.split(/[ \t]+/);
  const comment = words.findIndex((word) => word.startsWith("#"));
  if (comment !== -1) words.length = comment;
  const [from = "", ...rest] = words;
  const at = rest.findIndex((word) => /^(?:\/|https?:)/i.test(word));
  const wrong = (sentence: string): null => mistakes.add(line.number, sentence);
  if (at === -1) return wrong('a rule is "from to [status]", where "to" begins with "/", "http://" or "https://"');
  const status = parseStatus(rest.slice(at + 1));
  if (typeof status === "string") return wrong(status);
  if (/^https?:/i.test(from)) return wrong("rules for other hosts are not supported, write the path alone");
  const pattern = PathPattern.parse(from);
  if (typeof pattern === "string") return wrong(pattern);
  const query = parseQueryWords(rest.slice(0, at));
  if (typeof query === "string") return wrong(query);
  const known = [...pattern.captureNames, ...query.map((word) => word.capture).filter((name) => name !== "")];
  const to = parseTarget(rest[at] as string, known, status.code);
  if (typeof to === "string") return wrong(to);
  if (leadsToItself(pattern, to, query) && REDIRECTS.includes(status.code)) {
    return wrong(`${from} redirects to itself; a slash at the end makes no difference`);
  }
  const place = mistakes.placeOf(line.number);
  return { place, from: pattern, query, to, status: status.code, isForced: status.isForced };
}

function parseStatus(words: readonly string[]): { code: number; isForced: boolean } | string {
  const [word, ...more] = words;
  if (word === undefined) return { code: DEFAULT_STATUS, isForced: false };
  const match = STATUS.exec(word);
  const extra = match === null ? word : more[0];
  if (extra !== undefined) return `${JSON.stringify(extra)} is not supported: after the target comes a status alone`;
  const code = Number(match?.[1]);
  if (!REDIRECTS.includes(code) && !REWRITES.includes(code)) {
    return `the status must be one of ${[...REWRITES, ...REDIRECTS].toSorted((a, b) => a - b).join(", ")}, not ${code}`;
  }
  return { code, isForced: match?.[2] === "!" };
}

function parseQueryWords(words: readonly string[]): QueryWord[] | string {
  const query: QueryWord[] = [];
  for (const word of words) {
    const [, key, value = ""] = QUERY_WORD.exec(word) ?? [];
    if (key === undefined) return `${JSON.stringify(word)} is neither "name=value" nor a target`;
    const capture = /^:([A-Za-z]\w*)$/.exec(value)?.[1] ?? "";
    query.push({ key, value, capture });
  }
  return query;
}

/** Reads a target; a string is what is wrong with it. */
function parseTarget(text: string, known: readonly string[], status: number): RuleTarget | string {
  const [, originText = "", rest = ""] = /^(https?:\/\/[^/?#]*)?(.*)$/i.exec(text) ?? [];
  if (originText !== "" && REWRITES.includes(status)) return `status ${status} needs a path: nothing is proxied`;
  // The author alone says which host it is; a capture in it would let the client
  if (originText !== "" && !isOrigin(originText)) return `${JSON.stringify(originText)} is no origin`;
  if (originText === "" && !/^\/(?![/\\])/.test(rest)) return `${JSON.stringify(text)} must begin with one "/"`;
  const [, pathText = "", queryText = "", fragment = ""] = /^([^?#]*)(\?[^#]*)?(#.*)?$/.exec(rest) ?? [];
  const path = splitTemplate(pathText === "" ? "/" : pathText, known);
  const query = queryText === "" ? [] : splitTemplate(queryText, known);
  if (typeof path === "string") return path;
  if (typeof query === "string") return query;
  return { origin: originText, path, query, fragment: encodeUnsafe(fragment) };
}

function isOrigin(text: string): boolean {
  return /^[!-~]+$/.test(text) && !text.includes("@") && URL.canParse(text) && !/:[A-Za-z]/.test(text.slice(6));
}

/** Cuts text at its captures; `:word` that is none is a mistake, since it would be sent as it stands. */
function splitTemplate(text: string, known: readonly string[]): Template | string {
  const pieces = text.split(CAPTURE);
  const unknown = pieces.find((piece, index) => index % 2 === 1 && !known.includes(piece));
  if (unknown !== undefined) return `":${unknown}" is not captured by the path or the query`;
  return pieces.map((piece, index) => (index % 2 === 0 ? encodeUnsafe(piece) : piece));
}

function encodeUnsafe(text: string): string {
  return text.replace(UNSAFE_IN_URL, (character) => encodeURIComponent(character));
}

/** Whether a rule without captures leads to the very path that it matches. */
function leadsToItself(from: PathPattern, to: RuleTarget, query: readonly QueryWord[]): boolean {
  const names = from.fixedNames;
  if (names === null || to.origin !== "" || to.path.length > 1 || to.query.length > 0 || query.length > 0) return false;
  const target = PathPattern.parse(to.path[0] ?? "");
  return typeof target !== "string" && target.fixedNames?.join("/") === names.join("/");
}
