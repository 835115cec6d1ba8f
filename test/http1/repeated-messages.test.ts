/** What is said again and again as octets: the same as in text, for everybody, alone and in bursts, within its bounds. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Exchange } from "../../src/http/exchange.ts";
import { Output } from "../../src/http1/output.ts";
import { type RepeatedMessage, RepeatedMessages } from "../../src/http1/repeated-messages.ts";
import { MemoryTransport } from "../support/memory-transport.ts";
import { openConnection, request, written } from "../support/open-connection.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const HEAD = "HTTP/1.1 200 OK\r\nX: \xff\r\n\r\n";

/** The message after `times` questions for the same. */
function askedFor(messages: RepeatedMessages, head: string, content: string, times: number): RepeatedMessage | null {
  let message: RepeatedMessage | null = null;
  for (let time = 0; time < times; time++) message = messages.find(head, content);
  return message;
}

describe("a message", () => {
  it("is made when it comes the fourth time in a row, and is the same from then on", () => {
    const messages = new RepeatedMessages();
    // The first is remembered, the second is let pass behind a difference
    expect(askedFor(messages, HEAD, "hello", 4)).toBe(null);
    const message = messages.find(HEAD, "hello");
    expect(message?.text).toBe(`${HEAD}hello`);
    expect(message?.octets.toString("latin1")).toBe(`${HEAD}hello`);
    expect(messages.find([...HEAD].join(""), [..."hello"].join(""))).toBe(message);
  });

  it("is never given for another head or other content of the same length, and stays as it was", () => {
    const messages = new RepeatedMessages();
    const first = askedFor(messages, HEAD, "hello", 5);
    const other = HEAD.replace("200 OK", "404 NO");
    expect(messages.find(other, "hello")).toBe(null);
    expect(askedFor(messages, other, "hello", 4)?.text).toBe(`${other}hello`);
    expect(messages.find(other, "HELLO")).toBe(null);
    expect(askedFor(messages, other, "HELLO", 4)?.text).toBe(`${other}HELLO`);
    // The border between the two elsewhere
    expect(messages.find(`${other}H`, "ELLO")).toBe(null);
    expect(first?.octets.toString("latin1")).toBe(`${HEAD}hello`);
  });

  it("is kept beside others of other lengths", () => {
    const messages = new RepeatedMessages();
    const contents = ["a", "aa", "aaa", "aaaa"];
    for (let time = 0; time < 5; time++) for (const content of contents) messages.find(HEAD, content);
    for (const content of contents) expect(messages.find(HEAD, content)?.text).toBe(HEAD + content);
  });

  it.each([
    [2048, true],
    [2049, false],
  ])("is made of no more than 2 KiB: %d octets", (length, isMade) => {
    const message = askedFor(new RepeatedMessages(), HEAD, "a".repeat(length - HEAD.length), 10);
    expect(message !== null).toBe(isMade);
  });

  it("keeps no long text alive of which a slice was said", () => {
    const messages = new RepeatedMessages();
    const heapBytes = (): number => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = heapBytes();
    for (let length = 100; length < 116; length++) {
      const long = `${length}`.padEnd(2_000_000, "text");
      messages.find(HEAD, long.slice(0, length));
    }
    expect(heapBytes() - before).toBeLessThan(8_000_000);
    // And is found by its text as ever
    expect(askedFor(messages, HEAD, "100".padEnd(100, "text"), 4)?.text).toBe(HEAD + "100".padEnd(100, "text"));
  });

  it("is found again soon after a difference, and later the more of them there were", () => {
    const messages = new RepeatedMessages();
    const timesUntilMade = (content: string): number => {
      let times = 1;
      while (messages.find(HEAD, content) === null) times += 1;
      return times;
    };
    expect(timesUntilMade("hello")).toBe(5);
    expect(timesUntilMade("HELLO")).toBe(5);
    for (let number = 10_000; number < 12_000; number++) expect(messages.find(HEAD, `${number}`)).toBe(null);
    expect(timesUntilMade("hello")).toBeLessThanOrEqual(63 + 1 + 63 + 3);
    expect(timesUntilMade("HELLO")).toBe(5);
  });
});

describe("output", () => {
  const octets = Buffer.from("whole");
  const message: RepeatedMessage = { text: "whole", octets };

  it("writes a message alone as its octets, and once", () => {
    const transport = new MemoryTransport();
    const write = vi.spyOn(transport, "write");
    const output = new Output(transport);
    output.message(message);
    output.flush();
    output.text("text");
    output.flush();
    expect(write.mock.calls.map(([data]) => data)).toEqual([octets, "text"]);
    expect(write.mock.calls[0]?.[0]).toBe(octets);
  });

  const added = fc.array(fc.constantFrom("message", "text", "bytes", "flush"), { maxLength: 12 });

  it("writes all that was added, in its order, whatever it is", () => {
    fc.assert(
      fc.property(added, (steps) => {
        const transport = new MemoryTransport();
        const output = new Output(transport);
        let expected = "";
        const says: Record<string, (index: number) => string> = {
          message: () => "whole",
          text: (index) => `t${index}`,
          bytes: (index) => `b${index}`,
          flush: () => "",
        };
        for (const [index, step] of steps.entries()) {
          const said = says[step]?.(index) ?? "";
          if (step === "message") output.message(message);
          else if (step === "text") output.text(said);
          else if (step === "bytes") output.bytes(Buffer.from(said));
          else output.flush();
          expected += said;
        }
        output.flush();
        expect(written(transport)).toBe(expected);
        expect(output.isEmpty).toBe(true);
      }),
    );
  });
});

describe("a connection", () => {
  const FIELDS = Object.freeze(["content-type", "text/plain"]);

  /** Requests that ask for the same, or for other things of the same length. */
  const asked = fc.array(
    fc.record({
      line: fc.constantFrom("GET / HTTP/1.1", "HEAD / HTTP/1.1", "GET / HTTP/1.0", "GET /other HTTP/1.1"),
      times: fc.integer({ min: 1, max: 8 }),
      isBurst: fc.boolean(),
      isNextSecond: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  );

  it("says the same in text and in octets, whoever asks in which way, alone and in bursts", () => {
    fc.assert(
      fc.property(asked, fc.boolean(), (requests, isShared) => {
        const say = (contentOf: (target: string) => string | Uint8Array): string => {
          const open = openConnection((exchange: Exchange) => {
            const content = contentOf(exchange.request.target);
            const fields = isShared ? FIELDS : [...FIELDS];
            void exchange.respond({ status: 200, reason: "", fields }, content);
          });
          for (const { line, times, isBurst, isNextSecond } of requests) {
            if (isNextSecond) open.clock.advance(1000);
            const heads = Array.from({ length: times }, () => request(line, "Connection: keep-alive"));
            for (const head of isBurst ? [Buffer.concat(heads)] : heads) open.connection.receive(head);
          }
          expect(open.transport.violations).toEqual([]);
          return written(open.transport);
        };
        const textOf = (target: string): string => (target === "/" ? "Hello, World!" : "Hello, Other!");
        expect(say(textOf)).toBe(say((target) => Buffer.from(textOf(target))));
      }),
    );
  });
});
