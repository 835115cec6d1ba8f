/**
 * Asks a subject with Node's own client, whose parser is strict, and gives the answer as it came: every field line, the content
 * without transfer coding but with its content coding, and whether the connection went on.
 *
 * For check-subjects.ts, which compares subjects; the profiles check by means of their own.
 */
import { once } from "node:events";
import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { TLSSocket } from "node:tls";

/** What the loads' libraries offer: newer ones begin with a group that not every subject knows. */
const GROUPS = "X25519:P-256";
const DEADLINE_MS = 5_000;

/** What is asked. */
export interface RawQuestion {
  readonly method: string;
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly content: Uint8Array;
  /** Sends the content in chunks of this size; 0: by its length. */
  readonly chunkBytes: number;
}

/** What came. */
export interface RawAnswer {
  readonly status: number;
  /** Values by name in lower case; those of one name together. */
  readonly fields: ReadonlyMap<string, string>;
  readonly content: Buffer;
  /** Whether it came over the connection of the answer before. */
  readonly isReused: boolean;
  /** Version, cipher and group of TLS, or empty. */
  readonly security: string;
}

/** One connection to a subject, as long as the subject keeps it. */
export class Asker {
  readonly #port: number;
  readonly #isSecure: boolean;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor(port: number, isSecure: boolean) {
    this.#port = port;
    this.#isSecure = isSecure;
    // The certificate was made for this run, and the subject is a child of ours on this machine
    this.#agent = isSecure
      ? new HttpsAgent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false, ecdhCurve: GROUPS })
      : new HttpAgent({ keepAlive: true, maxSockets: 1 });
  }

  /** @throws what the client throws of a malformed answer */
  async ask(question: RawQuestion): Promise<RawAnswer> {
    const { method, path, fields, content, chunkBytes } = question;
    const framing: Record<string, string> = {};
    if (chunkBytes > 0) framing["Transfer-Encoding"] = "chunked";
    else if (method === "POST") framing["Content-Length"] = String(content.length);
    const headers = { ...fields, ...framing };
    const options = { host: "127.0.0.1", port: this.#port, agent: this.#agent, method, path, headers };
    const asked = (this.#isSecure ? httpsRequest : httpRequest)(options);
    const answered = once(asked, "response") as Promise<[IncomingMessage]>;
    if (chunkBytes === 0) asked.write(content);
    for (let at = 0; chunkBytes > 0 && at < content.length; at += chunkBytes) {
      asked.write(content.subarray(at, at + chunkBytes));
    }
    asked.end();
    const [response] = await answered;
    // A connection that goes on is taken from the answer when that is over
    const security = this.#isSecure ? securityOf(response.socket as TLSSocket) : "";
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    if (!response.complete) throw new Error("the answer was cut off");
    // An answer may be whole before the client has noticed that its own content is; until then the connection is not free
    if (!asked.writableFinished) await once(asked, "finish");
    await new Promise((resolve) => setImmediate(resolve));
    return {
      status: response.statusCode ?? 0,
      fields: fieldsOf(response.rawHeaders),
      content: Buffer.concat(pieces),
      isReused: asked.reusedSocket,
      security,
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** What comes back of so many requests written at once, until nothing more is due. */
export async function askTogether(
  port: number,
  request: string,
  times: number,
  isWhole: (text: string) => boolean,
): Promise<string> {
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error("neither an answer nor an end came")));
  let text = "";
  socket.write(request.repeat(times));
  for await (const part of socket) {
    text += String(part);
    if (isWhole(text)) break;
  }
  socket.destroy();
  return text;
}

function fieldsOf(raw: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]?.toLowerCase() ?? "";
    const before = fields.get(name);
    const value = raw[i + 1] ?? "";
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

function securityOf(socket: TLSSocket): string {
  const key = socket.getEphemeralKeyInfo();
  const group = key !== null && "name" in key ? key.name : "";
  return `${socket.getProtocol()} ${socket.getCipher().standardName} ${group}`.trim();
}
