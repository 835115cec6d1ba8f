/**
 * The literate format of test/wire/*.md: Markdown text -> wire cases.
 *
 * A file is a chapter (`# title`), a case is a section (`## title`) of prose that says why and cites a section, one
 * ```` ```http ```` block with the octets (wire-bytes.ts), perhaps a ```` ```json ```` block with {@link CaseOptions}, one
 * ```` ```log ```` block with the events expected (wire-run.ts) and perhaps a ```` ```wire ```` block with the exact octets
 * of all answers. It must never accept half a case: whatever is missing, unknown or said twice is an error with its line.
 */

import { parseSteps, type Step } from "./wire-bytes.ts";

/** What the handler of a case does with each exchange. */
type HandlerKind =
  /** Reads all content, then answers. */
  | "read"
  /** Answers at once and leaves the content alone. */
  | "now"
  /** Answers at once and cancels the content. */
  | "cancel"
  /** Reads all content, answers at the event `answer`. */
  | "later"
  /** Leaves the content alone, answers at the event `answer`; reads from then on. */
  | "unread"
  /** Gives up. */
  | "abort"
  /** Asks for an upgrade, echoes in the tunnel; answers if there is none. */
  | "upgrade";

/** What the handler answers. */
export interface CaseResponse {
  readonly status?: number;
  readonly reason?: string;
  /** Flat: name, value, name, value. */
  readonly fields?: readonly string[];
  /** Pieces of content; null for none. */
  readonly content?: readonly string[] | null;
  /** `texts` is a stream of what no stream may give. */
  readonly as?: "string" | "bytes" | "iterable" | "stream" | "file" | "texts";
  readonly trailers?: readonly string[];
  /** The source of the content fails behind its pieces. */
  readonly fails?: boolean;
}

/** The ```` ```json ```` block of a case. */
export interface CaseOptions {
  readonly handler?: HandlerKind;
  readonly respond?: CaseResponse;
  /** Interim responses before the answer: status, then names and values. */
  readonly inform?: ReadonlyArray<readonly [number, ...string[]]>;
  readonly limits?: Readonly<Record<string, number>>;
  readonly timeouts?: Readonly<Record<string, number>>;
  readonly leniencies?: Readonly<Record<string, boolean | readonly string[]>>;
  /** Octets that the transport queues before it says stop. */
  readonly highWaterBytes?: number;
  readonly isExplaining?: boolean;
  readonly isEncrypted?: boolean;
}

/** One case. */
export interface WireCase {
  readonly title: string;
  /** Of the heading, from 1. */
  readonly line: number;
  readonly steps: readonly Step[];
  readonly options: CaseOptions;
  readonly log: readonly string[];
  /** Exact octets of all answers, or null where the log says enough. */
  readonly wire: Buffer | null;
}

/** All cases of one file. */
export interface Chapter {
  readonly title: string;
  readonly cases: readonly WireCase[];
}

const OPTION_NAMES: ReadonlySet<string> = new Set([
  "handler",
  "respond",
  "inform",
  "limits",
  "timeouts",
  "leniencies",
  "highWaterBytes",
  "isExplaining",
  "isEncrypted",
]);

interface Section {
  readonly title: string;
  readonly line: number;
  prose: string;
  readonly blocks: Map<string, string>;
}

/** @throws Error with the line of what is wrong */
export function parseChapter(text: string): Chapter {
  const lines = text.split("\n");
  const title = /^# (.+)$/.exec(lines[0] ?? "")?.[1];
  if (title === undefined) throw new Error("1: a chapter begins with its title");
  const cases = splitSections(lines).map(parseCase);
  const titles = new Set<string>();
  for (const { title: name, line } of cases) {
    if (titles.has(name)) throw new Error(`${line}: a second case of this title`);
    titles.add(name);
  }
  return { title, cases };
}

function splitSections(lines: readonly string[]): Section[] {
  const sections: Section[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] ?? "";
    const current = sections.at(-1);
    if (line.startsWith("```")) {
      const end = lines.indexOf("```", i + 1);
      if (end === -1) throw new Error(`${i + 1}: the block does not end`);
      if (current === undefined) throw new Error(`${i + 1}: a block before the first case`);
      const name = line.slice(3);
      if (!["http", "json", "log", "wire"].includes(name)) throw new Error(`${i + 1}: unknown kind of block: ${name}`);
      if (current.blocks.has(name)) throw new Error(`${i + 1}: a second ${name} block in one case`);
      current.blocks.set(name, lines.slice(i + 1, end).join("\n"));
      i = end;
    } else if (line.startsWith("## ")) {
      sections.push({ title: line.slice(3), line: i + 1, prose: "", blocks: new Map() });
    } else if (current !== undefined) current.prose += `${line} `;
  }
  return sections;
}

function parseCase(section: Section): WireCase {
  const fail = (text: string): never => {
    throw new Error(`${section.line}: ${text}`);
  };
  const { title, line, blocks } = section;
  if (!/§\d|Appendix [A-C]/.test(section.prose)) fail("a case says why and cites a section");
  const http = blocks.get("http") ?? fail("no http block");
  const log = blocks.get("log") ?? fail("no log block");
  const wire = blocks.get("wire");
  const options = JSON.parse(blocks.get("json") ?? "{}") as CaseOptions;
  for (const name of Object.keys(options)) if (!OPTION_NAMES.has(name)) fail(`unknown option: ${name}`);
  const end = log.split("\n").at(-1) ?? "";
  if (!["open", "waiting", "closed", "broken", "upgraded"].includes(end))
    fail("a log ends in the state of the connection");
  try {
    return {
      title,
      line,
      steps: parseSteps(http),
      options,
      log: log.split("\n"),
      wire: wire === undefined ? null : octets(wire),
    };
  } catch (error) {
    return fail((error as Error).message);
  }
}

function octets(block: string): Buffer {
  return Buffer.concat(parseSteps(block).map((step) => ("bytes" in step ? step.bytes : Buffer.alloc(0))));
}
