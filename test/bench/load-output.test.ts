/** What loads say, read: wrk's script and our own loads, h2load. */
import { describe, expect, it } from "vitest";
import { parseH2load } from "../../bench/load/h2load.ts";
import { parseResult, percentileOf } from "../../bench/load/result.ts";

const LINE = 'RESULT {"requests":10,"durationUs":5,"errors":0,"wrong":0,"percentiles":[[50,7],[99,9]]}';

describe("a line RESULT", () => {
  it("is found between other lines", () => {
    const result = parseResult(`Running 1s test\n${LINE}\nmore\n`, "nginx");
    expect(result).toEqual({
      requests: 10,
      durationUs: 5,
      percentiles: [
        [50, 7],
        [99, 9],
      ],
    });
    expect(percentileOf(result, 99)).toBe(9);
    expect(percentileOf(result, 98)).toBeNaN();
  });

  it.each([
    { what: "no result", text: "unable to connect", message: "nginx: the load said no result" },
    { what: "errors", text: LINE.replace('"errors":0', '"errors":3'), message: "nginx: 3 errors" },
    { what: "wrong answers", text: LINE.replace('"wrong":0', '"wrong":2'), message: "2 wrong answers" },
    { what: "no requests", text: LINE.replace('"requests":10', '"requests":0'), message: "not one request" },
  ])("with $what is refused", ({ text, message }) => {
    expect(() => parseResult(text, "nginx")).toThrow(message);
  });
});

const REPORT = `starting benchmark...
finished in 1.50s, 45619.00 req/s, 7.09MB/s
requests: 45635 total, 45635 started, 45619 done, 45619 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 45619 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 7.09MB (7435897) total
`;

describe("a report of h2load", () => {
  it("gives answers and time", () => {
    expect(parseH2load(REPORT, "bun")).toEqual({ requests: 45_619, durationUs: 1_500_000 });
    expect(parseH2load(REPORT.replace("1.50s", "250.5ms"), "bun").durationUs).toBe(250_500);
  });

  it.each([
    { what: "nothing", text: "" },
    { what: "failures", text: REPORT.replace("0 failed", "4 failed") },
    { what: "timeouts", text: REPORT.replace("0 timeout", "1 timeout") },
    { what: "a 404", text: REPORT.replace("0 4xx", "1 4xx") },
    { what: "no answer", text: REPORT.replace("45619 succeeded", "0 succeeded") },
  ])("with $what is refused", ({ text }) => {
    expect(() => parseH2load(text, "bun")).toThrow("bun: ");
  });
});
