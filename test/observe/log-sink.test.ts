import { execFileSync, spawnSync } from "node:child_process";
import cluster from "node:cluster";
import fs, {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LogSink, type LogSinkOptions } from "../../src/observe/log-sink.ts";
import { ROOT } from "../architecture/source.ts";
import { HandTime } from "./support/exchanges.ts";
import { SlowPipe } from "./support/slow-pipe.ts";

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

  it.each([
    [65_536, 65_536],
    [1_000_000, 65_536],
    [16 * 1024 * 1024, 262_144],
  ])(
    "gets them in pieces that leave room for others: of %d octets that may wait, %d",
    async (maxBufferedBytes, piece) => {
      const write = vi.spyOn(fs, "write");
      const sink = open({ maxBufferedBytes });
      const line = `${"x".repeat(99)}\n`;
      let lines = 0;
      for (; lines * line.length < 3 * piece; lines++) {
        sink.write(line);
        await until(() => sink.waitingBytes < piece);
      }
      await sink.flush();
      const sizes = write.mock.calls.map((call) => (call as unknown as [number, Buffer])[1].length);
      write.mockRestore();
      expect(sizes[0]).toBe(Math.floor(piece / line.length) * line.length);
      expect(readFileSync(path, "utf8")).toBe(line.repeat(lines));
      expect(sink.droppedLines).toBe(0);
      await sink.close();
    },
  );

  it("that has become a pipe of several processes gets pieces that it keeps whole", async () => {
    const sink = open({ maxBufferedBytes: 1e8 });
    renameSync(path, `${path}.1`);
    const pipe = new SlowPipe(path);
    Reflect.set(cluster, "isWorker", true);
    sink.reopen();
    Reflect.set(cluster, "isWorker", false);
    const write = vi.spyOn(fs, "write");
    const lines = new Numbered(sink);
    for (let i = 0; i < 1000; i++) lines.write(200);
    void sink.flush();
    const text = await pipe.rest(lines.bytes);
    const sizes = write.mock.calls.map((call) => (call as unknown as [number, Buffer])[1].length);
    write.mockRestore();
    await sink.close();
    pipe.close();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4096);
    expect(numbersOf(text)).toEqual(range(lines.count));
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

/** A disk that is full until there is room, for what was open when it became full or for all files. */
function fillDisk(isFull: (fd: number) => boolean = () => true): { readonly tries: number; makeRoom(): unknown } {
  const real = fs.write;
  const spy = vi.spyOn(fs, "write");
  const disk = { tries: 0, makeRoom: (): unknown => spy.mockRestore() };
  const write = (fd: number, bytes: Buffer, done: (error: Error | null, written?: number) => void): void => {
    if (!isFull(fd)) return real(fd, bytes, done);
    disk.tries++;
    setImmediate(done, Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }));
  };
  spy.mockImplementation(write as typeof fs.write);
  return disk;
}

describe("a disk that is full", () => {
  afterEach(() => vi.restoreAllMocks());

  it("gets what waits when there is room again, and what comes then, with nobody doing anything", async () => {
    const disk = fillDisk();
    const sink = open({ maxBufferedBytes: 1000 });
    for (let i = 0; i < 10; i++) {
      sink.write(`${i} ${"x".repeat(197)}\n`);
      await sink.flush();
    }
    expect({ dropped: sink.droppedLines, waiting: sink.waitingBytes }).toEqual({ dropped: 5, waiting: 1000 });
    const triesBefore = disk.tries;
    await until(() => {
      time.advance(1000);
      return disk.tries > triesBefore;
    });
    disk.makeRoom();
    await until(() => {
      time.advance(1000);
      return sink.waitingBytes === 0;
    });
    sink.write("more\n");
    await sink.close();
    expect(numbersOf(readFileSync(path, "utf8").replace("more\n", ""))).toEqual(range(5));
    expect(readFileSync(path, "utf8")).toMatch(/\nmore\n$/);
    expect(sink.droppedLines).toBe(5);
    expect(troubles).toEqual([expect.stringContaining("ENOSPC")]);
  });

  it("costs the lines that it does not take when the file is opened anew, and none that come then", async () => {
    const sink = open({ maxBufferedBytes: 1000 });
    const before = statSync(path).ino;
    fillDisk((fd) => fstatSync(fd).ino === before);
    for (let i = 0; i < 10; i++) {
      sink.write(`${"x".repeat(199)}\n`);
      await sink.flush();
    }
    renameSync(path, `${path}.1`);
    sink.reopen();
    await until(() => sink.waitingBytes === 0);
    expect(sink.droppedLines).toBe(10);
    for (let i = 0; i < 10; i++) {
      sink.write(`${i} ${"x".repeat(197)}\n`);
      await sink.flush();
    }
    await sink.close();
    expect(numbersOf(readFileSync(path, "utf8"))).toEqual(range(10));
    expect(sink.droppedLines).toBe(10);
  });

  it("has its log moved away, which is seen though nothing more may wait", async () => {
    const sink = open({ maxBufferedBytes: 1000 });
    const before = statSync(path).ino;
    fillDisk((fd) => fstatSync(fd).ino === before);
    for (let i = 0; i < 5; i++) {
      sink.write(`${"x".repeat(199)}\n`);
      await sink.flush();
    }
    renameSync(path, `${path}.1`);
    await until(() => {
      time.advance(1000);
      sink.write("new\n");
      return existsSync(path) && statSync(path).size > 0;
    });
    await sink.close();
    expect(readFileSync(path, "utf8")).toMatch(/^(?:new\n)+$/);
  });

  it("costs what waits when the log is closed, and that is counted", async () => {
    fillDisk();
    const sink = open();
    sink.write("1\n");
    sink.write("2\n");
    await sink.close();
    expect({ dropped: sink.droppedLines, waiting: sink.waitingBytes }).toEqual({ dropped: 2, waiting: 0 });
  });
});

describe("files that were moved away", () => {
  it("are waited for with the one that is there, by flush() and by close()", async () => {
    const sink = open({ maxBufferedBytes: 1e8 });
    const line = `${"x".repeat(999)}\n`;
    const written = async (how: () => Promise<void>, name: string): Promise<number> => {
      for (let i = 0; i < 6000; i++) sink.write(line);
      renameSync(path, name);
      sink.reopen();
      await how();
      return statSync(name).size;
    };
    expect(await written(() => sink.flush(), `${path}.1`)).toBe(6000 * 1000);
    expect(sink.waitingBytes).toBe(0);
    expect(await written(() => sink.close(), `${path}.2`)).toBe(6000 * 1000);
  });

  it("leave no descriptor behind, though nobody read what went there", async () => {
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    rmSync(path, { force: true });
    execFileSync("mkfifo", [path]);
    let reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const sink = open();
    const before = descriptors();
    for (let i = 0; i < 5; i++) {
      closeSync(reader);
      sink.write("x\n");
      await sink.flush();
      reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      sink.reopen();
    }
    await until(() => descriptors() <= before);
    await sink.close();
    closeSync(reader);
    expect(descriptors()).toBe(before - 2);
  });
});

describe("the end of a log", () => {
  it("comes though nobody takes its lines, after two seconds, and counts them", async () => {
    const pipe = new SlowPipe(join(folder, "stuck"));
    const sink = open({ destination: openSync(pipe.path, constants.O_WRONLY | constants.O_NONBLOCK) });
    const line = `${"x".repeat(999)}\n`;
    for (let i = 0; i < 300; i++) sink.write(line);
    // As much as a pipe holds has gone
    await until(() => sink.waitingBytes < 300_000 - 60_000);
    let isClosed = false;
    const closed = sink.close().then(() => (isClosed = true));
    time.advance(1_900);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    time.advance(200);
    await closed;
    expect(sink.droppedLines).toBeGreaterThan(200);
    pipe.close();
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

  it.skipIf(!existsSync(full)).each([
    ["closed", "void log.close(); process.exit(3);"],
    ["opened anew", "log.reopen(); process.exit(3);"],
  ])("comes though a log that cannot be written is being %s (needs /dev/full)", (_, last) => {
    const file = join(folder, "run.ts");
    writeFileSync(file, script(last, full));
    expect(runScript(file)).toMatchObject({ status: 3, signal: null });
  });

  it("comes though a log that nobody reads is being closed", () => {
    const pipe = new SlowPipe(join(folder, "stuck"));
    const file = join(folder, "run.ts");
    const unread = `openSync(${JSON.stringify(pipe.path)}, constants.O_WRONLY | constants.O_NONBLOCK)`;
    const text = script("void log.close(); setTimeout(() => process.exit(3), 200);", "unread");
    writeFileSync(file, `import { constants, openSync } from "node:fs";${text.replace('"unread"', unread)}`);
    expect(runScript(file)).toMatchObject({ status: 3, signal: null });
    pipe.close();
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

const BATCH_BYTES = 64 * 1024;

/** Lines through the batch itself, as the access log's go, and as text. */
class Numbered {
  readonly sink: LogSink;
  count = 0;
  bytes = 0;

  constructor(sink: LogSink) {
    this.sink = sink;
  }

  /** The number, and something that is as long as was asked for. */
  write(length: number, isAscii = true): void {
    const text = `${this.count++} ${(isAscii ? "x" : "é").repeat(length)}\n`;
    this.bytes += Buffer.byteLength(text);
    const batch = isAscii && this.count % 2 === 0 ? this.sink.room(text.length) : null;
    if (batch === null) this.sink.write(text, isAscii);
    else batch.add(text, true);
  }
}

/** Numbers of the lines, of which each must be whole. */
function numbersOf(text: string): number[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => {
      expect(line).toMatch(/^\d+ (?:x*|é*)$/);
      return parseInt(line, 10);
    });
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

describe("the memory of lines", () => {
  it("is used again only when all of it is written", async () => {
    const pipe = new SlowPipe(join(folder, "slow"));
    const lines = new Numbered(open({ destination: pipe.path, maxBufferedBytes: 1e8 }));
    for (let i = 0; i < 3000; i++) {
      lines.write(i % 400);
      if (i % 90 === 0) lines.write(100, false);
      if (i % 700 === 0) lines.write(BATCH_BYTES + 1);
      if (i % 5 === 0) pipe.take();
      if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (i % 40 === 0) time.advance(60);
    }
    time.advance(60);
    expect(numbersOf(await pipe.rest(lines.bytes))).toEqual(range(lines.count));
    await lines.sink.close();
    pipe.close();
  });

  it("of one file is not used for another, whichever of them is written first", async () => {
    const first = new SlowPipe(path);
    const lines = new Numbered(open({ maxBufferedBytes: 1e8 }));
    const writeMany = (): void => {
      for (const end = lines.count + 1500; lines.count < end;) lines.write(200);
    };
    writeMany();
    // 64 KiB are in the pipe, the rest waits
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    renameSync(path, `${path}.1`);
    const second = new SlowPipe(path);
    lines.sink.reopen();
    const before = lines.count;
    const bytesBefore = lines.bytes;
    const waitingBefore = lines.sink.waitingBytes;
    // All of the second is written, and the first is not
    lines.write(10);
    time.advance(60);
    while (lines.sink.waitingBytes > waitingBefore) {
      second.take();
      await new Promise((resolve) => setImmediate(resolve));
    }
    writeMany();
    // Then the other way round
    const old = await first.rest(bytesBefore);
    writeMany();
    time.advance(60);
    const young = await second.rest(lines.bytes - bytesBefore);
    await lines.sink.close();
    expect(numbersOf(old)).toEqual(range(before));
    expect(numbersOf(young).map((number) => number - before)).toEqual(range(3001));
    first.close();
    second.close();
  });

  it("is no more than what waits, where each of many has little", async () => {
    const pipe = new SlowPipe(join(folder, "stuck"));
    const sink = open({ destination: pipe.path });
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1000; i++) {
      sink.write(`${"x".repeat(249)}\n`);
      time.advance(60);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4e6);
    await pipe.rest(1000 * 250);
    await sink.close();
    pipe.close();
  });

  it("is as large as a batch has to be, whatever was written before", async () => {
    const lines = new Numbered(open());
    // Longer than a batch might be, and shorter than one is
    lines.write(30_000, false);
    await lines.sink.flush();
    lines.write(BATCH_BYTES - 10);
    lines.write(BATCH_BYTES - 500);
    // Fits as characters, not as octets
    lines.write(400, false);
    await lines.sink.close();
    expect(numbersOf(readFileSync(path, "utf8"))).toEqual(range(4));
    expect(statSync(path).size).toBe("0 1 2 3 ".length + 4 + 60_000 + BATCH_BYTES - 10 + BATCH_BYTES - 500 + 800);
  });
});
