/**
 * Prototype pollution: no name that a client or a file gives reaches a prototype, nor is taken for a member that every object has.
 * Each name is put wherever names come in; Object.prototype is looked at after each.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { App } from "../../src/app/app.ts";
import { serve } from "../../src/app/serve.ts";
import { readForm, readJson, readMultipart, readQuery } from "../../src/bodies/index.ts";
import { loadConfig } from "../../src/cli/config-load.ts";
import { HttpError } from "../../src/http/errors.ts";
import { basicAuth, cors, rateLimit } from "../../src/middleware/index.ts";
import { readCookies, redirect } from "../../src/replies/index.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Headers } from "../../src/web/headers.ts";
import { Response } from "../../src/web/response.ts";
import { get, say } from "./support/asked.ts";

const NAMES = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "__defineGetter__"];
const own = (value: object): string => Reflect.ownKeys(value).map(String).toSorted().join();
const BEFORE = [own(Object.prototype), own(Array.prototype), own(Function.prototype)];

afterEach(() => {
  const { polluted } = {} as { polluted?: unknown };
  const after = [own(Object.prototype), own(Array.prototype), own(Function.prototype)];
  if (polluted !== undefined || after.join() !== BEFORE.join()) throw new Error("a prototype was changed");
});

/** A schema that takes anything, and shows what it was given. */
const ANY = { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } } as const;

/** A POST, and the answer's text. */
async function post(fetch: Handler, type: string, content: string): Promise<string> {
  await using server = await serve({ port: 0, fetch });
  const head = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${content.length}\r\n\r\n`;
  const { responses } = await say(server.port, head + content, ["POST"]);
  return `${responses[0]?.status} ${responses[0]?.content.toString()}`;
}

describe("JSON", () => {
  it.each([
    '{"__proto__":{"polluted":1}}',
    '{"a":{"__proto__":{"polluted":1}}}',
    '[{"__proto__":null}]',
    '{"\\u005f_proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"a":[[{"constructor":{"prototype":{}}}]]}',
  ])("with such a name is refused: %s", async (text) => {
    const said = await post(async (request) => Response.json(await readJson(request)), "application/json", text);
    expect(said).toMatch(/^400 .*ERR_PROTOTYPE_NAME/s);
  });

  it.each(NAMES.filter((name) => name !== "__proto__"))("keeps %s as a member like any other", async (name) => {
    const text = JSON.stringify({ [name]: "x" });
    expect(await post(async (request) => Response.json(await readJson(request)), "application/json", text)).toBe(
      `200 ${text}`,
    );
  });

  it("of request.json() has it as a member of its own, if the handler wants it so", async () => {
    const seen = await post(
      async (request) => {
        const value = (await request.json()) as object;
        return Response.json([Object.hasOwn(value, "__proto__"), Object.getPrototypeOf(value) === Object.prototype]);
      },
      "application/json",
      '{"__proto__":{"polluted":1}}',
    );
    expect(seen).toBe("200 [true,true]");
  });
});

describe.each(NAMES)("the name %s", (name) => {
  const shown = (value: unknown): Response => {
    const isBare = typeof value !== "object" || value === null || Object.getPrototypeOf(value) === null;
    return Response.json([isBare, Object.keys(value as object)]);
  };

  it("in a form is a member, or refused", async () => {
    const said = await post(
      async (request) => shown(await readForm(request, { schema: ANY })),
      "application/x-www-form-urlencoded",
      `${name}=polluted&${name}[polluted]=1&a=b`,
    );
    expect(said).toMatch(name === "__proto__" ? /^400 / : /^200 \[true,\[/);
  });

  it("in a query is a member, or refused", async () => {
    await using server = await serve({ port: 0, fetch: async (request) => shown(await readQuery(request, ANY)) });
    const { status } = await get(server.port, `/?${name}=polluted&a=b`);
    expect(status).toBe(name === "__proto__" ? 400 : 200);
  });

  it("of a part is text", async () => {
    const content = `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n1\r\n--x--\r\n`;
    const said = await post(
      async (request) => {
        const names: string[] = [];
        for await (const part of readMultipart(request)) names.push(part.name);
        return Response.json(names);
      },
      "multipart/form-data; boundary=x",
      content,
    );
    expect(said).toBe(`200 ${JSON.stringify([name])}`);
  });

  it("of a parameter of a part, and of a field of it, is passed over", async () => {
    const content = `--x\r\nContent-Disposition: form-data; name="a"; ${name}="polluted"\r\n${name}: polluted\r\n\r\n1\r\n--x--\r\n`;
    const said = await post(
      async (request) => {
        for await (const part of readMultipart(request)) await part.text();
        return new Response("read");
      },
      "multipart/form-data; boundary=x",
      content,
    );
    expect(said).toMatch(/^(?:200 read|400 )/);
  });

  it("of a cookie is a member of an object without prototype", () => {
    const cookies = readCookies({ headers: new Headers({ cookie: `a=b; ${name}=polluted` }) });
    expect([Object.getPrototypeOf(cookies), Object.hasOwn(cookies, name), cookies["a"]]).toEqual([null, true, "b"]);
    expect(readCookies({ headers: new Headers() })[name]).toBeUndefined();
  });

  it("of a field is a field", async () => {
    const headers = new Headers();
    expect([headers.get(name), headers.has(name)]).toEqual([null, false]);
    await using server = await serve({
      port: 0,
      fetch: (request) => Response.json([request.headers.get(name), request.headers.get("x")]),
    });
    expect((await get(server.port, "/")).text).toBe("[null,null]");
    expect((await get(server.port, "/", { [name]: "sent" })).text).toBe('["sent",null]');
  });

  it("in a path is a value, and no route", async () => {
    const app = new App()
      .get("/users/:id", (_, { params }) => Response.json([params.id, Object.keys(params)]))
      .get("/:a/x", () => new Response("x"));
    await using server = await serve({ port: 0, fetch: app.fetch });
    expect((await get(server.port, `/users/${name}`)).text).toBe(JSON.stringify([name, ["id"]]));
    expect((await get(server.port, `/${name}`)).status).toBe(404);
    expect((await get(server.port, `/${name}/${name}`)).status).toBe(404);
  });

  it("is no user, no extension, no method, no rule", async () => {
    const app = new App()
      .use(basicAuth({ users: { a: "secret" } }))
      .use(rateLimit({ limit: 100, key: () => name }))
      .get("/*", () => new Response("in"));
    await using server = await serve({ port: 0, fetch: app.fetch });
    for (const password of ["", "secret", "function", "[object Object]"]) {
      const authorization = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
      expect((await get(server.port, "/", { Authorization: authorization })).status).toBe(401);
    }
    expect(
      (await say(server.port, `${name} / HTTP/1.1\r\nHost: a\r\n\r\n`)).responses[0]?.status,
    ).toBeGreaterThanOrEqual(400);
    const folder = mkdtempSync(join(tmpdir(), "fairlead-names-"));
    writeFileSync(join(folder, `file.${name}`), "text");
    writeFileSync(join(folder, name), "text");
    await using files = await serve({ port: 0, fetch: serveStatic(folder, { listing: true }) });
    const answers = [
      await get(files.port, `/file.${name}`),
      await get(files.port, `/${name}`),
      await get(files.port, `/?sort=${name}`),
    ];
    rmSync(folder, { recursive: true });
    expect(answers.map(({ status, fields }) => [status, fields["content-type"]?.includes("function")])).toEqual([
      [200, false],
      [200, false],
      [200, false],
    ]);
  });

  it("of an option is none", () => {
    const wrong = JSON.parse(`{"${name}":{"polluted":1}}`) as object;
    for (const make of [
      () => cors(wrong),
      () => rateLimit({ limit: 1, ...wrong }),
      () => redirect("/", 303, wrong),
      () => serveStatic(".", wrong),
      () => new App(wrong),
    ]) {
      expect(make, String(make)).toThrow(new RegExp(name));
    }
  });

  it("of a file of settings is none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-config-"));
    const path = join(folder, "fairlead.config.json");
    writeFileSync(path, `{"${name}":{"polluted":1},"limits":{"${name}":1}}`);
    const { mistakes } = await loadConfig(path, folder, false);
    rmSync(folder, { recursive: true });
    expect(mistakes.map(({ message }) => message)).toEqual([
      expect.stringMatching(new RegExp(`: ${name}: there is no such setting`)),
      expect.stringMatching(new RegExp(`: limits.${name}: there is no such setting`)),
    ]);
    expect(mistakes.filter(({ message }) => /native code|\[object/.test(message))).toEqual([]);
  });

  it("in an error is a member of the answer alone", async () => {
    await using server = await serve({
      port: 0,
      fetch: () => {
        throw new HttpError(400, "no", {
          extensions: JSON.parse(`{"${name}":{"polluted":1}}`) as Record<string, unknown>,
        });
      },
    });
    const { text } = await get(server.port, "/", { Accept: "application/json" });
    expect(Object.hasOwn(JSON.parse(text) as object, name)).toBe(true);
  });
});
