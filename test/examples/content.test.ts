/** The examples that take content in and give content out, each asked over a real socket. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../architecture/source.ts";
import { isBrowserMissing, WatchedBrowser } from "../support/browser.ts";
import { readAll, RunningExample } from "./running-example.ts";

let example: RunningExample;

/** Starts an example for a block of tests, which must leave it running. */
function running(name: string): void {
  beforeAll(async () => {
    example = await RunningExample.start(name);
  });
  afterAll(async () => {
    await example.end();
    expect(example.errors).toBe("");
  });
}

describe("files.ts", () => {
  running("files.ts");

  it.each([
    ["/", "text/html; charset=utf-8", "htdocs/index.html"],
    ["/index.html", "text/html; charset=utf-8", "htdocs/index.html"],
    ["/journey.html", "text/html; charset=utf-8", "htdocs/journey.html"],
    ["/style.css", "text/css; charset=utf-8", "htdocs/style.css"],
    ["/images/flags.png", "image/png", "htdocs/images/flags.png"],
    ["/images/quay.svg", "image/svg+xml", "htdocs/images/quay.svg"],
  ])("gives %s with its type", async (path, type, file) => {
    const response = await example.fetch(path);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(readFileSync(join(ROOT, file)));
  });

  it.each([
    ["GET", "/none.html", 404],
    ["GET", "/../package.json", 404],
    ["GET", "/%2e%2e/package.json", 404],
    ["GET", "/images/..%2f..%2fpackage.json", 404],
    ["GET", "/..%5cpackage.json", 404],
    ["GET", "//etc/passwd", 404],
    ["GET", "/index.html%00.png", 404],
    ["GET", "/%zz", 404],
    ["POST", "/", 405],
    ["DELETE", "/index.html", 405],
  ])("answers %s %s with %i, and stays up", async (method, path, status) => {
    const head = `${method} ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`;
    const answer = await example.talk(head);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain("devDependencies");
    if (status === 405) expect(answer).toMatch(/\r\nallow: GET, HEAD, OPTIONS\r\n/i);
    expect((await example.fetch("/")).status).toBe(200);
  });
});

describe("book.ts", () => {
  running("book.ts");

  it("takes a book in many reads and gives it back with an id", async () => {
    const book = { title: "Æsir", text: "x".repeat(400_000) };
    const response = await example.fetch("/book", { method: "POST", body: JSON.stringify(book) });
    expect([response.status, await response.json()]).toEqual([201, { ...book, id: 1 }]);
    expect(await (await example.fetch("/book")).json()).toMatchObject({ year: 1840 });
  });

  it.each([
    ["POST", "/book", '{"title":', 400],
    ["POST", "/book", "3", 422],
    ["GET", "/books", null, 404],
    ["DELETE", "/book", null, 405],
  ])("answers %s %s %j with %i", async (method, path, body, status) => {
    const response = await example.fetch(path, { method, body });
    expect([response.status, response.headers.get("allow")]).toEqual([
      status,
      status === 405 ? "GET, HEAD, POST, OPTIONS" : null,
    ]);
  });
});

/** Terms and definitions of the page. */
function shownIn(page: string): string[] {
  return [...page.matchAll(/<d[td]>([^<]*)<\/d[td]>/g)].map(([, text = ""]) => text);
}

describe("form.ts", () => {
  running("form.ts");
  const shown = ["title", "The Sea &amp; I", "flag", "H", "flag", "&lt;T&gt;"];
  const pairs: [string, string][] = [
    ["title", "The Sea & I"],
    ["flag", "H"],
    ["flag", "<T>"],
  ];

  it("takes a form as application/x-www-form-urlencoded", async () => {
    const response = await example.fetch("/", { method: "POST", body: new URLSearchParams(pairs) });
    expect([response.status, shownIn(await response.text())]).toEqual([200, shown]);
  });

  it("takes the same form as multipart/form-data", async () => {
    const body = new FormData();
    for (const [name, value] of pairs) body.append(name, value);
    const response = await example.fetch("/", { method: "POST", body });
    expect([response.status, shownIn(await response.text())]).toEqual([200, shown]);
  });

  it.each([
    ["application/json", "{}", 415],
    ["", "a=b", 415],
    ["multipart/form-data", "a=b", 400],
    ["multipart/form-data; boundary=x", "a=b", 400],
    ["application/x-www-form-urlencoded; charset=utf-16", "a=b", 415],
    ["application/x-www-form-urlencoded", "a&".repeat(2000), 400],
    ["application/x-www-form-urlencoded", "a".repeat(2_000_000), 413],
  ])("answers content of type %j with %j: %i", async (type, body, status) => {
    const response = await example.fetch("/", {
      method: "POST",
      headers: { "content-type": type },
      body: new Blob([body]),
    });
    expect(response.status).toBe(status);
  });

  it.skipIf(isBrowserMissing())("works in a browser, sent either way", async () => {
    const browser = await WatchedBrowser.launch();
    const texts = ["title", "The Sea & I", "flag", "H", "flag", "T"];
    try {
      for (const form of [1, 2]) {
        const [page, context] = await browser.open();
        await page.goto(example.url.href);
        await page.click(`form:nth-of-type(${form}) button`);
        await page.waitForSelector("dl");
        expect(await page.locator("dl > *").allTextContents()).toEqual(texts);
        await context.close();
      }
    } finally {
      await browser.close();
    }
  });
});

describe("pictures.ts", () => {
  running("pictures.ts");
  const picture = readFileSync(join(ROOT, "htdocs/images/flags.png"));

  it("gives a picture, and the parts of it that are asked for", async () => {
    const whole = await example.fetch("/flags.png");
    expect([whole.status, whole.headers.get("content-type"), whole.headers.get("accept-ranges")]).toEqual([
      200,
      "image/png",
      "bytes",
    ]);
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(picture);
    const part = await example.fetch("/flags.png", { headers: { range: "bytes=100-199" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 100-199/${picture.length}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(picture.subarray(100, 200));
    expect((await example.fetch("/flags.png", { headers: { range: `bytes=${picture.length}-` } })).status).toBe(416);
  });

  it("does not send it twice to who has it", async () => {
    const etag = (await example.fetch("/flags.png")).headers.get("etag") ?? "";
    expect((await example.fetch("/flags.png", { headers: { "if-none-match": etag } })).status).toBe(304);
  });

  it.each([
    ["plain.txt", 'attachment; filename="plain.txt"'],
    ["März.txt", "attachment; filename=\"M_rz.txt\"; filename*=UTF-8''M%C3%A4rz.txt"],
    ["../../etc/passwd", 'attachment; filename="passwd"'],
    ["a\r\nSet-Cookie: x=1", 'attachment; filename="aSet-Cookie_ x=1"'],
    ['"; filename="evil.exe', 'attachment; filename="_; filename=_evil.exe"'],
    ["photo\u202Egpj.exe", 'attachment; filename="photogpj.exe"'],
    ["", 'attachment; filename="unnamed"'],
  ])("lets %j be saved under a name that does no harm", async (name, disposition) => {
    const response = await example.fetch(`/note?name=${encodeURIComponent(name)}`);
    const { headers } = response;
    expect([response.status, headers.get("content-disposition"), headers.get("set-cookie")]).toEqual([
      200,
      disposition,
      null,
    ]);
    expect(await response.text()).toBe("Wind south-west, sea calm.\n");
  });
});

describe("clock.ts", () => {
  running("clock.ts");

  /** Reads events until there is one, and leaves. */
  async function firstEvent(headers: Record<string, string> = {}): Promise<string> {
    const controller = new AbortController();
    const response = await example.fetch("/clock", { headers, signal: controller.signal });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    let text = "";
    for await (const part of response.body!) {
      text += Buffer.from(part).toString();
      if (text.includes("\n\n")) break;
    }
    controller.abort();
    return text;
  }

  it("sends events, and goes on where a client was cut off", async () => {
    expect(await firstEvent()).toMatch(/^event: tick\nid: 1\ndata: \{"time":"[^"]+Z"\}\n\n$/);
    expect(await firstEvent({ "last-event-id": "41" })).toMatch(/\nid: 42\n/);
  });

  it.skipIf(isBrowserMissing())("ticks in a browser", async () => {
    const browser = await WatchedBrowser.launch();
    try {
      const [page, context] = await browser.open();
      await page.goto(example.url.href);
      await expect.poll(() => page.textContent("time"), { timeout: 10_000 }).toMatch(/^\d{4}-.*Z$/);
      await expect.poll(async () => Number(await page.textContent("output")), { timeout: 10_000 }).toBeGreaterThan(1);
      await context.close();
    } finally {
      await browser.close();
    }
  });
});

describe("upload.js", () => {
  const folder = mkdtemp(join(tmpdir(), "fairlead-uploads-"));
  beforeAll(async () => {
    example = await RunningExample.start("upload.js", { env: { UPLOADS: await folder } });
  });
  afterAll(async () => {
    await example.end();
    await rm(await folder, { recursive: true, force: true });
  });

  it("writes files to disk as they come, and says how far it is", async () => {
    const large = Buffer.alloc(20_000_000, "fairlead");
    const form = new FormData();
    form.append("file", new Blob([large]), "large.bin");
    form.append("note", "no file");
    form.append("file", new Blob(["small"]), "../../.hidden");
    const response = await example.fetch("/", { method: "POST", body: form });
    expect([response.status, await response.json()]).toEqual([
      201,
      [
        { name: "large.bin", size: large.length },
        { name: "hidden", size: 5 },
      ],
    ]);
    expect((await readFile(join(await folder, "large.bin"))).equals(large)).toBe(true);
    expect((await readdir(await folder)).toSorted()).toEqual(["hidden", "large.bin"]);
  });

  it("leaves nothing of an upload that breaks off", async () => {
    const socket = await example.connect();
    socket.write(
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 99999\r\n\r\n",
    );
    socket.write(`--b\r\nContent-Disposition: form-data; name="file"; filename="half.bin"\r\n\r\n${"x".repeat(9000)}`);
    socket.end();
    await readAll(socket).catch(() => "");
    await expect
      .poll(async () => (await readdir(await folder)).filter((name) => !/^(?:hidden|large)/.test(name)))
      .toEqual([]);
  });

  it("says how far an upload of known length is", async () => {
    const socket = await example.connect();
    const part = `--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n${"x".repeat(3800)}\r\n--b--\r\n`;
    socket.write(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${part.length}\r\n\r\n`,
    );
    socket.write(part.slice(0, part.length / 2));
    await example.until(/2 of 4 quarters have come/);
    socket.end(part.slice(part.length / 2));
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 201 /);
    await example.until(/4 of 4 quarters have come/);
    expect(example.errors).toBe("");
  });

  it.skipIf(isBrowserMissing())("shows the progress in a browser", async () => {
    const browser = await WatchedBrowser.launch();
    try {
      const [page, context] = await browser.open();
      await page.goto(example.url.href);
      await page.setInputFiles("input", {
        name: "chart.bin",
        mimeType: "application/octet-stream",
        buffer: Buffer.alloc(3_000_000),
      });
      await page.click("button");
      await expect.poll(() => page.textContent("output")).toBe('[{"name":"chart.bin","size":3000000}]');
      expect(await page.$eval("progress", (bar) => (bar as unknown as { value: number }).value)).toBe(1);
      await context.close();
    } finally {
      await browser.close();
    }
  });
});

describe("the uploads of nobody", () => {
  it("have a folder of their own", async () => {
    const own = await RunningExample.start("upload.js");
    const [, folder = ""] = await own.until(/files go to (\S+)/);
    await own.end();
    expect(await readdir(folder)).toEqual([]);
    await rm(folder, { recursive: true });
  });
});
