import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { descriptorLimit, openDescriptors, roomWithin } from "../../src/server/descriptors.ts";
import { COMMAND } from "../cli/run-command.ts";

describe("connections within the descriptors of the process", () => {
  it.each<[number, number, number, number, number]>([
    [10_000, Infinity, 20, 10_000, 128],
    [Infinity, Infinity, 20, Infinity, 128],
    [10_000, 1_048_576, 20, 10_000, 128],
    [10_000, 4096, 0, 3584, 128],
    [Infinity, 4096, 96, 3488, 128],
    [10_000, 1024, 24, 750, 125],
    [100, 1024, 20, 100, 125],
    [10_000, 64, 24, 30, 5],
    [10_000, 1, 20, 1, 0],
  ])(
    "are, of %d wanted with %d descriptors and %d of them open, %d, and %d refused",
    (wanted, limit, open, maxConnections, maxRefusals) => {
      expect(roomWithin(wanted, limit, open)).toEqual({ maxConnections, maxRefusals });
    },
  );

  it.skipIf(!existsSync("/proc/self/limits"))("are as the system says", () => {
    expect(descriptorLimit()).toBeGreaterThan(16);
  });

  it.skipIf(!existsSync("/proc/self/limits"))("are fewer by those that are open already", () => {
    const open = openDescriptors();
    expect(open).toBeGreaterThan(3);
    const fd = openSync(import.meta.filename, "r");
    expect(openDescriptors()).toBe(open + 1);
    closeSync(fd);
  });

  describe.skipIf(!existsSync("/proc/self/limits"))("of a process that may open few", () => {
    it.each([64, 160])(
      "are answered 503 beyond, never dropped without a word, and welcome again: %i",
      async (limit) => {
        await using few = await startFew(limit, [SCRIPT]);
        const kept: Socket[] = [];
        for (;;) {
          const { status, socket } = await ask(few.port);
          if (status === 503) break;
          expect(status).toBe(200);
          kept.push(socket);
        }
        // Node itself has some twenty open, and a quarter of the rest is left
        expect(kept.length).toBeGreaterThan(limit / 4);
        expect(kept.length).toBeLessThan((limit * 3) / 4);
        for (let i = 0; i < limit; i++) expect((await ask(few.port)).status).toBe(503);
        // Many at once too: each waits in the socket until there is a descriptor for it
        const many = await Promise.all(Array.from({ length: limit }, () => ask(few.port)));
        expect([...new Set(many.map(({ status }) => status))]).toEqual([503]);
        for (const socket of kept) socket.destroy();
        while ((await ask(few.port)).status !== 200);
      },
    );

    it("serve files whole, or answer 503, or close, and all is well again when the crowd has gone", async () => {
      const folder = mkdtempSync(join(tmpdir(), "fairlead-few-"));
      for (let i = 0; i < 80; i++) writeFileSync(join(folder, `${i}.bin`), Buffer.alloc(3_000_000, i));
      try {
        await using few = await startFew(64, [COMMAND, folder, "--port", "0", "--log", "off"]);
        const answers = await Promise.all(Array.from({ length: 80 }, (_, i) => ask(few.port, `/${i}.bin`, true)));
        for (const { status, octets } of answers) {
          // Files have taken the descriptors that accepting needs: then the system closes without a word
          expect([200, 503, 0]).toContain(status);
          if (status === 200) expect(octets).toBe(3_000_000);
        }
        expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
        // As soon as what the crowd has left open is closed
        while ((await ask(few.port, "/0.bin", true)).octets !== 3_000_000);
        for (let i = 0; i < 80; i += 7) expect((await ask(few.port, `/${i}.bin`, true)).octets).toBe(3_000_000);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  });
});

const SCRIPT = join(import.meta.dirname, "support/few-descriptors.ts");

/** A server in a process that may open so many descriptors. */
async function startFew(limit: number, words: readonly string[]): Promise<AsyncDisposable & { readonly port: number }> {
  const command = `ulimit -n ${limit}; exec "$0" --import jiti/register "$@"`;
  const child = spawn("sh", ["-c", command, process.execPath, ...words], {
    cwd: join(import.meta.dirname, "../.."),
    // Each failure is written there
    stdio: ["pipe", "pipe", "ignore"],
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const port = Number(/^\d+$/.test(line) ? line : /:(\d+)\//.exec(line)?.[1]);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

interface Answer {
  readonly status: number;
  /** Of the content, once all of it is there. */
  readonly octets: number;
  readonly socket: Socket;
}

/** What one connection gets; 0 for nothing at all. It stays open unless the server, or `isLast`, ends it. */
function ask(port: number, path = "/", isLast = false): Promise<Answer> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n${isLast ? "Connection: close\r\n" : ""}\r\n`);
  const parts: Buffer[] = [];
  return new Promise((resolve) => {
    const finish = (): void => {
      const all = Buffer.concat(parts);
      const head = all.indexOf("\r\n\r\n");
      const status = head === -1 ? 0 : Number(all.subarray(9, 12).toString());
      resolve({ status, octets: all.length - head - 4, socket });
    };
    socket.on("data", (chunk: Buffer) => {
      parts.push(chunk);
      if (!isLast && Buffer.concat(parts).includes("\r\n\r\n")) finish();
    });
    socket.on("error", finish).on("close", finish);
  });
}
