/**
 * Which of our own code inputs reach, and how often: V8's precise block coverage, asked of this very process through
 * node:inspector. Nothing is instrumented and no binary is needed, so it works wherever the runner does; asking costs about
 * a millisecond, so it is asked for a batch of inputs at a time (fuzz/README.md has the numbers).
 *
 * V8 joins neighbouring blocks that were run equally often, so blocks have no lasting names: what was reached is kept as one
 * mark per character of each script. Must be started before the code that it watches is loaded.
 */

import { type Profiler, Session } from "node:inspector";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../src/", import.meta.url));

/** How much of a room has been reached. */
export interface RoomCoverage {
  readonly room: string;
  /** Characters of code. */
  readonly reached: number;
  readonly known: number;
}

interface Known {
  readonly path: string;
  readonly start: number;
  /** 1 for each character that was reached, those of functions inside as if they were its own. */
  readonly marks: Uint8Array;
}

/** Coverage of src, from {@link Coverage.start} on. */
export class Coverage {
  readonly #session: Session = new Session();

  start(): void {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  stop(): void {
    this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }

  /** Blocks that were run since it was asked last; their counts start anew. */
  take(): Profiler.ScriptCoverage[] {
    let result: Profiler.ScriptCoverage[] = [];
    // A session of the own thread answers before it returns
    this.#session.post("Profiler.takePreciseCoverage", (error, taken) => {
      if (error === null) result = taken.result;
    });
    return result.filter(({ url }) => pathOf(url).startsWith(SOURCE));
  }

  /** How often blocks were run since it was asked last, all together: the same for the same input, whatever the machine. */
  steps(): number {
    let steps = 0;
    for (const { functions } of this.take()) {
      for (const { ranges } of functions) for (const { count } of ranges) steps += count;
    }
    return steps;
  }
}

/** What one target has reached. */
export class Reach {
  /** By script, start and end. */
  readonly #functions: Map<string, Known> = new Map();
  /** Functions with the blocks that were run in them, as they were seen: nothing new in the same again. */
  readonly #seen: Set<string> = new Set();

  get functions(): Iterable<Known> {
    return this.#functions.values();
  }

  /**
   * What was reached that never was before.
   *
   * @param taken what {@link Coverage.take} gave
   * @param isKept false: it is still new when it is asked the next time
   * @returns the number of blocks
   */
  news(taken: readonly Profiler.ScriptCoverage[], isKept: boolean): number {
    let count = 0;
    for (const { scriptId, url, functions } of taken) {
      for (const { ranges } of functions) {
        let key = scriptId;
        for (const { startOffset, endOffset, count: times } of ranges) {
          key += `${times === 0 ? "-" : "+"}${startOffset}:${endOffset}`;
        }
        if (this.#seen.has(key)) continue;
        if (isKept) this.#seen.add(key);
        count += this.#mark(scriptId, url, ranges, isKept);
      }
    }
    return count;
  }

  /** Marks the blocks of one function, the inner ones behind those around them. Returns how many of them are new. */
  #mark(scriptId: string, url: string, ranges: readonly Profiler.CoverageRange[], isKept: boolean): number {
    const [whole] = ranges;
    if (whole === undefined) return 0;
    const start = whole.startOffset;
    const key = `${scriptId}:${start}:${whole.endOffset}`;
    let known = this.#functions.get(key);
    if (known === undefined) {
      known = { path: pathOf(url), start, marks: new Uint8Array(whole.endOffset - start) };
      this.#functions.set(key, known);
    }
    const reached = new Uint8Array(whole.endOffset - start);
    for (const range of ranges) {
      reached.fill(range.count === 0 ? 0 : 1, range.startOffset - start, range.endOffset - start);
    }
    let news = 0;
    let wasNew = false;
    for (let i = 0; i < reached.length; i++) {
      const isNew = reached[i] === 1 && known.marks[i] === 0;
      if (isNew && !wasNew) news++;
      wasNew = isNew;
      if (isNew && isKept) known.marks[i] = 1;
    }
    return news;
  }
}

/** What all of them have reached together, by room. */
export function roomsOf(reaches: readonly Reach[]): RoomCoverage[] {
  const scripts = new Map<string, Known[]>();
  for (const reach of reaches) {
    for (const known of reach.functions) {
      const list = scripts.get(known.path);
      if (list === undefined) scripts.set(known.path, [known]);
      else list.push(known);
    }
  }
  const rooms = new Map<string, { reached: number; known: number }>();
  for (const [path, functions] of scripts) {
    const room = path.slice(SOURCE.length).split("/")[0] ?? "";
    const sum = rooms.get(room) ?? { reached: 0, known: 0 };
    const text = paint(functions);
    sum.known += text.length;
    for (const mark of text) sum.reached += mark;
    rooms.set(room, sum);
  }
  return [...rooms].map(([room, sum]) => ({ room, ...sum })).toSorted((a, b) => (a.room < b.room ? -1 : 1));
}

/** The marks of one script, of all who know it. */
function paint(functions: Known[]): Uint8Array {
  const text = new Uint8Array(Math.max(...functions.map(({ start, marks }) => start + marks.length)));
  const merged = new Map<string, Known>();
  for (const known of functions) {
    const key = `${known.start}:${known.marks.length}`;
    const other = merged.get(key);
    if (other === undefined) merged.set(key, { ...known, marks: Uint8Array.from(known.marks) });
    else for (let i = 0; i < known.marks.length; i++) if (known.marks[i] === 1) other.marks[i] = 1;
  }
  // Functions lie within each other or apart: those inside are painted over those around them
  const sorted = [...merged.values()].toSorted((a, b) => a.start - b.start || b.marks.length - a.marks.length);
  for (const { start, marks } of sorted) text.set(marks, start);
  return text;
}

function pathOf(url: string): string {
  return url.startsWith("file:") ? fileURLToPath(url) : url;
}
