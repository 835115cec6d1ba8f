import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accessLog } from "../../src/observe/access-log.ts";
import { AccessRecords } from "../../src/observe/access-record.ts";
import { JsonLines } from "../../src/observe/json-line.ts";
import { LineBatch } from "../../src/observe/line-batch.ts";
import type { ConnectionInfo, Exchange } from "../../src/http/exchange.ts";
import type { ResponseInfo } from "../../src/server/hooks.ts";
import { type ExchangeFacts, exchangeOf, HandTime, responseOf } from "./support/exchanges.ts";

/** As much as a batch of the sink has. */
const BATCH_BYTES = 64 * 1024;

let time = new HandTime();

beforeEach(() => {
  time = new HandTime();
});

/** Lines of octets, and those made of objects, of the same responses. */
class Lines {
  readonly #octets: JsonLines;
  readonly #objects: JsonLines;
  readonly #most: number;

  /** @param most the longest line that there is room for */
  constructor(base: Record<string, unknown> = {}, most = BATCH_BYTES) {
    const user = (exchange: Exchange): string => exchange.request.fields.get("x-user") ?? "";
    this.#octets = new JsonLines({ base, user }, new AccessRecords({ user }), time);
    const members = (): Record<string, unknown> => ({});
    this.#objects = new JsonLines({ base, members, user }, new AccessRecords({ members, user }), time);
    this.#most = most;
  }

  /** The line put down as octets, null if it was left to others. */
  put(info: ResponseInfo, code = ""): string | null {
    let batch: LineBatch | null = null;
    const room = (bytes: number): LineBatch | null => {
      // No octet more than was asked for
      batch = bytes > this.#most ? null : new LineBatch(bytes);
      return batch;
    };
    const isAdded = this.#octets.add(info, code, { room });
    const { lines, length } = batch ?? new LineBatch(0);
    if (lines !== Number(isAdded) || (!isAdded && length > 0)) {
      throw new Error("what was said to be added is not what was added");
    }
    return isAdded ? ((batch as LineBatch | null)?.taken().toString("latin1") ?? null) : null;
  }

  text(info: ResponseInfo, code = ""): string {
    return this.#objects.response(info, code);
  }
}

/** Names and values, in order. */
function membersOf(line: string): Array<[string, unknown]> {
  return Object.entries(JSON.parse(line) as object);
}

const PLAIN_TARGET = fc
  .stringMatching(/^\/[\x20-\x7e]{0,80}$/)
  .filter((text) => !text.includes('"') && !text.includes("\\"));

const FACTS: fc.Arbitrary<ExchangeFacts> = fc.record({
  method: fc.constantFrom("GET", "POST", "M-SEARCH"),
  target: fc.oneof(PLAIN_TARGET, fc.constantFrom("*", "/a?token=1", "http://u:p@h/", "/é", '/"', "/\\", "/\n", "")),
  version: fc.constantFrom("1.0", "1.1"),
  authority: fc.constantFrom("a.example", "", 'b"c', "[::1]:80"),
  fields: fc.array(
    fc.tuple(fc.constantFrom("User-Agent", "referer", "accept", "x-user"), fc.constantFrom("one", 'é"\\', "/?sig=1")),
    { maxLength: 3 },
  ),
  isEncrypted: fc.boolean(),
  requestId: fc.constantFrom("", "id-1", 'i"d'),
  traceParent: fc.constantFrom("", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
  status: fc.oneof(fc.constantFrom(0, 101, 200, 304, 404, 500, 599, 600), fc.integer({ min: 100, max: 999 })),
  outcome: fc.constantFrom("complete", "aborted", "broken", "upgraded"),
  contentBytes: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.maxSafeNat()),
  requestContentBytes: fc.constantFrom(0, 7, 1e9, Number.MAX_SAFE_INTEGER),
  durationMs: fc.oneof(fc.double({ min: -1, max: 12, noNaN: true }), fc.constantFrom(0, 9.9994, 9.9996, 1e7)),
  firstByteMs: fc.double({ min: 0, max: 12, noNaN: true }),
  route: fc.constantFrom("", "/users/:id", '/"'),
});

describe("a line of octets", () => {
  it("is the line that is made of objects, whatever came before it on its connection", () => {
    const steps = fc.array(fc.tuple(FACTS, fc.constantFrom(0, 1, 999, 1000, 86_400_000, -1, -60_000), fc.nat(1)), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(steps, fc.constantFrom("", "ERR_HEAD_TIMEOUT"), (list, code) => {
        const lines = new Lines({ service: 'ü"' });
        const { connection } = exchangeOf({ address: "192.0.2.8" });
        for (const [facts, laterMs, isOther] of list) {
          time.wallMs += laterMs;
          const response = responseOf(facts);
          // A connection is encrypted or is not
          const isSame = isOther === 0 && facts.isEncrypted !== true;
          const info = isSame ? { ...response, exchange: { ...exchangeOf(facts), connection } } : response;
          const line = lines.put(info, code);
          if (line === null) continue;
          expect(line).toMatch(/^[\x20-\x7e]+\n$/);
          expect(membersOf(line)).toEqual(membersOf(lines.text(info, code)));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["/", true],
    ["*", true],
    [`/${"a".repeat(31)}`, true],
    [`/${"a".repeat(32)}`, true],
    ["/?q=1", true],
    [`/?${"q".repeat(40)}`, true],
    ["/user@home", true],
    ['/"', false],
    ["/\\", false],
    ["/\x1f", false],
    ["/\x7f", false],
    ["/\xe9", false],
    [`/${"a".repeat(40)}"`, false],
    [`/${"a".repeat(40)}?\\`, false],
  ])("is made of target %j: %s", (target, isMade) => {
    const line = new Lines().put(responseOf({ target }));
    expect(line !== null).toBe(isMade);
    if (line !== null) expect(JSON.parse(line)).toMatchObject({ target });
  });

  it.each([
    ["/?a=1&token=s3cret&b=2", "/?a=1&token=[redacted]&b=2"],
    [`/?${"a".repeat(40)}=1&token=s3cret`, `/?${"a".repeat(40)}=1&token=[redacted]`],
    ["http://ada:s3cret@h/", "http://[redacted]@h/"],
  ])("leaves secrets out of %j", (target, shown) => {
    expect(JSON.parse(new Lines().put(responseOf({ target })) ?? "")).toMatchObject({ target: shown });
  });

  it.each([
    [0, 0, "0.000", "0.000"],
    [0.0004, 0.0005, "0.000", "0.001"],
    [1.0005, 1, "1.001", "1.000"],
    [9.9994, 9.9994, "9.999", "9.999"],
    [9.9996, 0.1, "10.000", "0.100"],
    [3_600_000.25, 12.3456, "3600000.250", "12.346"],
    [-0.001, 0, "0.000", "0.000"],
  ])("has %d and %d ms as %s and %s", (durationMs, firstByteMs, duration, firstByte) => {
    const line = new Lines().put(responseOf({ durationMs, firstByteMs }));
    expect(line).toContain(`"durationMs":${duration},"firstByteMs":${firstByte}}`);
  });

  it.each([
    { contentBytes: -15 },
    { contentBytes: 1.5 },
    { contentBytes: NaN },
    { durationMs: Infinity },
    { durationMs: NaN },
    { firstByteMs: 1e300 },
    { authority: "a".repeat(1025) },
    { fields: [["user-agent", "a".repeat(1025)]] },
  ] as ExchangeFacts[])("is left to objects for %j", (facts) => {
    expect(new Lines().put(responseOf(facts))).toBeNull();
  });

  it("shows each Referer without its secrets", () => {
    const fields: ExchangeFacts["fields"] = [
      ["referer", "https://a.example/?q=1"],
      ["referer", "https://ada:s3cret@b.example/?token=s3cret"],
    ];
    const lines = new Lines();
    const referer = "https://a.example/?q=1, https://[redacted]@b.example/?token=[redacted]";
    for (const line of [lines.put(responseOf({ fields })) ?? "", lines.text(responseOf({ fields }))]) {
      expect(JSON.parse(line)).toHaveProperty("referer", referer);
    }
  });

  it("escapes what this process itself may have said", () => {
    const response = responseOf({ status: 500, traceParent: `00-"\n${"é".repeat(30)}-"\n${"é".repeat(20)}` });
    const tls = { version: 'TLS"é\x7f' } as unknown as NonNullable<ConnectionInfo["tls"]>;
    const connection: ConnectionInfo = { ...response.exchange.connection, isEncrypted: true, tls };
    const line = new Lines().put({ ...response, exchange: { ...response.exchange, connection } }) ?? "";
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(line)).toMatchObject({ tls: tls.version, traceId: expect.stringContaining("é") as string });
  });

  it("is of its own peer behind a proxy, of which each request is another's", () => {
    const lines = new Lines();
    for (const address of ["192.0.2.9", "192.0.2.10"]) {
      const response = responseOf();
      const forwardedBy = { address: "192.0.2.1", port: 2, family: "IPv4" } as const;
      const remoteAddress = { address, port: 0, family: "IPv4" } as const;
      const connection: ConnectionInfo = { ...response.exchange.connection, forwardedBy, remoteAddress };
      const info = { ...response, exchange: { ...response.exchange, connection } };
      time.wallMs += 1001;
      expect(membersOf(lines.put(info) ?? "")).toEqual(membersOf(lines.text(info)));
      expect(JSON.parse(lines.put(info) ?? "")).toHaveProperty("remote", address);
    }
  });

  it.each([0, 9, 10, 99, 100, 12_345, 999_999_999, 1e9, Number.MAX_SAFE_INTEGER])(
    "has %d octets of content",
    (bytes) => {
      expect(new Lines().put(responseOf({ contentBytes: bytes }))).toContain(`"bytes":${bytes},"durationMs"`);
    },
  );

  it("has room for the largest numbers", () => {
    const largest = 999_999_999_999.999;
    const facts = { contentBytes: Number.MAX_SAFE_INTEGER, durationMs: largest, firstByteMs: largest };
    expect(JSON.parse(new Lines().put(responseOf(facts)) ?? "")).toMatchObject({
      bytes: Number.MAX_SAFE_INTEGER,
      durationMs: largest,
      firstByteMs: largest,
    });
  });

  it("is not begun where it has no room", () => {
    const whole = new Lines().put(responseOf())?.length ?? 0;
    for (const capacity of [1, whole - 1, whole]) expect(new Lines({}, capacity).put(responseOf())).toBeNull();
    expect(new Lines({}, whole + 160).put(responseOf())).not.toBeNull();
  });

  it("has the second of its own moment, on each of several connections", () => {
    const lines = new Lines();
    const infos = [responseOf(), responseOf()];
    for (const laterMs of [0, 1, 998, 1, 1000, 59_000]) {
      time.wallMs += laterMs;
      for (const info of infos) {
        expect(JSON.parse(lines.put(info) ?? "")).toHaveProperty("time", new Date(time.wallMs).toISOString());
      }
    }
  });
});

describe("lines of octets in a file", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "fairlead-octets-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("are whole and in order, among lines of text and over many batches", async () => {
    const path = join(folder, "access.log");
    const log = accessLog({ destination: path });
    const targets: string[] = [];
    for (let i = 0; i < 6000; i++) {
      // Now and then one that is made of text, as long as several batches, or written by itself
      const rest = (i % 7 === 0 ? '"' : "") + (i % 2500 === 1 ? "x".repeat(3 * BATCH_BYTES) : "");
      targets.push(`/${i}${rest}`);
      log.onResponse(responseOf({ target: `/${i}${rest}` }));
      if (i % 500 === 0) await log.flush();
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await log.close();
    const lines = readFileSync(path, "latin1").trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { target: string }).target)).toEqual(targets);
    expect(log.droppedLines).toBe(0);
  });
});
