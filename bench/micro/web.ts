/**
 * What the fetch objects cost, beside the platform's own: a lazy Request, a Response constructed and made ready to send, and
 * both together behind a handler, without any wire.
 *
 * Run compiled, since loaders that rewrite imports change what is measured:
 * `npx tsc -p . --noEmit false --outDir .cache/bench && node .cache/bench/bench/micro/web.js`.
 */

import { bench, do_not_optimize, run, summary } from "mitata";
import type { ConnectionInfo, Content, ContentSource, Exchange, ResponseHead } from "../../src/http/exchange.ts";
import { Fields } from "../../src/http/fields.ts";
import { createExchangeHandler } from "../../src/web/handler.ts";
import { Headers } from "../../src/web/headers.ts";
import { requestOf } from "../../src/web/request.ts";
import { Response } from "../../src/web/response.ts";
import { sendResponse } from "../../src/web/send.ts";
import { mustBe } from "./peer.ts";

const FIELDS: [string, string][] = [
  ["Host", "localhost:8080"],
  ["Connection", "keep-alive"],
  ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"],
  ["Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
  ["Accept-Language", "en-US,en;q=0.5"],
  ["Accept-Encoding", "gzip, deflate, br"],
  ["Cookie", "session=0123456789abcdef"],
  ["Upgrade-Insecure-Requests", "1"],
  ["Sec-Fetch-Dest", "document"],
  ["Cache-Control", "max-age=0"],
];
const BOOK = { id: 1, title: "Emma", author: "Jane Austen", year: 1815 };

const address = { address: "127.0.0.1", port: 1, family: "IPv4" } as const;
const CONNECTION: ConnectionInfo = {
  id: 1,
  remoteAddress: address,
  localAddress: address,
  isEncrypted: false,
  alpnProtocol: "http/1.1",
  serverName: null,
};

/** Nothing to read. */
const NO_CONTENT: ContentSource = {
  isEmpty: true,
  length: 0,
  isStarted: false,
  maxBytes: 0,
  start(sink) {
    sink.end(Fields.EMPTY);
  },
  pause() {},
  resume() {},
  cancel() {},
};

/** Takes an answer and forgets it. */
class SilentExchange implements Exchange {
  readonly request = {
    method: "GET",
    target: "/book?page=2",
    version: "1.1",
    scheme: "http",
    authority: "localhost:8080",
    fields: Fields.from(FIELDS),
  };
  readonly content: ContentSource = NO_CONTENT;
  readonly connection: ConnectionInfo = CONNECTION;
  readonly isAnswered: boolean = false;
  readonly status: number = 0;
  readonly contentBytesSent: number = 0;
  mark = 0;
  route = "";
  contentMark = 0;
  requestId = "";
  traceParent = "";
  octets = 0;

  inform(): void {}
  respond(head: ResponseHead, content: Content): void {
    this.octets += head.fields.length + (typeof content === "string" ? content.length : 0);
  }
  upgrade(): null {
    return null;
  }
  refuse(): void {}
  abort(): void {}
  onAbort(): void {}
}

const exchange = new SilentExchange();
const handle = createExchangeHandler(() => new Response("Hello, World!"), {
  maxBufferedBytes: 1 << 20,
  onFault: ({ error }) => {
    throw error;
  },
  waitUntil: () => {},
});

const asked = requestOf(exchange, 1 << 20);
mustBe(
  "request",
  [asked.method, asked.url, asked.headers.get("accept")?.length],
  ["GET", "http://localhost:8080/book?page=2", 63],
);
handle(exchange);
mustBe("answer", exchange.octets > "Hello, World!".length, true);
mustBe("JSON", await Response.json(BOOK).json(), BOOK);

summary(() => {
  bench("lazy Request", () => do_not_optimize(requestOf(exchange, 1 << 20)));
  bench("lazy Request, method, url and one header", () => {
    const request = requestOf(exchange, 1 << 20);
    do_not_optimize(request.method.length + request.url.length + (request.headers.get("accept")?.length ?? 0));
  });
  bench("platform Request", () =>
    do_not_optimize(new globalThis.Request("http://localhost:8080/book?page=2", { headers: FIELDS })));
});

summary(() => {
  bench("Response of text, sent", () => sendResponse(exchange, new Response("Hello, World!")));
  bench("Response of text with status and two headers, sent", () =>
    sendResponse(
      exchange,
      new Response("Hello, World!", {
        status: 201,
        headers: { "content-type": "text/html", "X-Frame-Options": "DENY" },
      }),
    ));
  bench("platform Response of text", () => do_not_optimize(new globalThis.Response("Hello, World!")));
});

summary(() => {
  bench("JSON.stringify", () => do_not_optimize(JSON.stringify(BOOK)));
  bench("Response.json, sent", () => sendResponse(exchange, Response.json(BOOK)));
  bench("platform Response.json", () => do_not_optimize(globalThis.Response.json(BOOK)));
});

summary(() => {
  bench("Headers of a record", () => do_not_optimize(new Headers({ "content-type": "text/html", "etag": '"1"' })));
  bench("platform Headers of a record", () =>
    do_not_optimize(new globalThis.Headers({ "content-type": "text/html", "etag": '"1"' })));
});

bench("an exchange through a handler", () => handle(exchange));

await run();
