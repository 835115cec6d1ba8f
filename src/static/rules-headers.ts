/**
 * `_headers`: sections of a path and, indented below it, the fields that answers under that path get.
 *
 * All sections that match apply, in the order of the file; `! Name` takes a field away again, ours included. What they come
 * to is worked out once for each combination of sections and kept, so that callers may keep what they derive from it. The
 * fields that frame or describe the content are not to be had: they would be lies. This file must never look at the disk.
 * RFC 9110 §5.1, §5.5 (names and values), §5.3 (several lines of one name).
 */

import type { FieldLines } from "../http/exchange.ts";
import { isFieldValue, isToken } from "../http/fields.ts";
import type { AskedPath, Mistakes, RulesLine } from "./rules-text.ts";

/** What is to be done to the fields of an answer. The same object for the same sections, frozen. */
export interface FieldChanges {
  /** The same text for the same sections, another for others; `""` where there are no sections. */
  readonly key: string;
  /** Names in lower case that the answer must not have: those taken away, and those of {@link lines} but for Vary. */
  readonly removed: ReadonlySet<string>;
  /** Lines to add; names as written in the file. */
  readonly lines: FieldLines;
  /** Where the lines come from, `_headers:3`, by name in lower case. */
  readonly places: ReadonlyMap<string, string>;
}

/** Cloudflare Pages: 100 rules. All are tried for each answer that is not in a cache. */
const MAX_SECTIONS = 200;
const MAX_LINES_OF_SECTION = 50;
/** Combinations that are remembered. */
const MAX_COMBINATIONS = 256;

/**
 * What a rule must not touch, because the server's other words depend on it: framing, the hop's own fields, and what
 * tells which representation this is. A rule for ETag would make If-None-Match lie, one for Content-Encoding the bytes.
 */
const OF_THE_SERVER =
  /^(?:accept-ranges|age|allow|connection|content-(?:encoding|length|range)|date|etag|keep-alive|last-modified|location|proxy-.*|te|trailer|transfer-encoding|upgrade)$/;

interface HeaderSection {
  readonly pattern: RegExp;
  /** `! Name`, in lower case. */
  readonly detached: readonly string[];
  readonly lines: FieldLines;
  readonly places: ReadonlyMap<string, string>;
}

interface SectionBeingRead extends HeaderSection {
  readonly detached: string[];
  readonly lines: string[];
  readonly places: Map<string, string>;
}

/** All sections of a file. */
export class HeaderRules {
  static readonly NONE: HeaderRules = new HeaderRules([]);

  /** Number of sections. */
  readonly size: number;
  readonly #sections: readonly HeaderSection[];
  readonly #combinations: Map<string, FieldChanges>;

  private constructor(sections: readonly HeaderSection[]) {
    this.size = sections.length;
    this.#sections = sections;
    this.#combinations = new Map();
  }

  /** Reads the lines of a file; lines that are wrong are noted and left out. */
  static parse(lines: readonly RulesLine[], mistakes: Mistakes): HeaderRules {
    const sections: SectionBeingRead[] = [];
    for (const line of lines) {
      const section = sections.at(-1);
      if (line.text.startsWith("/") && !line.isIndented) {
        const pattern = compileGlob(line.text);
        if (typeof pattern === "string") mistakes.add(line.number, pattern);
        else sections.push({ pattern, detached: [], lines: [], places: new Map() });
      } else if (section === undefined || !line.isIndented) {
        mistakes.add(
          line.number,
          'a section begins with a path ("/…") at the start of a line, its fields are indented',
        );
      } else {
        addField(section, line, mistakes);
      }
    }
    if (sections.length > MAX_SECTIONS) mistakes.add(0, `more than ${MAX_SECTIONS} sections`);
    return new HeaderRules(sections.slice(0, MAX_SECTIONS));
  }

  /**
   * What the answers under a path get.
   *
   * @param asked path below the root as it was asked for, not as it was found
   * @returns null if no section matches
   */
  changesFor(asked: AskedPath): FieldChanges | null {
    if (this.size === 0) return null;
    const path = `/${asked.names.join("/")}${asked.isFolderPath && asked.names.length > 0 ? "/" : ""}`;
    let key = "";
    for (let i = 0; i < this.#sections.length; i++) {
      if ((this.#sections[i] as HeaderSection).pattern.test(path)) key += `${i} `;
    }
    return key === "" ? null : this.#combine(key);
  }

  #combine(key: string): FieldChanges {
    const known = this.#combinations.get(key);
    if (known !== undefined) return known;
    const changes = combineSections(
      key,
      key
        .trim()
        .split(" ")
        .map((index) => this.#sections[Number(index)] as HeaderSection),
    );
    if (this.#combinations.size >= MAX_COMBINATIONS) this.#combinations.clear();
    this.#combinations.set(key, changes);
    return changes;
  }
}

function combineSections(key: string, sections: readonly HeaderSection[]): FieldChanges {
  const removed = new Set<string>();
  const places = new Map<string, string>();
  let lines: string[] = [];
  for (const section of sections) {
    // What a section takes away is what wider ones before it gave; its own fields stay
    for (const name of section.detached) {
      removed.add(name);
      lines = withoutNames(lines, new Set([name]));
    }
    lines.push(...section.lines);
    for (const [name, place] of section.places) places.set(name, place);
  }
  for (let i = 0; i < lines.length; i += 2) {
    const name = (lines[i] as string).toLowerCase();
    // RFC 9110 §12.5.5: what an answer varies by is only ever more
    if (name !== "vary") removed.add(name);
  }
  return Object.freeze({ key, removed, lines: Object.freeze(lines), places });
}

function withoutNames(lines: FieldLines, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    if (!names.has((lines[i] as string).toLowerCase())) kept.push(lines[i] as string, lines[i + 1] as string);
  }
  return kept;
}

/** The fields of an answer after the changes; frozen, so that it can be shared by answers. */
export function applyFieldChanges(lines: FieldLines, changes: FieldChanges): FieldLines {
  return Object.freeze([...withoutNames(lines, changes.removed), ...changes.lines]);
}

/**
 * The same for what stands in for a file: a refusal, a listing, a page of the folder. The type that a section gives is that of
 * its files, and would be a lie about these.
 */
export function applyToStandIn(lines: FieldLines, changes: FieldChanges): FieldLines {
  const type: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    if ((lines[i] as string).toLowerCase() === "content-type") type.push(lines[i] as string, lines[i + 1] as string);
  }
  return Object.freeze([...type, ...withoutNames(applyFieldChanges(lines, changes), TYPE)]);
}

const TYPE: ReadonlySet<string> = new Set(["content-type"]);

/**
 * Fields that say how long an answer may be kept: Cache-Control, those for some caches alone (RFC 9213, and Surrogate-Control
 * as Fastly and Varnish read it), Expires.
 */
const LIFETIME = /^(?:expires|surrogate-control|(?:.+-)?cache-control)$/;

/**
 * The fields of an error. How long files may be kept is not for how long they are missing: a script that is not there yet
 * during a deployment would be gone for a year. What forbids to keep anything stays.
 */
export function withoutLifetimes(lines: FieldLines): FieldLines {
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const isLifetime = LIFETIME.test((lines[i] as string).toLowerCase());
    if (!isLifetime || /\bno-store\b/i.test(lines[i + 1] as string))
      kept.push(lines[i] as string, lines[i + 1] as string);
  }
  if (kept.length === lines.length) return lines;
  return Object.freeze([...kept, "cache-control", "no-cache"]);
}

/**
 * The fields of an error under a path, with what options and rules give it.
 *
 * @param changes in their order; null for none
 */
export function dressRefusal(lines: FieldLines, ...changes: readonly (FieldChanges | null)[]): FieldLines {
  let dressed = lines;
  for (const change of changes) if (change !== null) dressed = applyToStandIn(dressed, change);
  return withoutLifetimes(dressed);
}

/** Reads `Name: value` or `! Name` into a section. */
function addField(section: SectionBeingRead, line: RulesLine, mistakes: Mistakes): void {
  const detached = /^![ \t]*(.*)$/.exec(line.text)?.[1];
  const colon = line.text.indexOf(":");
  const name = detached ?? line.text.slice(0, Math.max(colon, 0)).trim();
  const value = line.text.slice(colon + 1).trim();
  const sentence = findMistake(name, detached === undefined ? value : null, colon);
  if (sentence !== null) mistakes.add(line.number, sentence);
  else if (detached !== undefined) section.detached.push(name.toLowerCase());
  else if (section.lines.length === MAX_LINES_OF_SECTION * 2) {
    mistakes.add(line.number, `more than ${MAX_LINES_OF_SECTION} fields in one section`);
  } else {
    section.lines.push(name, value);
    section.places.set(name.toLowerCase(), mistakes.placeOf(line.number));
  }
}

/** What is wrong with a field, null if nothing is; `value` null means that it is taken away. */
function findMistake(name: string, value: string | null, colon: number): string | null {
  if (value !== null && colon < 1) return 'a field is "Name: value", or "! Name" to take it away';
  if (!isToken(name)) return `${JSON.stringify(name)} is no name of a field`;
  if (OF_THE_SERVER.test(name.toLowerCase())) return `${name} is the server's to say`;
  if (value === null)
    return name.toLowerCase() === "vary" ? "Vary cannot be taken away: caches would mix answers" : null;
  // Line ends cannot come here; what is above U+00FF has no bytes in a field
  return isFieldValue(value) ? null : `the value of ${name} holds a character that fields cannot have`;
}

/**
 * A path of a section as an anchored pattern over decoded paths: `*` for anything, slashes included, at most once (as
 * Cloudflare Pages has it, and so that matching takes linear time); `:name` for one segment. A string is what is wrong.
 */
function compileGlob(text: string): RegExp | string {
  if (/[ \t]/.test(text)) return `the path ${JSON.stringify(text)} holds white space, write %20`;
  if (/[?#]/.test(text)) return `${JSON.stringify(text)} is a path and must hold neither "?" nor "#"`;
  if (text.split("*").length > 2) return `"*" may be in ${JSON.stringify(text)} only once`;
  const parts: string[] = [];
  for (const segment of text.slice(1).split("/")) {
    if (/^:[A-Za-z]\w*$/.test(segment)) {
      parts.push("[^/]+");
      continue;
    }
    let name: string;
    try {
      name = decodeURIComponent(segment);
    } catch {
      return `${JSON.stringify(segment)} is not percent-encoded UTF-8`;
    }
    parts.push(name.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&").replace("\\*", "[^]*"));
  }
  return new RegExp(`^/${parts.join("/")}$`, "u");
}
