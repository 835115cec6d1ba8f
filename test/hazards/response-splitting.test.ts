/**
 * Response splitting: no text that reaches a status line, a field, a trailer or an event can end it and begin another. Each way
 * onto the wire is given the same hostile texts; a judge that shares no code with the server reads what comes out of a socket.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { serve } from "../../src/app/serve.ts";
import { HttpError } from "../../src/http/errors.ts";
import * as middleware from "../../src/middleware/index.ts";
import { nodeHandler, type RequestListener } from "../../src/node/index.ts";
import * as replies from "../../src/replies/index.ts";
import type { EventInput } from "../../src/replies/index.ts";
import type { Server } from "../../src/server/server.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import type { Handler, Middleware } from "../../src/web/handler.ts";
import { Headers } from "../../src/web/headers.ts";
import { Request } from "../../src/web/request.ts";
import { Response } from "../../src/web/response.ts";
import { RunningCommand } from "../cli/run-command.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { get, say } from "./support/asked.ts";

/** What ends a line somewhere: on the wire, in a header of mail, or once its upper half is cut off (`\u010D\u010A` is CR LF then). */
const HOSTILE = [
  "a\r\nX-Evil: 1",
  "a\nX-Evil: 1",
  "a\rX-Evil: 1",
  "a\0X-Evil: 1",
  "a\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 0\r\n\r\n",
  "a\u010D\u010AX-Evil: 1",
  "a\u560D\u560AX-Evil: 1",
  "a\u2028X-Evil: 1",
  "a\u0085X-Evil: 1",
  "\r\n X-Evil: 1",
  "\r\nX-Evil: 1",
  'a"; x="\r\nX-Evil: 1',
];

/** The index of a text that nobody has anything against. */
const PLAIN = HOSTILE.length;

/** A handler whose answer has the text somewhere. */
type Way = (text: string) => Handler;

const ok = (): Response => new Response("fine");
const answer =
  (make: (text: string) => globalThis.Response): Way =>
  (text) =>
  () =>
    make(text);
const field =
  (make: (text: string) => string): Way =>
  (text) =>
  () =>
    new Response("fine", { headers: { "x-a": make(text) } });
const around =
  (make: (text: string) => Middleware): Way =>
  (text) =>
  (request, context) =>
    make(text)(request, context, ok);
const node =
  (make: (text: string) => RequestListener): Way =>
  (text) =>
    nodeHandler(make(text));
const edited =
  (edit: (response: Response, text: string) => void): Way =>
  (text) =>
  () => {
    const response = new Response("fine");
    edit(response, text);
    return response;
  };

const WAYS: Readonly<Record<string, Way>> = {
  "headers of a Response, as a record": answer((text) => new Response("fine", { headers: { "x-a": text } })),
  "headers of a Response, as pairs": answer((text) => new Response("fine", { headers: [["x-a", text]] })),
  "headers of a Response, as Headers": answer(
    (text) => new Response("fine", { headers: new Headers({ "x-a": text }) }),
  ),
  "a name of a field": answer((text) => new Response("fine", { headers: { [text]: "a" } })),
  "Headers.set": edited((response, text) => response.headers.set("x-a", text)),
  "Headers.append": edited((response, text) => response.headers.append("x-a", text)),
  "Headers.append, with a name": edited((response, text) => response.headers.append(text, "a")),
  "the type of content": answer((text) => new Response("fine", { headers: { "content-type": text } })),
  "the type of a Blob": answer((text) => new Response(new Blob(["fine"], { type: text }))),
  "statusText": answer((text) => new Response("fine", { statusText: text })),
  "statusText of the platform's Response": answer((text) => new globalThis.Response("fine", { statusText: text })),
  "Response.redirect": answer((text) => Response.redirect(`http://a.example/${text}`)),
  "Response.json": answer((text) => Response.json({}, { headers: { "x-a": text }, statusText: text })),
  "redirect": answer((text) => replies.redirect(`/${text}`)),
  "redirect elsewhere": answer((text) => replies.redirect(`https://a.example/${text}`, 303, { external: true })),
  "a cookie's value": edited((response, text) => replies.setCookie(response, "a", text)),
  "a cookie's name": edited((response, text) => replies.setCookie(response, text, "a")),
  "a cookie's path": edited((response, text) => replies.setCookie(response, "a", "b", { path: `/${text}` })),
  "a cookie's domain": edited((response, text) => replies.setCookie(response, "a", "b", { domain: text })),
  "a signed cookie": (text) => () => {
    const response = new Response("fine");
    replies.signedCookies({ keys: ["0123456789abcdef0123456789abcdef"] }).set(response, "a", text);
    return response;
  },
  "a download's name": answer((text) => replies.download("fine", text)),
  "a download's type": answer((text) => replies.download("fine", "a", { type: text })),
  "ranged": (text) => (request) => replies.ranged(request, Buffer.from("fine"), { type: text, etag: `"${text}"` }),
  "Link": field((text) => replies.linkField([{ href: `/${text}`, as: "style" }])),
  "a parameter of Link": field((text) => replies.linkField([{ href: "/a", as: "style", media: text }])),
  "early hints": (text) => (_, context) => {
    context.sendInformational(103, { link: text });
    return ok();
  },
  "early hints by links": (text) => (_, context) => {
    replies.earlyHints(context, [{ href: `/${text}`, as: "style" }]);
    return ok();
  },
  "upgrade": (text) => (_, context) => {
    context.upgrade({ headers: { "upgrade": text, "x-a": text } });
    return undefined;
  },
  "headers of an error": (text) => () => {
    throw new HttpError(400, "no", { headers: { "x-a": text } });
  },
  "the message of an error": (text) => () => {
    throw new HttpError(400, text, { code: text, extensions: { a: text } });
  },
  "the exchange: reason phrase": (text) => (_, context) => {
    void context.exchange.respond({ status: 200, reason: text, fields: [] }, "fine");
    return undefined;
  },
  "the exchange: value": (text) => (_, context) => {
    void context.exchange.respond({ status: 200, reason: "", fields: ["x-a", text] }, "fine");
    return undefined;
  },
  "the exchange: name": (text) => (_, context) => {
    void context.exchange.respond({ status: 200, reason: "", fields: [text, "a"] }, "fine");
    return undefined;
  },
  "the exchange: interim response": (text) => (_, context) => {
    context.exchange.inform(103, ["x-a", text]);
    return ok();
  },
  "responseHeaders": around((text) => middleware.responseHeaders({ "x-a": text })),
  "responseHeaders, a name": around((text) => middleware.responseHeaders({ [text]: "a" })),
  "requestId": around((text) => middleware.requestId({ generate: () => text })),
  "requestId, the field": around((text) => middleware.requestId({ field: text })),
  "cacheControl": around((text) => middleware.cacheControl({ reuse: `no-store, ${text}` })),
  "securityHeaders": around((text) =>
    middleware.securityHeaders({ contentSecurityPolicy: text, referrerPolicy: text }),
  ),
  "basicAuth": around((text) => middleware.basicAuth({ users: { a: "b" }, realm: text })),
  "bearer": around((text) => middleware.bearer({ tokens: ["abc"], realm: text })),
  "rateLimit": around((text) => middleware.rateLimit({ limit: 1, name: text })),
  "cors": around((text) => middleware.cors({ origins: ["https://a.example"], exposedHeaders: [text] })),
  "an app's path to a redirect": (text) => (request, context) =>
    new App({ trailingSlash: "redirect" })
      .get("/:a/:b/x/", ok)
      .fetch(new Request(`http://a.example/${encodeURIComponent(text)}/b/x?${encodeURI(text)}`, request), context),
  "node: writeHead's value": node((text) => (_, response) => response.writeHead(200, { "x-a": text }).end("fine")),
  "node: writeHead's list": node((text) => (_, response) => response.writeHead(200, ["x-a", text]).end("fine")),
  "node: writeHead's name": node((text) => (_, response) => response.writeHead(200, { [text]: "a" }).end("fine")),
  "node: writeHead's phrase": node((text) => (_, response) => response.writeHead(200, text).end("fine")),
  "node: statusMessage": node((text) => (_, response) => {
    response.statusMessage = text;
    response.end("fine");
  }),
  "node: setHeader": node((text) => (_, response) => response.setHeader("x-a", ["b", text]).end("fine")),
  "node: appendHeader": node((text) => (_, response) => response.appendHeader("x-a", text).end("fine")),
  "node: addTrailers": node((text) => (_, response) => {
    response.write("fi");
    response.addTrailers({ "x-a": text });
    response.end("ne");
  }),
  "node: addTrailers, a name": node((text) => (_, response) => {
    response.write("fi");
    response.addTrailers({ [text]: "a" });
    response.end("ne");
  }),
  "node: writeEarlyHints": node((text) => (_, response) => {
    response.writeEarlyHints({ "link": `</a>; rel=preload; as=${text}`, "x-a": text });
    response.end("fine");
  }),
};

const names = Object.keys(WAYS);
let server: Server;

beforeAll(async () => {
  server = await serve({
    port: 0,
    fetch: (request, context) => {
      const [way = 0, text = 0] = new URL(request.url).searchParams.getAll("n").map(Number);
      return (WAYS[names[way] as string] as Way)(HOSTILE[text] ?? "plain")(request, context);
    },
    hooks: { onFault: () => {} },
  });
});
afterAll(() => server.closeNow());

async function expectWhole(port: number, target: string): Promise<void> {
  const { responses, faults, text } = await say(
    port,
    `GET ${target} HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nTE: trailers\r\nConnection: close, upgrade, TE\r\n\r\n`,
    ["GET"],
  );
  expect(faults).toEqual([]);
  expect(responses.filter(({ status }) => status >= 200 || status === 101).length).toBeLessThanOrEqual(1);
  const lines = responses.flatMap(({ fields, trailers }) =>
    [...fields, ...trailers].map(([name]) => name.toLowerCase()),
  );
  expect(lines.filter((name) => name.includes("evil"))).toEqual([]);
  expect(text).not.toMatch(/[\r\n]x-evil/i);
}

describe("a text that would end its line", () => {
  it.each([...names.entries()])("does not by way %i: %s", async (way) => {
    for (const text of HOSTILE.keys()) await expectWhole(server.port, `/?n=${way}&n=${text}`);
  });

  it("takes ways that lead somewhere", async () => {
    const statuses = new Map<string, number>();
    for (const [way, name] of names.entries()) {
      statuses.set(
        name,
        (await get(server.port, `/?n=${way}&n=${PLAIN}`, { Upgrade: "x", Connection: "upgrade" })).status,
      );
    }
    // These two take a few words only
    const refused = [...statuses].filter(([, status]) => status >= 500);
    expect(refused.map(([name]) => name)).toEqual(["upgrade", "cacheControl"]);
  });
});

describe("an event", () => {
  const EVENTS: ReadonlyArray<(text: string) => EventInput> = [
    (text) => text,
    (text) => ({ data: text }),
    (text) => ({ data: { text } }),
    (text) => ({ data: "a", event: text }),
    (text) => ({ data: "a", id: text }),
    (text) => ({ data: "a", comment: text }),
  ];
  const told = /^(?:(?:data|event|id|retry|): ?|:?$)/;

  it.each(HOSTILE)("stays one event: %j", async (text) => {
    for (const event of EVENTS) {
      await using stream = await serve({
        port: 0,
        fetch: (request) =>
          replies.eventStream(
            request,
            once(() => event(text)),
          ),
        hooks: { onFault: () => {} },
      });
      const { responses } = await say(stream.port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", ["GET"]);
      const lines = (responses[0]?.content.toString() ?? "").split(/\r\n|\r|\n/);
      // A name of an event that cannot be sent is the handler's mistake
      expect([200, 500]).toContain(responses[0]?.status);
      if (responses[0]?.status === 500) continue;
      expect(lines.filter((line) => !told.test(line))).toEqual([]);
    }
  });

  async function* once(make: () => EventInput): AsyncGenerator<EventInput> {
    yield make();
  }
});

describe("files", () => {
  it("whose names end lines end no field", async () => {
    const site = new StaticSite({ "a.txt": "a", "_redirects": "/go/* /:splat 302\n/to/:x /x/:x 301\n" });
    mkdirSync(join(site.www, "folder\r\nX-Evil: 1"));
    site.write("file\nX-Evil: 1", "x");
    const served = await site.serve({ listing: true, rules: true });
    for (const target of [
      "/folder%0D%0AX-Evil:%201",
      "/file%0AX-Evil:%201",
      "/go/%0D%0AX-Evil:%201",
      "/to/%0D%0AX-Evil:%201?%0d%0aX-Evil",
      "/",
      "/?sort=%0d%0aX-Evil:1",
      "/%E5%98%8D%E5%98%8AX-Evil:1",
      "/none%0d%0aX-Evil:1",
    ]) {
      await expectWhole(served.port, target);
    }
    await site[Symbol.asyncDispose]();
  });

  it("of rules cannot have it in a value", async () => {
    const site = new StaticSite({ "a.txt": "a", "_headers": "/*\n  X-A: a\rX-Evil: 1\n  X-B: a\0b\n" });
    expect(() => serveStatic(site.www, { rules: true })).toThrow(/_headers:2: the line holds a control character/);
    await site[Symbol.asyncDispose]();
  });
});

describe("the command", () => {
  it.each(["X-A: b\r\nX-Evil: 1", "X-A: b\nX-Evil: 1", "X-A\r\nX-Evil: 1", "X\rA: b"])(
    "takes no such field: %j",
    async (line) => {
      const command = new RunningCommand([".", "--port", "0", "-H", line]);
      expect(await command.end()).toBe(2);
    },
  );
});
