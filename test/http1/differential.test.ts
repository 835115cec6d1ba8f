/**
 * Our reading of octets beside that of node:http: every wire case and thousands of generated inputs through both.
 *
 * Whatever both accept they must understand alike: method, target, field lines, content, trailers. Where one accepts what
 * the other refuses, the class of the disagreement must stand in the table below with the section that says why ours is
 * right; one that does not stand there fails. The inputs are the same in every run (a fixed seed), so a failure stays.
 */

import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { likeRequests } from "../support/wire-arbitrary.ts";
import { parseChapter } from "../support/wire-case.ts";
import { NodePeer, understand, type UnderstoodRequest, type Understanding } from "../support/wire-node.ts";

/** A class of disagreement. */
interface Disagreement {
  /** Our code where we refuse, `""` where we accept. */
  readonly ours: string;
  /** Node's code where it refuses, `""` where it accepts; a pattern where several mean the same. */
  readonly node: string | RegExp;
  /** Narrows the class to what the reason is about. */
  readonly when?: RegExp;
  readonly why: string;
}

const ACCEPTS = "";
/** Neither accepts nor refuses: waits, or has stopped reading. */
const SILENT = "silent";
/** White space around ";" and "=" of a chunk extension. */
const BAD_WHITE_SPACE = /\r\n[0-9A-Fa-f]+(?:[ \t]+;|[ \t]*;[^\r\n]*[ \t])/;

const TABLE: readonly Disagreement[] = [
  // Request line
  {
    ours: "ERR_BARE_CR",
    node: ACCEPTS,
    when: /(?:^|\r\n|\n)\r(?!\n)/,
    why: "RFC 9112 §2.2: a bare CR before the request line is no empty line",
  },
  {
    ours: "ERR_BARE_LF",
    node: ACCEPTS,
    when: /(?:^|\n|\r)\n/,
    why: "RFC 9112 §2.2: the empty line that is ignored is CRLF; a bare LF is a MAY not taken",
  },
  {
    ours: "ERR_REQUEST_LINE",
    node: ACCEPTS,
    when: /\S {2,}\S/,
    why: "RFC 9112 §3: a single SP; splitting on more is a MAY not taken",
  },
  {
    ours: "ERR_HTTP_VERSION_MISSING",
    node: ACCEPTS,
    why: "RFC 9112 §3: the version is not optional; HTTP/0.9 is not served",
  },
  {
    ours: "ERR_HTTP_VERSION_UNSUPPORTED",
    node: ACCEPTS,
    when: /HTTP\/(?:0\.9|2\.0)/,
    why: "RFC 9110 §15.6.6: another major version is 505",
  },
  {
    ours: ACCEPTS,
    node: "HPE_INVALID_VERSION",
    when: /HTTP\/1\.[2-9]/,
    why: "RFC 9110 §2.5: a higher minor version SHOULD be processed as the highest known",
  },
  {
    ours: "ERR_METHOD_REFUSED",
    node: ACCEPTS,
    when: /TRACE/,
    why: "RFC 9110 §9.3.8: TRACE is refused by the wire, node:http leaves it to the handler",
  },
  {
    ours: "ERR_TARGET_CHARACTER",
    node: ACCEPTS,
    when: /["<>\\#\x7f-\xff]/,
    why: "RFC 3986 §2: these are no URI characters",
  },
  {
    ours: "ERR_TARGET",
    node: ACCEPTS,
    why: "RFC 9112 §3.2: the four forms, each for its methods; userinfo and empty hosts are errors (RFC 9110 §4.2.1, §4.2.4)",
  },
  {
    ours: "ERR_TARGET_TOO_LONG",
    node: ACCEPTS,
    why: "RFC 9110 §15.5.15: our limit of the target; node:http has one of the head only",
  },
  // Field section
  {
    ours: "ERR_HEAD_TOO_LARGE",
    node: ACCEPTS,
    why: "RFC 9110 §5.4: we count all octets of a head, node:http those of names and values",
  },
  {
    ours: "ERR_TOO_MANY_FIELDS",
    node: ACCEPTS,
    why: "RFC 9110 §5.4: node:http drops lines above its limit, which invites request smuggling",
  },
  { ours: "ERR_HOST_REPEATED", node: ACCEPTS, why: "RFC 9112 §3.2: more than one Host line MUST be 400" },
  { ours: "ERR_HOST_INVALID", node: ACCEPTS, why: "RFC 9112 §3.2: an invalid Host MUST be 400" },
  {
    ours: "ERR_HOST_MISSING",
    node: ACCEPTS,
    why: "RFC 9112 §9.6: both refuse, but node:http goes on with the request behind its own `Connection: close`",
  },
  { ours: "ERR_CONNECTION", node: ACCEPTS, why: "RFC 9110 §7.6.1: connection options are tokens" },
  {
    ours: "ERR_EXPECTATION",
    node: ACCEPTS,
    when: /expect: *(?!100-continue\r)/i,
    why: "RFC 9110 §10.1.1: 100-continue has no parameters; and node:http goes on behind its 417",
  },
  // Framing
  {
    ours: "ERR_TRANSFER_ENCODING",
    node: ACCEPTS,
    why: "RFC 9112 §6.3 rule 4: chunked exactly once and last, else MUST be 400; empty members are refused (§11.2)",
  },
  {
    ours: "ERR_TRANSFER_ENCODING_IN_HTTP10",
    node: ACCEPTS,
    why: "RFC 9112 §6.1: MUST be treated as if the framing is faulty",
  },
  {
    ours: "ERR_TRANSFER_CODING_UNKNOWN",
    node: ACCEPTS,
    why: "RFC 9112 §6.1: a coding that is not understood SHOULD get 501; node:http hands the coded octets on",
  },
  {
    ours: "ERR_LENGTH_AND_CODING",
    node: ACCEPTS,
    when: /transfer-encoding:[ \t]*\r\n/i,
    why: "RFC 9112 §6.3 rule 3: an empty Transfer-Encoding is there all the same",
  },
  {
    ours: "ERR_MISDIRECTED",
    node: ACCEPTS,
    when: /^\S+ https:/i,
    why: "RFC 9110 §7.4: https on a connection that is not secured MUST be rejected; node:http leaves it to the handler",
  },
  {
    ours: "ERR_CONTENT_TOO_LARGE",
    node: ACCEPTS,
    when: /content-length: *\d{7}/i,
    why: "RFC 9110 §15.5.14: our limit of content; node:http leaves it to the handler",
  },
  {
    ours: ACCEPTS,
    node: "HPE_INVALID_CONTENT_LENGTH",
    when: /content-length:[^\r]*\t\r/i,
    why: "RFC 9112 §5.1: HTAB behind a value is white space like SP",
  },
  {
    ours: ACCEPTS,
    node: "HPE_INVALID_TRANSFER_ENCODING",
    when: /transfer-encoding:[^\r]*\t\r/i,
    why: "RFC 9112 §5.1: HTAB behind a value is white space like SP",
  },
  // Content
  {
    ours: "ERR_CHUNK_EXTENSION",
    node: ACCEPTS,
    why: "RFC 9112 §7.1.1: a name, then a token or a quoted-string; nothing between size and line end",
  },
  { ours: "ERR_CHUNK_LINE_TOO_LONG", node: ACCEPTS, why: "RFC 9112 §7.1.1: a server ought to limit extensions" },
  {
    ours: ACCEPTS,
    node: /^HPE_(?:INVALID_CHUNK_SIZE|STRICT)$/,
    when: BAD_WHITE_SPACE,
    why: "RFC 9110 §5.6.3: bad white space MUST be parsed and removed",
  },
  {
    ours: "ERR_TRAILER_FIELD",
    node: ACCEPTS,
    why: "RFC 9110 §6.5.1: framing, routing and authentication have no place in trailers",
  },
  // Silence
  {
    ours: SILENT,
    node: ACCEPTS,
    when: /HTTP\/1\.0.*keep-alive.*close|HTTP\/1\.0.*close.*keep-alive/is,
    why: "RFC 9112 §9.3: close wins over keep-alive, and nothing behind it is processed",
  },
  {
    ours: ACCEPTS,
    node: SILENT,
    when: /upgrade:/i,
    why: "RFC 9110 §7.8: where the protocol is not switched HTTP goes on; node:http stops reading",
  },
];

interface Difference {
  readonly ours: string;
  readonly node: string;
  /** What both accept and understand differently. */
  readonly what: string;
}

/** Where the two first part, or null. Behind that place nothing is compared. */
function difference(ours: Understanding, node: Understanding): Difference | null {
  for (let i = 0; ; i++) {
    const a = ours.requests[i];
    const b = node.requests[i];
    if (a === undefined && b === undefined) return null;
    if (a === undefined) return { ours: ours.code || SILENT, node: ACCEPTS, what: "" };
    if (b === undefined) return { ours: ACCEPTS, node: node.code || SILENT, what: "" };
    const what = differingPart(a, b);
    if (what !== "") return { ours: ACCEPTS, node: ACCEPTS, what };
    if (a.isWhole !== b.isWhole)
      return {
        ours: a.isWhole ? ACCEPTS : ours.code || SILENT,
        node: b.isWhole ? ACCEPTS : node.code || SILENT,
        what: "",
      };
    if (!a.isWhole) return null;
  }
}

function differingPart(a: UnderstoodRequest, b: UnderstoodRequest): string {
  if (a.method !== b.method) return "method";
  if (a.target !== b.target) return "target";
  if (a.fields.join("\n") !== b.fields.join("\n")) return "fields";
  if (!a.isWhole || !b.isWhole) return "";
  if (a.content !== b.content) return "content";
  return a.trailers.join("\n") === b.trailers.join("\n") ? "" : "trailers";
}

function rowOf(found: Difference, text: string): Disagreement | undefined {
  if (found.what !== "") return undefined;
  return TABLE.find(({ ours, node, when }) => {
    const isNodes = typeof node === "string" ? node === found.node : node.test(found.node);
    return ours === found.ours && isNodes && (when === undefined || when.test(text));
  });
}

const NOTHING = Buffer.alloc(0);
const peer = new NodePeer();
afterAll(() => peer.close());
const seen = new Set<Disagreement>();

/** Compares one input. Returns the disagreement if it is unlisted, else `""`. */
async function compare(bytes: Buffer): Promise<string> {
  const ours = understand(bytes);
  const node = await peer.understand(bytes);
  const found = difference(ours, node);
  if (found === null) return "";
  const text = bytes.toString("latin1");
  const row = rowOf(found, text);
  if (row === undefined) return `about ${JSON.stringify(text)}: ${JSON.stringify({ found, ours, node })}`;
  seen.add(row);
  return "";
}

const folder = new URL("../wire/", import.meta.url);
const chapters = readdirSync(folder).filter((name) => name.endsWith(".md") && name !== "README.md");

describe("beside node:http", () => {
  test.each(chapters)("understands the cases of %s alike, or for a listed reason", async (name) => {
    const unlisted: string[] = [];
    for (const { steps } of parseChapter(readFileSync(new URL(name, folder), "utf8")).cases) {
      unlisted.push(await compare(Buffer.concat(steps.map((step) => ("bytes" in step ? step.bytes : NOTHING)))));
    }
    expect(unlisted.filter((disagreement) => disagreement !== "")).toEqual([]);
  });

  test("understands what looks like requests alike, or for a listed reason", async () => {
    const property = fc.asyncProperty(likeRequests, async (bytes) => {
      expect(await compare(bytes)).toBe("");
    });
    await fc.assert(property, { numRuns: 20_000, seed: 9112 });
  });

  // Later versions of Node may have become stricter
  test.runIf(process.versions.node.startsWith("20."))("lists no disagreement that does not occur", () => {
    expect(TABLE.filter((row) => !seen.has(row)).map(({ why }) => why)).toEqual([]);
  });
});
