/**
 * Fuzz target: the length of content and the life of the connection (http1/framing.ts), by whole heads around field lines.
 *
 * Invariants:
 * - Of an accepted head the length is that of a reading by the letter: chunked for exactly `chunked`, a number for one
 *   Content-Length of digits, else none (RFC 9112 §6.3).
 * - Transfer-Encoding with Content-Length, twice Content-Length, and any coding in HTTP/1.0 are refused (§6.1, §6.3).
 * - The connection goes on only where HTTP/1.1 or keep-alive says so and no close does (§9.3).
 * - No case, order or white space around a value changes what is understood (RFC 9110 §5.1, §5.5).
 */

import { hold, same } from "../invariant.ts";
import { join, listOf, orMutated, seedsOf, wordsOf } from "../grammar.ts";
import { latin1 } from "../mutate.ts";
import type { FuzzTarget } from "../target.ts";
import { type HeadOutcome, readHead } from "./head.ts";
import fc from "fast-check";

const WORDS = [
  "Content-Length: ",
  "Transfer-Encoding: ",
  "Connection: ",
  "chunked",
  "close",
  "keep-alive",
  "upgrade",
  "Upgrade: websocket\r\n",
  "Expect: 100-continue\r\n",
  "identity",
];
const line = fc.oneof(
  join("Content-Length: ", wordsOf("0 5 05 5,5 +5 -1 0x5 18446744073709551616 9007199254740992 5;a"), "\r\n"),
  join(
    "Transfer-Encoding: ",
    wordsOf("chunked CHUNKED gzip,chunked chunked,gzip identity chunked, ,chunked chunked;a=b"),
    "\r\n",
  ),
  join("Connection: ", listOf(wordsOf("close keep-alive Close upgrade x te"), ", ", 3), "\r\n"),
  wordsOf("Upgrade:echo Upgrade:a/1,b Expect:100-continue Expect:tea Expect:,100-Continue TE:trailers X:y").map(
    (text) => `${text}\r\n`,
  ),
);

const valuesOf = (fields: readonly string[], name: string): string[] =>
  fields.filter((_, i) => i % 2 === 1 && fields[i - 1]?.toLowerCase() === name);

/** What the head must have been, read by the letter. */
function check(outcome: HeadOutcome): void {
  const { fields, framing, line: requestLine } = outcome;
  const [length, isPersistent] = framing;
  const lengths = valuesOf(fields, "content-length");
  const codings = valuesOf(fields, "transfer-encoding");
  hold(lengths.length === 0 || codings.length === 0, "refuses Content-Length with Transfer-Encoding");
  hold(lengths.length <= 1, "refuses Content-Length twice");
  if (codings.length > 0) {
    hold(requestLine[2] === "1.1", "refuses Transfer-Encoding in HTTP/1.0");
    same(
      codings.map((coding) => coding.toLowerCase()),
      ["chunked"],
      "takes no coding but chunked",
    );
    same(length, -1, "reads chunked as chunked");
  } else if (lengths.length === 1) {
    hold(/^[0-9]+$/.test(lengths[0] ?? ""), "takes digits alone for a length", () => lengths[0] ?? "");
    same(BigInt(length as number), BigInt(lengths[0] ?? ""), "reads the length exactly");
  } else same(length, 0, "has no content without a length");
  const options = valuesOf(fields, "connection")
    .flatMap((value) => value.toLowerCase().split(","))
    .map((option) => option.trim());
  const stays = requestLine[2] === "1.1" || options.includes("keep-alive");
  same(isPersistent, stays && !options.includes("close"), "goes on where it may");
}

/** The target. */
export const framingTarget: FuzzTarget = {
  name: "framing",
  about:
    "length and persistence are those of a reading by the letter of RFC 9112 §6.3 and §9.3, or the head is refused",
  arbitrary: orMutated(listOf(line, "", 5), WORDS),
  words: WORDS,
  seeds: () =>
    seedsOf(
      "",
      "Content-Length: 5\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Connection: close, keep-alive\r\n",
      "0Connection: keep-alive\r\n",
    ),
  run(input) {
    // The first octet chooses the version
    const text = latin1(input);
    const version = text.startsWith("0") ? "1.0" : "1.1";
    const lines = text.startsWith("0") ? text.slice(1) : text;
    const head = Buffer.from(`POST / HTTP/${version}\r\nHost: a\r\n${lines}\r\n`, "latin1");
    const outcome = readHead([head]);
    if (outcome.what !== "head") return;
    check(outcome);
    const other = lines
      .replaceAll(/^[A-Za-z-]+(?=:)/gm, (name) => name.toUpperCase())
      .replaceAll(/: */g, (colon) => `${colon}\t `);
    const again = readHead([Buffer.from(`POST / HTTP/${version}\r\n${other}Host: a\r\n\r\n`, "latin1")]);
    if (again.what === "head" && outcome.consumed === head.length)
      same(again.framing, outcome.framing, "ignores case, order and space");
  },
};
