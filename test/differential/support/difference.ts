/**
 * Where two servers that were sent the same octets part, as one small value that a table can judge.
 *
 * What is compared is what smuggling lives of: which messages are taken, where they end, for whom they are. Status codes are
 * not, nor which of two servers that both take no more says so.
 */
import type { Observation, Seen } from "./conversation.ts";

/** What a server does with one message. */
export type Act =
  /** Gives it to its handler, and reads on. */
  | "takes"
  /** Gives it to its handler, and closes: nothing behind it is read. */
  | "closes"
  /** Refuses it, and reads no further. */
  | "refuses"
  /** Refuses it, and answers what it finds behind it. */
  | "goes on"
  /** Says nothing, or closes in silence. */
  | "silent";

/** The first message that two servers treat differently. */
export interface Difference {
  /** Of the message, from 0. */
  readonly index: number;
  /** What we do: the code of our refusal, else an {@link Act}. */
  readonly ours: string;
  readonly theirs: Act;
  /** In what their readings differ where both take it: `method`, `name`, `host`, `length`. */
  readonly reading: string;
  /** We have closed in the end: something behind this message was the last that we read. */
  readonly weClose: boolean;
}

const TAKES: ReadonlySet<Act> = new Set(["takes", "closes"]);
const READS_ON: ReadonlySet<Act> = new Set(["takes", "goes on"]);

/** Null where they agree, as far as each tells. Behind the first difference nothing is compared. */
export function differenceOf(ours: Observation, theirs: Observation): Difference | null {
  for (let index = 0; ; index++) {
    const [a, b] = [actOf(ours, index), actOf(theirs, index)];
    const isOurLast = !TAKES.has(actOf(ours, index + 1));
    const difference = (reading: string): Difference => {
      return { index, ours: ours.replies[index]?.code || a, theirs: b, reading, weClose: ours.isClosed };
    };
    const reading = readingOf(ours.replies[index]?.seen, theirs.replies[index]?.seen);
    if (reading !== "") return difference(reading);
    if (READS_ON.has(a) && READS_ON.has(b)) continue;
    // Neither takes it, or both take it and nothing behind it
    if (!TAKES.has(a) && !TAKES.has(b) && b !== "goes on" && a !== "goes on") return null;
    const isTheirLast = !READS_ON.has(actOf(theirs, index + 1));
    if (TAKES.has(a) && TAKES.has(b) && isOurLast && isTheirLast) return null;
    return difference("");
  }
}

function actOf(observation: Observation, index: number): Act {
  const reply = observation.replies[index];
  if (reply === undefined) return "silent";
  const isLast = index === observation.replies.length - 1;
  // OPTIONS * is answered without the handler, and rightly so
  if (reply.seen === null && reply.status >= 400) return isLast ? "refuses" : "goes on";
  return isLast && observation.isClosed ? "closes" : "takes";
}

/** The host of a request that names none. */
const NO_HOST: ReadonlySet<string> = new Set(["?", "", "localhost", "_", "origin.example", "127.0.0.1", "default"]);

function readingOf(ours: Seen | null | undefined, theirs: Seen | null | undefined): string {
  if (ours === undefined || ours === null || theirs === undefined || theirs === null) return "";
  if (ours.method !== theirs.method) return "method";
  if (ours.name !== theirs.name) return "name";
  if (ours.length !== null && theirs.length !== null && ours.length !== theirs.length) return "length";
  if (ours.host === theirs.host || (NO_HOST.has(ours.host) && NO_HOST.has(theirs.host))) return "";
  return theirs.host === "?" ? "" : "host";
}
