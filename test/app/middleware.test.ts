import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { HttpError } from "../../src/http/errors.ts";
import { cors } from "../../src/middleware/cors.ts";
import { contextKey } from "../../src/web/context.ts";
import type { Handler, Middleware } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { ask } from "./support/ask-app.ts";

const trail = contextKey<string[]>("trail", []);

/** Notes that it was passed. */
function pass(name: string): Middleware {
  return (request, context, next) => {
    context.set(trail, [...context.get(trail), name]);
    return next(request, context);
  };
}

/** Says what was passed on the way. */
const arrive: Handler = (_request, context) => new Response(context.get(trail).join(" "));
const deny: Middleware = () => new Response("denied", { status: 403 });
const toError = (error: unknown): Error => error as Error;
const hello: Handler = () => new Response("hello");

describe("use", () => {
  it("is for routes registered before and after, in the order of use", async () => {
    const app = new App()
      .use(pass("a"))
      .get("/before", arrive)
      .use(pass("b"), pass("c"))
      .get("/after", pass("own"), arrive);
    expect((await ask(app, "/before")).text).toBe("a b c");
    expect((await ask(app, "/after")).text).toBe("a b c own");
  });

  it.each(["/admin", "/admin/", "/admin/*"])("%s is that path and all below it", async (scope) => {
    const app = new App()
      .use(scope, deny)
      .all("/*", hello)
      .get("/admin", hello)
      .get("/admin/:x", hello)
      .get("/:a/:b/c", hello);
    const statuses = async (...targets: string[]): Promise<number[]> =>
      Promise.all(targets.map(async (target) => (await ask(app, target)).status));
    expect(await statuses("/admin", "/admin/", "/admin/x", "/admin/x/c", "/admin/x/y/z")).toEqual([
      403, 403, 403, 403, 403,
    ]);
    expect(await statuses("/", "/administrator", "/x/admin", "/x/admin/c", "/adm")).toEqual([200, 200, 200, 200, 200]);
  });

  it.each(
    [
      "/%61dmin/x",
      "/adm%69n",
      "//admin",
      "//admin/x",
      "/admin//x",
      "///admin",
      "/x/../admin/x",
      "/x/%2e%2e/admin/x",
      "/./admin",
      "/.//admin",
      "/x/.a/../../admin",
      "/x/.a/./%2e./..//admin/x",
      "/admin%2Fx",
      "/admin%5Cx",
      "/%2Fadmin",
      "/x%2F..%2Fadmin/y",
      "/admin?x=/public",
      "/admin/%zz",
      "/admin;x",
    ].filter((target) => target !== "/admin;x"),
  )("guards %s, however a handler behind it reads the path", async (target) => {
    const app = new App().use("/admin/*", deny).mount("/", hello);
    expect((await ask(app, target)).status).toBe(403);
    expect((await ask(app, { target: `http://example.com${target}` })).status).toBe(403);
  });

  it("guards what a route takes for an inside of a segment", async () => {
    const app = new App().use("/admin", deny).get("/:a/:b", hello).get("/admin/:b", hello);
    expect((await ask(app, "/admin/x%2F..%2F..")).status).toBe(403);
    expect((await ask(app, "/other/admin")).status).toBe(200);
  });

  it("takes params and constraints for any segment that they match", async () => {
    const app = new App()
      .use("/users/:id(\\d+)", deny)
      .use("/t/:any/x", deny)
      .all("/*", hello)
      .get("/users/:name", hello)
      .get("/users/7", hello);
    const status = async (target: string): Promise<number> => (await ask(app, target)).status;
    expect([await status("/users/7"), await status("/users/8/a"), await status("/t/1/x")]).toEqual([403, 403, 403]);
    expect([await status("/users/ada"), await status("/users"), await status("/t/1/y")]).toEqual([200, 200, 200]);
  });

  it("is for answers where no route is: 404, 405, OPTIONS, 400, 308", async () => {
    const app = new App({ trailingSlash: "redirect" }).get("/a", hello).use((request, context, next) => {
      const response = next(request, context) as Response;
      response.headers.set("x-seen", "yes");
      return response;
    });
    for (const request of ["/none", "DELETE /a", "OPTIONS /a", "/%zz", "/a/"]) {
      const { status, field } = await ask(app, request);
      expect([status >= 204, field("x-seen")]).toEqual([true, "yes"]);
    }
  });

  it("leaves what is outside of its scope alone where no route is", async () => {
    const app = new App().use("/admin", deny);
    expect([(await ask(app, "/admin/none")).status, (await ask(app, "/none")).status]).toEqual([403, 404]);
  });

  it("lets CORS answer preflights of routes that have no OPTIONS", async () => {
    const app = new App().get("/book", hello).use(cors({ origins: ["https://app.example"] }));
    const fields: [string, string][] = [
      ["origin", "https://app.example"],
      ["access-control-request-method", "GET"],
    ];
    const preflight = await ask(app, { method: "OPTIONS", target: "/book", fields });
    expect([preflight.status, preflight.field("access-control-allow-origin")]).toEqual([204, "https://app.example"]);
    const plain = await ask(app, { method: "OPTIONS", target: "/book", fields: [["origin", "https://app.example"]] });
    expect([plain.field("allow"), plain.field("access-control-allow-origin")]).toEqual([
      "GET, HEAD, OPTIONS",
      "https://app.example",
    ]);
  });

  it("may answer itself, later, or change the request's state", async () => {
    const app = new App().get("/", arrive).use(async (request, context, next) => {
      await Promise.resolve();
      const response = await next(request, context);
      return new Response(`${await response!.text()}!`, { status: 201 });
    }, pass("x"));
    expect(await ask(app, "/")).toMatchObject({ status: 201, text: "x!" });
  });

  it("knows the route and its params", async () => {
    const seen: unknown[] = [];
    const app = new App().use((request, context, next) => {
      seen.push(context.route, { ...context.params });
      return next(request, context);
    });
    await ask(app.get("/users/:id", hello), "/users/7");
    await ask(app, "/none");
    expect(seen).toEqual(["/users/:id", { id: "7" }, "", {}]);
  });

  it("has no answer awaited that is there at once", () => {
    const app = new App().use(pass("a")).get("/", arrive);
    void ask(app, "/").then(() => {});
    let answered = false;
    const watched: Handler = (request, context) => {
      const response = app.fetch(request, context);
      answered = !(response instanceof Promise);
      return response;
    };
    return ask({ fetch: watched }, "/").then(() => expect(answered).toBe(true));
  });
});

describe("apps inside of apps", () => {
  it("have their prefix in patterns, params and route, and / means the prefix", async () => {
    const users = new App()
      .get("/", arrive)
      .get("/:post", (_request, { params, route }) => Response.json([params, route]));
    const app = new App().route("/users/:id/", users);
    expect((await ask(app, "/users/7")).status).toBe(200);
    expect(JSON.parse((await ask(app, "/users/7/9")).text)).toEqual([{ id: "7", post: "9" }, "/users/:id/:post"]);
    expect((await ask(app, "/users/7/")).status).toBe(404);
  });

  it("have middleware inside of that around, for nobody else", async () => {
    const inner = new App().get("/x", arrive).use(pass("inner"));
    const app = new App().use(pass("a")).route("/in", inner).get("/out", arrive).get("/in/own", arrive).use(pass("b"));
    expect((await ask(app, "/in/x")).text).toBe("a b inner");
    expect((await ask(app, "/out")).text).toBe("a b");
    expect((await ask(app, "/in/own")).text).toBe("a b");
  });

  it("are registered in place by group, which knows its prefix's params", async () => {
    const app = new App().group("/users/:id", (user) =>
      user.use(pass("user")).get("/posts/:post", (_request, { params }) => new Response(`${params.id} ${params.post}`)),
    );
    expect((await ask(app, "/users/1/posts/2")).text).toBe("1 2");
  });

  it("have a notFound of their own below their prefix, the nearest first", async () => {
    const inner = new App().get("/x", hello).notFound(() => new Response("inner", { status: 404 }));
    const app = new App()
      .notFound(() => new Response("outer", { status: 404 }))
      .route("/in", inner)
      .use(pass("a"));
    expect([(await ask(app, "/in/none")).text, (await ask(app, "/none")).text, (await ask(app, "/in")).text]).toEqual([
      "inner",
      "outer",
      "inner",
    ]);
    expect((await ask(app, "DELETE /in/x")).status).toBe(405);
    expect((await ask(app, "/%zz")).status).toBe(400);
  });

  it("have a notFound of their own before a mount around them, and behind one inside", async () => {
    const guard: Middleware = async (request, context, next) => {
      const response = await next(request, context);
      response?.headers.set("x-inner", "yes");
      return response;
    };
    const inner = new App()
      .use(guard)
      .get("/x", hello)
      .mount("/files", () => new Response("file"))
      .notFound((_request, { route, params }) => Response.json({ route, params }, { status: 404 }));
    const app = new App()
      .mount("/", () => new Response("page"))
      .mount("/in/other", () => new Response("other"))
      .route("/in", inner)
      .route("/plain", new App().get("/x", hello));
    const texts = async (path: string): Promise<string> => (await ask(app, path)).text;
    expect(await texts("/none")).toBe("page");
    expect(await texts("/plain/none")).toBe("page");
    expect(await texts("/in/none")).toBe('{"route":"","params":{}}');
    expect(await texts("POST /%69n/none/deeper")).toBe('{"route":"","params":{}}');
    expect(await texts("/in")).toBe('{"route":"","params":{}}');
    expect(await texts("/inner")).toBe("page");
    expect(await texts("/in/files/a")).toBe("file");
    expect(await texts("/in/other/a")).toBe("other");
    expect((await ask(app, "/in/none")).field("x-inner")).toBe("yes");
    expect((await ask(app, "DELETE /in/x")).status).toBe(405);
    expect((await ask(app, "/in/%zz")).status).toBe(400);
  });

  it("may be in several", async () => {
    const inner = new App().get("/x", (_request, { route }) => new Response(route));
    const app = new App().route("/a", inner).route("/b", new App().route("/c", inner));
    expect([(await ask(app, "/a/x")).text, (await ask(app, "/b/c/x")).text]).toEqual(["/a/x", "/b/c/x"]);
  });
});

describe("errors", () => {
  const broken = new Error("the password is hunter2");
  const fail: Handler = () => {
    throw broken;
  };

  it("become the default answer: 500 with an id, nothing internal", async () => {
    const { status, text, faults, route } = await ask(new App().get("/:x", fail), "/a");
    expect([status, route, faults[0]!.error]).toEqual([500, "/:x", broken]);
    expect(text).toContain(faults[0]!.id);
    expect(text).not.toContain("hunter2");
  });

  it.each([
    ["thrown", () => fail],
    ["rejected", () => async () => Promise.reject(broken)],
  ] as const)("%s, pass middleware and then onError", async (_name, make) => {
    const story: unknown[] = [];
    const app = new App()
      .get("/", make())
      .use(async (request, context, next) => {
        try {
          return await next(request, context);
        } catch (error) {
          story.push("middleware", error);
          throw error;
        }
      })
      .onError((error, request, context) => {
        story.push("onError", error, request.method, context.route);
        return new Response("sorry", { status: 502 });
      });
    const { status, text, faults } = await ask(app, "/");
    expect([status, text, faults]).toEqual([502, "sorry", []]);
    expect(story).toEqual(["middleware", broken, "onError", broken, "GET", "/"]);
  });

  it("of middleware, HttpErrors and errors where no route is go to onError as well", async () => {
    const app = new App()
      .get("/", () => {
        throw new HttpError(403, "no");
      })
      .use("/x", () => {
        throw broken;
      })
      .onError((error) => new Response(error instanceof HttpError ? `${error.status}` : "unknown", { status: 418 }));
    expect([(await ask(app, "/")).text, (await ask(app, "/x/none")).text]).toEqual(["403", "unknown"]);
  });

  it("that onError returns nothing for, or throws again, have the default answer", async () => {
    for (const onError of [
      () => undefined,
      async () => undefined,
      async (error: unknown) => Promise.reject(toError(error)),
    ]) {
      const app = new App().get("/", fail).onError(onError);
      const { status, faults } = await ask(app, "/");
      expect([status, faults.map(({ error }) => error)]).toEqual([500, [broken]]);
    }
  });

  it("may be made HttpErrors of by onError", async () => {
    const app = new App().get("/", fail).onError(() => {
      throw new HttpError(409, "taken");
    });
    const { status, text, faults } = await ask(app, "/");
    expect([status, text.includes("aken"), faults]).toEqual([409, true, []]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("second");
      },
    ],
    ["rejects", async () => Promise.reject(new Error("second"))],
  ] as const)("are both reported where onError %s itself", async (_name, onError) => {
    const { status, faults, text } = await ask(new App().get("/", fail).onError(onError), "/");
    expect(status).toBe(500);
    expect(text).toContain(faults[0]!.id);
    expect((faults[0]!.error as AggregateError).errors.map(String)).toEqual([String(broken), "Error: second"]);
  });

  it("of an app inside go to its own onError first", async () => {
    const inner = new App()
      .get("/x", fail)
      .get("/y", fail)
      .onError((_error, request) => (request.url.endsWith("x") ? new Response("inner") : undefined));
    const app = new App()
      .route("/in", inner)
      .get("/out", fail)
      .onError(() => new Response("outer"));
    expect([(await ask(app, "/in/x")).text, (await ask(app, "/in/y")).text, (await ask(app, "/out")).text]).toEqual([
      "inner",
      "outer",
      "outer",
    ]);
  });

  it("that onError answers, or others make of them, get the fields that middleware inside gives every answer", async () => {
    const readable = cors({ origins: ["https://a.example"] });
    const app = new App()
      .route("/caught", new App().use(readable).get("/", fail))
      .get("/twice", readable, fail)
      .get("/other", readable, fail)
      .onError(async (_error, request) => {
        if (request.url.endsWith("twice")) throw new Error("second");
        if (request.url.endsWith("other")) throw new HttpError(409, "taken");
        return new Response("sorry", { status: 502, headers: { vary: "accept" } });
      });
    const told = [];
    for (const target of ["/caught", "/twice", "/other"]) {
      const { status, exchange } = await ask(app, { target, fields: [["origin", "https://a.example"]] });
      told.push([status, exchange.field("access-control-allow-origin"), exchange.field("vary")]);
    }
    expect(told).toEqual([
      [502, "https://a.example", "accept, origin"],
      [500, "https://a.example", "accept, origin"],
      [409, "https://a.example", "accept, origin"],
    ]);
  });

  it("that middleware has answered leave nothing behind for the next error", async () => {
    const app = new App()
      .use(async (request, context, next) => {
        try {
          return await next(request, context);
        } catch {
          throw new HttpError(503, "given up");
        }
      })
      .use(cors({ origins: ["https://a.example"] }))
      .get("/", fail);
    const { status, exchange } = await ask(app, { target: "/", fields: [["origin", "https://a.example"]] });
    expect([status, exchange.field("access-control-allow-origin")]).toEqual([503, undefined]);
  });

  it("go to onError from promises of another realm too", async () => {
    const foreign: unknown = runInNewContext("Promise.reject(reason)", { reason: broken });
    const app = new App()
      .get("/", () => foreign as Promise<globalThis.Response>)
      .onError((error) => new Response(String(error), { status: 502 }));
    const { status, text } = await ask(app, "/");
    expect([status, text]).toEqual([502, String(broken)]);
  });

  it("of a handler that returns nothing are faults", async () => {
    const { status, faults } = await ask(
      new App().get("/", () => undefined),
      "/",
    );
    expect([status, faults]).toMatchObject([500, [{ error: { code: "ERR_RESPONSE_MISSING" } }]]);
  });
});
