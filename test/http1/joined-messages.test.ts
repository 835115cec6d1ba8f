/** Head and lasting content in one piece: the same octets as in two, for everybody, in every second, within its bounds. */
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { Exchange } from "../../src/http/exchange.ts";
import { markLasting } from "../../src/http/lasting-octets.ts";
import { JoinedMessages } from "../../src/http1/joined-messages.ts";
import { openConnection, request, written } from "../support/open-connection.ts";

const NOW = "Sun, 22 Nov 2026 14:00:00 GMT";
const NEXT = "Sun, 22 Nov 2026 14:00:01 GMT";
const HEAD = "HTTP/1.1 200 OK\r\nX: \xff\r\n\r\n";

function lasting(length: number, octet = 0x61): Buffer {
  const content = Buffer.alloc(length, octet);
  markLasting(content);
  return content;
}

describe("a message", () => {
  it("is joined when the same head is sent a second time, and is the same for everybody from then on", () => {
    const messages = new JoinedMessages();
    const content = lasting(4096);
    expect(messages.find(HEAD, content, NOW)).toBe(null);
    const message = messages.find(HEAD, content, NOW);
    expect(message?.equals(Buffer.concat([Buffer.from(HEAD, "latin1"), content]))).toBe(true);
    expect(messages.find(HEAD, content, NOW)).toBe(message);
    // The same text, put together anew
    expect(messages.find([...HEAD].join(""), content, NOW)).toBe(message);
  });

  it("is another for another head, and the one before stays as it was", () => {
    const messages = new JoinedMessages();
    const content = lasting(4096);
    messages.find(HEAD, content, NOW);
    const first = messages.find(HEAD, content, NOW);
    const copy = Buffer.from(first ?? []);
    const other = HEAD.replace("200 OK", "206 Partial Content");
    expect(messages.find(other, content, NOW)).toBe(null);
    expect(messages.find(other, content, NOW)?.toString("latin1")).toBe(other + content.toString("latin1"));
    expect(first?.equals(copy)).toBe(true);
  });

  it("is forgotten with its second", () => {
    const messages = new JoinedMessages();
    const content = lasting(4096);
    messages.find(HEAD, content, NOW);
    const before = messages.find(HEAD, content, NOW);
    expect(messages.find(HEAD, content, NEXT)).toBe(null);
    const after = messages.find(HEAD, content, NEXT);
    expect(after).not.toBe(before);
    expect(after?.equals(before ?? Buffer.of())).toBe(true);
  });

  it("is never made of content that may change", () => {
    const messages = new JoinedMessages();
    const content = Buffer.alloc(4096);
    for (let time = 0; time < 5; time++) expect(messages.find(HEAD, content, NOW)).toBe(null);
  });

  it.each([
    [64 * 1024, true],
    [64 * 1024 + 1, false],
  ])("is made of no more than 64 KiB of content: %d octets", (length, isJoined) => {
    const messages = new JoinedMessages();
    const content = lasting(length);
    messages.find(HEAD, content, NOW);
    expect(messages.find(HEAD, content, NOW) !== null).toBe(isJoined);
  });

  it("takes no more than 1 MiB in a second, whatever is replaced in it, and is made again in the next", () => {
    const messages = new JoinedMessages();
    const contents = Array.from({ length: 20 }, () => lasting(50_000));
    const joinAll = (dateText: string): number => {
      let bytes = 0;
      for (let head = 0; head < 5; head++) {
        for (const content of contents) {
          messages.find(`${HEAD}${head}`, content, dateText);
          bytes += messages.find(`${HEAD}${head}`, content, dateText)?.length ?? 0;
        }
      }
      return bytes;
    };
    for (const second of [NOW, NEXT, NOW]) {
      const bytes = joinAll(second);
      expect(bytes).toBeGreaterThan(1024 * 1024 - 51_000);
      expect(bytes).toBeLessThanOrEqual(1024 * 1024);
    }
  });
});

describe("a connection", () => {
  const FIELDS = Object.freeze(["content-type", "text/plain"]);
  const CONTENT = lasting(5000);

  const answer = (exchange: Exchange): void => {
    void exchange.respond({ status: 200, reason: "", fields: FIELDS }, CONTENT);
  };

  it("writes what it has said before in one piece", () => {
    const { transport, connection, clock } = openConnection(answer);
    const writeAll = vi.spyOn(transport, "writeAll");
    const pieces = (): number => {
      writeAll.mockClear();
      connection.receive(request("GET / HTTP/1.1"));
      return writeAll.mock.calls[0]?.[0].length ?? 0;
    };
    // The fields are remembered by the first, the head by the second, the message is made by the third
    const counts = [pieces(), pieces(), pieces(), pieces()];
    expect(counts.at(0)).toBe(2);
    expect(counts.slice(2)).toEqual([1, 1]);
    clock.advance(1000);
    expect(pieces()).toBe(2);
    expect(transport.violations).toEqual([]);
  });

  it("has what was joined in a second forgotten with it, and joins on however much that was", () => {
    const contents = Array.from({ length: 20 }, () => lasting(60_000));
    const { transport, connection, clock } = openConnection((exchange) => {
      const content = contents[Number(exchange.request.target.slice(1))] as Buffer;
      void exchange.respond({ status: 200, reason: "", fields: FIELDS }, content);
    });
    transport.attach(connection);
    const writeAll = vi.spyOn(transport, "writeAll");
    for (let second = 0; second < 3; second++) {
      clock.advance(1000);
      const joined = contents.filter((_, i) => {
        for (let time = 0; time < 4; time++) {
          writeAll.mockClear();
          connection.receive(request(`GET /${i} HTTP/1.1`));
          transport.pump();
        }
        return writeAll.mock.calls.length === 0 || writeAll.mock.calls[0]?.[0].length === 1;
      });
      expect(joined.length).toBe(17);
    }
  });

  it("never joins what a handler may change, and sends what is there at the time", () => {
    const content = Buffer.alloc(4096);
    const { transport, connection } = openConnection((exchange) => {
      void exchange.respond({ status: 200, reason: "", fields: FIELDS }, content);
    });
    for (let octet = 0; octet < 5; octet++) {
      content.fill(octet);
      connection.receive(request("GET / HTTP/1.1"));
      expect(transport.writes.at(-1)?.subarray(-4096).equals(content)).toBe(true);
    }
  });

  /** Requests that ask for the same in ways that make other heads of it. */
  const asked = fc.array(
    fc.record({
      line: fc.constantFrom("GET / HTTP/1.1", "HEAD / HTTP/1.1", "GET / HTTP/1.0", "GET /other HTTP/1.1"),
      isKept: fc.boolean(),
      isNextSecond: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  );

  it("says the same octets as one that joins nothing, whoever asks in which way, alone and in bursts", () => {
    const contents = [CONTENT, lasting(60_000, 0x62), lasting(10, 0x63)];
    fc.assert(
      fc.property(asked, fc.integer({ min: 0, max: 2 }), fc.boolean(), (requests, which, isBurst) => {
        const content = contents[which] as Buffer;
        const unmarked = Buffer.from(content);
        const say = (octets: Buffer, fields: () => readonly string[]): string => {
          const open = openConnection((exchange) => {
            const status = exchange.request.target === "/other" ? 404 : 200;
            void exchange.respond({ status, reason: "", fields: fields() }, octets);
          });
          const burst: Buffer[] = [];
          for (const { line, isKept, isNextSecond } of requests) {
            if (isNextSecond && !isBurst) open.clock.advance(1000);
            const head = request(line, `Connection: ${isKept ? "keep-alive" : "close"}`);
            if (isBurst) burst.push(head);
            else if (!open.transport.isEnded) open.connection.receive(head);
          }
          if (isBurst) open.connection.receive(Buffer.concat(burst));
          expect(open.transport.violations).toEqual([]);
          return written(open.transport);
        };
        expect(say(content, () => FIELDS)).toBe(say(unmarked, () => ["content-type", "text/plain"]));
      }),
    );
  });
});
