/**
 * Fuzz target: Forwarded and the X-Forwarded fields (http/forwarding.ts), and traceparent (observe/trace-context.ts). An input
 * is by lines: Forwarded, X-Forwarded-For, -Proto, -Host, traceparent, tracestate.
 *
 * Invariants:
 * - Nothing throws; a line that is not by the grammar says that its client is not known (RFC 7239 §4).
 * - Addresses are such as the platform writes, schemes http or https, authorities valid (RFC 7239 §5, §6).
 * - What a client puts in front of what proxies append never changes the nearest step (address spoofing).
 * - Written by the letter and read again a Forwarded means the same.
 */

import { isIP } from "node:net";
import { Fields } from "../../src/http/fields.ts";
import { findClient, type ForwardingHop, readForwarded, readXForwarded } from "../../src/http/forwarding.ts";
import { isValidAuthority } from "../../src/http/target.ts";
import { readTraceContext, renderTraceParent } from "../../src/observe/trace-context.ts";
import { join, listOf, orMutated, partsOf, seedsOf, wordsOf } from "../grammar.ts";
import { attempt, hold, same } from "../invariant.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const WORDS = [
  "for=",
  "proto=https",
  'host="a:80"',
  '"[::1]"',
  "unknown",
  "_hidden",
  ";",
  ", ",
  '"',
  "\\",
  "::1",
  "1.2.3.4:80",
  "00-",
];
const pair = fc.oneof(
  join("for=", wordsOf('1.2.3.4 "[2001:db8::1]:80" "1.2.3.4:_x" unknown _a "[::ffff:1.2.3.4]" [::1] 1.2.3.4:80 "a')),
  join("proto=", wordsOf('http https wss HTTPS "http" ftp')),
  join("host=", wordsOf('a "a:80" "a/b" "@a" ""')),
  wordsOf("by=_x x=y for For="),
);
const element = listOf(pair, wordsOf("; ;; ; ;"), 3);
const lists = listOf(
  wordsOf("1.2.3.4 ::1 [::1]:80 1.2.3.4:80 unknown a 999.1.1.1 :::::: 1:2:3:4:5:6:7:8"),
  fc.constantFrom(",", ", ", ",,"),
  4,
);

const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** The target. */
export const forwardingTarget: FuzzTarget = {
  name: "forwarding",
  about: "forwarding fields give sound addresses or none, and nothing before the nearest proxy's word changes it",
  arbitrary: orMutated(
    join(
      listOf(element, fc.constantFrom(",", ", ", ",,"), 3),
      "\n",
      lists,
      "\n",
      listOf(wordsOf("http https x"), ",", 2),
      "\n",
      listOf(wordsOf("a a:80 a/b"), ",", 2),
      "\n",
      fc.constantFrom(trace, `${trace}-x`, trace.replace("00-", "cc-")),
      "\n",
      listOf(wordsOf("a=b c=d a@b=c A=b a="), ",", 3),
    ),
    WORDS,
  ),
  words: WORDS,
  seeds: () =>
    seedsOf(
      `for=1.2.3.4;proto=https;host=a, for="[::1]:80"\n1.2.3.4, ::1\nhttps\na\n${trace}\na=b`,
      'for="a\n\n\n\n\n',
    ),
  run(input) {
    const [forwarded = "", clients = "", schemes = "", hosts = "", parent = "", state = ""] = partsOf(input, 6);
    const hops = attempt(() => readForwarded([forwarded])).value ?? [];
    const others = attempt(() => readXForwarded([clients], [schemes], [hosts])).value ?? [];
    for (const hop of [...hops, ...others]) checkHop(hop);
    for (const list of [hops, others]) {
      if (list.length === 0) continue;
      const client = attempt(() => findClient(list, (address) => address.startsWith("1"))).value;
      hold(
        client !== null && (client.node === null || list.some((hop) => hop.node === client.node)),
        "a client is one of the hops",
      );
    }
    const before = readForwarded(["for=6.6.6.6;proto=http;host=evil.example", forwarded]);
    same(before.slice(before.length - hops.length), hops, "a line in front changes nothing behind it");
    const spoofed = readXForwarded(["6.6.6.6", clients], [schemes], [hosts]);
    if (others.length > 0 && /[^ \t,]/.test(clients))
      same(spoofed.at(-1)?.node, others.at(-1)?.node, "the nearest step is the last that was written");
    const again = readForwarded([hops.map(write).join(", ")]);
    if (hops.every((hop) => write(hop) !== "")) same(again, hops, "means the same when written again");
    checkTrace(parent, state);
  },
};

function write({ node, scheme, authority }: ForwardingHop): string {
  const pairs: string[] = [];
  if (node !== null) {
    const name = node.address === "" ? "unknown" : node.address;
    const host = name.includes(":") ? `[${name}]` : name;
    pairs.push(`for="${host}${node.port === 0 ? "" : `:${node.port}`}"`);
  }
  if (scheme !== "") pairs.push(`proto=${scheme}`);
  if (authority !== "") pairs.push(`host="${authority}"`);
  return pairs.join(";");
}

function checkHop({ node, scheme, authority }: ForwardingHop): void {
  hold(["", "http", "https"].includes(scheme), "a scheme is http or https");
  hold(authority === "" || isValidAuthority(authority), "an authority is valid");
  if (node === null || node.address === "") return;
  hold(isIP(node.address) !== 0, "an address is one", () => node.address);
  hold(Number.isInteger(node.port) && node.port >= 0 && node.port <= 65_535, "a port is 0 to 65535");
}

function checkTrace(parent: string, state: string): void {
  const fields = Fields.from([
    ["traceparent", parent],
    ["tracestate", state],
  ]);
  const span = attempt(() => readTraceContext(fields)).value;
  if (span === null) return;
  const written = renderTraceParent(span.traceId, span.spanId, span.flags);
  hold(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$/.test(written), "a span is written as level 1", () => written);
  hold(!/[^\x20-\x7e]/.test(span.state), "a state is printable");
  const again = readTraceContext(
    Fields.from([
      ["traceparent", written],
      ...(span.state === "" ? [] : [["tracestate", span.state] as [string, string]]),
    ]),
  );
  same(again, span, "a span reads the same when written");
}
