/**
 * Fuzzing of whole connections: what broke once stays mended, some hundred scripts hold, and the judge sees what it should.
 */
import { describe, expect, it } from "vitest";
import { check, checkSeed, comparesSplits, failureOf } from "../../../fuzz/connection/check.ts";
import { drawScript, WEIGHTS } from "../../../fuzz/connection/generate.ts";
import { judge } from "../../../fuzz/connection/judge.ts";
import { hasNodeParser, readWithNode } from "../../../fuzz/connection/node-parser.ts";
import { play, type Played } from "../../../fuzz/connection/play.ts";
import { readRegressions } from "../../../fuzz/connection/regressions.ts";
import { describe as describeScript, octetsOf, type Script } from "../../../fuzz/connection/script.ts";
import { CONNECTION_TARGETS, scriptOfOctets } from "../../../fuzz/connection/targets.ts";
import { shrink } from "../../../fuzz/connection/shrink.ts";

const SEEDS = 400;

/** Two requests, the second with content, answered one after the other. */
const PLAIN: Script = {
  face: "bare",
  limits: {},
  timeouts: {},
  markBytes: 65_536,
  isLenient: false,
  isEncrypted: false,
  sweepMs: 0,
  isEager: true,
  flushesLate: false,
  messages: [
    {
      parts: ["GET /0 HTTP/1.1\r\nHost: a.example\r\nX-Tag: 0\r\n\r\n"],
      tag: 0,
      sound: { method: "GET", target: "/0", contentBytes: 0, trailers: 0 },
    },
    {
      parts: ["POST /1 HTTP/1.1\r\nHost: a.example\r\nX-Tag: 1\r\nContent-Length: 9\r\n\r\n", 9],
      tag: 1,
      sound: { method: "POST", target: "/1", contentBytes: 9, trailers: 0 },
    },
  ],
  plans: [
    [
      { act: "read", how: "all", bytes: 0, ms: 0 },
      {
        act: "answer",
        as: "text",
        status: 200,
        sizes: [6],
        declared: null,
        gapMs: 0,
        failsAt: -1,
        trailers: false,
        fields: [],
        isShared: false,
      },
    ],
  ],
  steps: [{ step: "send", bytes: 1000 }],
  ending: "silence",
  endsAtOnce: false,
};

describe("connections under fuzz", () => {
  const regressions = readRegressions();

  it.each(regressions)("$name stays mended: $about", async ({ script, hasSplits }) => {
    expect(await check(script, hasSplits)).toEqual([]);
  });

  it(`hold for ${SEEDS} scripts, of all kinds and some in their splits`, async () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const broken = await checkSeed(seed);
      if (broken.length > 0) expect.fail(`seed ${seed}\n${describeScript(drawScript(seed))}\n${broken.join("\n")}`);
      kinds.add(`${WEIGHTS[seed % WEIGHTS.length]?.name}${comparesSplits(seed) ? ", in splits" : ""}`);
    }
    expect(kinds.size).toBe(2 * WEIGHTS.length);
  });

  it("take the same course each time", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const runs = [await play(drawScript(seed)), await play(drawScript(seed))];
      expect(runs[0]?.seen.map(({ outcomes }) => outcomes)).toEqual(runs[1]?.seen.map(({ outcomes }) => outcomes));
      if (runs[0]?.script.face === "bare") expect(runs[0].output.equals(runs[1]?.output as Buffer)).toBe(true);
    }
  });
});

describe("the judge of connections", () => {
  /** The plain run with other octets out. */
  async function withOutput(change: (text: string) => string): Promise<string[]> {
    const played = await play(PLAIN);
    const output = Buffer.from(change(played.output.toString("latin1")), "latin1");
    return judge({ ...played, output });
  }

  it("finds nothing wrong with two plain requests", async () => {
    expect(judge(await play(PLAIN))).toEqual([]);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ["a chunk-like octet too many", (text) => text.replace("r0|r0|", "r0|r0|r"), /^bytes: /],
    ["an octet too few", (text) => text.replace("r0|r0|", "r0|r0"), /^(?:bytes|own octets): /],
    [
      "answers in the wrong order",
      (text) => text.replaceAll(/([01])(?=\r\nDate|\|)/g, (n) => `${1 - Number(n)}`),
      /^own octets: /,
    ],
    ["content of another answer", (text) => text.replace("r1|r1|", "r0|r1|"), /^whole: /],
    ["no answer to the last request", (text) => text.slice(0, text.lastIndexOf("HTTP/1.1")), /^order: /],
    ["an answer twice", (text) => text + text.slice(text.lastIndexOf("HTTP/1.1")), /^(?:order|one refusal): /],
    ["another status", (text) => text.replace("200", "404"), /^order: /],
    [
      "a length and chunks",
      (text) => text.replace("Content-Length", "Transfer-Encoding: chunked\r\nContent-Length"),
      /^bytes: /,
    ],
    ["content cut short", (text) => text.slice(0, -3), /^(?:whole|bytes): /],
  ])("sees %s", async (_, change, expected) => {
    expect((await withOutput(change))[0]).toMatch(expected);
  });

  it.each<[string, (played: Played) => Partial<Played>, RegExp]>([
    ["a deadline that is left", () => ({ deadlineAfterMs: 1 }), /^timer: /],
    ["a rejection that nobody heard", () => ({ rejections: [new Error("lost")] }), /^rejection: /],
    [
      "a request that is never served",
      ({ seen }) => ({ seen: seen.slice(0, 1), exchangesAtRest: 1, isOpenAtRest: true }),
      /^alive: /,
    ],
    [
      "a request that was never sent",
      ({ script }) => ({ script: { ...script, messages: script.messages.slice(0, 1) } }),
      /^own octets: /,
    ],
  ])("sees %s", async (_, change, expected) => {
    const played = await play(PLAIN);
    expect(judge({ ...played, ...change(played) }).filter((broken) => expected.test(broken))).not.toEqual([]);
  });

  it("sees an exchange that ends twice, and one whose content ends early", async () => {
    const played = await play(PLAIN);
    played.seen[0]?.outcomes.push("complete");
    played.seen[1]?.content.splice(0);
    const broken = judge(played).map((text) => text.replace(/:.*/, ""));
    expect(broken).toEqual(["ends", "content"]);
  });
});

describe("the parser of Node as a judge", () => {
  it.skipIf(!hasNodeParser)("reads responses behind each other, without content where the request was HEAD", () => {
    const text =
      "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    const { responses, refusal } = readWithNode(Buffer.from(text), ["HEAD", "GET"], true);
    expect(refusal).toBe("");
    expect(
      responses.map(({ status, content, isWhole }) => [status, Buffer.concat(content).toString(), isWhole]),
    ).toEqual([
      [103, "", true],
      [200, "", true],
      [200, "hi", true],
    ]);
  });
});

describe("a failing script", () => {
  it("is made short without losing its failure, and can be read", async () => {
    const seed = 3;
    const failing = async (script: Script): Promise<string> =>
      script.messages.some(({ parts }) => String(parts[0]).startsWith("GET")) ? "has a GET" : "";
    const long = { ...drawScript(seed), messages: [...drawScript(seed).messages, ...PLAIN.messages] };
    const short = await shrink(long, failing);
    expect(short.messages.length).toBe(1);
    expect(octetsOf(short.messages)[0]?.length).toBeLessThan(100);
    expect(short.steps).toEqual([]);
    expect(describeScript(short)).toContain('message 0: "GET ');
    expect(await failureOf(PLAIN, true)).toBe("");
  });
});

describe("the target of connections", () => {
  it("makes a script of any octets, the same each time, and runs its seeds", async () => {
    for (const target of CONNECTION_TARGETS) for (const seed of target.seeds()) await target.run(seed);
    const octets = Uint8Array.from({ length: 100 }, (_, index) => (index * 37) % 256);
    expect(scriptOfOctets(octets)).toEqual(scriptOfOctets(octets));
    expect(scriptOfOctets(octets)).not.toEqual(scriptOfOctets(octets.toReversed()));
  });
});
