/**
 * Tables of what conditional and range requests are answered with, one row per rule and case, and the reader that asks them.
 *
 * A row is `section of RFC 9110 | method | representation | field lines | outcome | why`. Field lines are joined by ` && `,
 * so that a field over several lines is one. The outcome is a status: 200 stands for performing the method, 206 is followed by
 * the first and last positions of the parts in the order in which they are sent.
 */
import { evaluatePreconditions, PROCEED, type Validators } from "../../src/http/conditional.ts";
import { Fields } from "../../src/http/fields.ts";
import { evaluateRange, UNSATISFIABLE } from "../../src/http/range.ts";

/** Half a second into 2024-06-15T12:00:00Z. */
export const NOW_MS: number = Date.UTC(2024, 5, 15, 12, 0, 0, 500);
/** `Mon, 15 Jan 2024 10:00:00 GMT` */
export const MODIFIED_MS: number = Date.UTC(2024, 0, 15, 10);

interface Representation extends Validators {
  readonly sizeBytes: number;
}

function represent(sizeBytes: number, etag: string, lastModifiedMs: number): Representation {
  return { sizeBytes, etag, lastModifiedMs };
}

/** By the name that rows use; null is a target resource without a current representation. */
const REPRESENTATIONS: Readonly<Record<string, Representation | null>> = {
  file: represent(10_000, '"v2"', MODIFIED_MS),
  weak: represent(10_000, 'W/"v2"', MODIFIED_MS),
  untagged: represent(10_000, "", MODIFIED_MS),
  undated: represent(10_000, '"v2"', Number.NaN),
  bare: represent(10_000, "", Number.NaN),
  missing: null,
  comma: represent(10_000, '"a,b"', MODIFIED_MS),
  blank: represent(10_000, '""', MODIFIED_MS),
  octets: represent(10_000, '"é\\"', MODIFIED_MS),
  tag1: represent(10_000, '"1"', MODIFIED_MS),
  weak1: represent(10_000, 'W/"1"', MODIFIED_MS),
  // 0.7 s that Last-Modified cannot say
  precise: represent(10_000, '"v2"', MODIFIED_MS + 700),
  // Last-Modified must not be later than Date: it says Sat, 15 Jun 2024 12:00:00 GMT
  future: represent(10_000, "", NOW_MS + 3_600_000),
  // Modified within this very second, and 0.1 s before it
  fresh: represent(10_000, "", NOW_MS - 200),
  settled: represent(10_000, "", NOW_MS - 600),
  epoch: represent(10_000, "", 0),
  empty: represent(0, '"v2"', MODIFIED_MS),
  one: represent(1, '"v2"', MODIFIED_MS),
  ten: represent(10, '"v2"', MODIFIED_MS),
  coded: represent(47_022, '"v2-gzip"', MODIFIED_MS),
  largest: represent(Number.MAX_SAFE_INTEGER, '"v2"', MODIFIED_MS),
};

export interface Row {
  readonly section: string;
  readonly method: string;
  readonly representation: string;
  readonly lines: string;
  readonly outcome: string;
  readonly why: string;
}

/** Reads a table; lines that start with `#` are headings. */
export function readTable(text: string): Row[] {
  const rows: Row[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const cells = line.split(" | ");
    if (cells.length !== 6) throw new Error(`a row has six cells: ${line}`);
    const [section = "", method = "", representation = "", lines = "", outcome = "", why = ""] = cells;
    if (!/^\d+(?:\.\d+)+$/.test(section)) throw new Error(`not a section: ${line}`);
    if (REPRESENTATIONS[representation] === undefined) throw new Error(`not a representation: ${line}`);
    rows.push({ section, method, representation, lines, outcome, why });
  }
  return rows;
}

/** What the row's request is answered with. */
export function answer(row: Row): string {
  const fields = Fields.from(row.lines === "-" ? [] : row.lines.split(" && ").map(readLine));
  const representation = REPRESENTATIONS[row.representation] ?? null;
  const status = evaluatePreconditions(row.method, fields, representation, NOW_MS);
  if (status !== PROCEED) return String(status);
  if (representation === null) return "200";
  const ranges = evaluateRange(row.method, fields, representation.sizeBytes, representation, NOW_MS);
  if (ranges === null) return "200";
  if (ranges === UNSATISFIABLE) return "416";
  return `206 ${ranges.map(({ start, length }) => `${start}-${start + length - 1}`).join(", ")}`;
}

function readLine(line: string): [string, string] {
  const colon = line.indexOf(": ");
  if (colon === -1) throw new Error(`not a field line: ${line}`);
  return [line.slice(0, colon), line.slice(colon + 2)];
}
