import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type * as fs from "../../src/static/descriptor.ts";
import { UnreadableFiles } from "../../src/static/unreadable.ts";
import { StaticSite } from "./support/static-site.ts";

let isClosed = false;
/** Nothing below it can be looked at. */
let closedFolder = "";
vi.mock("../../src/static/descriptor.ts", async (original) => {
  const real = await original<typeof fs>();
  const open: typeof fs.open = async (path, flags) => {
    if (isClosed) throw Object.assign(new Error("EACCES: made up"), { code: "EACCES" });
    return real.open(path, flags);
  };
  const stat: typeof fs.stat = async (path) => {
    if (closedFolder !== "" && path.startsWith(`${closedFolder}/`)) {
      throw Object.assign(new Error("EACCES: made up"), { code: "EACCES" });
    }
    return real.stat(path);
  };
  return { ...real, open, stat };
});

interface Told {
  readonly text: string;
  readonly code: unknown;
}
let told: Told[] = [];

beforeEach(() => {
  told = [];
  isClosed = false;
  closedFolder = "";
  vi.spyOn(process, "emitWarning").mockImplementation((text, options) => {
    told.push({ text: String(text), code: (options as { code?: string } | undefined)?.code });
  });
});
afterEach(() => vi.restoreAllMocks());

const REFUSED = Object.assign(new Error("no"), { code: "EACCES" });

function unreadable(): { files: UnreadableFiles; pass: (ms: number) => void } {
  let nowMs = 0;
  const time = { nowMs: () => nowMs, elapsedMs: () => nowMs, after: () => () => {} };
  return { files: new UnreadableFiles(time), pass: (ms) => (nowMs += ms) };
}

describe("a file that may not be read", () => {
  it("is 404 to clients, and told to the owner once, with the reason", async () => {
    await using site = new StaticSite({ "page.html": "p" });
    const { handler } = await site.serve();
    isClosed = true;
    const answers = [
      await handler.fetch(new Request("http://localhost/page.html")),
      await handler.fetch(new Request("http://localhost/page.html")),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404]);
    expect(await answers[0]?.text()).not.toMatch(/EACCES|page\.html/);
    const text = `${site.www}/page.html cannot be opened (EACCES), so it is not served. Let the user that runs this read it, as with chmod; ls -ld shows who may. This is said once.`;
    expect(told).toEqual([{ text, code: "FAIRLEAD_UNREADABLE" }]);
  });

  it("is not told of where there is none", async () => {
    await using site = new StaticSite({ "page.html": "p" });
    const { handler } = await site.serve();
    expect((await handler.fetch(new Request("http://localhost/none.html"))).status).toBe(404);
    expect(told).toEqual([]);
  });

  it("is one of ten in a minute; the others are told of when they are asked for again", () => {
    const { files, pass } = unreadable();
    const askAll = (): void => {
      for (let i = 0; i < 25; i++) files.tell(`/www/${i}`, REFUSED);
    };
    for (const expected of [10, 20, 25, 25]) {
      askAll();
      askAll();
      expect(told).toHaveLength(expected);
      pass(60_000);
    }
    expect(new Set(told.map(({ text }) => text)).size).toBe(25);
  });

  it("is one of a thousand in all, and the last says so", () => {
    const { files, pass } = unreadable();
    for (let i = 0; i < 3000; i++) {
      files.tell(`/www/${i}`, REFUSED);
      pass(10_000);
    }
    expect(told).toHaveLength(1000);
    expect(told.at(-1)?.text).toContain(" No more files are told of.");
  });

  it("cannot command a terminal or forge a line by its name", () => {
    unreadable().files.tell("/www/\x1b[2J\n\u202e", REFUSED);
    expect(told[0]?.text).toMatch(/^\/www\/\\u\{1b\}\[2J\\u\{a\}\\u\{202e\} cannot be opened/);
  });

  it.each(["ENOENT", "ELOOP", "EMFILE"])("is no file that gives %s", (code) => {
    unreadable().files.tell("/www/a", Object.assign(new Error("x"), { code }));
    expect(told).toEqual([]);
  });
});

describe("a folder that may not be entered", () => {
  it("is 404 to clients, and told to the owner once, whatever of it is asked for", async () => {
    await using site = new StaticSite({ "a/private/page.html": "p", "a/page.html": "shown" });
    const { handler } = await site.serve({ listing: true });
    closedFolder = `${site.www}/a/private`;
    for (const path of ["a/private/page.html", "a/private/none", "a/private/x/y/z", "a/private/%61/"]) {
      const answer = await handler.fetch(new Request(`http://localhost/${path}`));
      expect(answer.status).toBe(404);
      expect(await answer.text()).not.toMatch(/EACCES|private/);
    }
    expect((await handler.fetch(new Request("http://localhost/a/page.html"))).status).toBe(200);
    const text = `${closedFolder} cannot be entered (EACCES), so nothing in it is served. Let the user that runs this enter it, as with chmod; ls -ld shows who may. This is said once.`;
    expect(told).toEqual([{ text, code: "FAIRLEAD_UNREADABLE" }]);
  });

  it("is not told of where what is in it would not be served anyway", async () => {
    await using site = new StaticSite({ "page.html": "p" });
    mkdirSync(join(site.base, "elsewhere"));
    symlinkSync("../elsewhere", join(site.www, "out"));
    const { handler } = await site.serve({ hide: ["hidden"] });
    for (const [folder, path] of [
      ["out", "out/page.html"],
      ["hidden", "hidden/page.html"],
    ] as const) {
      closedFolder = join(site.www, folder);
      expect((await handler.fetch(new Request(`http://localhost/${path}`))).status).toBe(404);
    }
    expect(told).toEqual([]);
  });

  it("is told by explain at any time", async () => {
    await using site = new StaticSite({ "private/page.html": "p" });
    const { handler } = await site.serve();
    closedFolder = `${site.www}/private`;
    const { steps } = await handler.explain(new Request("http://localhost/private/page.html"));
    const why = `${closedFolder} cannot be entered by the user that runs this`;
    expect(steps).toContainEqual({ step: "find", outcome: "closed", why });
  });
});
