/**
 * Request smuggling: bytes of which a proxy in front of us might think that they are content are never taken for a request, and
 * no answer leaves bytes behind that a proxy would take for the next answer (RFC 9112 §11.1, §11.2).
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { nodeHandler } from "../../src/node/index.ts";
import { serve, type Server } from "../../src/server/server.ts";

import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { say } from "./support/asked.ts";

const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
/** Content to who counts octets, an empty chunked message and a request to who reads chunks. */
const BOTH = `0\r\n\r\n${SMUGGLED}`;

let server: Server;
let answer: Handler;
let handled: string[];

beforeAll(async () => {
  server = await serve({
    port: 0,
    fetch: (request, context) => {
      handled.push(context.exchange.request.target);
      return answer(request, context);
    },
    hooks: { onFault: () => {} },
  });
});
afterAll(() => server.closeNow());
beforeEach(() => {
  handled = [];
  answer = async (request) => new Response(String((await request.arrayBuffer()).byteLength));
});

/** A POST with these field lines, and content that means two things. */
const post = (lines: string, content = BOTH): string =>
  `POST / HTTP/1.1\r\nHost: a\r\n${lines.replaceAll("LENGTH", String(content.length))}\r\n\r\n${content}`;

describe("framing that could be read in two ways", () => {
  it.each([
    ["Content-Length: LENGTH\r\nTransfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked\r\nContent-Length: LENGTH"],
    ["Content-Length: 0\r\nContent-Length: LENGTH"],
    ["Content-Length: LENGTH\r\nContent-Length: 0"],
    ["Content-Length: LENGTH\r\nContent-Length: LENGTH"],
    ["Content-Length: 0, LENGTH"],
    ["Content-Length: LENGTH, LENGTH"],
    ["Content-Length: +LENGTH"],
    ["Content-Length: -1"],
    ["Content-Length: 0x10"],
    ["Content-Length: LENGTH.0"],
    ["Content-Length: 1e1"],
    ["Content-Length: 1_0"],
    ["Content-Length: 1 0"],
    ["Content-Length: \xb2"],
    ["Content-Length: 18446744073709551616"],
    ["Content-Length: 9007199254740993"],
    ["Content-Length: \vLENGTH"],
    ["Content-Length:"],
    ["Content-Length : LENGTH"],
    ["Content-Length\t: LENGTH"],
    [" Content-Length: LENGTH"],
    ["X: y\r\n Content-Length: LENGTH"],
    ["Content-Length: 0\r\n LENGTH"],
    ["X: y\nContent-Length: LENGTH"],
    ["X: y\rContent-Length: LENGTH"],
    ["X: y\r\rContent-Length: LENGTH"],
    ["X: y\0Content-Length: LENGTH"],
    ["Content-Length: LENGTH\nTransfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked, identity"],
    ["Transfer-Encoding: identity, chunked"],
    ["Transfer-Encoding: identity"],
    ["Transfer-Encoding: chunked, chunked"],
    ["Transfer-Encoding: gzip, chunked"],
    ["Transfer-Encoding: xchunked"],
    ["Transfer-Encoding: chunkedx"],
    ["Transfer-Encoding: chunk"],
    ["Transfer-Encoding: chunked;a=b"],
    ['Transfer-Encoding: "chunked"'],
    ["Transfer-Encoding: 'chunked'"],
    ["Transfer-Encoding: \vchunked"],
    ["Transfer-Encoding: chunked\v"],
    ["Transfer-Encoding: \xa0chunked"],
    ["Transfer-Encoding: chun\u212aed".replace("\u212a", "\xe2\x84\xaa")],
    ["Transfer-Encoding:"],
    ["Transfer-Encoding: ,"],
    ["Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"],
    ["Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"],
    ["Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"],
    ["Transfer-Encoding : chunked"],
    [" Transfer-Encoding: chunked"],
    ["\tTransfer-Encoding: chunked"],
    ["X: y\r\n Transfer-Encoding: chunked"],
    ["Transfer-Encoding:\r\n chunked"],
    ["X: y\nTransfer-Encoding: chunked"],
    ["X: y\rTransfer-Encoding: chunked"],
    ["Transfer-Encoding\0: chunked"],
    ["Transfer-Encoding: chunked\0"],
    ["Host: b\r\nContent-Length: LENGTH"],
    ["Content-Length: LENGTH\r\nContent Length: 0"],
    ["Content-Length: LENGTH\r\nno colon"],
    ["Content-Length: LENGTH\r\n: empty"],
  ])("is refused: %j", async (lines) => {
    const { responses, faults } = await say(server.port, post(lines), ["POST"]);
    expect(responses.map(({ status }) => Math.trunc(status / 100))).toSatisfy(
      (classes: number[]) => classes.length === 1 && [4, 5].includes(classes[0] as number),
    );
    expect(responses[0]?.fields).toContainEqual(["Connection", "close"]);
    expect([handled.includes("/smuggled"), faults]).toEqual([false, []]);
  });

  it.each([
    ["of another name", "Content-Length: LENGTH\r\nTransfer_Encoding: chunked\r\nTransfer-Encodin: chunked"],
    ["named in Connection", "Content-Length: LENGTH\r\nConnection: close, Content-Length, Transfer-Encoding"],
    ["for trailers", "Content-Length: LENGTH\r\nTE: chunked, trailers"],
    [
      "for another version",
      "Content-Length: LENGTH\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
    ],
  ])("is not made of fields %s", async (_, lines) => {
    const { responses } = await say(server.port, `${post(lines)}GET /end HTTP/1.0\r\n\r\n`, ["POST", "GET"]);
    expect(responses[0]?.content.toString()).toBe(String(BOTH.length));
    expect(handled).not.toContain("/smuggled");
  });
});

describe("chunks that could be read in two ways", () => {
  it.each([
    `0x0\r\n\r\n${SMUGGLED}`,
    `+0\r\n\r\n${SMUGGLED}`,
    `-0\r\n\r\n${SMUGGLED}`,
    ` 0\r\n\r\n${SMUGGLED}`,
    `0 \r\n\r\n${SMUGGLED}`,
    `0\t\r\n\r\n${SMUGGLED}`,
    `0\n\r\n${SMUGGLED}`,
    `0\r\n\n${SMUGGLED}`,
    `0\n\n${SMUGGLED}`,
    `0\r\r\n\r\n${SMUGGLED}`,
    `\r\n\r\n${SMUGGLED}`,
    `;a\r\n\r\n${SMUGGLED}`,
    `0,0\r\n\r\n${SMUGGLED}`,
    `0_0\r\n\r\n${SMUGGLED}`,
    `0;a\nb\r\n\r\n${SMUGGLED}`,
    `0;a="\n"\r\n\r\n${SMUGGLED}`,
    `0;a=\r\n\r\n${SMUGGLED}`,
    `10000000000000000\r\n\r\n${SMUGGLED}`,
    `1\r\naa\r\n0\r\n\r\n${SMUGGLED}`,
    `1\r\na0\r\n\r\n${SMUGGLED}`,
    `1\r\na\n0\r\n\r\n${SMUGGLED}`,
    `1\r\na\r0\r\n\r\n${SMUGGLED}`,
    `1\na\r\n0\r\n\r\n${SMUGGLED}`,
    `0\r\nX: y\n\r\n${SMUGGLED}`,
    `0\r\nContent-Length: 5\r\n\r\n${SMUGGLED}`,
    `0\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED}`,
    `0\r\n X: y\r\n\r\n${SMUGGLED}`,
    `0\r\n${SMUGGLED}`,
  ])("are refused: %j", async (content) => {
    const { responses, faults } = await say(server.port, post("Transfer-Encoding: chunked", content), ["POST"]);
    // A size beyond all numbers is too large
    expect(responses.map(({ status }) => status)).toEqual([content.startsWith("1000") ? 413 : 400]);
    expect([handled.includes("/smuggled"), faults]).toEqual([false, []]);
  });
});

describe("heads that could be read in two ways", () => {
  it.each([
    `GET / HTTP/1.1\r\nHost: a\n\r\n${SMUGGLED}`,
    `GET / HTTP/1.1\nHost: a\n\n${SMUGGLED}`,
    `GET / HTTP/1.1\r\nHost: a\r\r\n\r\n${SMUGGLED}`,
    `GET /\rsmuggled HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /a b HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `GET  / HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `GET / HTTP/1.1\r\n\r\n${SMUGGLED}`,
    `GET / HTTP/1.10\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `GET / HTTP/2.0\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `GET / http/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `GET /smuggled\r\n\r\n${SMUGGLED}`,
    `GET / HTTP/1.1\r\nHost: a b\r\n\r\n${SMUGGLED}`,
    `GET / HTTP/1.1\r\nHost: a, b\r\n\r\n${SMUGGLED}`,
    `GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SMUGGLED}`,
    `POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n${BOTH}`,
    `\0GET / HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`,
    `\xef\xbb\xbfGET / HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`,
  ])("are refused: %j", async (bytes) => {
    const { responses, faults } = await say(server.port, bytes, ["GET"]);
    expect(responses).toHaveLength(1);
    expect(responses[0]?.status).toBeGreaterThanOrEqual(400);
    expect([handled.includes("/smuggled"), faults]).toEqual([false, []]);
  });
});

describe("content that nobody reads", () => {
  const unread: ReadonlyArray<readonly [string, Handler]> = [
    ["by a handler that answers at once", () => new Response("early")],
    ["by one that throws", () => Promise.reject(new Error("mine"))],
    ["by one of node:http", nodeHandler((_, response) => response.end("early"))],
    [
      "by one that gives up in the middle",
      async (request) => {
        const reader = (request.body as ReadableStream<Uint8Array>).getReader();
        await reader.cancel();
        return new Response("early");
      },
    ],
  ];

  it.each(unread)("is no request: %s", async (_, handler) => {
    answer = handler;
    for (const method of ["POST", "GET", "HEAD", "DELETE", "OPTIONS"]) {
      for (const expectation of ["", "Expect: 100-continue\r\n"]) {
        const head = `${method} /first HTTP/1.1\r\nHost: a\r\n${expectation}Content-Length: ${SMUGGLED.length}\r\n\r\n`;
        const { faults } = await say(server.port, `${head}${SMUGGLED}GET /last HTTP/1.0\r\n\r\n`, [method, "GET"]);
        expect([handled.includes("/smuggled"), faults]).toEqual([false, []]);
      }
    }
  });
});

describe("an answer", () => {
  const sent = (init: ResponseInit, body: string | null = "HTTP/1.1 200 OK\r\nX-Smuggled: 1\r\n\r\n"): Handler => {
    return () => new globalThis.Response(body, init);
  };
  it.each<[string, string, Handler]>([
    ["to HEAD has no content", "HEAD", sent({})],
    ["that declares too little is broken off", "GET", sent({ headers: { "content-length": "2" } })],
    ["that declares too much is broken off", "GET", sent({ headers: { "content-length": "200" } })],
    ["that declares another coding is not believed", "GET", sent({ headers: { "transfer-encoding": "chunked" } })],
    [
      "that declares both is not believed",
      "GET",
      sent({ headers: { "transfer-encoding": "chunked", "content-length": "2" } }),
    ],
    ["304 with a length has no content", "GET", sent({ status: 304, headers: { "content-length": "20" } }, null)],
    [
      "304 on the exchange has no content",
      "GET",
      (_, context) => {
        void context.exchange.respond({ status: 304, reason: "", fields: [] }, "HTTP/1.1 200 OK\r\n\r\n");
        return undefined;
      },
    ],
    [
      "204 on the exchange has no content",
      "GET",
      (_, context) => {
        void context.exchange.respond({ status: 204, reason: "", fields: ["content-length", "5"] }, "12345");
        return undefined;
      },
    ],
  ])("%s", async (_, method, handler) => {
    answer = handler;
    const first = `${method} /first HTTP/1.1\r\nHost: a\r\n\r\n`;
    const said = await say(server.port, `${first}GET /last HTTP/1.0\r\n\r\n`, [method, "GET"]);
    expect(said.faults).toEqual([]);
    const names = said.responses.flatMap(({ fields }) => fields.map(([name]) => name.toLowerCase()));
    expect(names).not.toContain("x-smuggled");
  });
});
