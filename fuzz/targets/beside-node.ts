/**
 * Fuzz target: whole connections beside Node's own parser, llhttp in its strict mode.
 *
 * Invariants:
 * - Of requests that both find whole, method, target, fields and content are the same: there is no message of which the two
 *   could disagree where it ends (request smuggling, RFC 9112 §11.2).
 * - Who refuses or waits may differ: that is told, with sections, in test/http1/differential.test.ts.
 */

import { createRequire } from "node:module";
import { likeRequests } from "../../test/support/wire-arbitrary.ts";
import { understand } from "../../test/support/wire-node.ts";
import { same } from "../invariant.ts";
import { latin1 } from "../mutate.ts";
import type { FuzzTarget } from "../target.ts";
import { wireSeeds } from "../wire-seeds.ts";

type Callback = (...args: never[]) => unknown;

interface Parser {
  [callback: number]: Callback;
  initialize(type: number, resource: object): void;
  execute(bytes: Buffer): unknown;
  close(): void;
}

interface ParserClass {
  new (): Parser;
  readonly REQUEST: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

interface Found {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly string[];
  content: string;
  isWhole: boolean;
}

/** The platform's own and not documented; null where it is gone. */
const common = ((): { HTTPParser: ParserClass; methods: readonly string[] } | null => {
  try {
    const found = createRequire(import.meta.url)("_http_common") as { HTTPParser?: ParserClass; methods: string[] };
    return found.HTTPParser === undefined ? null : { HTTPParser: found.HTTPParser, methods: found.methods };
  } catch {
    return null;
  }
})();

/** The requests that Node finds. */
function readWithNode(bytes: Buffer): Found[] {
  if (common === null) return [];
  const { HTTPParser, methods } = common;
  const found: Found[] = [];
  let early: string[] = [];
  let earlyUrl = "";
  const parser = new HTTPParser();
  parser.initialize(HTTPParser.REQUEST, {});
  // Fields come in parts where there are many; those behind the content are trailers
  const onFields = (fields: string[], url: string): void => {
    early.push(...fields);
    earlyUrl += url;
  };
  const onHead = (
    _major: number,
    _minor: number,
    fields: string[] | undefined,
    method: number,
    url: string | undefined,
  ): number => {
    found.push({
      method: methods[method] ?? "",
      target: earlyUrl + (url ?? ""),
      fields: [...early, ...(fields ?? [])],
      content: "",
      isWhole: false,
    });
    early = [];
    earlyUrl = "";
    return 0;
  };
  const onBody = (piece: Buffer): void => {
    const last = found.at(-1);
    if (last !== undefined) last.content += latin1(piece);
  };
  parser[HTTPParser.kOnHeaders] = onFields;
  parser[HTTPParser.kOnHeadersComplete] = onHead;
  parser[HTTPParser.kOnBody] = onBody;
  parser[HTTPParser.kOnMessageComplete] = () => {
    const last = found.at(-1);
    if (last !== undefined) last.isWhole = true;
    early = [];
    earlyUrl = "";
  };
  if (bytes.length > 0) parser.execute(bytes);
  parser.close();
  return found;
}

/** The target. */
export const besideNodeTarget: FuzzTarget = {
  name: "beside-node",
  about: "requests that both Node's parser and ours find whole are the same ones, octet for octet",
  arbitrary: likeRequests,
  words: [
    "Host: a\r\n",
    "Content-Length: ",
    "Transfer-Encoding: ",
    "chunked",
    "\r\n\r\n",
    "0\r\n\r\n",
    "GET / HTTP/1.1\r\n",
    ";",
    ",",
  ],
  seeds: wireSeeds,
  run(input) {
    const bytes = Buffer.from(input);
    const theirs = readWithNode(bytes);
    for (const [i, ours] of understand(bytes).requests.entries()) {
      const other = theirs[i];
      if (other === undefined || !other.isWhole || !ours.isWhole) return;
      const { method, target, fields, content } = ours;
      // Node takes what follows an Upgrade for the new protocol's, where white space stands behind "chunked" (RFC 9110 §7.8: the
      // request's content comes first)
      if (/\bupgrade\b/i.test(fields.join()) && content !== other.content && other.content === "") return;
      same(
        { method, target, fields: [...fields], content },
        { method: other.method, target: other.target, fields: other.fields, content: other.content },
        "is the same request to both",
      );
    }
  },
};
