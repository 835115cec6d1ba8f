/**
 * What node:http understands of octets, and what we do, in the same words; for comparing the two.
 *
 * Node's server gets its connections by the event `connection`, as its documentation allows, so no socket is opened. Its
 * parser runs strictly (`insecureHTTPParser: false`) and with our limits where it has them. Answers are not compared, only
 * what was understood: requests with their fields, content and trailers, and whether the octets were refused.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Duplex } from "node:stream";
import type { Exchange } from "../../src/http/exchange.ts";
import { Http1Connection } from "../../src/http1/connection.ts";
import { DEFAULT_LENIENCIES, DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from "../../src/http1/limits.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryTransport } from "./memory-transport.ts";

/** One request as understood. Text is latin1. */
export interface UnderstoodRequest {
  readonly method: string;
  readonly target: string;
  /** Flat: name, value, name, value. */
  readonly fields: readonly string[];
  content: string;
  trailers: readonly string[];
  /** All of it has come, the content included. */
  isWhole: boolean;
}

/** What was made of some octets. */
export interface Understanding {
  readonly requests: UnderstoodRequest[];
  /** Code of the refusal, `""` if there was none. */
  code: string;
}

/** node:http as a peer in the comparison. */
export class NodePeer {
  readonly #server: Server;
  readonly #bySocket: WeakMap<Duplex, Understanding> = new WeakMap();

  constructor() {
    this.#server = createServer({ insecureHTTPParser: false, maxHeaderSize: DEFAULT_LIMITS.maxHeadBytes });
    this.#server.maxHeadersCount = 0;
    this.#server.on("request", (request, response) => this.#read(request, response));
    this.#server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
      this.#refuse(request.socket, "417");
      response.writeHead(417, { connection: "close" }).end();
    });
    // Not destroyed at once: Node then loses what it has understood before
    this.#server.on("clientError", (error: Error & { code?: string }, socket: Duplex) =>
      this.#refuse(socket, error.code ?? error.message),
    );
    this.#server.on("connect", (request: IncomingMessage, socket: Duplex) => {
      this.#refuse(socket, "CONNECT");
      socket.destroy();
    });
  }

  /** Reads `bytes` as the start of a connection. */
  async understand(bytes: Uint8Array): Promise<Understanding> {
    const understanding: Understanding = { requests: [], code: "" };
    const written: Buffer[] = [];
    const socket = new Duplex({
      read: () => {},
      write: (chunk: Buffer, _encoding, done) => {
        written.push(chunk);
        done();
      },
    });
    socket.on("error", () => {});
    this.#bySocket.set(socket, understanding);
    this.#server.emit("connection", socket);
    socket.push(bytes);
    for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
    // A refusal without an event: Node answers a missing Host itself
    const answers =
      Buffer.concat(written)
        .toString("latin1")
        .match(/HTTP\/1\.1 \d\d\d /g) ?? [];
    if (understanding.code === "" && answers.at(-1) === "HTTP/1.1 400 ") understanding.code = "400";
    socket.destroy();
    return understanding;
  }

  close(): void {
    this.#server.close();
  }

  #refuse(socket: Duplex, code: string): void {
    const understanding = this.#bySocket.get(socket);
    if (understanding !== undefined && understanding.code === "") understanding.code = code;
  }

  #read(request: IncomingMessage, response: ServerResponse): void {
    const understood: UnderstoodRequest = {
      method: request.method ?? "",
      target: request.url ?? "",
      fields: request.rawHeaders,
      content: "",
      trailers: [],
      isWhole: false,
    };
    this.#bySocket.get(request.socket)?.requests.push(understood);
    request.on("data", (chunk: Buffer) => (understood.content += chunk.toString("latin1")));
    request.on("error", () => {});
    request.on("end", () => {
      understood.isWhole = true;
      understood.trailers = request.rawTrailers;
      response.end("ok");
    });
  }
}

/** What our connection understands of `bytes`. */
export function understand(bytes: Uint8Array): Understanding {
  const understanding: Understanding = { requests: [], code: "" };
  const transport = new MemoryTransport();
  const connection = new Http1Connection(transport, new ManualClock(), {
    limits: DEFAULT_LIMITS,
    timeouts: DEFAULT_TIMEOUTS,
    leniencies: DEFAULT_LENIENCIES,
    isExplaining: false,
    handle: (exchange) => read(exchange, understanding),
    events: { onRefusal: ({ error }) => (understanding.code = error.code), onExchangeEnd: null },
  });
  transport.attach(connection);
  transport.send(bytes);
  transport.pump();
  return understanding;
}

function read(exchange: Exchange, understanding: Understanding): void {
  const { method, target, fields } = exchange.request;
  const understood: UnderstoodRequest = {
    method,
    target,
    fields: [...fields].flat(),
    content: "",
    trailers: [],
    isWhole: false,
  };
  understanding.requests.push(understood);
  const answer = (status: number): void => void exchange.respond({ status, reason: "", fields: [] }, "ok");
  exchange.content.start({
    chunk: (bytes) => (understood.content += Buffer.from(bytes).toString("latin1")),
    end: (trailers) => {
      understood.isWhole = true;
      understood.trailers = [...trailers].flat();
      answer(200);
    },
    fail: () => answer(400),
  });
}
