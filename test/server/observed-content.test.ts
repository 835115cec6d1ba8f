/** Observers of an answer that let go of content which nobody has read, or read it: the requests behind it are answered in turn. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import type { Exchange } from "../../src/http/exchange.ts";
import { serve } from "../../src/server/server.ts";
import { Response } from "../../src/web/response.ts";

const REQUESTS = [
  "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
  "GET /b HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
];

const ACTS: Readonly<Record<string, (exchange: Exchange) => void>> = {
  cancels: ({ content }) => content.cancel(),
  reads: ({ content }) => content.start({ chunk: () => {}, end: () => {}, fail: () => {} }),
};

it.each([
  ["cancels", "sync"],
  ["cancels", "late"],
  ["reads", "sync"],
  ["reads", "late"],
])("an observer that %s the content of a request that is answered %s", async (act, when) => {
  const faults: unknown[] = [];
  await using server = await serve({
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      const answer = new Response(`${pathname}\n`);
      if (when === "sync" && pathname !== "/b") return answer;
      return new Promise((resolve) => setTimeout(() => resolve(answer), 20));
    },
    hooks: {
      onFault: (fault) => void faults.push(fault),
      onResponse: ({ exchange }) => {
        if (!exchange.content.isEmpty) ACTS[act]?.(exchange);
      },
    },
  });
  const client = connect(server.port, "127.0.0.1");
  let heard = "";
  client.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
  client.write(REQUESTS.join(""));
  await once(client, "close");
  // RFC 9112 §9.3.2: MUST send its responses in the same order that the requests were received
  expect(heard.match(/^\/\w$/gm)).toEqual(["/a", "/b", "/c"]);
  expect(faults).toEqual([]);
});
