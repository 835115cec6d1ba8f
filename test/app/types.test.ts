import { describe, expectTypeOf, it } from "vitest";
import { App } from "../../src/app/app.ts";
import type { PathParams } from "../../src/app/path-params.ts";
import { type Context, contextKey, type Params } from "../../src/web/context.ts";
import type { Handler, Middleware } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";

describe("params", () => {
  it("are typed from the text of the pattern", () => {
    expectTypeOf<PathParams<"/users/:id">>().toEqualTypeOf<{ readonly id: string }>();
    expectTypeOf<PathParams<"/users/:id/posts/:post_2">>().toEqualTypeOf<{
      readonly id: string;
      readonly post_2: string;
    }>();
    expectTypeOf<PathParams<"/:lang?/about">>().toEqualTypeOf<{ readonly lang?: string }>();
    expectTypeOf<PathParams<"/:a/:b?">>().toEqualTypeOf<{ readonly a: string; readonly b?: string }>();
    expectTypeOf<PathParams<"/:year-:month.:ext">>().toEqualTypeOf<{
      readonly year: string;
      readonly month: string;
      readonly ext: string;
    }>();
    expectTypeOf<PathParams<"/:id(\\d+)/:page(\\d+)?">>().toEqualTypeOf<{
      readonly id: string;
      readonly page?: string;
    }>();
    expectTypeOf<PathParams<"/:id((?:a|b\\)):c)/:d">>().toEqualTypeOf<{ readonly id: string; readonly d: string }>();
    expectTypeOf<PathParams<"/items\\:batch/:id">>().toEqualTypeOf<{ readonly id: string }>();
    expectTypeOf<PathParams<"/files/*">>().toEqualTypeOf<{ readonly "*": string }>();
    expectTypeOf<PathParams<"/:repo/files/*path">>().toEqualTypeOf<{ readonly repo: string; readonly path: string }>();
    expectTypeOf<PathParams<string>>().toEqualTypeOf<Params>();
  });

  it("are those of the handler's own pattern, with the prefixes around", () => {
    new App()
      .get("/users/:id", (request, { params }) => {
        expectTypeOf(params).toEqualTypeOf<{ readonly id: string }>();
        expectTypeOf(request.json<number>()).resolves.toBeNumber();
        return new Response(params.id);
      })
      .post("/a/:b?", middleware, middleware, (_request, context) => {
        expectTypeOf(context.params).toEqualTypeOf<{ readonly b?: string }>();
        return new Response(context.params.b ?? "none");
      })
      .on(["PUT", "PATCH"], "/:x", middleware, (_request, { params }) => new Response(params.x))
      .group("/users/:id", (user) =>
        user.group("/posts/:post", (posts) =>
          posts.get("/:comment", (_request, { params }) => {
            expectTypeOf(params).toEqualTypeOf<{
              readonly id: string;
              readonly post: string;
              readonly comment: string;
            }>();
            return new Response("");
          }),
        ),
      );
    new App<"/users/:id">().get("/", (_request, { params }) => new Response(params.id));
  });

  it("take handlers that ask for less, and none that ask for more", () => {
    const plain: Handler = () => new Response("");
    const needsId: Handler<{ readonly id: string }> = (_request, { params }) => new Response(params.id);
    new App()
      .get("/a", plain)
      .get("/b/:id", plain)
      .get("/c/:id?", plain)
      .get("/d/:id/:more", needsId)
      .get("/e/*", plain);
    expectTypeOf(needsId).not.toExtend<Handler<PathParams<"/users/:name">>>();
    expectTypeOf(needsId).not.toExtend<Handler<PathParams<"/users/:id?">>>();
    expectTypeOf(needsId).toExtend<Handler<PathParams<"/users/:id">>>();
  });
});

describe("state", () => {
  it("has the type of its key", () => {
    const user = contextKey<{ name: string }>("user");
    const count = contextKey("count", 0);
    const use = (context: Context): void => {
      expectTypeOf(context.get(user)).toEqualTypeOf<{ name: string } | undefined>();
      expectTypeOf(context.get(count)).toBeNumber();
      expectTypeOf(context.set<number>)
        .parameter(1)
        .toBeNumber();
    };
    expectTypeOf(use).returns.toBeVoid();
  });
});

const middleware: Middleware = (request, context, next) => next(request, context);
