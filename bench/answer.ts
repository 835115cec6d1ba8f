/**
 * Asks a subject and looks at every octet that matters of its answer: a server that answers fast and wrong has no place in a
 * table. Used before, during and after each load.
 *
 * The greeting is asked over a raw socket, plain or TLS, that stays open; all else over clients of Node's.
 */
import { once } from "node:events";
import { get as getPlain, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { get as getEncrypted } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Checker } from "./round.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const GREETING = "Hello, World!";

/** The certificate is made for this run, and the peer is our own child on this machine. */
const UNCHECKED = { rejectUnauthorized: false } as const;

/**
 * Judges what has come of a greeting. A head that is wrong ends the wait: what should come behind it nobody knows.
 *
 * @returns what is wrong; null if nothing is; undefined if more has to come
 */
export function faultOf(answer: string): string | null | undefined {
  const end = answer.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [head, body] = [answer.slice(0, end), answer.slice(end + 4)];
  if (!head.startsWith("HTTP/1.1 200 ")) return `status line ${head.split("\r\n")[0]}`;
  for (const field of [/^content-type: text\/plain/im, /^date: \w{3}, /im, /^content-length: 13$/im]) {
    if (!field.test(head)) return `no ${field.source}`;
  }
  if (body.length < GREETING.length) return undefined;
  return body === GREETING ? null : `content ${JSON.stringify(body)}`;
}

/** A connection that asks one request after the other and stays open. */
export interface Asker {
  readonly ask: () => Promise<void>;
  readonly socket: Socket;
}

/** Opens one. */
export async function openAsker(port: number, scheme: "http" | "https" = "http"): Promise<Asker> {
  const isTls = scheme === "https";
  const socket = isTls ? connectTls({ port, host: "127.0.0.1", ...UNCHECKED }) : connect(port, "127.0.0.1");
  await once(socket, isTls ? "secureConnect" : "connect");
  let received = "";
  let settle: { resolve: () => void; reject: (error: Error) => void } | null = null;
  let ended: Error | null = null;
  const finish = (error: Error | null): void => {
    const waiting = settle;
    settle = null;
    received = "";
    if (error === null) waiting?.resolve();
    else waiting?.reject(error);
  };
  socket.setEncoding("latin1");
  // Also between two questions: what is written to a connection that has ended is answered by nobody
  const end = (error: Error): void => finish((ended ??= error));
  socket.on("error", end);
  socket.on("close", () => end(new Error("connection closed")));
  socket.on("data", (text: string) => {
    received += text;
    const fault = faultOf(received);
    if (fault === undefined) return;
    finish(fault === null ? null : new Error(`wrong answer: ${fault}`));
  });
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      if (ended === null) socket.write(REQUEST);
      else finish(ended);
    });
  return { ask, socket };
}

/** Checks the greeting over a connection of its own. */
export async function greetingChecker(port: number, scheme: "http" | "https" = "http"): Promise<Checker> {
  const asker = await openAsker(port, scheme);
  return {
    whole: asker.ask,
    once: async () => {
      await asker.ask();
      return 1;
    },
    close: () => asker.socket.destroy(),
  };
}

/** An answer, all of it. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly content: Buffer;
}

/** Asks once, on a connection of its own. */
export async function fetchOnce(
  port: number,
  path: string,
  settings: { readonly scheme?: "http" | "https"; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const { scheme = "http", headers = {} } = settings;
  const options = { host: "127.0.0.1", port, path, agent: false, headers } as const;
  const request = scheme === "https" ? getEncrypted({ ...options, ...UNCHECKED }) : getPlain(options);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, content: Buffer.concat(parts) };
}
