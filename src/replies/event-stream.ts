/**
 * `eventStream()`: server-sent events (HTML Standard §9.2), from a source of events to a response.
 *
 * The response is like any other: the head leaves at once, events follow as they come, and what the client does not take in
 * time makes the source wait. Here stand the options; event-channel.ts does the work, event-text.ts writes the lines.
 */

import {
  A_TIME_SOURCE,
  findMistakes,
  mistakeIn,
  HEADERS,
  oneOf,
  type OptionRules,
  throwMistakes,
  whole,
  wholeOrInfinity,
} from "../server/option-rules.ts";
import { SYSTEM_TIME, type TimeSource } from "../web/clock.ts";
import type { HeadersInput } from "../web/header-lines.ts";
import { Response } from "../web/response.ts";
import { EventChannel, type EventSource } from "./event-channel.ts";

/** How events are sent. */
export interface EventStreamOptions {
  /**
   * Silence after which a comment is sent, in milliseconds from 1,000, default 15,000 (HTML §9.2.7 advises 15 s): proxies drop
   * connections on which nothing moves, and a client that is gone is only noticed by writing to it. Infinity: never.
   */
  readonly heartbeatMs?: number | undefined;
  /** Tells the client at once how long to wait before it comes back, in milliseconds. Default: its own choice, some seconds. */
  readonly retryMs?: number | undefined;
  /** Octets that wait for a slow client, default 256 KiB. Who awaits `send()` never comes near it. */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * What becomes of an event beyond that: `"close"` (default) ends the stream behind what waits, the client comes back with
   * the id that it has seen last; `"drop"` leaves the event out and `send()` says so.
   */
  readonly overflow?: "close" | "drop" | undefined;
  /** More fields, in place of ours. */
  readonly headers?: HeadersInput | undefined;
  /** Where time comes from. Default the system. For tests. */
  readonly time?: TimeSource | undefined;
}

const DEFAULT_HEARTBEAT_MS = 15_000;
const DEFAULT_QUEUED_BYTES: number = 256 * 1024;

const RULES: OptionRules<EventStreamOptions> = {
  heartbeatMs: wholeOrInfinity(1000, "milliseconds"),
  retryMs: whole(0, Infinity, "milliseconds"),
  maxQueuedBytes: whole(1, Infinity, "octets"),
  overflow: oneOf("close", "drop"),
  headers: HEADERS,
  time: A_TIME_SOURCE,
};

/**
 * Answers with events.
 *
 * @param request what is answered: its Last-Event-ID goes to the source, its signal ends the stream; HEAD gets the fields
 * @param source an async iterable of events, or a function that is given a sink. What the function returns says when the
 *   stream ends: an async iterable (a generator) or a promise (an async function): with that; a function: never by itself,
 *   and it is called at the end to clean up; nothing: with `sink.close()` or the client. It is called when the response is
 *   sent, and not before; one that throws breaks the stream off.
 * @throws TypeError that tells every wrong option
 */
export function eventStream(
  request: globalThis.Request,
  source: EventSource,
  options: EventStreamOptions = {},
): Response {
  const mistakes = findMistakes(options, RULES);
  if (
    typeof source !== "function" &&
    !(typeof source === "object" && source !== null && Symbol.asyncIterator in source)
  ) {
    mistakes.push(mistakeIn("source", "must be a function or an async iterable"));
  }
  throwMistakes("eventStream", mistakes);
  const isHead = request.method === "HEAD";
  const channel = isHead ? null : new EventChannel(source, settingsOf(request, options), request.signal);
  const response = new Response(channel, {
    headers: {
      "content-type": "text/event-stream",
      // A stored stream is nobody's; a transformed one (compressed in blocks, joined) comes late
      "cache-control": "no-store, no-transform",
      // nginx and those like it gather answers before they pass them on, unless they are told
      "x-accel-buffering": "no",
    },
  });
  if (options.headers === undefined) return response;
  for (const [name, value] of new Response(null, { headers: options.headers }).headers)
    response.headers.set(name, value);
  return response;
}

function settingsOf(
  request: globalThis.Request,
  options: EventStreamOptions,
): ConstructorParameters<typeof EventChannel>[1] {
  return {
    lastEventId: decodeId(request.headers.get("last-event-id") ?? ""),
    heartbeatMs: options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS,
    retryMs: options.retryMs ?? null,
    maxQueuedBytes: options.maxQueuedBytes ?? DEFAULT_QUEUED_BYTES,
    dropsOverflow: options.overflow === "drop",
    time: options.time ?? SYSTEM_TIME,
  };
}

/** HTML §9.2.4: the field's value is UTF-8, which arrives an octet per character; what is no UTF-8 stays as it is. */
function decodeId(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, "latin1"));
  } catch {
    return value;
  }
}
