/**
 * Whether a round can be believed: who was busy while it ran, and what that says about its figures.
 *
 * Pure: it judges readings of /proc (accounting.ts takes them). Server CPU per request bears much that requests per second
 * do not bear, so the words say which figure a doubt is about. A round during which somebody else worked is to be repeated.
 */

/** Who was busy, as shares of one core (1 = one core all the time). */
export interface Busy {
  /** The subject with all its processes and threads. */
  readonly subject: number;
  /** The load and the bench itself. */
  readonly load: number;
  /** All else on the machine. */
  readonly foreign: number;
  /** Taken by the hypervisor for other machines. */
  readonly stolen: number;
  /** The core of the load, whoever worked there. */
  readonly loadCore: number;
}

/** Share of one core that others may have without a repetition. /proc/stat counts ticks: 1 or 2 % are its own error. */
const MAX_FOREIGN = 0.06;
/** A core is full from here. */
const FULL = 0.95;
/** Range of a figure, from the median to either side on average, above which a table says so. */
export const MAX_HALF_RANGE = 0.1;

/** @returns true if somebody else worked so much that the round should be repeated */
export function isDisturbed(busy: Busy): boolean {
  return busy.foreign + busy.stolen > MAX_FOREIGN;
}

/**
 * What limited a round that loads as much as it can.
 *
 * @returns `"server"`, `"load"` (requests per second are those of the load generator; CPU per request holds), or `"neither"`
 * (the connections waited for something else, a disk or a timer)
 */
export function bottleneckOf(busy: Busy): "server" | "load" | "neither" {
  if (busy.subject >= FULL - 0.05) return "server";
  return busy.loadCore >= FULL ? "load" : "neither";
}

/** @returns the disturbance in words, for the terminal and the JSON */
export function disturbanceOf({ foreign, stolen }: Busy): string {
  const parts: string[] = [];
  if (foreign > 0.005) parts.push(`${percent(foreign)} of a core went to other processes`);
  if (stolen > 0.005) parts.push(`${percent(stolen)} were taken by the hypervisor`);
  return parts.length === 0 ? "nobody else worked" : parts.join(", ");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
