/** Lines into a pipe with a name: whoever reads it may come late, stop reading, go, and come back. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accessLog } from "../../src/observe/access-log.ts";
import { LogSink } from "../../src/observe/log-sink.ts";
import { ROOT } from "../architecture/source.ts";
import { RunningCommand } from "../cli/run-command.ts";
import { HandTime, responseOf } from "./support/exchanges.ts";
import { SlowPipe } from "./support/slow-pipe.ts";

let folder = "";
let path = "";
const running: RunningCommand[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-pipe-"));
  path = join(folder, "pipe");
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((command) => command.end("SIGKILL")));
  rmSync(folder, { recursive: true, force: true });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Whole lines with that message. */
function linesOf(text: string, message: string): { readonly lines?: number }[] {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return whole
    .filter((line) => line.includes(`"msg":"${message}"`))
    .map((line) => JSON.parse(line) as { readonly lines?: number });
}

describe("a pipe whose reader is too slow", () => {
  it("is told of every line that it does not get, once there is room to tell it", async () => {
    const pipe = new SlowPipe(path);
    const time = new HandTime();
    const log = accessLog({ destination: path, format: "json", maxBufferedBytes: 4 * 65_536, time });
    let count = 0;
    const write = (lines: number): void => {
      for (const end = count + lines; count < end; count++) log.onResponse(responseOf());
    };
    for (let i = 0; i < 10; i++) {
      write(1000);
      time.advance(60);
      await turn();
    }
    expect(log.droppedLines).toBeGreaterThan(5000);
    const drain = async (): Promise<void> => {
      while (linesOf(pipe.text, "request").length < count - log.droppedLines) {
        pipe.take();
        await turn();
      }
    };
    await drain();
    write(1);
    time.advance(60);
    await drain();
    const told = linesOf(pipe.text, "log lines dropped").reduce((sum, { lines = 0 }) => sum + lines, 0);
    expect(told).toBe(log.droppedLines);
    expect(linesOf(pipe.text, "request")).toHaveLength(count - log.droppedLines);
    await log.close();
    pipe.close();
  });

  it("is told with the last line what it did not get, as full as it is", async () => {
    const pipe = new SlowPipe(path);
    const time = new HandTime();
    const log = accessLog({ destination: path, format: "json", maxBufferedBytes: 4 * 65_536, time });
    for (let i = 0; i < 10; i++) {
      for (let line = 0; line < 1000; line++) log.onResponse(responseOf());
      time.advance(60);
      await turn();
    }
    expect(log.droppedLines).toBeGreaterThan(5000);
    let isClosed = false;
    const closed = log.close().then(() => (isClosed = true));
    while (!isClosed) {
      pipe.take();
      await turn();
    }
    await closed;
    pipe.take();
    const told = linesOf(pipe.text, "log lines dropped").reduce((sum, { lines = 0 }) => sum + lines, 0);
    expect(told).toBe(log.droppedLines);
    pipe.close();
  });

  it("does not hold the end of the log", async () => {
    const pipe = new SlowPipe(path);
    const time = new HandTime();
    const log = accessLog({ destination: path, format: "json", time });
    for (let i = 0; i < 3000; i++) log.onResponse(responseOf());
    time.advance(60);
    await turn();
    let isClosed = false;
    const closed = log.close().then(() => (isClosed = true));
    while (!isClosed) {
      time.advance(100);
      await turn();
    }
    await closed;
    expect(log.droppedLines).toBeGreaterThan(1000);
    pipe.close();
  });
});

it.each([
  ["at once", "process.exit(0);"],
  // Behind its back the pipe is emptied: the stream's timer, and then ours, are due in one turn
  [
    "as it tries again",
    "setTimeout(() => process.exit(0), 110);\n      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);",
  ],
])("gets each line once of a process that ends %s, as long as it is read", async (_when, exit) => {
  const pipe = new SlowPipe(path);
  const file = join(folder, "run.mjs");
  const LINES = 400;
  writeFileSync(
    file,
    `import { connect } from "node:net";
    import { Response, serve } from ${JSON.stringify(join(ROOT, "dist/index.js"))};
    import { accessLog } from ${JSON.stringify(join(ROOT, "dist/observe/index.js"))};
    const server = await serve({ port: 0, hooks: accessLog({ flushMs: 60_000 }), fetch: () => new Response("x") });
    const request = "GET /" + "a".repeat(500) + " HTTP/1.1\\r\\nHost: x\\r\\n";
    const socket = connect(server.port, "127.0.0.1").resume();
    socket.write((request + "\\r\\n").repeat(${LINES - 1}) + request + "Connection: close\\r\\n\\r\\n");
    socket.on("close", () => setTimeout(() => {
      process.stderr.write("now");
      ${exit}
    }, 250));`,
  );
  const output = openSync(path, "w");
  const child = spawn(process.execPath, [file], { stdio: ["ignore", output, "pipe"], timeout: 15_000 });
  closeSync(output);
  let errors = "";
  let hasEnded = false;
  const ended = once(child, "close").then(() => (hasEnded = true));
  child.stderr?.setEncoding("utf8").on("data", (piece: string) => (errors += piece));
  while (!errors.includes("now")) await once(child.stderr ?? child, "data");
  while (!hasEnded) {
    pipe.take();
    await turn();
  }
  await ended;
  while (pipe.take() > 0);
  expect(errors).toBe("now");
  expect(linesOf(pipe.text, "request")).toHaveLength(LINES);
  pipe.close();
});

it("does not hold the end of a process that has it as its output", async () => {
  const pipe = new SlowPipe(path);
  const file = join(folder, "run.mjs");
  // Built, because what compiles on the way opens the output itself
  writeFileSync(
    file,
    `import { connect } from "node:net";
    import { Response, serve } from ${JSON.stringify(join(ROOT, "dist/index.js"))};
    import { accessLog } from ${JSON.stringify(join(ROOT, "dist/observe/index.js"))};
    const server = await serve({ port: 0, hooks: accessLog(), fetch: () => new Response("x") });
    const request = "GET /" + "a".repeat(2000) + " HTTP/1.1\\r\\nHost: x\\r\\n";
    const socket = connect(server.port, "127.0.0.1").resume();
    socket.write((request + "\\r\\n").repeat(200) + request + "Connection: close\\r\\n\\r\\n");
    socket.on("close", () => setTimeout(() => process.exit(3), 200));`,
  );
  const output = openSync(path, "w");
  const child = spawn(process.execPath, [file], { stdio: ["ignore", output, "ignore"], timeout: 15_000 });
  closeSync(output);
  expect(await once(child, "exit")).toEqual([3, null]);
  pipe.close();
});

describe("a pipe whose reader goes", () => {
  it("gets lines again when somebody reads it again", async () => {
    const time = new HandTime();
    const troubles: string[] = [];
    const first = new SlowPipe(path);
    const sink = new LogSink({
      destination: path,
      mode: 0o640,
      maxBufferedBytes: 1e6,
      flushMs: 50,
      time,
      onTrouble: (message) => troubles.push(message),
    });
    first.close();
    let count = 0;
    const write = async (line: string): Promise<void> => {
      count++;
      sink.write(line);
      time.advance(1000);
      await turn();
    };
    // The system is asked by threads of their own, which take as long as they take
    while (troubles.length === 0) await write("lost\n");
    expect(troubles).toEqual([expect.stringContaining("ENXIO")]);
    const lost = count;
    const second = new SlowPipe(path, true);
    while (second.take() === 0) await write("found\n");
    await sink.close();
    while (second.take() > 0);
    expect(second.text).toMatch(/^(?:found\n)+$/);
    expect(sink.droppedLines).toBeGreaterThanOrEqual(lost);
    expect(sink.droppedLines + second.text.length / 6).toBe(count);
    second.close();
  });
});

it("tells who reads it again of all lines that nobody has read", async () => {
  const time = new HandTime();
  const first = new SlowPipe(path);
  const log = accessLog({ destination: path, format: "json", time, onTrouble: () => {} });
  first.close();
  const write = async (): Promise<void> => {
    log.onResponse(responseOf());
    time.advance(1000);
    await turn();
  };
  while (log.droppedLines < 3) await write();
  const second = new SlowPipe(path, true);
  while (second.take() === 0) await write();
  await log.close();
  while (second.take() > 0);
  expect(linesOf(second.text, "log lines dropped")).toEqual([expect.objectContaining({ lines: log.droppedLines })]);
  second.close();
});

describe("the command with a pipe as its log file", () => {
  const start = (): RunningCommand => {
    const command = new RunningCommand([folder, "-p", "0", "--log", "json", "--log-file", path]);
    running.push(command);
    return command;
  };

  it("keeps its reader, who gets each line", async () => {
    execFileSync("mkfifo", [path]);
    const reader = spawn("cat", [path], { stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    reader.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    const hasEnded = once(reader, "close");
    const held = openSync(path, constants.O_RDWR);
    writeSync(held, "\n");
    await once(reader.stdout, "data");
    const command = start();
    const url = await command.url();
    closeSync(held);
    expect((await fetch(`${url}a`)).status).toBe(404);
    expect((await fetch(`${url}b`)).status).toBe(404);
    expect(await command.end("SIGTERM")).toBe(0);
    await hasEnded;
    expect(text.match(/"target":"[^"]*"/g)).toEqual(['"target":"/a"', '"target":"/b"']);
  });

  it("has a reader again who was away at the first line, and tells of what is missing", async () => {
    const first = new SlowPipe(path);
    const command = start();
    const url = await command.url();
    first.close();
    expect((await fetch(`${url}a`)).status).toBe(404);
    await command.until(/the log cannot be written: ENXIO/, "errors");
    const held = openSync(path, constants.O_RDWR);
    const reader = spawn("cat", [path], { stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    reader.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    const hasEnded = once(reader, "close");
    expect((await fetch(`${url}b`)).status).toBe(404);
    while (!text.includes("/b")) await once(reader.stdout, "data");
    closeSync(held);
    expect((await fetch(`${url}c`)).status).toBe(404);
    expect((await fetch(`${url}d`)).status).toBe(404);
    expect(await command.end("SIGTERM")).toBe(0);
    await hasEnded;
    expect(text.match(/"target":"[^"]*"/g)).toEqual(['"target":"/b"', '"target":"/c"', '"target":"/d"']);
    expect(linesOf(text, "log lines dropped")).toEqual([expect.objectContaining({ lines: 1 })]);
  });

  it("lets go of its reader where a file has taken its place", async () => {
    execFileSync("mkfifo", [path]);
    const reader = spawn("cat", [path], { stdio: ["ignore", "pipe", "ignore"] });
    let text = "";
    reader.stdout.setEncoding("utf8").on("data", (piece: string) => (text += piece));
    const hasEnded = once(reader, "close");
    const held = openSync(path, constants.O_RDWR);
    writeSync(held, "\n");
    await once(reader.stdout, "data");
    const command = start();
    const url = await command.url();
    closeSync(held);
    expect((await fetch(`${url}a`)).status).toBe(404);
    while (!text.includes("/a")) await once(reader.stdout, "data");
    rmSync(path);
    command.child.kill("SIGUSR2");
    await hasEnded;
    expect(await command.end("SIGTERM")).toBe(0);
  });

  it("ends though nobody reads what is in it", async () => {
    const pipe = new SlowPipe(path);
    const command = start();
    const url = `${await command.url()}${"a".repeat(4000)}`;
    for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 10 }, () => fetch(url)));
    expect(await command.end("SIGTERM")).toBe(0);
    pipe.close();
  });

  it("says so where nobody reads it at the start", async () => {
    execFileSync("mkfifo", [path]);
    const command = start();
    expect(await command.end()).toBe(1);
    expect(command.errors).toContain("cannot be written: nobody reads it");
  });
});
