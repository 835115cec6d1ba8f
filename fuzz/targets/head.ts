/**
 * Fuzz target: request heads (http1/head.ts, http1/head-reader.ts, http1/request-head.ts).
 *
 * Invariants:
 * - Octets are heads, the wish for more, or one ProtocolError of the table, never another exception (RFC 9112 §2.2).
 * - The result is the same whole, octet by octet and in any split, and whatever stands in the buffer before.
 * - Nothing behind the empty line is looked at (§2.1).
 * - What is accepted and written down again with plain spaces and CRLF is accepted and means the same (§3, §5).
 * - An accepted head has one valid Host in HTTP/1.1, names that are tokens, and values without CR, LF or NUL (§3.2, §5.5).
 */

import { ProtocolError } from "../../src/http/errors.ts";
import { isFieldValue, isToken } from "../../src/http/fields.ts";
import { isValidAuthority } from "../../src/http/target.ts";
import { HeadReader } from "../../src/http1/head-reader.ts";
import { Input } from "../../src/http1/input.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS } from "../../src/http1/limits.ts";
import { likeRequests } from "../../test/support/wire-arbitrary.ts";
import { hold, same } from "../invariant.ts";
import { Random } from "../random.ts";
import { cutsOf, octetsOf } from "../splits.ts";
import type { FuzzTarget } from "../target.ts";
import { wireSeeds } from "../wire-seeds.ts";

/** What is made of the first head of some octets. */
export interface HeadOutcome {
  readonly what: "head" | "more" | "refused";
  readonly code: string;
  readonly offset: number;
  readonly consumed: number;
  readonly line: readonly string[];
  readonly fields: readonly string[];
  readonly framing: readonly unknown[];
}

const NOTHING = { code: "", offset: 0, consumed: 0, line: [], fields: [], framing: [] };

/** Reads one head that arrives in pieces. */
export function readHead(pieces: readonly Uint8Array[]): HeadOutcome {
  const reader = new HeadReader(DEFAULT_LIMITS, DEFAULT_LENIENCIES);
  const input = new Input();
  let given = 0;
  for (const piece of pieces) {
    input.add(piece);
    given += piece.length;
    const head = reader.read(input, "http");
    if (head !== null) {
      const fields = [...head.fields].flat();
      const { framing } = reader;
      return {
        what: "head",
        code: "",
        offset: 0,
        consumed: given - input.length,
        line: [head.method, head.target, head.version, head.authority],
        fields,
        framing: [framing.length, framing.isPersistent, framing.expectsContinue, framing.upgradeTo],
      };
    }
    if (reader.refused !== null) {
      const { error, method, target, accept } = reader.refused;
      hold(error instanceof ProtocolError, "refuses with a ProtocolError", () => String(error));
      reader.release();
      return {
        ...NOTHING,
        what: "refused",
        code: error.code,
        offset: error.offset,
        line: [method, target, accept ?? ""],
      };
    }
  }
  reader.release();
  return { ...NOTHING, what: "more" };
}

function checkAccepted(outcome: HeadOutcome, input: Uint8Array): void {
  const { fields, line } = outcome;
  const [method = "", target = "", version = "", authority = ""] = line;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? "";
    const value = fields[i + 1] ?? "";
    hold(isToken(name), "names are tokens", () => name);
    hold(
      isFieldValue(value) && value === value.replaceAll(/^[ \t]+|[ \t]+$/g, ""),
      "values are trimmed, without controls",
      () => value,
    );
  }
  if (version === "1.1") hold(isValidAuthority(authority), "HTTP/1.1 has a valid authority", () => authority);
  hold(!/[\0-\x20\x7f]/.test(target + method), "method and target have no space and no control");
  // Behind the empty line nothing counts
  const head = input.subarray(0, outcome.consumed);
  same(readHead([head]), outcome, "is the same without what stands behind it");
  const rendered = fields.reduce((text, part, i) => text + (i % 2 === 0 ? `${part}: ` : `${part}\r\n`), "");
  const again = readHead([Buffer.from(`${method} ${target} HTTP/${version}\r\n${rendered}\r\n`, "latin1")]);
  same({ ...again, consumed: 0 }, { ...outcome, consumed: 0 }, "means the same when written down again");
}

/** The target. */
export const headTarget: FuzzTarget = {
  name: "head",
  about: "octets are a head, the wish for more or one ProtocolError, however they are split",
  arbitrary: likeRequests,
  words: [
    "Host: a\r\n",
    "HTTP/1.1",
    "HTTP/1.0",
    "GET / ",
    "\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 5\r\n",
  ],
  seeds: wireSeeds,
  run(input) {
    const whole = readHead([input]);
    same(readHead(octetsOf(input)), whole, "is the same octet by octet");
    same(readHead(cutsOf(input, new Random(input.length))), whole, "is the same in a split");
    if (whole.what === "head") checkAccepted(whole, input);
  },
};
