/** A server under TLS on a free port, and clients that say in one line what came of it. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Refusal } from "../../../src/http/exchange.ts";
import type { ServeOptions } from "../../../src/server/options.ts";
import { type Server, startServer } from "../../../src/server/server.ts";
import type { Context } from "../../../src/web/context.ts";
import { Response } from "../../../src/web/response.ts";
import { ManualTime } from "./manual-time.ts";
import { TestAuthority } from "./certificates.ts";

/** One for all tests of a file. */
export const authority: TestAuthority = await TestAuthority.create();

export interface TlsSetup extends AsyncDisposable {
  readonly server: Server;
  readonly time: ManualTime;
  readonly refusals: Refusal[];
  /** Contexts of the requests that came, in order. */
  readonly contexts: Context[];
  /** Connects and does the handshake. */
  secure(options?: ConnectionOptions): Promise<TLSSocket>;
  /** Connects without TLS. */
  plain(port?: number): Promise<Socket>;
}

/** Starts one. `fetch` answers with the URL unless it is given. */
export async function startTls(options: Partial<ServeOptions>): Promise<TlsSetup> {
  const time = new ManualTime();
  const refusals: Refusal[] = [];
  const contexts: Context[] = [];
  const server = await startServer(
    {
      port: 0,
      fetch: (request, context) => {
        contexts.push(context);
        return new Response(request.url);
      },
      hooks: { onRefusal: (refusal) => void refusals.push(refusal) },
      ...options,
    },
    time,
  );
  return {
    server,
    time,
    refusals,
    contexts,
    async secure(extra = {}) {
      const socket = tlsConnect({
        port: server.port,
        host: "127.0.0.1",
        ca: authority.cert,
        servername: "a.test",
        ...extra,
      });
      await once(socket, "secureConnect");
      return socket;
    },
    async plain(port = server.port) {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      return socket;
    },
    async [Symbol.asyncDispose]() {
      server.closeNow();
      await server.finished;
    },
  };
}

/** Sends one request and reads its answer, which ends the connection. */
export async function ask(socket: Socket, head = "GET /x HTTP/1.1\r\nHost: a.test\r\n"): Promise<string> {
  socket.write(`${head}Connection: close\r\n\r\n`);
  return await textOf(socket);
}

/** Sends one request and reads its answer as far as it has to, leaving the connection open. */
export async function askOn(socket: Socket, target = "/x"): Promise<string> {
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
  let text = "";
  while (!/\r\n\r\n.*\S$/s.test(text)) text += String(((await once(socket, "data")) as [Buffer])[0]);
  return text;
}

/** Everything until the end. */
export async function textOf(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

/** Code of the error that a client's handshake ends with. */
export async function failureOf(promise: Promise<TLSSocket>): Promise<string> {
  return await promise.then(
    (socket) => {
      socket.destroy();
      return "none";
    },
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
}
