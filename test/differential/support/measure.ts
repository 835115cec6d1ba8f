/**
 * One server beside ours over the whole corpus: what was seen, and the verdict on each difference.
 *
 * A difference without a verdict is asked for once more, each input alone: a server may have been slow once, and is not to be
 * blamed for it.
 */
import { converse, type Observation } from "./conversation.ts";
import { type Difference, differenceOf } from "./difference.ts";
import type { Origin } from "./origins.ts";
import type { Shape } from "./shapes.ts";
import type { Verdict } from "./verdict.ts";
import { verdictOn } from "./verdicts.ts";

/** One input on which a server differs from ours. */
export interface Finding {
  readonly shape: Shape;
  readonly difference: Difference;
  /** Undefined where nobody has judged it. */
  readonly verdict: Verdict | undefined;
  readonly ours: Observation;
  readonly theirs: Observation;
}

/** Asks a server all shapes. */
export async function observe(origin: Origin, shapes: readonly Shape[]): Promise<Observation[]> {
  const running = await origin.start();
  try {
    return await converse(
      running.port,
      shapes.map(({ bytes }) => bytes),
    );
  } finally {
    await running.stop();
  }
}

/** Asks a server all shapes, and compares with what we have done with them. */
export async function measure(
  origin: Origin,
  shapes: readonly Shape[],
  ours: readonly Observation[],
): Promise<Finding[]> {
  const running = await origin.start();
  try {
    const inputs = shapes.map(({ bytes }) => bytes);
    const findings = compare(shapes, ours, await converse(running.port, inputs));
    const news = findings.filter(({ verdict }) => verdict === undefined);
    const confirmed: Finding[] = [];
    for (const { shape, ours: same } of news) {
      confirmed.push(...compare([shape], [same], await converse(running.port, [shape.bytes])));
    }
    return [...findings.filter(({ verdict }) => verdict !== undefined), ...confirmed];
  } finally {
    await running.stop();
  }
}

function compare(shapes: readonly Shape[], ours: readonly Observation[], theirs: readonly Observation[]): Finding[] {
  return shapes.flatMap((shape, at) => {
    const [a, b] = [ours[at], theirs[at]];
    const difference = a === undefined || b === undefined ? null : differenceOf(a, b);
    if (a === undefined || b === undefined || difference === null) return [];
    return [{ shape, difference, verdict: verdictOn(difference, shape.bytes.toString("latin1")), ours: a, theirs: b }];
  });
}

/** A finding in a line, for whoever has to judge it. */
export function tell({ shape, difference, ours, theirs }: Finding): string {
  const text = JSON.stringify(shape.bytes.toString("latin1").slice(0, 400));
  return `${shape.name}: ${text}: ${JSON.stringify(difference)}; ours ${show(ours)}; theirs ${show(theirs)}`;
}

function show({ replies, isClosed }: Observation): string {
  const shown = replies.map(({ status, seen, code }) => {
    const what = seen === null ? code : `${seen.method} ${seen.name} ${seen.host} ${seen.length ?? "?"}`;
    return `${status} ${what}`.trim();
  });
  return `${shown.join(", ") || "nothing"}${isClosed ? ", closed" : ""}`;
}
