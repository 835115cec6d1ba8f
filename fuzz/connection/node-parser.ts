/**
 * Octets -> responses, by Node's own parser (llhttp) in its strict mode: the independent judge of what the server wrote.
 *
 * It is driven directly: a client of node:http would have to be given requests first, and stops at the first response that it did
 * not ask for. What the parser refuses, or holds for unfinished, is said; nothing is judged here. The module that has it,
 * `_http_common`, is the platform's own and not documented: where it is gone, {@link hasNodeParser} is false.
 */

import { createRequire } from "node:module";

/** One response, interim or final, as Node understands it. */
export interface NodeResponse {
  readonly status: number;
  /** Names and values in turn, as sent. */
  readonly fields: readonly string[];
  /** Octets of content. */
  content: Buffer[];
  /** Its end was found. */
  isWhole: boolean;
}

/** All responses of a connection. */
export interface NodeReading {
  readonly responses: readonly NodeResponse[];
  /** Code of the refusal, `""` for none. */
  readonly refusal: string;
  /** Octets behind 101 (Switching Protocols) are not read: null without one, else where they begin. */
  readonly tunnelAt: number | null;
}

type Callback = (...args: never[]) => unknown;

interface Parser {
  [callback: number]: Callback;
  initialize(type: number, resource: object): void;
  execute(bytes: Buffer): number | (Error & { code: string; bytesParsed: number });
  finish(): unknown;
  close(): void;
}

interface ParserClass {
  new (): Parser;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
}

const Parser = loadParser();

function loadParser(): ParserClass | null {
  try {
    const common = createRequire(import.meta.url)("_http_common") as { readonly HTTPParser?: ParserClass };
    return common.HTTPParser ?? null;
  } catch {
    return null;
  }
}

/** Whether this Node still has its parser where it can be got at. */
export const hasNodeParser: boolean = Parser !== null;

const SKIP_CONTENT = 1;

/** Of a final response, by what it says and how many there were before it: the method that it answers. */
export type MethodOf = (fields: readonly string[], index: number) => string;

/**
 * Reads all of `bytes`.
 *
 * @param methods of the requests, in order: a response to HEAD has no content
 * @param isEnded the server has ended its side
 */
export function readWithNode(bytes: Buffer, methods: readonly string[] | MethodOf, isEnded: boolean): NodeReading {
  if (Parser === null) throw new Error("this Node has no parser to judge with");
  const responses: NodeResponse[] = [];
  let finals = 0;
  let isSwitched = false;
  /** Of long sections the parser gives the first lines before. */
  let early: string[] = [];
  const parser = new Parser();
  parser.initialize(Parser.RESPONSE, {});
  const onFields = (fields: string[]): void => void early.push(...fields);
  parser[Parser.kOnHeaders] = onFields;
  const onHead = (
    _major: number,
    _minor: number,
    late: string[] | undefined,
    _method: unknown,
    _url: unknown,
    status: number,
  ) => {
    const fields = [...early, ...(late ?? [])];
    early = [];
    responses.push({ status, fields, content: [], isWhole: false });
    if (status === 101) isSwitched = true;
    if (status < 200) return 0;
    const method = typeof methods === "function" ? methods(fields, finals) : methods[finals];
    finals++;
    return method === "HEAD" ? SKIP_CONTENT : 0;
  };
  parser[Parser.kOnHeadersComplete] = onHead;
  const onBody = (piece: Buffer): void => void responses.at(-1)?.content.push(piece);
  parser[Parser.kOnBody] = onBody;
  parser[Parser.kOnMessageComplete] = () => {
    const last = responses.at(-1);
    if (last !== undefined) last.isWhole = true;
    // Trailers are none of the next one's
    early = [];
  };
  const result = bytes.length === 0 ? 0 : parser.execute(bytes);
  const refusal = typeof result === "number" ? "" : result.code;
  if (refusal === "" && isEnded && !isSwitched) parser.finish();
  parser.close();
  return { responses, refusal, tunnelAt: isSwitched && typeof result === "number" ? result : null };
}
