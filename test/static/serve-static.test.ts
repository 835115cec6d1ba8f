import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { request as sendRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "../../src/server/server.ts";
import type { Server } from "../../src/server/server.ts";
import { serveFile } from "../../src/static/serve-file.ts";
import { serveStatic } from "../../src/static/serve-static.ts";

let base = "";
let www = "";
let server: Server;
const faults: unknown[] = [];

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "fairlead-static-"));
  www = join(base, "www");
  const files: Record<string, string | Uint8Array> = {
    "../secret.txt": "secret",
    "index.html": "<h1>root</h1>",
    "page.html": "page",
    "style.css": "p{}",
    "empty.txt": "",
    "LICENSE": "MIT",
    "big.bin": new Uint8Array(3 * 1024 * 1024).map((_, i) => i % 251),
    "sub/index.html": "sub",
    "sub/deep/page.html": "deep",
    "bare/page.html": "bare",
    "index-folder/index.html/x": "x",
    "a b.txt": "space",
    "100%.txt": "percent",
    "%41.txt": "percent encoded, literally",
    "why?.txt": "question",
    "c#.txt": "number",
    "a;b=c.txt": "semicolon",
    "a&b+c.txt": "plus",
    "café.txt": "café",
    "📖.txt": "book",
    ".env": "SECRET=1",
    ".git/config": "secret",
    "sub/.htpasswd": "secret",
    ".well-known/security.txt": "contact",
    ".well-known/.hidden": "secret",
    "constructor/__proto__.txt": "name",
    "x.constructor": "type",
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(www, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, content);
  }
  utimesSync(join(www, "page.html"), new Date(0), new Date("2024-02-29T12:34:56.789Z"));
  mkdirSync(join(www, "evil.example"));
  mkdirSync(join(base, "outside"));
  writeFileSync(join(base, "outside/secret.txt"), "secret");
  symlinkSync("../secret.txt", join(www, "link-out.txt"));
  symlinkSync("../outside", join(www, "folder-out"));
  symlinkSync("page.html", join(www, "link-in.html"));
  symlinkSync("/dev/zero", join(www, "zero"));
  spawnSync("mkfifo", [join(www, "fifo.txt")]);
  server = await serve({ port: 0, fetch: serveStatic(www), hooks: { onFault: (fault) => faults.push(fault.error) } });
});

afterAll(async () => {
  await server.close();
  rmSync(base, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends a request with its path as it is: fetch() would remove dot segments. */
function ask(method: string, path: string, headers: Record<string, string> = {}, to: Server = server): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = sendRequest(
      { host: "127.0.0.1", port: to.port, method, path, headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }),
        );
      },
    );
    request.on("error", reject);
    request.end();
  });
}

describe("a file", () => {
  it.each([
    ["/", "<h1>root</h1>", "text/html; charset=utf-8"],
    ["/index.html", "<h1>root</h1>", "text/html; charset=utf-8"],
    ["/?a=b", "<h1>root</h1>", "text/html; charset=utf-8"],
    ["/page.html?a=/../b", "page", "text/html; charset=utf-8"],
    ["/style.css", "p{}", "text/css; charset=utf-8"],
    ["/empty.txt", "", "text/plain; charset=utf-8"],
    ["/LICENSE", "MIT", "application/octet-stream"],
    ["/sub/", "sub", "text/html; charset=utf-8"],
    ["//sub//deep///page.html", "deep", "text/html; charset=utf-8"],
    ["/./sub/%2e/deep/%2E/page.html", "deep", "text/html; charset=utf-8"],
    ["/sub/%2e", "sub", "text/html; charset=utf-8"],
    ["/link-in.html", "page", "text/html; charset=utf-8"],
    ["/a%20b.txt", "space", "text/plain; charset=utf-8"],
    ["/100%25.txt", "percent", "text/plain; charset=utf-8"],
    ["/%2541.txt", "percent encoded, literally", "text/plain; charset=utf-8"],
    ["/why%3F.txt", "question", "text/plain; charset=utf-8"],
    ["/c%23.txt", "number", "text/plain; charset=utf-8"],
    ["/a;b=c.txt", "semicolon", "text/plain; charset=utf-8"],
    ["/a&b+c.txt", "plus", "text/plain; charset=utf-8"],
    ["/caf%C3%A9.txt", "café", "text/plain; charset=utf-8"],
    ["/%F0%9F%93%96.txt", "book", "text/plain; charset=utf-8"],
    ["/.well-known/security.txt", "contact", "text/plain; charset=utf-8"],
    ["/constructor/__proto__.txt", "name", "text/plain; charset=utf-8"],
    ["/x.constructor", "type", "application/octet-stream"],
  ])("answers GET %s", async (path, text, type) => {
    const { status, headers, body } = await ask("GET", path);
    expect([status, body.toString(), headers["content-type"]]).toEqual([200, text, type]);
    expect(headers["content-length"]).toBe(String(body.length));
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["transfer-encoding"]).toBeUndefined();
  });

  it("is answered to HEAD with the same fields and no content (RFC 9110 §9.3.2)", async () => {
    const get = await ask("GET", "/page.html");
    const head = await ask("HEAD", "/page.html");
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    const { date: _getDate, ...getHeaders } = get.headers;
    const { date: _headDate, ...headHeaders } = head.headers;
    expect(headHeaders).toEqual(getHeaders);
    expect(headHeaders["content-length"]).toBe("4");
  });

  it("says when it was modified, to the second (RFC 9110 §8.8.2)", async () => {
    expect((await ask("GET", "/page.html")).headers["last-modified"]).toBe("Thu, 29 Feb 2024 12:34:56 GMT");
  });

  it("arrives whole where it is larger than one read", async () => {
    const { status, body } = await ask("GET", "/big.bin");
    expect(status).toBe(200);
    expect(body.length).toBe(3 * 1024 * 1024);
    expect(body.every((octet, i) => octet === i % 251)).toBe(true);
  });

  describe.skipIf(process.platform !== "linux")("gives its descriptor back", () => {
    /** Descriptors of this process that lead below the folder. */
    function openFiles(): string[] {
      return readdirSync("/proc/self/fd").flatMap((fd) => {
        try {
          const path = readlinkSync(`/proc/self/fd/${fd}`);
          return path.startsWith(base) ? [path] : [];
        } catch {
          return [];
        }
      });
    }

    it.each(["GET", "HEAD"])("after %s", async (method) => {
      await Promise.all(["/page.html", "/empty.txt", "/big.bin", "/link-out.txt"].map((path) => ask(method, path)));
      await expect.poll(openFiles).toEqual([]);
    });

    it("when the client leaves in the middle, and when it leaves before the first octet", async () => {
      for (const isPatient of [true, false]) {
        const socket = connect(server.port, "127.0.0.1");
        socket.write("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3));
        await once(socket, isPatient ? "data" : "connect");
        socket.resetAndDestroy();
        await once(socket, "close");
      }
      await expect.poll(openFiles).toEqual([]);
      await expect.poll(() => server.connections).toBe(0);
    });
  });
});

describe("a folder", () => {
  it.each([
    ["/sub", "/sub/"],
    ["/sub?a=b&c", "/sub/?a=b&c"],
    ["/sub/deep", "/sub/deep/"],
    ["//sub", "/sub/"],
    ["//evil.example", "/evil.example/"],
    ["///evil.example", "/evil.example/"],
    ["//evil.example?//x", "/evil.example/?//x"],
    ["/.well-known", "/.well-known/"],
  ])("is redirected from %s to %s", async (path, location) => {
    const { status, headers } = await ask("GET", path);
    expect([status, headers.location]).toEqual([301, location]);
  });

  it.each(["/bare/", "/index-folder/", "/page.html/", "/nothing/"])("is 404 without an index: %s", async (path) => {
    expect((await ask("GET", path)).status).toBe(404);
  });
});

describe("what is not there, or not for everybody", () => {
  it.each([
    "/missing",
    "/page.html/x",
    "/../secret.txt",
    "/sub/../../secret.txt",
    "/./../secret.txt",
    "/%2e/%2e%2e/secret.txt",
    "/%2e/%2eenv",
    "/%2e%2fpage.html",
    "/%2e%2e/secret.txt",
    "/%2E%2E%2Fsecret.txt",
    "/..%2fsecret.txt",
    "/..%5csecret.txt",
    "/%252e%252e/secret.txt",
    "/..%c0%afsecret.txt",
    "/%c0%ae%c0%ae/secret.txt",
    "/%uff0e%uff0e/secret.txt",
    "/%00",
    "/page.html%00.png",
    "/page.html%0a",
    "/%",
    "/%zz",
    "/caf%E9.txt",
    "/.env",
    "/%2eenv",
    "/.git/config",
    "/.git",
    "/sub/.htpasswd",
    "/.well-known/.hidden",
    "/link-out.txt",
    "/folder-out",
    "/folder-out/",
    "/folder-out/secret.txt",
    "/zero",
    "/fifo.txt",
    `/${"x".repeat(300)}`,
    `/${"x/".repeat(3000)}`,
    "/proc/self/environ",
    "/C:/Windows/win.ini",
  ])("is 404: %s", async (path) => {
    const { status, body, headers } = await ask("GET", path);
    expect([status, body.toString()]).toEqual([404, expect.not.stringContaining("secret")]);
    expect(body.toString()).not.toContain(base);
    expect(headers["content-type"]).toBe("text/plain;charset=utf-8");
    expect((await ask("HEAD", path)).status).toBe(404);
  });

  it("is told to a program as a problem (RFC 9457)", async () => {
    const { headers, body } = await ask("GET", "/missing", { accept: "application/json" });
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(body.toString())).toMatchObject({ status: 404, title: "Not Found" });
  });
});

describe("methods", () => {
  it.each(["POST", "PUT", "DELETE", "PATCH"])(
    "answers %s with 405 and what is allowed (RFC 9110 §15.5.6)",
    async (method) => {
      for (const path of ["/page.html", "/missing"]) {
        const { status, headers } = await ask(method, path);
        expect([status, headers.allow]).toEqual([405, "GET, HEAD, OPTIONS"]);
      }
    },
  );

  it.each(["/page.html", "/", "/missing"])(
    "answers OPTIONS %s with what is allowed (RFC 9110 §9.3.7)",
    async (path) => {
      const { status, headers, body } = await ask("OPTIONS", path);
      expect([status, headers.allow, body.length]).toEqual([204, "GET, HEAD, OPTIONS", 0]);
    },
  );
});

describe("options", () => {
  it("shows dot files where that is asked for, and still nothing outside", async () => {
    await using shown = await serve({ port: 0, fetch: serveStatic(www, { dotFiles: true }) });
    expect((await ask("GET", "/.env", {}, shown)).status).toBe(200);
    expect((await ask("GET", "/../secret.txt", {}, shown)).status).toBe(404);
  });

  it("takes another index, or none, and types", async () => {
    const options = { index: "page.html", mediaTypes: { html: "application/xhtml+xml" } };
    await using other = await serve({ port: 0, fetch: serveStatic(pathToFileURL(www), options) });
    const { body, headers } = await ask("GET", "/bare/", {}, other);
    expect([body.toString(), headers["content-type"]]).toEqual(["bare", "application/xhtml+xml"]);
    await using none = await serve({ port: 0, fetch: serveStatic(www, { index: "" }) });
    expect((await ask("GET", "/", {}, none)).status).toBe(404);
  });

  it("works as an object with a fetch", async () => {
    await using spread = await serve({ port: 0, ...serveStatic(www) });
    expect((await ask("GET", "/page.html", {}, spread)).status).toBe(200);
  });

  it("works without a server around it", async () => {
    const response = await serveStatic(www)(new Request("http://localhost/page.html"));
    expect([response.status, await response.text()]).toEqual([200, "page"]);
  });

  it("reports every mistake at once", () => {
    const mistakes = { index: "a/b", mediaTypes: { ".HTML": "text/html", "x": "a\r\nb" } };
    expect(() => serveStatic(join(base, "nowhere"), mistakes)).toThrow(
      /index must be .*; mediaTypes must have .*; mediaTypes\.x is .*; the folder \S+nowhere does not exist/,
    );
    expect(() => serveStatic(join(www, "page.html"))).toThrow("is not a folder");
    expect(() => serveStatic("\0")).toThrow(expect.objectContaining({ code: "ERR_OPTIONS" }));
  });
});

describe("one file", () => {
  it("answers at / and under its name, and nothing else does", async () => {
    await using one = await serve({ port: 0, fetch: serveFile(join(www, ".env")) });
    for (const path of ["/", "/.env", "/.env?x"])
      expect((await ask("GET", path, {}, one)).body.toString()).toBe("SECRET=1");
    for (const path of ["/page.html", "/.env/", "/sub/", "/sub", "/.git/config", "/../www/.env"]) {
      expect((await ask("GET", path, {}, one)).status).toBe(404);
    }
    expect((await ask("HEAD", "/.env", {}, one)).headers["content-length"]).toBe("8");
    expect((await ask("POST", "/", {}, one)).status).toBe(405);
  });

  it("gives the fields of the option to whatever it answers", async () => {
    const headers = { "access-control-allow-origin": "*", "x-frame-options": "DENY", "cache-control": "max-age=9" };
    const fetch = serveFile(join(www, ".env"), { headers });
    await using one = await serve({ port: 0, fetch });
    const lifetimes: unknown[] = [];
    for (const [method, path] of [
      ["GET", "/"],
      ["POST", "/"],
      ["GET", "/page.html"],
      ["HEAD", "/other"],
    ] as const) {
      const { headers: fields } = await ask(method, path, {}, one);
      expect(fields).toMatchObject({ "access-control-allow-origin": "*", "x-frame-options": "DENY" });
      lifetimes.push(fields["cache-control"]);
    }
    expect(lifetimes).toEqual(["max-age=9", "no-cache", "no-cache", "no-cache"]);
    const explained = await fetch.explain(new Request("http://a/page.html"));
    expect(explained.fields).toContainEqual({ name: "x-frame-options", value: "DENY", origin: "option headers" });
  });
});

it("never failed at any of that", () => {
  expect(faults).toEqual([]);
});
