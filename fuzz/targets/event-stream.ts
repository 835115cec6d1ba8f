/**
 * Fuzz target: server-sent events (replies/event-text.ts). An input is by lines: id, event, then data.
 *
 * Invariants:
 * - An event is refused with TypeError or RangeError, or read by a client as the very event that was written: nothing in its
 *   data can forge another (HTML standard, "Server-sent events").
 * - A comment is seen by no client.
 */

import { renderComment, renderEvent } from "../../src/replies/event-text.ts";
import { join, orMutated, partsOf, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, same } from "../invariant.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const WORDS = ["data: ", "\r", "\n\n", "\r\n", "id: ", "event: ", "retry: 1", ":", "\0", "\ufeff"];

interface ReadEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** As the standard reads a stream. */
function readEvents(stream: string): ReadEvent[] {
  const events: ReadEvent[] = [];
  let id: string | undefined;
  let event = "";
  let data: string[] = [];
  for (const line of stream
    .replace(/^\ufeff/, "")
    .split(/\r\n|\n|\r/)
    .slice(0, -1)) {
    if (line === "") {
      if (data.length > 0) events.push({ id, event, data: data.join("\n") });
      event = "";
      data = [];
      continue;
    }
    if (line.startsWith(":")) continue;
    const [, name = "", value = ""] = /^([^:]*):? ?([^]*)$/.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id" && !value.includes("\0")) id = value;
  }
  return events;
}

/** The target. */
export const eventStreamTarget: FuzzTarget = {
  name: "event-stream",
  about: "an event reads as the one that was written, whatever its text",
  arbitrary: orMutated(
    join(wordsOf("1 a "), "\n", wordsOf("ping "), "\n", fc.stringMatching(/^[a: \r\n]{0,20}$/)),
    WORDS,
  ),
  words: WORDS,
  seeds: () => seedsOf("1\nping\nhello\nworld", "\n\n\r\rdata: forged\n\n", "a\0\nb\nc", "\n\n: x"),
  run(input) {
    const [id = "", event = "", data = ""] = partsOf(input, 3);
    const isRefusal = (error: unknown): boolean => error instanceof TypeError || error instanceof RangeError;
    const { value } = attempt(() => renderEvent({ id, event, data, comment: data }), isRefusal);
    const expected = { id, event, data: data.split(/\r\n|\n|\r/).join("\n") };
    if (value !== null)
      same(
        readEvents(`${value}data: next\n\n`),
        [expected, { id, event: "", data: "next" }],
        "reads as it was written",
      );
    same(readEvents(renderComment(data)), [], "a comment is no event");
    same(
      readEvents(renderEvent(data)),
      [{ id: undefined, event: "", data: expected.data }],
      "text reads as it was written",
    );
  },
};
