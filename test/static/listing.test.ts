import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { escapeText } from "../../src/static/escape-text.ts";
import { Root } from "../../src/static/contain.ts";
import { listFolder } from "../../src/static/listing.ts";
import type { ListedFolder, ListingEntry } from "../../src/static/listing-entries.ts";
import { compareEntries, formatOrder, parseOrder } from "../../src/static/listing-order.ts";
import { formatSize, linkTo, LISTING_POLICY } from "../../src/static/listing-page.ts";
import { LISTING_SCRIPT } from "../../src/static/listing-script.ts";
import { LISTING_STYLE } from "../../src/static/listing-style.ts";
import { resolveTarget } from "../../src/static/resolve.ts";
import type { Response } from "../../src/web/response.ts";

const BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8";

/** Long after all folders were made. */
const NOW_MS = Date.parse("2100-01-01");

let folder = "";
let root: Root;

interface Listed {
  readonly path: string;
  readonly sort: string;
  readonly order: string;
  readonly entries: ReadonlyArray<{
    name: string;
    type: string;
    size: number | null;
    modified: string;
    href: string | null;
  }>;
}

interface Ask {
  readonly method?: string;
  readonly names?: readonly string[];
  readonly search?: string;
  readonly accept?: string | null;
  readonly dotFiles?: boolean;
  readonly path?: string;
}

function list(ask: Ask = {}): Promise<Response | null> {
  const { method = "GET", names = [], search = "", accept = BROWSER, dotFiles = false, path = folder } = ask;
  const filter = { dotFiles, hiddenNames: new Set(["_headers"]) };
  const folders = [listed(join(path, ...names))];
  return listFolder(folders, { method, names, search, accept }, filter, NOW_MS);
}

/** A folder that was verified. */
function listed(path: string): ListedFolder {
  return { path, identity: statSync(path, { throwIfNoEntry: false }) ?? null, root };
}

async function listJson(ask: Ask = {}): Promise<Listed> {
  return (await list({ ...ask, accept: "application/json" }))!.json<Listed>();
}

async function listPage(ask: Ask = {}): Promise<string> {
  return (await list(ask))!.text();
}

const HOSTILE = [
  "<script>alert(1)<b>",
  "<img src=x onerror=alert(1)>",
  'quote" onmouseover="alert(1)',
  "it's",
  "new\nline.txt",
  "carriage\rreturn",
  "\u001B[31mred.txt",
  "\u202Egpj.exe",
  "\u2066isolated",
  "100% #1?.txt",
  "javascript:alert(1)",
  "a&amp;b.html",
  "a b+c;d=e,f@g.txt",
  "%2e%2e",
  "☃ ünïcode.txt",
  "👨\u200D👩\u200D👧.png",
];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-listing-"));
  root = new Root(folder);
  for (const name of ["sub", "Sub 10", "Sub 9", "hostile", "empty", ".git"]) mkdirSync(join(folder, name));
  for (const [name, size, time] of [
    ["file10.txt", 10, 3000],
    ["file9.txt", 2_000_000, 1000],
    ["File1.txt", 500, 2000],
    [".env", 1, 1],
    ["_headers", 1, 1],
  ] as const) {
    writeFileSync(join(folder, name), "");
    truncateSync(join(folder, name), size);
    utimesSync(join(folder, name), time, time);
  }
  for (const name of HOSTILE) writeFileSync(join(folder, "hostile", name), "x");
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/hostile/`), Buffer.of(0xff, 0xfe), Buffer.from("bad.txt")]), "x");
  writeFileSync(join(folder, "hostile", "back\\slash"), "x");
  symlinkSync("file9.txt", join(folder, "link-in"));
  symlinkSync("sub", join(folder, "link-to-folder"));
  symlinkSync("/etc", join(folder, "link-out"));
  symlinkSync("nowhere", join(folder, "link-broken"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("a listing", () => {
  it("is a page for browsers, and what accepts neither", async () => {
    for (const accept of [BROWSER, null, "*/*", "image/png", "text/html, application/json"]) {
      const response = await list({ accept });
      expect(response!.status).toBe(200);
      expect(response!.headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(response!.headers.get("vary")).toBe("accept");
      expect(response!.headers.get("cache-control")).toBe("no-cache");
      expect(await response!.text()).toMatch(/^<!doctype html>\n[^]*<\/html>\n$/);
    }
  });

  it("is JSON for what prefers it", async () => {
    for (const accept of ["application/json", "application/json, */*;q=0.1", "text/html;q=0.5, application/json"]) {
      const response = await list({ accept });
      expect(response!.headers.get("content-type")).toBe("application/json");
      expect(response!.headers.get("vary")).toBe("accept");
      const listed = await response!.json<Listed>();
      expect(listed.path).toBe("/");
      expect(listed.entries.find((entry) => entry.name === "file9.txt")).toEqual({
        name: "file9.txt",
        type: "file",
        size: 2_000_000,
        modified: "1970-01-01T00:16:40.000Z",
        href: "file9.txt",
      });
      expect(listed.entries.find((entry) => entry.name === "Sub 10")).toMatchObject({
        type: "folder",
        size: null,
        href: "Sub%2010/",
      });
    }
  });

  it("answers HEAD with the fields alone", async () => {
    const whole = await list();
    const head = await list({ method: "HEAD" });
    expect([...head!.headers]).toEqual([...whole!.headers]);
    expect(await head!.text()).toBe("");
    await whole!.text();
  });

  it("is nothing where there is no folder that can be read", async () => {
    expect(await list({ names: ["missing"] })).toBeNull();
    expect(await list({ names: ["file9.txt"] })).toBeNull();
  });

  it("shows what would be served, and nothing else", async () => {
    const names = (await listJson()).entries.map((entry) => entry.name);
    expect(names).toContain("link-in");
    for (const hidden of [".env", ".git", "_headers", "link-out", "link-broken"]) expect(names).not.toContain(hidden);
    expect((await listJson({ dotFiles: true })).entries.map((entry) => entry.name)).toContain(".env");
  });

  it.skipIf(process.platform !== "linux")(
    "tells nothing of a folder that takes its place while it is answered",
    async () => {
      const names = Array.from({ length: 1000 }, (_, i) => `file ${i}`);
      for (const [name, size] of [
        ["mine", 1],
        ["theirs", 777],
      ] as const) {
        mkdirSync(join(folder, name));
        for (const file of names) writeFileSync(join(folder, name, file), "x".repeat(size));
      }
      const response = await list({ names: ["mine"], accept: "application/json" });
      let text = "";
      for await (const piece of response!.body as AsyncIterable<Uint8Array>) {
        if (text === "") {
          renameSync(join(folder, "mine"), join(folder, "was mine"));
          symlinkSync("theirs", join(folder, "mine"));
        }
        text += Buffer.from(piece).toString();
      }
      const { entries } = JSON.parse(text) as Listed;
      expect(entries.length).toBeLessThan(1000);
      expect(new Set(entries.map(({ size }) => size))).not.toContain(777);
      for (const name of ["mine", "theirs", "was mine"]) rmSync(join(folder, name), { recursive: true });
    },
  );

  it("of two folders is one, and what both have is that of the first", async () => {
    const parts = ["above", "below"].map((name) => join(folder, name));
    for (const path of parts) mkdirSync(path);
    for (const [at, size] of [
      ["above/both", 1],
      ["below/both", 2],
      ["above/a", 3],
      ["below/z", 4],
    ] as const) {
      writeFileSync(join(folder, at), "x".repeat(size));
    }
    mkdirSync(join(folder, "below", "folder"));
    for (const search of ["", "?sort=size&order=asc"]) {
      const asked = { method: "GET", names: [], search, accept: "application/json" };
      const filter = { dotFiles: false, hiddenNames: new Set<string>() };
      const response = await listFolder(parts.map(listed), asked, filter, NOW_MS);
      const { entries } = await response!.json<Listed>();
      const order = search === "" ? ["a 3", "both 1", "z 4"] : ["both 1", "a 3", "z 4"];
      expect(entries.map(({ name, size }) => `${name} ${size}`)).toEqual(["folder null", ...order]);
    }
    for (const path of parts) rmSync(path, { recursive: true });
  });

  it("shows a new file to who asks after it was made", async () => {
    mkdirSync(join(folder, "growing"));
    const waiting = [];
    for (let i = 0; i < 5; i++) {
      writeFileSync(join(folder, "growing", `file ${i}`), "");
      // Unread: what is answered from is alive
      waiting.push(await list({ names: ["growing"] }));
      expect((await listJson({ names: ["growing"] })).entries).toHaveLength(i + 1);
    }
    rmSync(join(folder, "growing"), { recursive: true });
  });

  it("is of the folder that was verified, or of none", async () => {
    const request = { method: "GET", names: ["hostile"], search: "", accept: "application/json" };
    const filter = { dotFiles: false, hiddenNames: new Set<string>() };
    const hostile = listed(join(folder, "hostile"));
    const listing = await listFolder([hostile], request, filter, NOW_MS);
    expect((await listing!.json<Listed>()).entries).toHaveLength(HOSTILE.length + 2);
    // What a link that was swapped in would lead to
    for (const path of [folder, join(folder, "file9.txt"), join(folder, "none")]) {
      expect(await listFolder([{ ...hostile, path }], request, filter, NOW_MS)).toBeNull();
    }
  });

  it("shows links as what they lead to", async () => {
    const { entries } = await listJson();
    expect(entries.find((entry) => entry.name === "link-in")).toMatchObject({ type: "file", size: 2_000_000 });
    expect(entries.find((entry) => entry.name === "link-to-folder")).toMatchObject({ type: "folder" });
  });

  it.each([
    ["", ["File1.txt", "file9.txt", "file10.txt"], "name asc"],
    ["?sort=name&order=desc", ["file10.txt", "file9.txt", "File1.txt"], "name desc"],
    ["?sort=size&order=asc", ["file10.txt", "File1.txt", "file9.txt"], "size asc"],
    ["?sort=size", ["file9.txt", "File1.txt", "file10.txt"], "size desc"],
    ["?sort=time&order=asc", ["file9.txt", "File1.txt", "file10.txt"], "time asc"],
    ["?sort=time&order=desc", ["file10.txt", "File1.txt", "file9.txt"], "time desc"],
    ["?sort=nonsense&order=%00", ["File1.txt", "file9.txt", "file10.txt"], "name asc"],
    ["?order=desc&sort=name&sort=size", ["file10.txt", "file9.txt", "File1.txt"], "name desc"],
  ])("is sorted as %j asks, folders first", async (search, files, order) => {
    const listed = await listJson({ search });
    const names = listed.entries.map((entry) => entry.name).filter((name) => /^file/i.test(name));
    expect(names).toEqual(files);
    expect(`${listed.sort} ${listed.order}`).toBe(order);
    const types = listed.entries.map((entry) => entry.type);
    expect(types.lastIndexOf("folder")).toBeLessThan(types.indexOf("file"));
  });

  it("has links that turn the order of a column round", async () => {
    const page = await listPage({ search: "?sort=size&order=desc" });
    expect(page).toContain('<th scope="col"><a href="?sort=name&amp;order=asc">Name</a>');
    expect(page).toContain('<th scope="col" aria-sort="descending"><a href="?sort=size&amp;order=asc">Size</a>');
    expect(page).toContain('<th scope="col"><a href="?sort=time&amp;order=desc">Modified');
  });

  it("has a way back at every step, by relative links alone", async () => {
    mkdirSync(join(folder, "sub", "deep er"), { recursive: true });
    const page = await listPage({ names: ["sub", "deep er"] });
    expect(page).toContain('<a class="i-home" href="../../"');
    expect(page).toContain('<a href="../">sub</a>');
    expect(page).toContain('<h1 aria-current="page">deep er</h1>');
    expect(page).not.toMatch(/(?:href|src)="?\//);
    expect(await listPage()).not.toContain('href="../');
  });

  it("says that a folder is empty", async () => {
    const page = await listPage({ names: ["empty"] });
    expect(page).toContain('<p class="none">This folder is empty.</p>');
    expect((await listJson({ names: ["empty"] })).entries).toEqual([]);
  });

  it("allows what stands in the page to run, and nothing else", async () => {
    const response = await list();
    const policy = response!.headers.get("content-security-policy");
    const page = await response!.text();
    const [, style = ""] = /<style>([^]*?)<\/style>/.exec(page) ?? [];
    const [, script = ""] = /<script>([^]*?)<\/script>/.exec(page) ?? [];
    expect([style, script]).toEqual([LISTING_STYLE, LISTING_SCRIPT]);
    // After a change of the style or the script these hashes go to listing-page.ts
    for (const text of [style, script]) {
      expect(policy).toContain(`'sha256-${createHash("sha256").update(text).digest("base64")}'`);
    }
    expect(policy).toBe(LISTING_POLICY);
    expect(policy).toMatch(/^default-src 'none';/);
    expect(page).not.toMatch(/ (?:style|on\w+)=/);
    expect(response!.headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("a hostile name", () => {
  it("never becomes markup", async () => {
    const page = await listPage({ names: ["hostile"] });
    const table = page.slice(page.indexOf("<tbody"), page.indexOf("</table>"));
    const tags = new Set([...table.matchAll(/<\/?([a-z]+)/g)].map((match) => match[1]));
    expect(tags).toEqual(new Set(["a", "data", "i", "tbody", "td", "time", "tr"]));
    expect(table).not.toMatch(/onmouseover="|<img|<script/);
    expect(table).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u001B\r]/);
    expect(table.match(/<a /g)).toHaveLength(HOSTILE.length + 1);
  });

  it("never becomes markup as a folder's, either", async () => {
    const names = ["hostile folder", "</title><script>alert(1)</script>", '"><b>x'];
    const path = join(folder, "hostile folder", "<", "title><script>alert(1)<", "script>");
    mkdirSync(path, { recursive: true });
    const response = await listFolder(
      [listed(path)],
      { method: "GET", names, search: '?sort="><script>', accept: BROWSER },
      { dotFiles: false, hiddenNames: new Set() },
      NOW_MS,
    );
    const page = await response!.text();
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page.match(/<title>/g)).toHaveLength(1);
    expect(page).not.toContain("<b>x");
  });

  it("is linked so that it can be asked for", async () => {
    const { entries } = await listJson({ names: ["hostile"] });
    const askable = entries.filter((entry) => entry.href !== null);
    expect(askable.map((entry) => entry.name).toSorted()).toEqual(HOSTILE.toSorted());
    for (const { name, href } of askable) {
      const url = new URL(href!, "http://here/hostile/");
      expect(url.host).toBe("here");
      expect(resolveTarget("GET", url.pathname + url.search, true)?.names).toEqual(["hostile", name]);
    }
  });

  it("that nobody can ask for is shown without a link", async () => {
    const { entries } = await listJson({ names: ["hostile"] });
    expect(entries.filter((entry) => entry.href === null).map((entry) => entry.name)).toEqual([
      "back\\slash",
      "\uFFFD\uFFFDbad.txt",
    ]);
  });

  it("is escaped whatever it holds", () => {
    const name = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string());
    fc.assert(
      fc.property(name, (text) => {
        expect(escapeText(text)).not.toMatch(
          /[<>"'\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]|&(?!amp;|lt;|gt;|quot;|#39;)/u,
        );
      }),
    );
  });

  it("leads below its folder and nowhere else", () => {
    const name = fc
      .oneof(fc.string({ unit: "binary", minLength: 1 }), fc.constantFrom("javascript:x", "http:", "?", "#", "%2e%2e"))
      .filter((text) => !/[/\\\0]|^\.\.?$/.test(text));
    fc.assert(
      fc.property(name, fc.boolean(), (text, isFolder) => {
        const href = linkTo({ name: text, isFolder, sizeBytes: 0, mtimeMs: 0, isAskable: true });
        const url = new URL(href!, "http://here/a/");
        expect(url.host).toBe("here");
        expect(resolveTarget("GET", url.pathname, true)?.names).toEqual(["a", text]);
        expect(url.search + url.hash).toBe("");
      }),
    );
  });
});

describe("a size", () => {
  it.each([
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1234, "1.2 kB"],
    [9949, "9.9 kB"],
    [9950, "10 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [34_000_000, "34 MB"],
    [5e9, "5.0 GB"],
    [Number.MAX_SAFE_INTEGER, "9.0 PB"],
  ])("of %i octets is %s", (bytes, expected) => {
    expect(formatSize(bytes)).toBe(expected);
  });
});

describe("an order", () => {
  it("is written as it is read", () => {
    for (const text of ["?sort=name&order=asc", "?sort=size&order=desc", "?sort=time&order=asc"]) {
      expect(formatOrder(parseOrder(text))).toBe(text);
    }
  });

  it("is one for all entries, whichever way they come", () => {
    const entry: fc.Arbitrary<ListingEntry> = fc.record({
      name: fc.string(),
      isFolder: fc.boolean(),
      sizeBytes: fc.integer({ min: -1, max: 3 }),
      mtimeMs: fc.constantFrom(Number.NaN, 0, 1),
      isAskable: fc.constant(true),
    });
    const order = fc.record({ column: fc.constantFrom("name", "size", "time"), isDescending: fc.boolean() } as const);
    fc.assert(
      fc.property(entry, entry, entry, order, (a, b, c, by) => {
        const [ab, ba, bc, ac] = [
          compareEntries(a, b, by),
          compareEntries(b, a, by),
          compareEntries(b, c, by),
          compareEntries(a, c, by),
        ];
        expect(Math.abs(Math.sign(ab) + Math.sign(ba))).toBe(0);
        if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0);
      }),
    );
  });
});

describe("a folder of 50,000 files", () => {
  const COUNT = 50_000;
  let large = "";

  beforeAll(() => {
    large = mkdtempSync(join(tmpdir(), "fairlead-large-"));
    for (let i = 0; i < COUNT; i++) writeFileSync(join(large, `file ${i}.txt`), "");
  }, 120_000);

  afterAll(() => {
    rmSync(large, { recursive: true, force: true });
  });

  it.each(["", "?sort=size", "?sort=time&order=asc"])(
    "is listed whole, in order and in pieces (%s)",
    async (search) => {
      const response = await list({ path: large, search });
      const decoder = new TextDecoder();
      let rows = 0;
      let longest = 0;
      let isOrdered = true;
      let last = -1;
      for await (const piece of response!.body as AsyncIterable<Uint8Array>) {
        const text = decoder.decode(piece, { stream: true });
        longest = Math.max(longest, text.length);
        for (const match of text.matchAll(/href="file%20(\d+)\.txt"/g)) {
          rows++;
          isOrdered &&= Number(match[1]) > last;
          last = Number(match[1]);
        }
      }
      expect(rows).toBe(COUNT);
      expect(isOrdered).toBe(true);
      // No more than a hundred and some rows are ever in memory as text
      expect(longest).toBeLessThan(64_000);
    },
    60_000,
  );

  it("leaves the loop to others all the while", async () => {
    const { reading, turns } = await countTurns(async () => {
      const response = await list({ path: large, search: "?sort=name&order=desc" });
      let octets = 0;
      for await (const piece of response!.body as AsyncIterable<Uint8Array>) octets += piece.length;
      return octets;
    });
    expect(reading).toBeGreaterThan(5_000_000);
    // 390 batches are looked up, and reading and sorting rest in between: were it one piece, there would be a handful of turns
    expect(turns).toBeGreaterThan(600);
  }, 60_000);

  it("costs ten at a time hardly more than one", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    collect();
    const before = process.memoryUsage().heapUsed;
    const waiting = await Promise.all(Array.from({ length: 10 }, () => list({ path: large })));
    const readers = waiting.map((response) => response!.body!.getReader());
    for (const reader of readers) await reader.read();
    collect();
    // One takes 5 to 6 MB
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(15_000_000);
    for (const reader of readers) await reader.cancel();
  }, 60_000);

  it("has no room for as many by size as would take all memory, and says so until others are done", async () => {
    const ask = { path: large, search: "?sort=size" };
    const waiting = await Promise.all(Array.from({ length: 10 }, () => list(ask)));
    await expect(list(ask)).rejects.toMatchObject({ status: 503 });
    expect(await list({ path: large })).not.toBeNull();
    // Never begun, and begun: both give their room back
    await waiting[0]!.body!.cancel();
    const reader = waiting[1]!.body!.getReader();
    await reader.read();
    await reader.cancel();
    expect((await list({ ...ask, method: "HEAD" }))!.status).toBe(200);
    for (const response of [await list(ask), await list(ask), ...waiting.slice(2)]) await response!.body!.cancel();
    expect((await (await list(ask))!.text()).match(/<tr/g)!.length).toBeGreaterThan(COUNT);
  }, 60_000);

  it("costs nothing more once the peer has left", async () => {
    const response = await list({ path: large });
    const reader = response!.body!.getReader();
    await reader.read();
    await reader.cancel();
    expect((await reader.read()).done).toBe(true);
  }, 60_000);
});

/** How often others had their turn while something was done. */
async function countTurns<T>(work: () => Promise<T>): Promise<{ reading: T; turns: number }> {
  let turns = 0;
  let isDone = false;
  const turn = (): void => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const reading = await work();
  isDone = true;
  return { reading, turns };
}
