import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { connectionsWithin, descriptorLimit } from "../../src/server/descriptors.ts";

describe("connections within the descriptors of the process", () => {
  it.each<[number, number, number]>([
    [10_000, Infinity, 10_000],
    [Infinity, Infinity, Infinity],
    [10_000, 1_048_576, 10_000],
    [10_000, 4096, 3584],
    [Infinity, 4096, 3584],
    [10_000, 1024, 768],
    [100, 1024, 100],
    [10_000, 1, 1],
  ])("are, of %d wanted with %d descriptors, %d", (wanted, limit, expected) => {
    expect(connectionsWithin(wanted, limit)).toBe(expected);
  });

  it.skipIf(!existsSync("/proc/self/limits"))("are as the system says", () => {
    expect(descriptorLimit()).toBeGreaterThan(16);
  });

  it.skipIf(!existsSync("/proc/self/limits"))("are answered 503 beyond, never dropped without a word", async () => {
    const script = join(import.meta.dirname, "support/few-descriptors.ts");
    const command = `ulimit -n 160; exec "$0" --import jiti/register "${script}"`;
    const child = spawn("sh", ["-c", command, process.execPath], {
      cwd: join(import.meta.dirname, "../.."),
      stdio: ["pipe", "pipe", "inherit"],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);
    const sockets: Socket[] = [];
    for (let i = 0; i < 120; i++) {
      const socket = connect(port, "127.0.0.1");
      sockets.push(socket);
      await once(socket, "connect");
    }
    for (let i = 0; i < 30; i++) {
      let text = "";
      const socket = connect(port, "127.0.0.1").on("data", (chunk: Buffer) => (text += String(chunk)));
      await once(socket, "close");
      expect(text).toMatch(/^HTTP\/1\.1 503 /);
    }
    child.stdin.end();
    const stats = JSON.parse(String((await lines.next()).value)) as unknown;
    expect(stats).toMatchObject({ openConnections: 120, acceptedConnections: 150, refusedConnections: 30 });
    for (const socket of sockets) socket.destroy();
    await once(child, "exit");
  });
});
