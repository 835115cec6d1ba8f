/** Several folders under one path: each trial goes through all of them before the next one. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveStatic } from "../../src/static/serve-static.ts";
import type { StaticHandler, StaticOptions } from "../../src/static/serve-static.ts";

const FILES: readonly string[] = [
  "one/index.html",
  "one/both.txt",
  "one/empty/only-here.txt",
  "one/docs/readme.txt",
  "one/about/x.txt",
  "one/team.html",
  "one/name/x.txt",
  "one/fr/404.html",
  "one/_redirects",
  "two/index.html",
  "two/both.txt",
  "two/two.txt",
  "two/docs/index.html",
  "two/docs/readme.txt",
  "two/docs/404.html",
  "two/empty/only-there.txt",
  "two/empty/.hidden",
  "two/about.html",
  "two/team/index.html",
  "two/name",
  "two/404.html",
  "two/fr/x.txt",
  "two/_redirects",
];

let base = "";

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "fairlead-roots-"));
  for (const name of FILES) {
    mkdirSync(dirname(join(base, name)), { recursive: true });
    writeFileSync(join(base, name), name.endsWith("_redirects") ? `/from /${name.slice(0, 3)} 302\n` : name);
  }
  mkdirSync(join(base, "outside"));
  writeFileSync(join(base, "outside/secret.txt"), "secret");
  symlinkSync("../outside", join(base, "one", "out"));
  mkdirSync(join(base, "two", "out"));
  writeFileSync(join(base, "two", "out", "fine.txt"), "two/out/fine.txt");
});

afterAll(() => rmSync(base, { recursive: true, force: true }));

function make(options: StaticOptions = {}): StaticHandler {
  return serveStatic([join(base, "one"), join(base, "two")], { cleanUrls: true, ...options });
}

async function ask(handler: StaticHandler, path: string, accept = "text/html"): Promise<[number, string]> {
  const response = await handler(new Request(`http://localhost${path}`, { headers: { accept } }));
  return [response.status, response.headers.get("location") ?? (await response.text())];
}

describe("of several folders", () => {
  it.each<[string, string, number, string]>([
    ["the first that has a file answers", "/both.txt", 200, "one/both.txt"],
    ["the next is asked for what the first has not", "/two.txt", 200, "two/two.txt"],
    ["the index of the first counts", "/", 200, "one/index.html"],
    ["an index anywhere goes before a folder without one", "/docs/", 200, "two/docs/index.html"],
    ["a file of such a folder is still that of the first", "/docs/readme.txt", 200, "one/docs/readme.txt"],
    ["a file anywhere goes before a folder", "/name", 200, "two/name"],
    ["a clean URL anywhere goes before a folder", "/about", 200, "two/about.html"],
    ["a clean URL goes before the folder of another", "/team", 200, "one/team.html"],
    ["an index goes before the redirect to a clean URL", "/team/", 200, "two/team/index.html"],
    ["a folder anywhere is redirected to its slash", "/empty", 301, "/empty/"],
    ["the nearest error page of any answers", "/docs/none", 404, "two/docs/404.html"],
    ["the nearest error page of any answers, deeper", "/fr/none", 404, "one/fr/404.html"],
    ["the error page of the root is that of the first that has one", "/none", 404, "two/404.html"],
  ])("%s: %s", async (_what, path, status, body) => {
    expect(await ask(make(), path)).toEqual([status, body]);
  });

  it("those without index are listed as one, without what leads out", async () => {
    const handler = make({ listing: true, cleanUrls: false });
    const names = async (path: string): Promise<string[]> => {
      const [status, text] = await ask(handler, path, "application/json");
      expect(status).toBe(200);
      return (JSON.parse(text) as { entries: { name: string }[] }).entries.map((entry) => entry.name);
    };
    expect(await names("/empty/")).toEqual(["only-here.txt", "only-there.txt"]);
    expect(await names("/out/")).toEqual(["fine.txt"]);
    expect(await ask(handler, "/out/secret.txt", "*/*")).toMatchObject([404, expect.not.stringContaining("secret")]);
  });

  it("the rules are those of the first, and the rules of none are served", async () => {
    const handler = make({ rules: true, notFound: false });
    expect(await ask(handler, "/from")).toEqual([302, "/one"]);
    for (const path of ["/_redirects", "/_headers", "/_REDIRECTS"]) expect((await ask(handler, path))[0]).toBe(404);
  });
});
