/**
 * A script: everything that happens on one connection, as plain data that JSON holds and a person reads.
 *
 * Messages of the peer, what the handler does with each request, and the steps in which the peer sends, reads, waits and leaves.
 * A script says nothing about what must come of it; judge.ts does. Contents are tagged with the number of their message or
 * exchange ({@link taggedOctets}), so that an octet of one that turns up in another is seen. Nothing here is random or runs.
 */

import type { WireLimits, WireTimeouts } from "../../src/http1/limits.ts";

/** What a message is known to be, where nothing in it is wrong. */
export interface SoundMessage {
  readonly method: string;
  readonly target: string;
  /** Octets of content, after transfer decoding; all of them are of the message's tag. */
  readonly contentBytes: number;
  readonly trailers: number;
  /** Address of the client as its proxy says it, by the kind of fields; missing: it says none. */
  readonly clients?: { readonly "x-forwarded"?: string; readonly "forwarded"?: string };
}

/** One message of the peer: latin1 text, and numbers for so many octets of its tagged content. */
export interface Message {
  readonly parts: ReadonlyArray<string | number>;
  /** Number that its content and its field X-Tag have, if it has them. */
  readonly tag: number;
  /** Null where something is wrong with it, or may be. */
  readonly sound: SoundMessage | null;
}

/** One thing that a handler does. Those that take time hold up the next one, `background` ones do not. */
export type Act =
  | { readonly act: "wait"; readonly ms: number }
  | { readonly act: "turn" }
  | {
      readonly act: "read";
      readonly how: "all" | "slow" | "part" | "background" | "throwing" | "twice";
      readonly bytes: number;
      readonly ms: number;
    }
  | { readonly act: "cancel" }
  | { readonly act: "limit"; readonly bytes: number }
  | { readonly act: "inform"; readonly status: number }
  | AnswerAct
  | { readonly act: "throw"; readonly what: "error" | "http" | "nothing" | "protocol" }
  | { readonly act: "abort" }
  | { readonly act: "refuse" }
  | { readonly act: "waitUntil"; readonly ms: number; readonly fails: boolean }
  | {
      readonly act: "upgrade";
      /** `slow` pauses behind each piece, `late` begins to read after a time. */
      readonly after: "echo" | "end" | "destroy" | "ignore" | "slow" | "late";
      readonly ms?: number;
    };

/** The final response. */
export interface AnswerAct {
  readonly act: "answer";
  readonly as: "none" | "text" | "utf8" | "bytes" | "iterable" | "stream" | "native" | "file" | "wrong";
  readonly status: number;
  /** Octets of each piece. */
  readonly sizes: readonly number[];
  /** How much the declared Content-Length is off; null: none is declared. */
  readonly declared: number | null;
  /** Between pieces of a stream. */
  readonly gapMs: number;
  /** The source fails before this piece (a file ends there); -1: it does not. */
  readonly failsAt: number;
  readonly trailers: boolean;
  /** Field lines besides. */
  readonly fields: readonly string[];
  /** The fields are one frozen array for all such answers of the connection, which name no exchange. */
  readonly isShared: boolean;
}

/** What happens next on the connection. */
export type Step =
  /** The peer sends so many more octets of its messages, as one chunk. */
  | { readonly step: "send"; readonly bytes: number }
  /** Time passes. */
  | { readonly step: "wait"; readonly ms: number }
  /** The peer reads so many octets of what is queued for it. */
  | { readonly step: "take"; readonly bytes: number }
  | { readonly step: "fin" }
  | { readonly step: "reset" }
  /** The server closes gracefully. */
  | { readonly step: "shutdown"; readonly lastCallMs: number }
  /** The server cuts the connection off. */
  | { readonly step: "cut" };

/** All of it. */
export interface Script {
  /** `bare`: handlers over exchanges; `web`: over Request and Response; `server`: the same, wired as serve() wires it. */
  readonly face: "bare" | "web" | "server";
  readonly limits: Partial<WireLimits>;
  readonly timeouts: Partial<WireTimeouts>;
  /** Lines may end in LF, methods be in lower case. */
  readonly isLenient: boolean;
  /** Of the face `server`: observers that fail. Default `looking`. */
  readonly hooks?: "looking" | "failing";
  /** Of the face `server`: the peer is a proxy whose fields of this kind are believed; default `""`, it is not. */
  readonly trust?: "" | "x-forwarded" | "forwarded";
  /** Under TLS, with Strict-Transport-Security. */
  readonly isEncrypted: boolean;
  /** Deadlines are looked at so often only, as a server's clock does; 0: exactly. */
  readonly sweepMs: number;
  /** Octets that may be queued for the peer before writes say so. */
  readonly markBytes: number;
  /** The peer reads at once whatever is written; else only as its steps say. */
  readonly isEager: boolean;
  /** Flushes that were asked for come after the chunks that wait. */
  readonly flushesLate: boolean;
  readonly messages: readonly Message[];
  /** By exchange, in order of arrival; those beyond begin anew. */
  readonly plans: ReadonlyArray<readonly Act[]>;
  readonly steps: readonly Step[];
  /** How it ends: the peer falls silent, half-closes, resets, or the server cuts it off. */
  readonly ending: "silence" | "fin" | "reset" | "cut";
  /** It ends right behind the last step, not when all is answered and read. */
  readonly endsAtOnce: boolean;
}

const tagged: Map<string, Buffer> = new Map();

/** `length` octets of the content with this tag, from `start` on: `tag|` again and again. Not to be written to. */
export function taggedOctets(tag: string, start: number, length: number): Buffer {
  let whole = tagged.get(tag);
  if (whole === undefined || whole.length < start + length) {
    whole = Buffer.alloc(Math.max(4096, 2 * (start + length)), `${tag}|`);
    if (tagged.size > 400) tagged.clear();
    tagged.set(tag, whole);
  }
  return whole.subarray(start, start + length);
}

/** Octets of each message. */
export function octetsOf(messages: readonly Message[]): Buffer[] {
  return messages.map(({ parts, tag }) => {
    let sent = 0;
    return Buffer.concat(
      parts.map((part) => {
        if (typeof part === "string") return Buffer.from(part, "latin1");
        sent += part;
        return taggedOctets(`m${tag}`, sent - part, part);
      }),
    );
  });
}

/** The script for people: one line per message, plan and step. */
export function describe(script: Script): string {
  const { face, markBytes, isEager, flushesLate, ending, limits, timeouts, sweepMs } = script;
  const lines = [
    `${face} face; mark ${markBytes} octets; the peer ${isEager ? "reads at once" : "reads as told"}${flushesLate ? "; late flushes" : ""}`,
  ];
  if (script.isLenient) lines.push("lenient");
  if (script.hooks === "failing") lines.push("hooks fail");
  if (script.trust !== undefined && script.trust !== "") lines.push(`fields of ${script.trust} are believed`);
  if (script.isEncrypted) lines.push("under TLS");
  if (sweepMs > 0) lines.push(`a sweep every ${sweepMs} ms`);
  for (const [name, value] of [...Object.entries(limits), ...Object.entries(timeouts)]) lines.push(`${name} ${value}`);
  for (const [index, { parts, sound }] of script.messages.entries()) {
    const shown = parts.map((part) => (typeof part === "string" ? JSON.stringify(part) : `<${part} octets>`));
    lines.push(`message ${index}${sound === null ? " (hostile)" : ""}: ${shown.join(" ")}`);
  }
  for (const [index, acts] of script.plans.entries()) lines.push(`exchange ${index}: ${acts.map(showAct).join(", ")}`);
  lines.push(`then ${[...script.steps.map(showStep), script.endsAtOnce ? `${ending} at once` : ending].join(", ")}`);
  return lines.join("\n");
}

function showAct({ act, ...rest }: Act): string {
  const words = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [act, ...words].join(" ");
}

function showStep({ step, ...rest }: Step): string {
  return [step, ...Object.values(rest)].join(" ");
}
