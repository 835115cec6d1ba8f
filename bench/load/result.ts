/**
 * What a load is told and what it tells, whichever program makes it.
 *
 * Requests are octets, so that every subject gets the very same ones and nothing of a client's own; programs that write heads
 * themselves get the same question by its parts.
 */

/** What is asked, over and over. */
export interface Load {
  /** As they go over the wire, in turn. */
  readonly requests: readonly (string | Uint8Array)[];
  /** Status of every answer. */
  readonly status: number;
  readonly connections: number;
  /** Default http. */
  readonly scheme?: "http" | "https";
  /** Of so many requests one closes its connection: `requests` are then one that keeps it and one that closes it. */
  readonly closeEvery?: number;
  /** Requests of one write, which are answered in order; default 1. */
  readonly depth?: number;
  /** The same question for programs that write heads themselves; absent where they cannot ask it. */
  readonly get?: { readonly paths: readonly string[]; readonly fields: Readonly<Record<string, string>> };
}

/** What came of it. */
export interface LoadResult {
  /** Answers that came, all of them right as far as the load looks. */
  readonly requests: number;
  readonly durationUs: number;
  /** `[percentile, microseconds]`, ascending; the percentiles of PERCENTILES in histogram.ts. */
  readonly percentiles: readonly (readonly [number, number])[];
  /** Figures that only this load has. */
  readonly more?: Readonly<Record<string, number>>;
}

/** @returns microseconds at a percentile, NaN where the load does not tell it */
export function percentileOf(result: LoadResult, percent: number): number {
  return result.percentiles.find(([one]) => one === percent)?.[1] ?? NaN;
}

/** What a line `RESULT {…}` says besides. */
interface Said extends LoadResult {
  readonly errors: number;
  readonly wrong: number;
}

/**
 * Reads the line `RESULT {…}` of a load.
 *
 * @param who name of the subject, for the message
 * @throws if there is none, or it tells of errors or wrong answers: speed with wrong answers is no result
 */
export function parseResult(text: string, who: string): LoadResult {
  const line = /^RESULT (.*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error(`${who}: the load said no result:\n${text}`);
  const { errors, wrong, ...result } = JSON.parse(line) as Said;
  if (errors > 0 || wrong > 0) throw new Error(`${who}: ${errors} errors, ${wrong} wrong answers\n${text}`);
  if (result.requests === 0) throw new Error(`${who}: not one request was completed`);
  return result;
}
