/**
 * The ways in which a wire case is cut into chunks, and the neighbour that is put behind it.
 *
 * A network may split a message anywhere and a peer may send the next one along with it; neither may change what is
 * understood (RFC 9112 §2.2, §9.3.2). Short octets are cut at every place; of long ones a sample is cut, around line ends,
 * around each limit in force and at even distances between: {@link MAX_CUT_EVERYWHERE_BYTES} is the border.
 */

import type { Step } from "./wire-bytes.ts";

/** One way to run a case. */
export interface Variant {
  /** For the report, e.g. `split at 17`. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** Octets of a step up to which every two-way split is run. */
const MAX_CUT_EVERYWHERE_BYTES = 600;
/** Octets of a step up to which it is also run octet by octet; above in pieces of {@link LONG_PIECE_BYTES}. */
const MAX_SINGLY_BYTES = 3000;
const LONG_PIECE_BYTES = 61;
const SAMPLED_PLACES = 32;
const MAX_LINE_ENDS = 24;

/** Whole, octet by octet, and cut in two at each place. */
export function* variantsOf(steps: readonly Step[], limits: readonly number[]): IterableIterator<Variant> {
  yield { name: "whole", steps };
  yield { name: "octet by octet", steps: steps.flatMap(singly) };
  for (const [index, step] of steps.entries()) {
    if (!("bytes" in step)) continue;
    for (const at of placesToCut(step.bytes, limits)) {
      const halves: Step[] = [{ bytes: step.bytes.subarray(0, at) }, { bytes: step.bytes.subarray(at) }];
      yield { name: `step ${index + 1} split at ${at}`, steps: steps.toSpliced(index, 1, ...halves) };
    }
  }
}

function singly(step: Step): Step[] {
  if (!("bytes" in step)) return [step];
  const size = step.bytes.length > MAX_SINGLY_BYTES ? LONG_PIECE_BYTES : 1;
  const pieces: Step[] = [];
  for (let at = 0; at < step.bytes.length; at += size) pieces.push({ bytes: step.bytes.subarray(at, at + size) });
  return pieces;
}

/** Where to cut, in order. */
function placesToCut(bytes: Uint8Array, limits: readonly number[]): number[] {
  const { length } = bytes;
  if (length <= MAX_CUT_EVERYWHERE_BYTES)
    return Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
  const places = new Set<number>();
  const around = (center: number): void => {
    for (let at = center - 2; at <= center + 2; at++) if (at > 0 && at < length) places.add(at);
  };
  const lineEnds: number[] = [];
  for (const [at, octet] of bytes.entries()) if (octet === 0x0a) lineEnds.push(at);
  for (const at of [...lineEnds.slice(0, MAX_LINE_ENDS), ...lineEnds.slice(-MAX_LINE_ENDS)]) around(at);
  for (const limit of limits) around(limit);
  for (let i = 1; i < SAMPLED_PLACES; i++) around(Math.floor((i * length) / SAMPLED_PLACES));
  return [...places].toSorted((a, b) => a - b);
}

/** A valid request that stands behind others. */
const NEIGHBOUR = Buffer.from("GET /neighbour HTTP/1.1\r\nHost: neighbour.example\r\n\r\n", "latin1");

/** What the log says of it; the answer follows. */
export const NEIGHBOUR_LOG: readonly string[] = ["request GET /neighbour HTTP/1.1", "field Host: neighbour.example"];

/** The case with the neighbour in the same chunk, and in one of its own. Null where the last step is an event. */
export function withNeighbour(steps: readonly Step[]): Variant[] {
  const last = steps.at(-1);
  if (last === undefined || !("bytes" in last)) return [];
  return [
    {
      name: "with a request behind it",
      steps: [...steps.slice(0, -1), { bytes: Buffer.concat([last.bytes, NEIGHBOUR]) }],
    },
    { name: "followed by a request", steps: [...steps, { bytes: NEIGHBOUR }] },
  ];
}
