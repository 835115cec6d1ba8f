/**
 * The built command with 64 descriptors, and more connections than that: what does not fit is told so, and said in the log; when
 * the crowd has gone all is as before. test/server/descriptors.test.ts has the numbers, and files that want descriptors as well.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { COMMAND } from "../cli/run-command.ts";

const LIMIT = 64;
const CROWD = 150;
const FOLDER = join(import.meta.dirname, "../../htdocs");

/** What a peer that stays is told: the status code, 0 where the connection goes without a word. */
function ask(port: number, peers: Socket[]): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  peers.push(socket);
  return new Promise((resolve) => {
    socket.on("error", () => {}).on("close", () => resolve(0));
    socket.once("data", (chunk: Buffer) => resolve(Number(chunk.subarray(9, 12).toString())));
    socket.write("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  });
}

it.skipIf(!existsSync("/proc/self/limits"))("no more connections than descriptors, and it says so", async () => {
  const command = ["--port", "0", "--log", "json"];
  const child = spawn(
    "sh",
    ["-c", `ulimit -n ${LIMIT}; exec "$0" "$@"`, process.execPath, COMMAND, FOLDER, ...command],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const peers: Socket[] = [];
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += String(chunk)));
  child.stderr.on("data", (chunk: Buffer) => (output += String(chunk)));
  const linesOf = (pattern: RegExp): number => output.match(pattern)?.length ?? 0;
  try {
    while (!/"urls":\["[^"]+"/.test(output)) await once(child.stdout, "data");
    const port = Number(/"urls":\["http:\/\/[^:"]+:(\d+)/.exec(output)?.[1]);
    const told = await Promise.all(Array.from({ length: CROWD }, () => ask(port, peers)));
    const served = told.filter((status) => status === 200).length;
    const refused = told.filter((status) => status === 503).length;
    expect(served).toBeGreaterThan(LIMIT / 4);
    expect(served).toBeLessThan(LIMIT);
    expect([served + refused, child.exitCode]).toEqual([CROWD, null]);
    const isRefusal = /"code":"ERR_TOO_MANY_CONNECTIONS"/g;
    while (linesOf(isRefusal) < refused) await once(child.stdout, "data");
    expect(linesOf(isRefusal)).toBe(refused);
    expect(output).not.toContain("EMFILE");
    for (const peer of peers) peer.destroy();
    while ((await ask(port, peers)) !== 200);
  } finally {
    const exited = once(child, "exit");
    child.kill();
    for (const peer of peers) peer.destroy();
    expect(await exited).toEqual([0, null]);
  }
});
