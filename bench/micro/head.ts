/**
 * From octets to a request's head: ours beside llhttp through Node's own binding, without any socket.
 *
 * A small head and one with the ten fields of a browser. Ours makes what a handler can look into; Node's calls back with an
 * array of all names and values. Then single fields looked up: ours cut out of the text when asked, Node's from an object
 * that it makes of the array. Run compiled (bench/README.md).
 */
import { bench, do_not_optimize, run, summary } from "mitata";
import { HeadParser } from "../../src/http1/head.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS } from "../../src/http1/limits.ts";
import { readRequestHead } from "../../src/http1/request-head.ts";
import { mustBe, peer } from "./peer.ts";

/** What of Node's parser is used here; undocumented, so that a version may have none. */
interface NodeParser {
  initialize(type: number, resource: object): void;
  execute(octets: Uint8Array): number | Error;
  [callback: number]: unknown;
}
type NodeParserClass = (new () => NodeParser) & { readonly REQUEST: number; readonly kOnHeadersComplete: number };

const SMALL = "GET /books/7?page=2 HTTP/1.1\r\nHost: localhost:8080\r\n\r\n";
const TEN = [
  "GET /books/7?page=2 HTTP/1.1",
  "Host: localhost:8080",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Accept-Language: en-US,en;q=0.5",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Connection: keep-alive",
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
  "Upgrade-Insecure-Requests: 1",
  "Sec-Fetch-Mode: navigate",
  "Cache-Control: max-age=0",
  "\r\n",
].join("\r\n");

const parser = new HeadParser(DEFAULT_LIMITS, DEFAULT_LENIENCIES);

function ours(octets: Buffer): ReturnType<typeof readRequestHead> {
  parser.reset();
  const length = parser.parse(octets, 0, octets.length);
  return readRequestHead(parser, octets, 0, length, "http", DEFAULT_LENIENCIES);
}

/** @returns what parses a head and gives names and values in turn, or null */
function theirs(): ((octets: Buffer) => readonly string[]) | null {
  const common = peer("_http_common") as { readonly HTTPParser?: NodeParserClass } | null;
  const Parser = common?.HTTPParser;
  if (Parser === undefined) return null;
  const native = new Parser();
  let lines: readonly string[] = [];
  native.initialize(Parser.REQUEST, {});
  native[Parser.kOnHeadersComplete] = (_major: number, _minor: number, headers: readonly string[]): number => {
    lines = headers;
    return 0;
  };
  return (octets) => {
    native.execute(octets);
    return lines;
  };
}

const nodes = theirs();

for (const [name, text] of [
  ["small head", SMALL],
  ["ten fields", TEN],
] as const) {
  const octets = Buffer.from(text, "latin1");
  const head = ours(octets);
  if (head instanceof Error) throw head;
  mustBe("ours", [head.method, head.target, head.fields.get("host")], ["GET", "/books/7?page=2", "localhost:8080"]);
  if (nodes !== null) mustBe("theirs", nodes(octets).slice(0, 2), ["Host", "localhost:8080"]);
  summary(() => {
    bench(`${name}: fairlead`, () => do_not_optimize(ours(octets)));
    if (nodes !== null) bench(`${name}: llhttp through Node's binding`, () => do_not_optimize(nodes(octets)));
  });
}

const TEN_OCTETS = Buffer.from(TEN, "latin1");
const tenHead = ours(TEN_OCTETS);
if (tenHead instanceof Error) throw tenHead;
const { fields } = tenHead;
const pairs = TEN.split("\r\n")
  .slice(1, -2)
  .flatMap((line) => line.split(": "));

/** As node:http does on the first look at `headers`, without its rules for fields that may not repeat. */
function objectOf(lines: readonly string[]): Record<string, string> {
  const object: Record<string, string> = {};
  for (let i = 0; i < lines.length; i += 2) object[(lines[i] as string).toLowerCase()] = lines[i + 1] as string;
  return object;
}

mustBe("object", objectOf(pairs)["cookie"], fields.get("cookie"));
summary(() => {
  bench("two of ten fields looked up: fairlead", () =>
    do_not_optimize([fields.get("accept-encoding"), fields.get("cookie")]));
  bench("two of ten fields looked up: an object of all, made for it", () => {
    const object = objectOf(pairs);
    do_not_optimize([object["accept-encoding"], object["cookie"]]);
  });
});

await run();
