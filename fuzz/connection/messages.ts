/**
 * Messages of the peer: valid requests in all their forms, and such with something wrong (RFC 9112 §2 to §7, §9; RFC 9110 §7).
 *
 * Whoever draws decides; the same decisions give the same messages. What is wrong is put into a valid message, at a place and of
 * a kind on which parsers are known to differ, or stands for the whole message.
 */

import type { Random } from "../random.ts";
import type { Message, SoundMessage } from "./script.ts";

const METHODS = ["GET", "GET", "GET", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH"];
const FIELDS = [
  "Accept: application/problem+json",
  "Accept: */*",
  "Accept-Encoding: gzip",
  "Cookie: a=b; c=d",
  "TE: trailers",
  "User-Agent: peer",
  "X-Empty:",
  "X-Latin: \xe9",
  "If-None-Match: *",
  "Keep-Alive: timeout=5",
];
const CONNECTIONS = ["", "", "", "", "", "close", "keep-alive", "Keep-Alive, x-empty", "TE"];
const EXTENSIONS = ["", "", "", "", ";a", ";a=b", ' ; a = "b;c"', ';a="\\""', "\t;a"];
const TRAILERS = ["X-Sum: 1", "X-Note: \xe9", "Server-Timing: db"];

/** Lines, line ends and beginnings that a message may not have, or not so. */
const WRONG_LINES = [
  "Content-Length: 5",
  "Content-Length: 0",
  "Content-Length: 4, 4",
  "Content-Length: +4",
  "Content-Length: 99999999999999999999",
  "Content-Length: 70000",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: chunked, gzip",
  "Transfer-Encoding: identity",
  "Transfer-Encoding:\x0bchunked",
  "Transfer-Encoding : chunked",
  "Host: b.example",
  "Host: a/b",
  "Expect: 100-continue",
  "Expect: tea",
  "Connection: close",
  "Connection: a b",
  "Connection: upgrade",
  "Upgrade: echo",
  " folded",
  "X : y",
  "X",
  ": y",
  "X: a\0b",
  "X: \x7f",
  "X: a\rb",
];
const WRONG_WORDS = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  " ",
  "\t",
  "\0",
  ":",
  ",",
  ";",
  '"',
  "=",
  "\xff",
  "0",
  "5",
  "f",
  "HTTP/1.0",
  "HTTP/2.0",
  "GET / HTTP/1.1\r\n",
  "0\r\n\r\n",
];
const WRONG_MESSAGES = [
  "",
  "\r\n\r\n\r\n",
  "\n",
  "GET\r\n\r\n",
  "GET / HTTP/1.1\r\n\r\n",
  "GET / HTTP/0.9\r\n\r\n",
  "GET /\r\n",
  "get / HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n",
  "TRACE / HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "BREW /pot HTTP/1.1\r\nHost: a.example\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  "GET / HTTP/1.1\r\nHost: a.example\r\n",
  "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
  "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello0\r\n\r\n",
  "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
];

/** How content of a message is framed. */
interface Framing {
  readonly lines: readonly string[];
  readonly parts: ReadonlyArray<string | number>;
  readonly contentBytes: number;
  readonly trailers: number;
}

/** In which proportions, see {@link Weights} in generate.ts. */
export interface MessageWeights {
  readonly hostileIn: number;
  readonly maxContentBytes: number;
  readonly upgradeIn: number;
}

/** Draws message number `index`. */
export function drawMessage(random: Random, index: number, weights: MessageWeights): Message {
  const { hostileIn } = weights;
  if (hostileIn === 0 || !random.once(hostileIn)) return drawSound(random, index, weights);
  if (random.once(5)) return { parts: [random.pick(WRONG_MESSAGES)], tag: index, sound: null };
  const { parts } = drawSound(random, index, weights);
  return { parts: spoil(random, parts), tag: index, sound: null };
}

function drawSound(random: Random, index: number, { maxContentBytes, upgradeIn }: MessageWeights): Message {
  const method = random.pick(METHODS);
  const minor = random.once(5) ? 0 : 1;
  const target = drawTarget(random, method, index);
  const lines = minor === 1 || random.once(2) ? ["Host: a.example"] : [];
  lines.push(`X-Tag: ${index}`);
  for (let count = random.once(3) ? random.below(6) : 0; count > 0; count--) lines.push(random.pick(FIELDS));
  const framing = drawFraming(random, method, minor, maxContentBytes);
  lines.push(...framing.lines);
  if (framing.contentBytes > 0 && random.once(5)) lines.push("Expect: 100-continue");
  const connection = random.pick(CONNECTIONS);
  if (random.once(upgradeIn === 0 ? 12 : upgradeIn)) lines.push("Connection: upgrade", "Upgrade: echo, other/1");
  else if (connection !== "") lines.push(`Connection: ${connection}`);
  const clients = drawClients(random, index, lines);
  const emptyLines = random.once(12) ? "\r\n".repeat(1 + random.below(3)) : "";
  const head = `${emptyLines}${[`${method} ${target} HTTP/1.${minor}`, ...lines].join("\r\n")}\r\n\r\n`;
  const { contentBytes, trailers } = framing;
  const sound: SoundMessage = { method, target, contentBytes, trailers, clients };
  return { parts: [head, ...framing.parts], tag: index, sound };
}

/** Adds what a proxy on this machine says of its client, whose address no other message has; tells what is to be made of it. */
function drawClients(random: Random, index: number, lines: string[]): NonNullable<SoundMessage["clients"]> {
  const v4 = `203.0.113.${index % 250}`;
  const v6 = `2001:db8::${(index + 1).toString(16)}`;
  switch (random.below(30)) {
    case 0:
      lines.push(`X-Forwarded-For: ${v4}`, "X-Forwarded-Proto: https");
      return { "x-forwarded": v4 };
    case 1:
      // Of several the last that is no proxy of ours
      lines.push(`X-Forwarded-For: 198.51.100.7, ${v6}, 127.0.0.1`);
      return { "x-forwarded": v6 };
    case 2:
      lines.push(`X-Forwarded-For: unknown, ${v4}`, "X-Forwarded-For: 127.0.0.9", "X-Forwarded-Host: b.example");
      return { "x-forwarded": v4 };
    case 3:
      lines.push(`Forwarded: for=${v4};proto=https;host=b.example`);
      return { forwarded: v4 };
    case 4:
      lines.push(`Forwarded: for=198.51.100.7, for="[${v6}]:47"`, "Forwarded: for=127.0.0.1;by=_proxy");
      return { forwarded: v6 };
    case 5:
      lines.push(random.pick(["X-Forwarded-For: ", "X-Forwarded-For: unknown", "X-Forwarded-For: 1.2.3.4.5, <>"]));
      return {};
    case 6:
      lines.push(random.pick(["Forwarded: for=unknown", "Forwarded: for=_hidden", 'Forwarded: for="']));
      return {};
    default:
      return {};
  }
}

function drawTarget(random: Random, method: string, index: number): string {
  if (random.below(10) > 0) return `/${index}`;
  if (method === "OPTIONS" && random.once(2)) return "*";
  return random.pick([
    `/${index}?a=b`,
    `/${index}/%41/..`,
    `http://a.example/${index}`,
    `/${"x".repeat(200)}/${index}`,
  ]);
}

function drawFraming(random: Random, method: string, minor: number, maxContentBytes: number): Framing {
  const mayHave = method === "POST" || method === "PUT" || method === "PATCH" || random.once(15);
  if (!mayHave || random.once(6)) {
    return { lines: random.once(3) ? ["Content-Length: 0"] : [], parts: [], contentBytes: 0, trailers: 0 };
  }
  const contentBytes = drawSize(random, maxContentBytes);
  if (minor === 0 || random.once(2)) {
    return {
      lines: [`Content-Length: ${contentBytes}`],
      parts: contentBytes > 0 ? [contentBytes] : [],
      contentBytes,
      trailers: 0,
    };
  }
  const parts: Array<string | number> = [];
  let left = contentBytes;
  while (left > 0) {
    const size = random.once(3) || parts.length > 90 ? left : 1 + random.below(left);
    const digits = size.toString(16);
    const number = random.once(6) ? `00${digits.toUpperCase()}` : digits;
    parts.push(`${number}${random.pick(EXTENSIONS)}\r\n`, size, "\r\n");
    left -= size;
  }
  const trailers = random.once(4) ? 1 + random.below(3) : 0;
  const lines = Array.from({ length: trailers }, () => `${random.pick(TRAILERS)}\r\n`).join("");
  parts.push(`0${random.pick(EXTENSIONS)}\r\n${lines}\r\n`);
  return { lines: ["Transfer-Encoding: chunked"], parts, contentBytes, trailers };
}

/** Small ones mostly, those at the borders of powers of two, some large. */
export function drawSize(random: Random, max: number): number {
  const kind = random.below(10);
  if (kind < 5) return random.below(Math.min(40, max + 1));
  if (kind < 7) return Math.min(max, 2 ** random.below(16) + random.below(3) - 1);
  return random.below(max + 1);
}

/** Puts something wrong into it: a line behind another, or a word at some place; or leaves something out. */
function spoil(random: Random, parts: ReadonlyArray<string | number>): Array<string | number> {
  const spoilt = [...parts];
  for (let count = 1 + random.below(2); count > 0; count--) {
    const index = random.below(2) === 0 ? 0 : random.below(spoilt.length);
    const part = spoilt[index];
    if (part === undefined) break;
    if (typeof part === "number") spoilt[index] = Math.max(0, part + random.pick([-1, 1, 2, 100]));
    else if (index === 0 && random.once(2)) spoilt[index] = withLine(random, part);
    else {
      const at = random.below(part.length + 1);
      const word = random.once(4) ? "" : random.pick(WRONG_WORDS);
      spoilt[index] = part.slice(0, at) + word + part.slice(at + random.below(3));
    }
  }
  return spoilt;
}

function withLine(random: Random, head: string): string {
  const lines = head.split("\r\n");
  lines.splice(1 + random.below(Math.max(1, lines.length - 2)), 0, random.pick(WRONG_LINES));
  return lines.join("\r\n");
}
