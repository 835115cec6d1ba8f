/** Option `hide`: paths that are as good as not there, however they are asked for, and not listed. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StaticSite } from "./support/static-site.ts";
import type { Served } from "./support/static-site.ts";

const HIDE = ["users.txt", "keys/", "a/./key.pem", "page.html", "app.js.br", "secret/index.html"];
let site: StaticSite;
let served: Served;

beforeAll(async () => {
  site = new StaticSite({
    "users.txt": "ada:secret",
    "users.txt.old": "shown",
    "keys/tls.pem": "secret",
    "keys/more/b.pem": "secret",
    "a/key.pem": "secret",
    "a/shown.txt": "shown",
    "key.pem": "shown",
    "page.html": "secret",
    "app.js": "shown",
    "app.js.br": "secret",
    "secret/index.html": "secret",
    "404.html": "not here",
    "_redirects": "/rewritten /users.txt 200\n/instead /a/key.pem 404\n/keys/* /a/shown.txt 200\n",
  });
  served = await site.serve({ hide: HIDE, listing: true, cleanUrls: true, rules: true, notFound: false });
});
afterAll(() => site[Symbol.asyncDispose]());

describe("what is hidden", () => {
  it.each([
    "/users.txt",
    "/USERS.txt",
    "//./users%2etxt?x",
    "/%2e/users.txt",
    "/users.txt/",
    "/a/key.pem",
    "/a/../a/key.pem",
    "/a/%2E/key.pem",
    "/page.html",
    "/page",
    "/rewritten",
    "/instead",
  ])("is 404: %s", async (path) => {
    // The second time it could come from the cache
    for (let i = 0; i < 2; i++) {
      const { status, body } = await served.ask("GET", path);
      expect([status, body.includes("secret")]).toEqual([404, false]);
    }
  });

  it.each(["/users.txt.old", "/key.pem", "/a/shown.txt"])("is nothing else: %s", async (path) => {
    expect((await served.ask("GET", path)).body.toString()).toBe("shown");
  });

  it("gives way to rules, as what is not there", async () => {
    for (const path of ["/keys/tls.pem", "/keys/more/b.pem", "/keys/more"])
      expect((await served.ask("GET", path)).body.toString()).toBe("shown");
  });

  it("stands in for nothing: not as an index, nor as a precompressed file", async () => {
    const folder = await served.ask("GET", "/secret/");
    expect([folder.status, folder.body.includes("index.html")]).toEqual([200, false]);
    const script = await served.ask("GET", "/app.js", { "accept-encoding": "br" });
    expect(script.body.toString()).toBe("shown");
  });

  it("is in no listing", async () => {
    const namesIn = async (path: string): Promise<string[]> => {
      const { body } = await served.ask("GET", path, { accept: "application/json" });
      return (JSON.parse(body.toString()) as { entries: { name: string }[] }).entries.map(({ name }) => name);
    };
    expect(await namesIn("/")).toEqual(["a", "secret", "404.html", "app.js", "key.pem", "users.txt.old"]);
    expect(await namesIn("/a/")).toEqual(["shown.txt"]);
  });

  it("is in no listing either where the disk has it in another case or form", async () => {
    const below = await site.serve({ hide: ["USERS.txt", "A/Key.PEM"], listing: true });
    for (const path of ["/", "/a/"]) {
      const { body } = await below.ask("GET", path, { accept: "application/json" });
      const names = (JSON.parse(body.toString()) as { entries: { name: string }[] }).entries.map(({ name }) => name);
      expect(names).not.toContain(path === "/" ? "users.txt" : "key.pem");
      for (const name of names.filter((one) => one.includes("."))) {
        expect((await below.ask("GET", path + name)).status).toBe(200);
      }
    }
  });

  it.each(["gz", "br", "zst", "GZ"])("is so with what was packed of it: %s", async (extension) => {
    site.write(`users.txt.${extension}`, "secret");
    expect((await served.ask("GET", `/users.txt.${extension}`)).status).toBe(404);
    const { body } = await served.ask("GET", "/", { accept: "application/json" });
    expect(body.toString()).not.toContain(`users.txt.${extension}`);
  });

  it("is told to the operator as hidden", async () => {
    const { status, steps } = await served.handler.explain(new Request("http://localhost/users.txt"));
    expect(status).toBe(404);
    expect(steps).toContainEqual({ step: "find", outcome: "hidden", why: "option hide" });
  });

  it("is so below a prefix", async () => {
    const below = await site.serve({ hide: HIDE, prefix: "/x y" });
    expect((await below.ask("GET", "/x%20y/users.txt")).status).toBe(404);
    expect((await below.ask("GET", "/x%20y/key.pem")).status).toBe(200);
  });
});

it.each([
  ["*.key", "patterns"],
  ["a?.key", "patterns"],
  ["/users.txt", '"users.txt"'],
  ["/srv/www/users.txt", "begins below the folder"],
  ["../x", '".."'],
  ["a/../x", '".."'],
  ["a\\b", '"a/b"'],
  ["C:\\keys", '"/"'],
  ["users%2Etxt", '"users.txt"'],
  ["%ff", "percent"],
  ["a\0b", "NUL"],
  ["", "whole folder"],
  [".", "whole folder"],
  ["./", "whole folder"],
  ["/", "whole folder"],
])("refuses what can never match, and says why: %j", async (path, why) => {
  const refusal = site.serve({ hide: ["users.txt", path] });
  await expect(refusal).rejects.toMatchObject({ code: "ERR_OPTIONS" });
  await expect(refusal).rejects.toThrow(`hide[1]`);
  await expect(refusal).rejects.toThrow(why);
});

it("refuses every mistake at once", async () => {
  await expect(site.serve({ hide: ["*.key", "../x"], index: "a/b" })).rejects.toThrow(/index.*hide\[0\].*hide\[1\]/);
});

it.each(["a b.txt", "[id].js", "{x}.txt", "100%.txt", "a%zz", "..key.pem", ".env", "a/./b", "a//b", "...", "ä.txt"])(
  "takes what a file can be called: %j",
  async (path) => {
    site.write(path, "secret");
    const below = await site.serve({ hide: [path], dotFiles: true });
    expect((await below.ask("GET", `/${path.split("/").map(encodeURIComponent).join("/")}`)).status).toBe(404);
  },
);

it.each([["users.txt"], [[5]], [Array(2)], [Object.assign(Array(2), { 1: "users.txt" })]])(
  "refuses what is no array of paths: %j",
  async (hide) => {
    await expect(site.serve({ hide: hide as never })).rejects.toThrow("hide");
  },
);
