/** The load at a fixed rate: when requests are due, and where answers end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AnswerCounter } from "../../bench/load/answer-counter.ts";
import { Schedule } from "../../bench/load/schedule.ts";

describe("a schedule", () => {
  it("has requests due at even distances, whatever became of those before", () => {
    const schedule = new Schedule(100, 1000, 1);
    expect(schedule.total).toBe(1000);
    expect(schedule.isDue(99.9)).toBe(false);
    expect(schedule.isDue(100)).toBe(true);
    expect(schedule.take()).toBe(100);
    expect(schedule.isDue(100.5)).toBe(false);
    // Half a second without sending: all of it waits, and counts from when it was due
    expect(schedule.waiting(600.5)).toBe(500);
    expect(schedule.take()).toBe(101);
  });

  it("ends after its last request", () => {
    const schedule = new Schedule(0, 10, 1);
    while (schedule.isDue(1e9)) schedule.take();
    expect([schedule.sent, schedule.waiting(1e9)]).toEqual([10, 0]);
  });
});

const ANSWER = "HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\nHello";

function take(counter: AnswerCounter, text: string): boolean {
  const octets = Buffer.from(text, "latin1");
  return counter.take(octets, octets.length);
}

describe("answers", () => {
  it("end where their length says, however they are cut", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: ANSWER.length - 1 }),
        fc.integer({ min: 1, max: ANSWER.length - 1 }),
        (a, b) => {
          const counter = new AnswerCounter();
          for (const cut of [a, b]) {
            expect(take(counter, ANSWER.slice(0, cut))).toBe(false);
            expect(take(counter, ANSWER.slice(cut))).toBe(true);
          }
        },
      ),
    );
  });

  it.each([
    { why: "the first is a 404", texts: [ANSWER.replace("200 OK", "404 No")], message: "no 200" },
    {
      why: "a later one is a 500",
      texts: [ANSWER, ANSWER.replace("200 OK", "500 No")],
      message: "no answer, or another",
    },
    { why: "one is longer", texts: [ANSWER, `${ANSWER}!`], message: "answers differ in length" },
    {
      why: "the first has no Content-Length",
      texts: [ANSWER.replace("Content-Length: 5", "Transfer-Encoding: chunked")],
      message: "without Content-Length",
    },
    { why: "two come at once", texts: [ANSWER + ANSWER], message: "more than one answer" },
    { why: "it is none", texts: [ANSWER, "what?"], message: "no answer, or another" },
  ])("are refused where $why", ({ texts, message }) => {
    const counter = new AnswerCounter();
    expect(() => texts.map((text) => take(counter, text))).toThrow(message);
  });
});
