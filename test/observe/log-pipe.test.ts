/** Lines into a pipe with a name: whoever reads it may come late, stop reading, go, and come back. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accessLog } from "../../src/observe/access-log.ts";
import { HandTime, responseOf } from "./support/exchanges.ts";
import { SlowPipe } from "./support/slow-pipe.ts";

let folder = "";
let path = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-pipe-"));
  path = join(folder, "pipe");
});

afterEach(() => {
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
