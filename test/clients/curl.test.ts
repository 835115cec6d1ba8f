/** curl over the file server: resuming, ranges, conditions, codings, the older version, HEAD. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { areMissing, run, runWell } from "./support/program.ts";
import { WatchedSite } from "./support/watched-site.ts";

const LETTERS = Buffer.from("abcdefghijklmnopqrstuvwxyz");
/** No two places alike, and larger than what is kept in memory. */
const LARGE = Buffer.alloc(3_000_000, Buffer.from(Array.from({ length: 9973 }, (_, i) => (i * i) % 251)));
const TEXT = "Call me Ishmael. Some years ago, never mind how long precisely.\n".repeat(200);

describe.skipIf(areMissing({ curl: "curl" }))("curl", () => {
  let site: WatchedSite;
  let work = "";

  beforeAll(async () => {
    site = await WatchedSite.open({
      "letters.bin": LETTERS,
      "large.bin": LARGE,
      "text.txt": TEXT,
      "a b/ü%.txt": "odd",
    });
    work = site.folder("curl");
  });
  afterAll(() => site[Symbol.asyncDispose]());
  beforeEach(() => site.forget());

  function curl(path: string, ...args: string[]): Promise<Buffer> {
    return runWell("curl", ["-q", "-sS", "-f", ...args, site.url(path)], { cwd: work });
  }

  /** Fields of the last answer as curl wrote them with `-D -`. */
  function fieldsOf(output: Buffer): Map<string, string> {
    const [head = ""] = output.toString("latin1").split("\r\n\r\n");
    const lines = head.split("\r\n").slice(1);
    return new Map(
      lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.replace(/^[^:]*: ?/, "")]),
    );
  }

  it.each([1, 1_500_000, LARGE.length - 1])("resumes a file of which it has %d octets", async (have) => {
    writeFileSync(join(work, "large.bin"), LARGE.subarray(0, have));
    await curl("/large.bin", "-C", "-", "-O");
    expect(readFileSync(join(work, "large.bin")).equals(LARGE)).toBe(true);
    const note = { status: 206, range: `bytes=${have}-`, contentBytes: LARGE.length - have };
    expect(site.notes).toMatchObject([note]);
  });

  it("learns with 416 that it has the whole file already, and keeps it", async () => {
    writeFileSync(join(work, "large.bin"), LARGE);
    await run("curl", ["-q", "-sS", "-f", "-C", "-", "-O", site.url("/large.bin")], { cwd: work });
    expect(site.notes).toMatchObject([{ status: 416, range: `bytes=${LARGE.length}-` }]);
    expect(readFileSync(join(work, "large.bin")).equals(LARGE)).toBe(true);
  });

  it.each([
    ["0-0", "a"],
    ["2-4", "cde"],
    ["23-", "xyz"],
    ["-2", "yz"],
    ["-100", LETTERS.toString()],
    ["24-1000", "yz"],
  ])("gets the range %s", async (range, content) => {
    expect((await curl("/letters.bin", "-r", range)).toString()).toBe(content);
    expect(site.notes).toMatchObject([{ status: 206, range: `bytes=${range}` }]);
  });

  it("gets several ranges as parts, each with its place", async () => {
    const output = (await curl("/letters.bin", "-D", "-", "-r", "0-1,10-11,-1")).toString("latin1");
    const fields = fieldsOf(Buffer.from(output, "latin1"));
    const boundary =
      /^multipart\/byteranges; ?boundary="?([^"]+)"?$/.exec(fields.get("content-type") ?? "")?.[1] ?? "none";
    const content = output.slice(output.indexOf("\r\n\r\n") + 4);
    expect(content.length).toBe(Number(fields.get("content-length")));
    const parts = content.split(`--${boundary}`).slice(1, -1);
    expect(parts.map((part) => /content-range: (.*)\r\n/i.exec(part)?.[1])).toEqual([
      "bytes 0-1/26",
      "bytes 10-11/26",
      "bytes 25-25/26",
    ]);
    expect(parts.map((part) => part.slice(part.indexOf("\r\n\r\n") + 4, -2))).toEqual(["ab", "kl", "z"]);
  });

  it.each([
    ["the file's own date", "Thu, 29 Feb 2024 12:34:56 GMT", 304],
    ["a later date", "Wed, 01 Jan 2025 00:00:00 GMT", 304],
    ["an earlier date", "Sun, 01 Jan 2023 00:00:00 GMT", 200],
    ["an earlier date, the other way round", "-Sun, 01 Jan 2023 00:00:00 GMT", 412],
    ["the file's own date, the other way round", "-Thu, 29 Feb 2024 12:34:56 GMT", 200],
  ])("with -z and %s (%s) is answered with %d", async (_what, date, status) => {
    // What curl says is no witness: to a 200 that it holds for too new it says 304 itself
    await run("curl", ["-q", "-s", "-o", "dated", "-z", date, site.url("/text.txt")], { cwd: work });
    expect(site.notes).toMatchObject([{ status }]);
  });

  it("takes the file's time, and with it is not given it again", async () => {
    const args = ["-R", "-o", "kept", "-z", "kept"];
    await curl("/text.txt", ...args);
    await curl("/text.txt", ...args);
    expect(site.notes.map(({ status }) => status)).toEqual([200, 304]);
    expect(readFileSync(join(work, "kept"), "utf8")).toBe(TEXT);
  });

  it("compares and saves entity tags, of each coding its own", async () => {
    const args = ["--etag-compare", "tag", "--etag-save", "tag", "-o", "tagged"];
    await curl("/text.txt", ...args);
    expect(readFileSync(join(work, "tag"), "utf8")).toMatch(/^"[^"]+"\n?$/);
    await curl("/text.txt", ...args);
    await curl("/text.txt", "--compressed", ...args);
    site.files.write("text.txt", `${TEXT}The end.\n`, null);
    await expect
      .poll(async () => {
        await curl("/text.txt", "--compressed", ...args);
        return site.notes.at(-1)?.status;
      })
      .toBe(200);
    site.files.write("text.txt", TEXT);
    expect(site.notes.slice(0, 3).map(({ status }) => status)).toEqual([200, 304, 200]);
    expect(readFileSync(join(work, "tagged"), "utf8")).toBe(`${TEXT}The end.\n`);
    await expect.poll(async () => (await curl("/text.txt")).toString()).toBe(TEXT);
  });

  it("with --compressed gets less, and the same", async () => {
    expect((await curl("/text.txt", "--compressed")).toString()).toBe(TEXT);
    expect(site.notes[0]?.contentBytes).toBeLessThan(TEXT.length / 10);
    const fields = fieldsOf(await curl("/text.txt", "--compressed", "-I"));
    expect(fields.get("content-encoding")).toMatch(/^(?:br|zstd|gzip)$/);
    expect(fields.get("vary")).toBe("accept-encoding");
    expect(Number(fields.get("content-length"))).toBe(site.notes[0]?.contentBytes);
    // What is packed by its nature is not packed again
    expect(fieldsOf(await curl("/large.bin", "--compressed", "-I")).get("content-encoding")).toBe(undefined);
  });

  it("speaks HTTP/1.0, with and without Host", async () => {
    for (const args of [["-0"], ["-0", "-H", "Host:"], ["-0", "-H", "Connection: keep-alive"]]) {
      site.forget();
      expect((await curl("/large.bin", ...args)).equals(LARGE)).toBe(true);
      expect(site.notes).toMatchObject([{ version: "1.0", status: 200 }]);
    }
    expect((await curl("/letters.bin", "-0", "-r", "1-2")).toString()).toBe("bc");
  });

  it("asks with HEAD and is told what GET would be", async () => {
    const head = fieldsOf(await curl("/large.bin", "-I"));
    const get = fieldsOf(await curl("/large.bin", "-D", "-", "-o", "got"));
    expect(site.notes).toMatchObject([
      { method: "HEAD", status: 200, contentBytes: 0 },
      { method: "GET", status: 200, contentBytes: LARGE.length },
    ]);
    for (const name of ["content-length", "content-type", "etag", "last-modified", "accept-ranges"]) {
      expect(head.get(name)).toBe(get.get(name));
    }
    expect(head.get("content-length")).toBe(String(LARGE.length));
  });

  it("takes many files over one connection", async () => {
    const { stdout } = await run(
      "curl",
      [
        "-q",
        "-sS",
        "-w",
        "%{num_connects} ",
        "--create-dirs",
        "-o",
        "many/#1",
        `${site.url("/")}{letters.bin,text.txt,large.bin,a%20b/%C3%BC%25.txt}`,
      ],
      { cwd: work },
    );
    expect(stdout.toString()).toBe("1 0 0 0 ");
    expect(readFileSync(join(work, "many", "large.bin")).equals(LARGE)).toBe(true);
  });

  it("gets odd names, and nothing by climbing", async () => {
    expect((await curl("/a%20b/%C3%BC%25.txt")).toString()).toBe("odd");
    writeFileSync(join(work, "secret"), "secret");
    for (const path of ["/../curl/secret", "/%2e%2e/curl/secret", "/a%20b/..%2f..%2f..%2fcurl/secret"]) {
      const { stdout } = await run("curl", ["-q", "-s", "--path-as-is", site.url("/").slice(0, -1) + path]);
      expect(stdout.toString()).not.toContain("secret");
      expect(site.notes.at(-1)?.status).toBeGreaterThanOrEqual(400);
      expect(site.notes.at(-1)?.status).toBeLessThan(500);
    }
  });

  it("made nothing fail", () => {
    expect(site.faults).toEqual([]);
  });
});
