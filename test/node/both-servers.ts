/**
 * One listener on two servers: node:http, which is the judge, and ours. Both are asked the same, and what they answer is
 * compared, but for what belongs to the connection or the moment.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";
import type { Fault } from "../../src/server/hooks.ts";
import { serve } from "../../src/server/server.ts";
import { nodeHandler, type RequestListener } from "../../src/node/index.ts";

/** What a client asks. */
export interface Question {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: http.OutgoingHttpHeaders;
  /** Whole, or in pieces, which are sent in chunks. */
  readonly body?: string | Buffer | readonly string[];
}

/** What it gets. */
export interface Answer {
  readonly status: number;
  readonly reason: string;
  /** `name: value`, lower-case names, in order of names. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  readonly interim: readonly number[];
  /** The response broke off. */
  readonly isBroken: boolean;
}

/** Belong to the connection (RFC 9110 §7.6.1) or to the moment; how content is delimited is the wire's to choose. */
const NOT_COMPARED = new Set(["connection", "keep-alive", "date", "transfer-encoding"]);

function linesOf(raw: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    if (!NOT_COMPARED.has(name)) lines.push(`${name}: ${raw[i + 1]}`);
  }
  // Order within a name counts, order of names does not
  return lines.toSorted((a, b) => {
    const [left, right] = [a.slice(0, a.indexOf(":")), b.slice(0, b.indexOf(":"))];
    if (left === right) return 0;
    return left < right ? -1 : 1;
  });
}

/** The connection ended before there was a response. */
const BROKEN: Answer = { status: 0, reason: "", headers: [], body: "", trailers: [], interim: [], isBroken: true };

/** Asks the server at `port` over a connection of its own. */
export function ask(port: number, question: Question = {}): Promise<Answer> {
  const { path = "/", method = "GET", headers = {}, body } = question;
  return new Promise((resolve) => {
    const interim: number[] = [];
    const request = http.request({ host: "127.0.0.1", port, path, method, headers, agent: false });
    request.on("error", () => resolve(BROKEN));
    request.on("information", (info) => interim.push(info.statusCode));
    request.on("response", (response) => {
      let text = "";
      let isBroken = false;
      response.setEncoding("latin1");
      response.on("data", (piece: string) => (text += piece));
      response.on("error", () => (isBroken = true));
      response.on("close", () =>
        resolve({
          status: response.statusCode ?? 0,
          reason: response.statusMessage ?? "",
          // A length that is that of the content says nothing more than the content
          headers: linesOf(response.rawHeaders).filter(
            (line) => line !== `content-length: ${text.length}` || method === "HEAD",
          ),
          body: Buffer.from(text, "latin1").toString(),
          trailers: linesOf(response.rawTrailers),
          interim,
          isBroken,
        }),
      );
    });
    if (typeof body === "object" && !Buffer.isBuffer(body)) {
      for (const piece of body) request.write(piece);
      request.end();
    } else request.end(body);
  });
}

/** Both servers. */
export interface Both {
  /** Asks both the same. */
  ask(question?: Question): Promise<{ theirs: Answer; ours: Answer }>;
  readonly theirPort: number;
  readonly ourPort: number;
  /** What our server was told of the listener. */
  readonly faults: Fault[];
}

/**
 * Starts both, until the tests of the file are over.
 *
 * @param makeListener called once for each, so that they share no state
 */
export async function startBoth(makeListener: () => RequestListener): Promise<Both> {
  const faults: Fault[] = [];
  const judge = http.createServer(makeListener() as http.RequestListener);
  await new Promise<void>((resolve) => judge.listen(0, "127.0.0.1", resolve));
  const server = await serve({
    port: 0,
    fetch: nodeHandler(makeListener()),
    hooks: { onFault: (fault) => faults.push(fault) },
  });
  afterAll(async () => {
    judge.closeAllConnections();
    judge.close();
    await server.close({ drainMs: 1000 });
  });
  const theirPort = (judge.address() as AddressInfo).port;
  const ourPort = server.port;
  return {
    theirPort,
    ourPort,
    faults,
    ask: async (question) => {
      const [theirs, ours] = await Promise.all([ask(theirPort, question), ask(ourPort, question)]);
      return { theirs, ours };
    },
  };
}
