/** sendfile(2), by whatever calls C here; and what is made of its answers, by a C library that is made up. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { serve } from "../../src/app/serve.ts";
import { type CLibrary, type Caller, loadLibrary } from "../../src/sendfile/c-library.ts";
import { linuxSendfile } from "../../src/sendfile/linux-sendfile.ts";
import { type Sendfile, SENDFILE_ABSENT, SENDFILE_FULL, SENDFILE_NEVER } from "../../src/server/sendfile-pump.ts";
import { serveStatic } from "../../src/static/serve-static.ts";
import { authority } from "../server/support/tls-server.ts";

const MIB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), "fairlead-sendfile-"));
const sizes = {
  "small.bin": 256 * 1024 - 1,
  "least.bin": 256 * 1024,
  "middle.bin": 3 * MIB + 7,
  "large.bin": 24 * MIB + 1,
};

for (const [name, size] of Object.entries(sizes)) {
  const content = Buffer.alloc(size);
  for (let i = 0; i < size; i++) content[i] = (i * 7 + (i >> 8) * 13 + (i >> 16) * 31) & 0xff;
  writeFileSync(join(folder, name), content);
}

afterAll(() => rmSync(folder, { recursive: true }));

const hashOf = (octets: Uint8Array): string => createHash("sha256").update(octets).digest("hex");

/** What can call C on this machine, in this Node. */
function callers(): Caller[] {
  if (process.platform !== "linux") return [];
  return (["koffi", "node:ffi"] as const).filter((caller) => {
    try {
      loadLibrary(caller);
      return true;
    } catch {
      return false;
    }
  });
}

/** Counts what is sent, and what was in the way. */
function counted(sendfile: Sendfile): { readonly sendfile: Sendfile; readonly results: number[] } {
  const results: number[] = [];
  return {
    results,
    sendfile: (...args) => {
      const result = sendfile(...args);
      results.push(result);
      return result;
    },
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + Math.max(one, 0), 0);

it("is called by something here, or this page says nothing", () => {
  // On Linux a package of the development calls it
  const isMeant = process.platform === "linux" && ["x64", "arm64"].includes(process.arch);
  expect(callers().includes("koffi")).toBe(isMeant);
});

describe.each(callers())("sent by %s", (caller) => {
  const sendfile = linuxSendfile({ load: () => loadLibrary(caller) });

  it("files arrive as they are, whole and in part, large ones without being read", async () => {
    const { sendfile: watched, results } = counted(sendfile);
    await using server = await serve({ port: 0, fetch: serveStatic(folder), sendfile: watched });
    for (const [name, size] of Object.entries(sizes)) {
      const content = readFileSync(join(folder, name));
      results.length = 0;
      const whole = new Uint8Array(await (await fetch(new URL(name, server.url))).arrayBuffer());
      expect([name, hashOf(whole)]).toEqual([name, hashOf(content)]);
      // Up to 1 MiB they are kept in memory; of others some was read to learn that there is room again, or comes last
      const least = size <= MIB ? 0 : size / 2;
      expect([name, sum(results) >= least, sum(results) < size]).toEqual([name, true, true]);
    }
    const content = readFileSync(join(folder, "large.bin"));
    results.length = 0;
    const part = await fetch(new URL("large.bin", server.url), { headers: { range: "bytes=12345-9000000" } });
    expect(part.status).toBe(206);
    expect(hashOf(new Uint8Array(await part.arrayBuffer()))).toBe(hashOf(content.subarray(12_345, 9_000_001)));
    expect(sum(results)).toBeGreaterThan(4_000_000);
  });

  it("answers stand in their order, with small ones before and behind, for a reader that takes its time", async () => {
    await using server = await serve({ port: 0, fetch: serveStatic(folder), sendfile });
    const names = ["large.bin", "small.bin", "middle.bin", "least.bin", "large.bin"];
    const client = connect(server.port, "127.0.0.1");
    client.write(names.map((name) => `GET /${name} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
    client.end();
    const chunks: Buffer[] = [];
    let turns = 0;
    for await (const chunk of client) {
      chunks.push(chunk as Buffer);
      if (turns++ % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    let rest = Buffer.concat(chunks);
    for (const name of names) {
      const content = readFileSync(join(folder, name));
      const start = rest.indexOf("\r\n\r\n") + 4;
      expect(rest.subarray(0, start).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect([name, rest.subarray(start, start + content.length).equals(content)]).toEqual([name, true]);
      rest = rest.subarray(start + content.length);
    }
    expect(rest.length).toBe(0);
  });

  it("memory that C was told of stays where it is while others is collected", async () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const library = loadLibrary(caller);
    const first = linuxSendfile({ load: () => library });
    const { fd, close } = opened("least.bin");
    const others: Uint8Array[] = [];
    for (let turn = 0; turn < 50; turn++) {
      for (let i = 0; i < 200; i++) others[i] = new Uint8Array(new ArrayBuffer(1 + (i % 40)));
      collect();
      // To something that is no socket: the question for memory is asked all the same
      expect(first(-1, fd, 0, 200_000)).toBe(SENDFILE_NEVER);
      expect(others.every((one) => one.every((octet) => octet === 0))).toBe(true);
    }
    close();
  });

  it("what is not in memory is told to be absent, and read", async (context) => {
    const { fd, close } = opened("large.bin");
    const isGone = spawnSync("sh", [
      "-c",
      'sync "$0"; dd if="$0" iflag=nocache count=0 2>&1',
      join(folder, "large.bin"),
    ]);
    const first = sendfile(-1, fd, 20 * MIB, 256 * 1024);
    close();
    const isForgotten = isGone.status === 0 && first !== SENDFILE_NEVER;
    context.skip(!isForgotten, "the file system of the temporary folder forgets nothing");
    expect(first).toBe(SENDFILE_ABSENT);
    const { sendfile: watched, results } = counted(sendfile);
    await using server = await serve({ port: 0, fetch: serveStatic(folder), sendfile: watched });
    const whole = new Uint8Array(await (await fetch(new URL("large.bin", server.url))).arrayBuffer());
    expect(hashOf(whole)).toBe(hashOf(readFileSync(join(folder, "large.bin"))));
    expect(results).toContain(SENDFILE_ABSENT);
  });

  it("a peer that leaves costs nobody else anything", async () => {
    await using server = await serve({ port: 0, fetch: serveStatic(folder), sendfile });
    for (let i = 0; i < 20; i++) {
      const client = connect(server.port, "127.0.0.1");
      client.on("error", () => {});
      client.write("GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n");
      await new Promise((resolve) => client.once("data", resolve));
      client.resetAndDestroy();
    }
    const whole = new Uint8Array(await (await fetch(new URL("middle.bin", server.url))).arrayBuffer());
    expect(hashOf(whole)).toBe(hashOf(readFileSync(join(folder, "middle.bin"))));
  });

  it("a file that becomes shorter breaks the answer off", async () => {
    const path = join(folder, `${caller.replace(/\W/g, "")}-shrinking.bin`);
    writeFileSync(path, Buffer.alloc(40 * MIB));
    await using server = await serve({ port: 0, fetch: serveStatic(folder), sendfile, hooks: { onFault: () => {} } });
    const client = connect(server.port, "127.0.0.1");
    client.write(`GET /${path.slice(folder.length + 1)} HTTP/1.1\r\nHost: a\r\n\r\n`);
    let read = 0;
    client.on("error", () => {});
    client.once("data", () => truncateSync(path, MIB));
    client.on("data", (chunk: Buffer) => (read += chunk.length));
    await new Promise((resolve) => client.once("close", resolve));
    expect(read).toBeLessThan(40 * MIB);
    expect(statSync(path).size).toBe(MIB);
  });

  it("is not asked under TLS, where the octets must be encrypted", async () => {
    const { sendfile: watched, results } = counted(sendfile);
    const { cert, key } = await authority.issue({ names: ["localhost"] });
    await using server = await serve({ port: 0, fetch: serveStatic(folder), sendfile: watched, tls: { cert, key } });
    const client = tlsConnect({ port: server.port, host: "127.0.0.1", rejectUnauthorized: false });
    client.write("GET /middle.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let read = 0;
    for await (const chunk of client) read += (chunk as Buffer).length;
    expect(read).toBeGreaterThan(sizes["middle.bin"]);
    expect(results).toEqual([]);
  });
});

function opened(name: string): { readonly fd: number; close(): void } {
  const fd = openSync(join(folder, name), "r");
  return { fd, close: () => closeSync(fd) };
}

/** A C library whose answers are given; what it was asked is kept. */
function madeUp(answers: { sent: number; errno?: number; absentFrom?: number }): {
  readonly asked: string[];
  readonly load: () => CLibrary;
} {
  const asked: string[] = [];
  return {
    asked,
    load: () => ({
      sendfile: (socket, file, offset, length) => {
        asked.push(`sendfile(${socket}, ${file}, ${Buffer.from(offset).readBigInt64LE()}, ${length})`);
        return answers.sent;
      },
      preadv2: (file, vectors, count, position, flags) => {
        const length = Buffer.from(vectors).readBigUInt64LE(8);
        asked.push(`preadv2(${file}, ${length}, ${count}, ${position}, ${flags})`);
        return position >= (answers.absentFrom ?? Infinity) ? -1 : 1;
      },
      addressOf: () => 0n,
      errno: () => answers.errno ?? 0,
    }),
  };
}

/** As require() says it. */
function notInstalled(name: string): Error {
  return Object.assign(new Error(`Cannot find module '${name}'\nRequire stack: many lines`), {
    code: "MODULE_NOT_FOUND",
  });
}

describe("what is made of the answers of C", () => {
  const linux = { platform: "linux", arch: "x64" };
  const { EAGAIN, EINTR, EINVAL, EPIPE } = constants.errno;

  it("asks whether the octets are in memory, from end to end, before it sends", () => {
    const { asked, load } = madeUp({ sent: 300_000 });
    expect(linuxSendfile({ ...linux, load })(7, 8, 5_000_000_000, 300_000)).toBe(300_000);
    expect(asked).toEqual([
      "preadv2(8, 1, 1, 5000000000, 8)",
      "preadv2(8, 1, 1, 5000262144, 8)",
      "preadv2(8, 1, 1, 5000299999, 8)",
      "sendfile(7, 8, 5000000000, 300000)",
    ]);
  });

  it.each([0, 262_144, 299_999])("sends nothing where what stands from %i on is not in memory", (absentFrom) => {
    const { asked, load } = madeUp({ sent: 300_000, absentFrom });
    expect(linuxSendfile({ ...linux, load })(7, 8, 0, 300_000)).toBe(SENDFILE_ABSENT);
    expect(asked.filter((call) => call.startsWith("sendfile"))).toEqual([]);
  });

  it.each([
    ["EAGAIN", EAGAIN, SENDFILE_FULL],
    ["EINTR", EINTR, SENDFILE_FULL],
    ["EINVAL", EINVAL, SENDFILE_NEVER],
    ["EPIPE", EPIPE, SENDFILE_NEVER],
  ])("takes %s for what it is", (_name, errno, result) => {
    expect(linuxSendfile({ ...linux, load: madeUp({ sent: -1, errno }).load })(7, 8, 0, 1)).toBe(result);
  });

  it("takes Node's own where the package is missing, and says what to install where both are", () => {
    const tried: string[] = [];
    const load = (caller: Caller): CLibrary => {
      tried.push(caller);
      if (caller === "koffi") throw notInstalled(caller);
      return madeUp({ sent: 1 }).load();
    };
    expect(linuxSendfile({ ...linux, load })(7, 8, 0, 1)).toBe(1);
    expect(tried).toEqual(["koffi", "node:ffi"]);
    const missing = (caller: Caller): never => {
      throw notInstalled(caller);
    };
    expect(() => linuxSendfile({ ...linux, load: missing })).toThrow(
      "sendfile needs the package koffi: npm install koffi",
    );
  });

  it("warns, once, that Node's own stands in for a package that is there and does not load", () => {
    const warnings: string[] = [];
    const watch = vi.spyOn(process, "emitWarning").mockImplementation((text) => void warnings.push(String(text)));
    onTestFinished(() => watch.mockRestore());
    const errors: Readonly<Record<string, Error>> = {
      absent: notInstalled("koffi"),
      broken: new Error("libc.so.6: version `GLIBC_2.38' not found\nmore"),
      incomplete: notInstalled("@koromix/koffi-linux-x64"),
    };
    for (const state of ["absent", "broken", "incomplete"]) {
      const load = (caller: Caller): CLibrary => {
        if (caller === "koffi") throw errors[state] as Error;
        return madeUp({ sent: 1 }).load();
      };
      expect(linuxSendfile({ ...linux, load })(7, 8, 0, 1)).toBe(1);
      expect(warnings).toHaveLength(state === "absent" ? 0 : 1);
    }
    expect(warnings).toEqual([
      "the package koffi does not load (libc.so.6: version `GLIBC_2.38' not found), so node:ffi sends files, " +
        "an experiment of Node. Install koffi anew, or take it out",
    ]);
  });

  it("does not say to install what is there and does not load", () => {
    const load = (caller: Caller): never => {
      throw new Error(`${caller} is not allowed\nRequire stack: many lines`);
    };
    expect(() => linuxSendfile({ ...linux, load })).toThrow(
      /^sendfile needs the package koffi, which does not load: koffi is not allowed$/,
    );
  });

  it.each([
    ["darwin", "arm64"],
    ["win32", "x64"],
    ["linux", "ia32"],
  ])("says that there is none on %s, %s", (platform, arch) => {
    const load = madeUp({ sent: 1 }).load;
    expect(() => linuxSendfile({ platform, arch, load })).toThrow(
      `and this is ${platform} on ${arch}: leave the option out`,
    );
  });
});
