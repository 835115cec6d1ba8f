import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { HttpError } from "../../src/http/errors.ts";
import type { Handler, Middleware } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { ask } from "./support/ask-app.ts";

/** Says which handler it is, and with what params. */
function say(name: string): Handler {
  return (_request, { params }) => new Response(`${name} ${JSON.stringify(params)}`);
}

/** An app with a GET route per pattern that says the pattern. */
function appOf(...patterns: string[]): App {
  const app = new App();
  for (const pattern of patterns) app.get(pattern, say(pattern));
  return app;
}

describe("patterns", () => {
  it.each([
    ["/", "/", {}],
    ["/book", "/book", {}],
    ["/book", "/book?page=2", {}],
    ["/book/", "/book/", {}],
    ["/users/:id", "/users/42", { id: "42" }],
    ["/users/:id", "/users/42?x=/y", { id: "42" }],
    ["/users/:id/posts/:post", "/users/1/posts/2", { id: "1", post: "2" }],
    ["/:lang?", "/", {}],
    ["/:lang?", "/en", { lang: "en" }],
    ["/:lang?/about", "/about", {}],
    ["/:lang?/about", "/en/about", { lang: "en" }],
    ["/list/:page(\\d+)?", "/list", {}],
    ["/list/:page(\\d+)?", "/list/7", { page: "7" }],
    ["/x/:id(\\d{2,3}|[a-c]+)", "/x/abc", { id: "abc" }],
    ["/x/:id((?:a|b)\\)?)", "/x/a)", { id: "a)" }],
    ["/:year-:month", "/2026-11", { year: "2026", month: "11" }],
    ["/:year(\\d{4})-:month(\\d\\d)", "/2026-11", { year: "2026", month: "11" }],
    ["/:year-:month", "/-5-6", { year: "-5", month: "6" }],
    ["/:file.:ext", "/a.tar.gz", { file: "a", ext: "tar.gz" }],
    ["/:name.json", "/a.json.json", { name: "a.json" }],
    ["/v:version", "/v12", { version: "12" }],
    ["/files/*", "/files/a/b.txt", { "*": "a/b.txt" }],
    ["/files/*", "/files/", { "*": "" }],
    ["/files/*path", "/files/a//b/", { path: "a//b/" }],
    ["/*", "/", { "*": "" }],
    ["/items\\:batch", "/items:batch", {}],
    ["/café/:x", "/caf%C3%A9/1", { x: "1" }],
    ["/caf%C3%A9", "/caf%c3%a9", {}],
    ["/a b", "/a%20b", {}],
    ["/a%2Fb", "/a%2fb", {}],
    ["/ab", "/%61b", {}],
    ["/ab", "/x/../ab", {}],
    ["/ab", "/x/%2E%2e/./ab", {}],
    ["/ab/", "/ab/x/..", {}],
    ["/:a/:b", "/..x/.y", { a: "..x", b: ".y" }],
    ["/__proto__/:__proto__", "/__proto__/constructor", { ["__proto__"]: "constructor" }],
  ])("%s has %s", async (pattern, target, params) => {
    const { text, status, route } = await ask(appOf(pattern), target);
    expect(status).toBe(200);
    expect(text).toBe(`${pattern} ${JSON.stringify(params)}`);
    expect(route).toBe(pattern);
  });

  it.each([
    ["/book", "/book/"],
    ["/book", "//book"],
    ["/book", "/Book"],
    ["/book/", "/book"],
    ["/users/:id", "/users/"],
    ["/users/:id", "/users/1/2"],
    ["/a/:b/c", "/a//c"],
    ["/a/b", "/a%2Fb"],
    ["/list/:page(\\d+)", "/list/7a"],
    ["/list/:page(\\d+)", "/list/a7"],
    ["/list/:page(\\d|x)", "/list/dx"],
    ["/:year-:month", "/-11"],
    ["/:year-:month", "/11-"],
    ["/:year-:month", "/11"],
    ["/:name.json", "/.json"],
    ["/:name.json", "/a.jsonx"],
    ["/v:version", "/v"],
    ["/files/*", "/files"],
    ["/:lang?/about", "//about"],
  ])("%s has not %s", async (pattern, target) => {
    const { status, route } = await ask(appOf(pattern), target);
    expect([status, route]).toEqual([404, ""]);
  });

  it.each([
    ["users", "begins with a slash"],
    ["/a//b", "empty"],
    ["/a/../b", "dot segments"],
    ["/a/.", "dot segments"],
    ["/:", "name"],
    ["/:1", "name"],
    ["/:a:b", "nothing tells"],
    ["/:a/:a", "two params"],
    ["/:a?x", "whole segment"],
    ["/x:a?", "whole segment"],
    ["/:a(", "not closed"],
    ["/:a()", "empty"],
    ["/:a([)", "no regular expression"],
    ["/:a(a/b)", "slash"],
    ["/:id{[0-9]+}", "parentheses"],
    ["/a*", "wildcard"],
    ["/*/b", "wildcard"],
    ["/a?b=1", "question mark"],
    ["/a#b", "means something"],
    ["/a(b)", "means something"],
    ["/%zz", "percent-encoded"],
    ["/%00", "percent-encoded"],
    ["/a\\", "backslash"],
    ["/:a?/:b?/:c?/:d?/:e?/:f?", "at most"],
  ])("refuses the pattern %s: %s", (pattern, reason) => {
    expect(() => appOf(pattern)).toThrow(TypeError);
    expect(() => appOf(pattern)).toThrow(reason);
    expect(() => appOf(pattern)).toThrow(JSON.stringify(pattern));
  });

  it("are the same however the path is written, as the URL standard reads it", async () => {
    const app = new App().all("/*rest", say("rest")).all("/a/b", say("literal")).all("/:x", say("param"));
    const piece = fc.constantFrom("a", "b", ".", "..", "%2e", "%2E", "%61", "", "%2F", "é", "x.y", "{", "^");
    const path = fc.array(piece, { maxLength: 6 }).map((pieces) => `/${pieces.join("/")}`);
    await fc.assert(
      fc.asyncProperty(path, async (target) => {
        const { pathname } = new URL(`http://example.com${target}`);
        const [raw, normal] = await Promise.all([
          ask(app, { target: encodeURI(target).replaceAll("%25", "%") }),
          ask(app, { target: pathname }),
        ]);
        expect([raw.text, raw.route]).toEqual([normal.text, normal.route]);
      }),
    );
  });
});

describe("params", () => {
  it("are decoded once, and an encoded slash stays inside", async () => {
    const app = appOf("/users/:id", "/files/*");
    expect((await ask(app, "/users/a%2Fb%252F%C3%A9")).text).toContain('{"id":"a/b%2Fé"}');
  });

  it("keep encoded separators in a wildcard, whose slashes separate", async () => {
    const { text } = await ask(appOf("/files/*"), "/files/..%2F..%5Cetc/%41");
    expect(text).toBe('/files/* {"*":"..%2F..%5Cetc/A"}');
  });

  it.each(["/users/%", "/users/%zz", "/users/%ff", "/users/%c0%af", "/users/%00", "/%/x"])(
    "answer 400 for %s",
    async (target) => {
      const { status, faults } = await ask(appOf("/users/:id", "/*"), target);
      expect([status, faults]).toEqual([400, []]);
    },
  );

  it("have no prototype that a name could mean", async () => {
    let seen: object = {};
    const app = new App().get("/:__proto__/:constructor", (_request, { params }) => {
      seen = params;
      return new Response("");
    });
    await ask(app, "/a/b");
    expect(Object.keys(seen)).toEqual(["__proto__", "constructor"]);
    expect("toString" in seen).toBe(false);
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });

  it("are of one request alone", async () => {
    const later: Handler<{ id: string }> = async (_request, { params }) => {
      await Promise.resolve();
      return new Response(params.id);
    };
    const app = new App().get("/:id", later);
    expect((await Promise.all([ask(app, "/a"), ask(app, "/b")])).map(({ text }) => text)).toEqual(["a", "b"]);
  });
});

describe("precedence", () => {
  const patterns = [
    "/*",
    "/users/*",
    "/users/:id",
    "/users/:id(\\d+)",
    "/users/:a-:b",
    "/users/:a-x",
    "/users/me",
    "/users/:id/x",
    "/users/me/:y",
  ];
  const rows: [string, string][] = [
    ["/users/me", "/users/me"],
    ["/users/42", "/users/:id(\\d+)"],
    ["/users/a-b", "/users/:a-:b"],
    ["/users/a-x", "/users/:a-x"],
    ["/users/ada", "/users/:id"],
    ["/users/me/x", "/users/me/:y"],
    ["/users/ada/x", "/users/:id/x"],
    ["/users/ada/y", "/users/*"],
    ["/users/", "/users/*"],
    ["/users", "/*"],
  ];

  it("is literal, then constrained, param, wildcard, whatever was registered first", async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(patterns, { minLength: patterns.length }), async (order) => {
        const app = appOf(...order);
        for (const [target, pattern] of rows) expect((await ask(app, target)).route).toBe(pattern);
      }),
      { numRuns: 30 },
    );
  });

  it("goes back where a way ends without an endpoint, or without the method", async () => {
    const app = appOf("/a/b/c", "/:x/b/d", "/a/x/*").delete("/:x/b/c", say("delete"));
    expect((await ask(app, "/a/b/d")).route).toBe("/:x/b/d");
    expect((await ask(app, "/a/x/d")).route).toBe("/a/x/*");
    expect((await ask(app, "/a/b/e")).status).toBe(404);
    expect((await ask(app, "DELETE /a/b/c")).text).toBe('delete {"x":"a"}');
  });

  it("finds every route among thousands, as a comparison one by one would", async () => {
    const app = new App();
    for (let i = 0; i < 3_000; i++) app.get(`/r${i % 100}/s${i}/:id`, say(String(i)));
    for (const i of [0, 1_234, 2_999]) expect((await ask(app, `/r${i % 100}/s${i}/x`)).text).toBe(`${i} {"id":"x"}`);
    expect((await ask(app, "/r0/s1/x")).status).toBe(404);
  });
});

describe("mistakes at registration", () => {
  const nothing = say("");
  it.each<[string, () => unknown]>([
    ["the same pattern twice", () => appOf("/a", "/a")],
    ["params of other names", () => appOf("/:a", "/:b")],
    ["an optional param beside its absence", () => appOf("/a/:b?", "/a")],
    ["two writings of one literal", () => appOf("/café", "/caf%C3%A9")],
    ["the same in an app inside", () => new App().get("/x/a", nothing).route("/x", new App().get("/a", nothing))],
    [
      "the same, registered later in an app inside",
      () => {
        const inner = new App();
        const app = new App().route("/x", inner).get("/x/a", nothing);
        inner.get("/a", nothing);
        return app;
      },
    ],
    ["two mounts at one prefix", () => new App().mount("/x", nothing).mount("/x/", nothing)],
    [
      "a slash at the end, where that is ignored",
      () => new App({ trailingSlash: "ignore" }).get("/a", nothing).get("/a/", nothing),
    ],
  ])("tells of %s", (_name, act) => {
    expect(act).toThrow(/already/);
  });

  it.each<[string, () => unknown, string]>([
    ["a handler that is none", () => new App().get("/", "hi" as unknown as Handler), "function, not string"],
    ["no handler", () => (new App().get as unknown as (pattern: string) => unknown).call(new App(), "/"), "no handler"],
    ["middleware that is none", () => new App().use("/a", null as unknown as Middleware), "not null"],
    ["no middleware", () => new App().use("/a"), "takes middleware"],
    ["a method in lower case", () => new App().on("get", "/", nothing), "GET"],
    ["a method that is no token", () => new App().on(["GET", "A B"], "/", nothing), "A B"],
    ["no methods", () => new App().on([], "/", nothing), "one method"],
    ["a prefix with a wildcard", () => new App().mount("/a/*", nothing), "wildcard"],
    ["something else than an app", () => new App().route("/a", nothing as unknown as App), "mount()"],
    ["something that is no handler", () => new App().mount("/a", {} as Handler), "fetch"],
    ["an unknown option", () => new App({ strict: true } as object), "trailingSlash"],
    ["an impossible value", () => new App({ trailingSlash: "no" as "strict" }), '"redirect"'],
    [
      "an app inside of itself",
      () => {
        const [a, b] = [new App(), new App()];
        return a.route("/b", b) && b.route("/a", a);
      },
      "inside of itself",
    ],
    ["a param of the prefix again", () => new App().route("/:id", new App().get("/:id", nothing)), "two params"],
  ])("tells of %s", (_name, act, reason) => {
    expect(act).toThrow(TypeError);
    expect(act).toThrow(reason);
  });

  it("registers nothing of what it refuses", async () => {
    const app = appOf("/a");
    expect(() => app.get("/a", say("second"))).toThrow(TypeError);
    expect((await ask(app, "/a")).text).toBe("/a {}");
  });

  it("tells several methods, optional variants and constraints apart", () => {
    const app = new App().get("/a", nothing).post("/a", nothing).all("/a", nothing).get("/:x(\\d+)", nothing);
    expect(() => app.get("/:x([a-z]+)", nothing).get("/:x", nothing).mount("/a", nothing)).not.toThrow();
  });
});

describe("methods", () => {
  const app = new App()
    .get("/book", say("get"))
    .post("/book", say("post"))
    .all("/any", say("any"))
    .on(["PUT", "LINK"], "/on", say("on"));

  it.each([
    ["GET /book", 200, "get {}"],
    ["HEAD /book", 200, "get {}"],
    ["POST /book", 200, "post {}"],
    ["DELETE /any", 200, "any {}"],
    ["OPTIONS /any", 200, "any {}"],
    ["PUT /on", 200, "on {}"],
    ["LINK /on", 200, "on {}"],
  ])("answers %s", async (request, status, text) => {
    expect(await ask(app, request)).toMatchObject({ status, text });
  });

  it("prefers a HEAD of its own", async () => {
    const own = new App().get("/", say("get")).head("/", say("head"));
    expect((await ask(own, "HEAD /")).text).toBe("head {}");
  });

  it("answers 405 with Allow for a known path (RFC 9110 §15.5.6)", async () => {
    const { status, field, faults, route } = await ask(app, "DELETE /book");
    expect([status, field("allow"), faults, route]).toEqual([405, "GET, HEAD, POST, OPTIONS", [], ""]);
  });

  it("answers OPTIONS with 204 and Allow", async () => {
    const { status, field, text } = await ask(app, "OPTIONS /book?x");
    expect([status, field("allow"), text]).toEqual([204, "GET, HEAD, POST, OPTIONS", ""]);
  });

  it("names the methods of all routes that have the path", async () => {
    const several = new App().get("/a", say("")).put("/:x", say("")).post("/*", say("")).options("/:x(a)", say("own"));
    expect((await ask(several, "DELETE /a")).field("allow")).toBe("GET, HEAD, OPTIONS, PUT, POST");
    expect((await ask(several, "OPTIONS /a")).text).toBe('own {"x":"a"}');
  });

  it("answers 404 for a path that nobody knows, in the form that the client prefers", async () => {
    expect(await ask(app, "OPTIONS /nowhere")).toMatchObject({ status: 404 });
    const { status, field, text } = await ask(app, { target: "/nowhere", fields: [["accept", "application/json"]] });
    expect([status, field("content-type")]).toEqual([404, "application/problem+json"]);
    expect(JSON.parse(text)).toMatchObject({ status: 404, title: "Not Found" });
  });

  it("leaves OPTIONS of the server as a whole to the server", async () => {
    expect((await ask(app, "OPTIONS *")).status).toBe(204);
  });

  it("answers a target in absolute form", async () => {
    expect((await ask(app, { target: "http://example.com/book?x" })).text).toBe("get {}");
    expect((await ask(app, { target: "http://example.com" })).status).toBe(404);
  });
});

describe("a slash at the end", () => {
  const make = (trailingSlash: "redirect" | "ignore"): App =>
    new App({ trailingSlash })
      .get("/", say("root"))
      .get("/a/b", say("b"))
      .get("/dir/", say("dir"))
      .get("/p/:id", say("p"))
      .all("/all", say("all"));

  it.each([
    ["/a/b/", "../b"],
    ["/a/b/?x=1&y", "../b?x=1&y"],
    ["/dir", "./dir/"],
    ["/dir?x", "./dir/?x"],
    ["/p/a%2Fb:c/", "../a%2Fb:c"],
    ["/all/", "../all"],
  ])("is redirected from %s to %s", async (target, location) => {
    const { status, field } = await ask(make("redirect"), target);
    expect([status, field("location")]).toEqual([308, location]);
    const { pathname } = new URL(location, `http://example.com${target}`);
    expect((await ask(make("redirect"), pathname)).status).toBe(200);
  });

  it.each([
    "//evil.example/",
    "//evil.example",
    "/\\evil.example/",
    "//evil.example/..//",
    "/%2F%2Fevil.example/",
    "//evil.example/%2e%2e/",
  ])("never leads to another host: %s", async (target) => {
    const app = make("redirect").get("/*", say("rest")).get("/:a/", say("a")).get("/:a/:b", say("ab"));
    const { field } = await ask(app, target);
    expect(new URL(field("location") ?? "", `http://example.com${target}`).host).toBe("example.com");
  });

  it("keeps method and content, with 308", async () => {
    expect((await ask(make("redirect"), "POST /a/b/")).status).toBe(308);
  });

  it.each([["/a/b/"], ["/dir"], ["/p/1/"], ["/"]])("is ignored: %s", async (target) => {
    expect((await ask(make("ignore"), target)).status).toBe(200);
    const { status, field } = await ask(make("ignore"), `DELETE ${target}`);
    expect([status, field("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });

  it.each(["redirect", "ignore"] as const)("goes before a mount that takes anything: %s", async (policy) => {
    const app = make(policy).mount("/", say("mount"));
    expect((await ask(app, "/a/b/")).status).toBe(policy === "redirect" ? 308 : 200);
    expect((await ask(app, "/a/b/")).text).not.toContain("mount");
    expect((await ask(app, "/other/")).text).toContain("mount");
  });
});

describe("fetch", () => {
  it("is a property of the app itself, and needs no this", async () => {
    const app = appOf("/");
    expect(Object.keys(app)).toEqual(["fetch"]);
    const { fetch } = { ...app };
    expect((await ask({ fetch }, "/")).status).toBe(200);
  });

  it("knows what is registered after the first request, in apps inside too", async () => {
    const inner = new App();
    const app = new App().route("/x", inner);
    expect((await ask(app, "/x/a")).status).toBe(404);
    inner.get("/a", say("late"));
    expect((await ask(app, "/x/a")).text).toBe("late {}");
  });

  it("answers a request that no server has brought", async () => {
    const echo: Handler = (request) => request.text().then((text) => new Response(text));
    const app = new App()
      .get("/users/:id", (request, { params, remoteAddress }) =>
        Response.json([params.id, new URL(request.url).search, remoteAddress.port]),
      )
      .get("/silent", () => undefined)
      .get("/broken", () => {
        throw new Error("broken");
      })
      .get("/denied", () => {
        throw new HttpError(403, "no");
      })
      .post("/echo", echo);
    const { fetch } = app;
    const response = await fetch(new globalThis.Request("http://example.com/users/a%2Fb?x=1"));
    expect(await response.json()).toEqual(["a/b", "?x=1", 0]);
    expect((await fetch(new globalThis.Request("http://example.com/none"))).status).toBe(404);
    await expect(fetch(new globalThis.Request("http://example.com/broken"))).rejects.toThrow("broken");
    await expect(fetch(new globalThis.Request("http://example.com/silent"))).rejects.toMatchObject({
      code: "ERR_RESPONSE_MISSING",
    });
    expect((await fetch(new globalThis.Request("http://example.com/denied"))).status).toBe(403);
    const posted = await fetch(new globalThis.Request("http://example.com/echo", { method: "POST", body: "hi" }));
    expect(await posted.text()).toBe("hi");
  });
});
