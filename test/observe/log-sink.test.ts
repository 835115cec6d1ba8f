import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogSink, type LogSinkOptions } from "../../src/observe/log-sink.ts";
import { ROOT } from "../architecture/source.ts";
import { HandTime } from "./support/exchanges.ts";

let folder = "";
let path = "";
let time = new HandTime();
let troubles: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fairlead-sink-"));
  path = join(folder, "a.log");
  time = new HandTime();
  troubles = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(options: Partial<LogSinkOptions> = {}): LogSink {
  const onTrouble = (message: string): number => troubles.push(message);
  return new LogSink({
    destination: path,
    mode: 0o640,
    maxBufferedBytes: 1e6,
    flushMs: 50,
    time,
    onTrouble,
    ...options,
  });
}

/** Waits for what the system does, turn by turn of the loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a log file", () => {
  it("is appended to, in the order of lines, and made for its owner and group", async () => {
    writeFileSync(path, "0\n", { mode: 0o600 });
    const sink = open();
    sink.write("1\n");
    sink.write("é\n", false);
    await sink.close();
    sink.write("never\n");
    expect(readFileSync(path, "utf8")).toBe("0\n1\né\n");
    const other = open({ destination: join(folder, "new.log") });
    await other.close();
    expect(statSync(join(folder, "new.log")).mode & 0o777 & ~0o640).toBe(0);
  });

  it("gets lines after some time, without being asked", async () => {
    const sink = open();
    sink.write("1\n");
    time.advance(49);
    expect(sink.waitingBytes).toBe(2);
    time.advance(1);
    await until(() => sink.waitingBytes === 0);
    expect(readFileSync(path, "utf8")).toBe("1\n");
    await sink.close();
  });

  it("gets them at once when they are many", async () => {
    const sink = open();
    const line = `${"x".repeat(99)}\n`;
    for (let i = 0; i < 2000; i++) sink.write(line);
    await sink.flush();
    expect(readFileSync(path, "utf8")).toBe(line.repeat(2000));
    await sink.close();
  });

  it("is opened anew when it is told to, and loses nothing", async () => {
    const sink = open();
    sink.write("old\n");
    renameSync(path, `${path}.1`);
    sink.reopen();
    sink.write("new\n");
    await sink.close();
    await until(() => readFileSync(`${path}.1`, "utf8") !== "");
    expect([readFileSync(`${path}.1`, "utf8"), readFileSync(path, "utf8")]).toEqual(["old\n", "new\n"]);
  });

  it.each([
    ["renamed", () => renameSync(path, `${path}.1`)],
    ["removed", () => rmSync(path)],
    [
      "replaced",
      () => {
        renameSync(path, `${path}.1`);
        writeFileSync(path, "");
      },
    ],
  ])("is opened anew by itself when it is %s", async (_, move) => {
    const sink = open();
    move();
    time.advance(2000);
    sink.write("old\n");
    await sink.flush();
    await until(() => {
      sink.write("more\n");
      time.advance(60);
      return (
        statSync(path, { throwIfNoEntry: false })?.size !== 0 && statSync(path, { throwIfNoEntry: false }) !== undefined
      );
    });
    await sink.close();
    expect(readFileSync(path, "utf8")).toMatch(/^(?:more\n)+$/);
    expect(troubles).toEqual([]);
  });

  it("that was truncated in place goes on at its start, as copytruncate wants", async () => {
    const sink = open();
    sink.write("old\n");
    await sink.flush();
    truncateSync(path, 0);
    sink.write("new\n");
    await sink.close();
    expect(readFileSync(path, "utf8")).toBe("new\n");
  });

  it("that cannot be opened anew goes on where it was, and that is said once", async () => {
    const sink = open();
    rmSync(folder, { recursive: true });
    sink.reopen();
    sink.reopen();
    sink.write("x\n");
    await sink.close();
    expect(troubles).toEqual([expect.stringContaining("ENOENT")]);
  });
});

describe("a disk that does not keep up", () => {
  it("costs lines, which are counted, and no memory", async () => {
    // A fifo that nobody reads is as slow as it gets
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const sink = open({ maxBufferedBytes: 200_000, destination: fifo });
    const line = `${"x".repeat(999)}\n`;
    for (let i = 0; i < 2000; i++) sink.write(line);
    expect(sink.waitingBytes).toBeLessThan(300_000);
    expect(sink.droppedLines).toBeGreaterThan(1500);
    expect(sink.droppedLines).toBeLessThan(2000);
    // The read end closed, the writer fails and is through
    closeSync(reader);
    await sink.close();
    expect(troubles).toEqual([]);
  });
});

describe("the end of a process", () => {
  const script = (last: string, destination: string = path): string => `
    import { accessLog } from ${JSON.stringify(join(ROOT, "src/observe/access-log.ts"))};
    import { responseOf } from ${JSON.stringify(join(ROOT, "test/observe/support/exchanges.ts"))};
    const log = accessLog({ destination: ${JSON.stringify(destination)} });
    const response = responseOf();
    for (let i = 0; i < 3000; i++) log.onResponse(response);
    ${last}`;

  const runScript = (file: string): ReturnType<typeof spawnSync> => {
    const loader = join(ROOT, "node_modules/jiti/lib/jiti-cli.mjs");
    const env = { ...process.env, JITI_FS_CACHE: "false" };
    return spawnSync(process.execPath, [loader, file], { encoding: "utf8", env, timeout: 15_000 });
  };

  it.each([
    ["exit", "process.exit(0)"],
    ["an error", "throw new Error('x')"],
    ["having nothing left to do", ""],
  ])("by %s loses no line", (_, last) => {
    const file = join(folder, "run.ts");
    writeFileSync(file, script(last));
    runScript(file);
    expect(readFileSync(path, "utf8").trimEnd().split("\n")).toHaveLength(3000);
  });

  const full = "/dev/full";
  it.skipIf(!existsSync(full))("comes though the disk is full (needs /dev/full)", () => {
    const file = join(folder, "run.ts");
    writeFileSync(file, script("process.once('warning', () => process.exit(3));", full));
    expect(runScript(file)).toMatchObject({ status: 3, signal: null });
  });

  it.skipIf(!existsSync(full))(
    "comes though the disk is full only then, and tells what is lost (needs /dev/full)",
    () => {
      const file = join(folder, "run.ts");
      writeFileSync(file, script("process.exit(3)", full));
      const { status, signal, stderr } = runScript(file);
      expect({ status, signal }).toEqual({ status: 3, signal: null });
      expect(stderr).toBe("fairlead: up to 3000 lines of the log are lost: the system has not taken it within 2 s\n");
    },
  );
});
