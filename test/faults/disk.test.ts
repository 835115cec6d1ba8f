/**
 * Disks that fail: what the file system says becomes the answer that it means, the same for every file; nothing is served in part as
 * if it were whole, nothing half written stays. Errors that no test can bring about are put in the place of the real call.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readMultipart, saveTo } from "../../src/bodies/index.ts";
import type { Handler } from "../../src/web/handler.ts";
import { Response } from "../../src/web/response.ts";
import { LogSink } from "../../src/observe/log-sink.ts";
import type * as fs from "../../src/static/descriptor.ts";
import { StaticSite } from "../static/support/static-site.ts";
import { get, say } from "../hazards/support/asked.ts";
import { startVictim } from "../hazards/support/victim.ts";

/** Code of the error that the named call fails with. */
let failing: Readonly<Record<string, string>> = {};
/** So many times. */
let failures = Infinity;

vi.mock("../../src/static/descriptor.ts", async (original) => {
  const real = await original<typeof fs>();
  const hooked = (name: "open" | "stat"): unknown => {
    const call = real[name] as (...words: unknown[]) => unknown;
    return async (...words: unknown[]) => {
      const code = failing[name];
      if (code !== undefined && failures-- > 0)
        throw Object.assign(new Error(`${code}: made up, ${name} '/secret/path'`), { code });
      return call(...words);
    };
  };
  return { ...real, open: hooked("open"), stat: hooked("stat") };
});

afterEach(() => {
  failing = {};
  failures = Infinity;
});

describe("the last descriptor", () => {
  it.each([
    ["is given up by a file that is kept open for nobody", "/large.bin", 200],
    ["is missed where no file is kept open", "/small.txt", 503],
  ])("%s, so that a request has it or 503", async (_what, before, status) => {
    await using site = new StaticSite({ "large.bin": "x".repeat(3_000_000), "small.txt": "s", "b.txt": "b" });
    const served = await site.serve();
    expect((await get(served.port, before)).status).toBe(200);
    failing = { open: "EMFILE" };
    failures = 1;
    expect((await get(served.port, "/b.txt")).status).toBe(status);
    failing = {};
    expect((await get(served.port, "/large.bin")).text).toHaveLength(3_000_000);
  });
});

describe("a file that may not be read", () => {
  it("is not there for clients, and explain() says why", async () => {
    await using site = new StaticSite({ "page.html": "p" });
    const { handler } = await site.serve();
    failing = { open: "EACCES" };
    const { status, steps } = await handler.explain(new Request("http://localhost/page.html"));
    expect([status, steps.find(({ outcome }) => outcome === "refused")?.why]).toEqual([
      404,
      `${site.www}/page.html cannot be opened (EACCES)`,
    ]);
  });
});

describe.each(["stat", "open"])("%s that fails", (call) => {
  it.each([
    ["EIO", 500],
    ["EUCLEAN", 500],
    ["EMFILE", 503],
    ["ENFILE", 503],
    ["ENOMEM", 503],
    ["EAGAIN", 503],
    ["EACCES", 404],
    ["EPERM", 404],
    ["ENOENT", 404],
    ["ENOTDIR", 404],
    ["EISDIR", 404],
    ["ELOOP", 404],
    ["ENAMETOOLONG", 404],
    ["ENXIO", 404],
  ])("with %s is answered %i, without the path, and the next request is served", async (code, status) => {
    await using site = new StaticSite({ "a.txt": "a", "b.txt": "b" });
    const served = await site.serve();
    failing = { [call]: code };
    const answer = await get(served.port, "/a.txt");
    failing = {};
    expect([answer.status, answer.faults, answer.fields["retry-after"] !== undefined]).toEqual([
      status,
      [],
      status === 503,
    ]);
    expect(answer.text).not.toContain("secret");
    expect(site.faults).toHaveLength(status >= 500 ? 1 : 0);
    expect((await get(served.port, "/b.txt")).text).toBe("b");
    expect((await get(served.port, "/a.txt")).status).toBe(200);
  });
});

describe("a disk that is full", () => {
  /** A disk of 64 KiB, where this process may mount one. */
  function mountSmall(): string | null {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-full-"));
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", folder], { stdio: "ignore" });
      return folder;
    } catch {
      rmSync(folder, { recursive: true });
      return null;
    }
  }
  const small = mountSmall();
  if (small !== null) {
    execFileSync("umount", [small]);
    rmSync(small, { recursive: true });
  }

  const UPLOADS: ReadonlyArray<readonly [string, (folder: string) => Handler, (content: Buffer) => [string, Buffer]]> =
    [
      [
        "saveTo",
        (folder) => async (request) => {
          await saveTo(request, join(folder, "upload.bin"));
          return new Response("saved", { status: 201 });
        },
        (content) => ["application/octet-stream", content],
      ],
      [
        "a part of a form",
        (folder) => async (request) => {
          for await (const part of readMultipart(request)) await part.saveTo(folder);
          return new Response("saved", { status: 201 });
        },
        (content) => [
          "multipart/form-data; boundary=x",
          Buffer.concat([
            Buffer.from('--x\r\nContent-Disposition: form-data; name="f"; filename="u.bin"\r\n\r\n'),
            content,
            Buffer.from("\r\n--x--\r\n"),
          ]),
        ],
      ],
    ];

  it.skipIf(small === null).each(UPLOADS)(
    "(needs to mount) leaves nothing of an upload by %s, and says so",
    async (_, make, wrap) => {
      const folder = mountSmall() as string;
      const faults: unknown[] = [];
      const victim = await startVictim({
        fetch: make(folder),
        hooks: { onFault: ({ error }) => void faults.push(error) },
      });
      try {
        const [type, content] = wrap(Buffer.alloc(200 * 1024, "a"));
        const head = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${content.length}\r\n\r\n`;
        const { responses } = await say(victim.server.port, Buffer.concat([Buffer.from(head), content]), ["POST"]);
        expect(responses.map(({ status }) => status)).toEqual([500]);
        expect(faults).toMatchObject([{ code: "ENOSPC" }]);
        expect(readdirSync(folder)).toEqual([]);
        const [, little] = wrap(Buffer.from("small"));
        const again = `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${little.length}\r\n\r\n`;
        expect((await say(victim.server.port, again + little.toString("latin1"), ["POST"])).responses[0]?.status).toBe(
          201,
        );
      } finally {
        await victim[Symbol.asyncDispose]();
        execFileSync("umount", [folder]);
        rmSync(folder, { recursive: true });
      }
    },
  );

  it("costs lines of the log, which is said, and nothing else", async () => {
    const troubles: string[] = [];
    const sink = new LogSink({
      destination: "/dev/full",
      mode: 0o600,
      maxBufferedBytes: 1e6,
      flushMs: 50,
      time: timeless,
      onTrouble: (text) => void troubles.push(text),
    });
    for (let line = 0; line < 1000; line++) sink.write(`${"x".repeat(99)}\n`);
    await sink.close();
    expect(troubles.join()).toMatch(/ENOSPC/);
    expect(sink.waitingBytes).toBeLessThanOrEqual(1e6);
  });
});

const timeless = { nowMs: () => Date.now(), elapsedMs: () => performance.now(), after: () => () => {} };
