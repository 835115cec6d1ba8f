/**
 * Inputs on their way through a proxy to us: what arrives at our handler, and whether everybody gets the answers to their own
 * requests.
 *
 * For each input one client sends it with a marker behind it, and another, well-behaved client asks a question with a number
 * before, beside and behind it. All share the proxy's connections to us, so a request or an answer too many shows at once: a
 * request that the proxy has not marked, or an answer with another number.
 */
import { connect, type Socket } from "node:net";
import { Response, serve, type Server } from "../../../src/index.ts";
import { readAnswers } from "./answers.ts";
import type { Proxy } from "./proxies.ts";
import type { Shape } from "./shapes.ts";

/** What came of all inputs. */
export interface Passage {
  /** What must not be, in words. */
  readonly faults: readonly string[];
  /** Requests of the inputs and their markers at our handler. */
  readonly handled: number;
  /** What the proxy let through, and we refused. */
  readonly refused: number;
  /** Between the proxy and us. */
  readonly connections: number;
  readonly requests: number;
}

/** One request at our handler. */
interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly mark: string | null;
}

/** Our own server, which notes who arrives. */
class Origin {
  readonly arrivals: Arrival[] = [];
  refused = 0;
  #server: Server | null = null;

  async start(markName: string): Promise<Server> {
    this.#server = await serve({
      port: 0,
      hooks: { onRefusal: () => void this.refused++ },
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        const path = `${pathname}${search}`;
        this.arrivals.push({ method: request.method, path, mark: request.headers.get(markName) });
        await request.arrayBuffer();
        return new Response(`answer to ${path}.`);
      },
    });
    return this.#server;
  }
}

/** A client that sends one request at a time and knows which answer is its own. */
class Asker {
  readonly #port: number;
  #socket: Socket | null = null;
  #text = "";
  #heard: () => void = () => {};

  constructor(port: number) {
    this.#port = port;
  }

  /** Asks; the answer's content, or why there is none. */
  async ask(path: string): Promise<string> {
    const socket = (this.#socket ??= this.#connect());
    this.#text = "";
    socket.write(`GET ${path} HTTP/1.1\r\nHost: probe.example\r\n\r\n`);
    while (readAnswers(this.#text)[0]?.isWhole !== true && !socket.closed) {
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
    const answers = readAnswers(this.#text);
    const [answer] = answers;
    if (socket.closed || answer?.fields.get("connection") === "close") this.close();
    if (answers.length !== 1) return `${answers.length} answers`;
    return `${answer?.status} ${answer?.content}`;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  #connect(): Socket {
    const socket = connect(this.#port, "127.0.0.1").setNoDelay();
    socket.on("error", () => {});
    socket.on("close", () => this.#heard());
    socket.on("data", (chunk: Buffer) => {
      if (socket !== this.#socket) return;
      this.#text += chunk.toString("latin1");
      this.#heard();
    });
    return socket;
  }
}

/** Sends all shapes through the proxy. */
export async function pass(proxy: Proxy, shapes: readonly Shape[]): Promise<Passage> {
  const origin = new Origin();
  const server = await origin.start(proxy.mark[0]);
  const running = await proxy.start(server.port);
  const faults: string[] = [];
  const asker = new Asker(running.port);
  let probes = 0;
  const probe = async (shape: string): Promise<void> => {
    const path = `/probe?n=${probes++}`;
    const answer = await asker.ask(path);
    // A proxy that has lost its connection may say so; it may not give an answer that is another's
    if (answer !== `200 answer to ${path}.` && !/^50[234] /.test(answer)) {
      faults.push(`${shape}: ${path} was answered ${JSON.stringify(answer)}`);
    }
  };
  try {
    for (const [number, { name, bytes }] of shapes.entries()) {
      const client = new Client(running.port, bytes, number);
      await client.sent;
      await probe(name);
      await client.end();
      await probe(name);
      faults.push(...client.faults.map((fault) => `${name}: ${fault}`));
      const unmarked = origin.arrivals.filter(({ mark }) => mark === null || !proxy.mark[1].test(mark));
      faults.push(...unmarked.map(({ method, path }) => `${name}: ${method} ${path} has not been sent by the proxy`));
      origin.arrivals.length = 0;
    }
    const { acceptedConnections, requests } = server.stats;
    return { faults, handled: requests - probes, refused: origin.refused, connections: acceptedConnections, requests };
  } finally {
    asker.close();
    await running.stop();
    server.closeNow();
  }
}

/** Who sends an input, and a marker with its own number behind it. */
class Client {
  readonly sent: Promise<unknown>;
  readonly #socket: Socket;
  readonly #number: number;
  readonly #closed: Promise<unknown>;
  #text = "";

  constructor(port: number, bytes: Buffer, number: number) {
    this.#number = number;
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).setNoDelay();
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => (this.#text += chunk.toString("latin1")));
    this.#closed = new Promise((resolve) => void socket.once("close", resolve));
    socket.on("end", () => socket.end());
    const marker = `GET /marker?of=${number} HTTP/1.1\r\nHost: marker.example\r\nConnection: close\r\n\r\n`;
    this.sent = new Promise<void>((resolve) => {
      socket.write(Buffer.concat([bytes, Buffer.from(marker)]), () => resolve());
    });
  }

  async end(): Promise<void> {
    this.#socket.end();
    const giveUp = setTimeout(() => this.#socket.destroy(), 50);
    await this.#closed;
    clearTimeout(giveUp);
  }

  /** Answers to requests of others. */
  get faults(): string[] {
    const found: string[] = [];
    for (const { content } of readAnswers(this.#text)) {
      const of = /answer to \/(?:marker\?of|probe\?n)=(\d+)/.exec(content);
      if (of !== null && (content.includes("/probe") || Number(of[1]) !== this.#number)) {
        found.push(`was answered ${JSON.stringify(content)}`);
      }
    }
    return found;
  }
}
