import { describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { HttpError } from "../../src/http/errors.ts";
import { cors } from "../../src/middleware/cors.ts";
import type { CorsOptions } from "../../src/middleware/cors.ts";
import { request, startTestServer, type TestRequestInit } from "../../src/testing/index.ts";
import { Context } from "../../src/web/context.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Request } from "../../src/web/request.ts";
import { Response } from "../../src/web/response.ts";
import { MemoryExchange } from "../web/support/memory-exchange.ts";

const APP = "https://app.example";

/** Answers a request, and says whether the handler was asked. */
function ask(
  options: CorsOptions,
  method: string,
  headers: Record<string, string>,
): { response: Response; isAsked: boolean } {
  let isAsked = false;
  const next: Handler = () => {
    isAsked = true;
    return new Response("ok", { headers: { vary: "accept-encoding" } });
  };
  const request = new Request("http://a.example/", { method, headers });
  const response = cors(options)(request, new Context(new MemoryExchange(), () => {}), next) as Response;
  return { response, isAsked };
}

/** The same as `request()`, over a connection. */
async function onSocket(
  app: App,
  path: string,
  { limits = {}, ...init }: TestRequestInit,
): Promise<globalThis.Response> {
  await using server = await startTestServer(app, { limits });
  const response = await server.fetch(path, init);
  await response.text();
  return response;
}

describe("an answer", () => {
  it("may be read by all, without credentials", () => {
    const { response } = ask({}, "GET", { origin: APP });
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect(response.headers.has("access-control-allow-credentials")).toBe(false);
    expect(response.headers.get("vary")).toBe("accept-encoding");
  });

  it("may be read by those that are named, who are told apart in caches", () => {
    const options = { origins: [APP, "http://b.example:8080"], credentials: true, exposedHeaders: ["etag"] };
    const { response } = ask(options, "GET", { origin: APP });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": APP,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "etag",
      "vary": "accept-encoding, origin",
    });
  });

  it.each([
    "https://app.example.evil.example",
    "https://evilapp.example",
    "http://app.example",
    "https://app.example:8443",
    "https://APP.example",
    "null",
  ])("may not be read by %s", (origin) => {
    const { response, isAsked } = ask({ origins: [APP], credentials: true }, "GET", { origin });
    expect(isAsked).toBe(true);
    expect([...response.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(response.headers.get("vary")).toContain("origin");
  });

  it("to nobody in particular is told apart in caches too", () => {
    expect(ask({ origins: [APP] }, "GET", {}).response.headers.get("vary")).toBe("accept-encoding, origin");
  });
});

describe("a function for origins", () => {
  const options: CorsOptions = { origins: (origin) => origin.endsWith(".app.example"), credentials: true };

  it("is asked for each", () => {
    const { response } = ask(options, "GET", { origin: "https://a.app.example" });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": "https://a.app.example",
      "access-control-allow-credentials": "true",
      "vary": "accept-encoding, origin",
    });
    expect(ask(options, "GET", { origin: APP }).response.headers.has("access-control-allow-origin")).toBe(false);
  });

  it("never gives one origin the answer to another", () => {
    const middleware = cors(options);
    const constant = new Response("ok");
    const origins = Array.from({ length: 300 }, (_, i) => `https://${i}.app.example`);
    const allowed = origins.map((origin) => {
      const request = new Request("http://a.example/", { headers: { origin } });
      return (middleware(request, new Context(new MemoryExchange(), () => {}), () => constant) as Response).headers.get(
        "access-control-allow-origin",
      );
    });
    expect(allowed).toEqual(origins);
  });
});

describe("an error", () => {
  const app = new App()
    .use(cors({ origins: [APP] }))
    .get("/mine", () => {
      throw new HttpError(403, "not yours");
    })
    .get("/fault", () => {
      throw new Error("broken");
    })
    .get("/later", () => Promise.reject(new Error("broken")))
    .post("/json", async (asked) => Response.json(await asked.json()))
    .post("/form", async (asked) => new Response([...(await asked.formData()).keys()].join()))
    .post("/text", async (asked) => new Response(await asked.text()))
    .mount("/mounted", () => {
      throw new Error("broken");
    });
  const headers = { "origin": APP, "content-type": "multipart/form-data; boundary=x" };

  it.each([
    ["GET /mine", 403],
    ["GET /fault", 500],
    ["GET /later", 500],
    ["POST /json", 400],
    ["POST /form", 400],
    ["GET /mounted/x", 500],
    ["GET /none", 404],
    ["PUT /json", 405],
  ])("may be read by scripts whoever answers it: %s", async (line, status) => {
    const [method = "", path = ""] = line.split(" ");
    const response = await request(app, path, { method, headers, ...(method === "GET" ? {} : { body: "{" }) });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([status, APP]);
    expect(response.headers.get("vary")).toBe("accept, origin");
  });

  it.each([
    ["in a test", request],
    ["on a socket", onSocket],
  ])("of content that is too large may be read as well, %s", async (_where, asked) => {
    const body = "x".repeat(64);
    const response = await asked(app, "/text", { method: "POST", headers, body, limits: { maxBufferedBytes: 16 } });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([413, APP]);
  });

  it("may be read where the app answers it", async () => {
    const own = new App()
      .use(cors({ origins: [APP] }))
      .get("/", () => Promise.reject(new Error("broken")))
      .onError((error) => new Response(String(error), { status: 502 }));
    const response = await request(own, "/", { headers });
    expect([response.status, await response.text()]).toEqual([502, "Error: broken"]);
    expect(response.headers.get("access-control-allow-origin")).toBe(APP);
  });

  it("may not be read by others", async () => {
    const response = await request(app, "/fault", { headers: { origin: "https://evil.example" } });
    expect([response.status, response.headers.get("access-control-allow-origin")]).toEqual([500, null]);
  });
});

describe("a preflight", () => {
  const wish = { "origin": APP, "access-control-request-method": "PUT", "access-control-request-headers": "x-a, x-b" };

  it("is answered before the handler", () => {
    const { response, isAsked } = ask({ maxAgeSeconds: 60 }, "OPTIONS", wish);
    expect([response.status, isAsked]).toEqual([204, false]);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "x-a, x-b",
      "access-control-max-age": "60",
    });
  });

  it("of a stranger gets no permission", () => {
    const { response } = ask({ origins: ["https://other.example"] }, "OPTIONS", wish);
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toEqual({ vary: "origin" });
  });

  it("gets nothing back that is no name of a field", () => {
    const { response } = ask({}, "OPTIONS", { ...wish, "access-control-request-headers": "x-a, b c" });
    expect(response.headers.has("access-control-allow-headers")).toBe(false);
  });

  it("may be for fields that are named", () => {
    const { response } = ask({ allowedHeaders: ["x-a", "content-type"] }, "OPTIONS", wish);
    expect(response.headers.get("access-control-allow-headers")).toBe("x-a, content-type");
    expect(response.headers.has("vary")).toBe(false);
    expect(ask({ allowedHeaders: [] }, "OPTIONS", wish).response.headers.has("access-control-allow-headers")).toBe(
      false,
    );
  });

  it.each([
    [true, "true", "true"],
    [true, null, null],
    [false, "true", null],
  ])("to a private network is allowed where the option (%j) and the browser (%j) say so", (option, asked, answer) => {
    const headers: Record<string, string> =
      asked === null ? wish : { ...wish, "access-control-request-private-network": asked };
    const { response } = ask({ privateNetwork: option }, "OPTIONS", headers);
    expect(response.headers.get("access-control-allow-private-network")).toBe(answer);
  });

  it("is one only with its field: OPTIONS itself is the handler's", () => {
    expect(ask({}, "OPTIONS", { origin: APP }).isAsked).toBe(true);
  });
});

describe("options", () => {
  it("never allow every origin with credentials", () => {
    expect(() => cors({ credentials: true })).toThrow("name the origins");
    expect(() => cors({ origins: "*", credentials: true })).toThrow(TypeError);
  });

  it.each(["app.example", "https://app.example/path", "null", "https://u@app.example", "", "*", "file:///x"])(
    "refuse %j for an origin",
    (origin) => {
      expect(() => cors({ origins: [origin] })).toThrow(TypeError);
    },
  );

  it("take an origin as a browser would write it", () => {
    const { response } = ask({ origins: ["HTTPS://App.Example:443/"] }, "GET", { origin: APP });
    expect(response.headers.get("access-control-allow-origin")).toBe(APP);
  });

  it("refuse names that are none", () => {
    expect(() => cors({ exposedHeaders: ["a b"] })).toThrow(TypeError);
    expect(() => cors({ methods: ["G T"] })).toThrow(TypeError);
    expect(() => cors({ allowedHeaders: ["a b"], maxAgeSecond: 3 } as CorsOptions)).toThrow(
      /allowedHeaders[^]*maxAgeSecond: [^]*maxAgeSeconds\?/,
    );
  });
});
