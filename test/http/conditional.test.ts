import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  evaluatePreconditions,
  isRangeCurrent,
  NOT_MODIFIED,
  PRECONDITION_FAILED,
  PROCEED,
  type FieldSource,
  type Validators,
} from "../../src/http/conditional.ts";
import { formatHttpDate } from "../../src/http/date.ts";
import { Fields } from "../../src/http/fields.ts";
import { CONDITIONAL_ROWS } from "./conditional-rows.ts";
import { answer, MODIFIED_MS, NOW_MS } from "./semantics-table.ts";

const SEED = { seed: 13, numRuns: 1000 };
const VALIDATORS: Validators = { etag: '"v2"', lastModifiedMs: MODIFIED_MS };

/** Counts what it is asked for. */
class CountingSource implements FieldSource {
  readonly asked: string[] = [];
  readonly #values: Readonly<Record<string, string>>;

  constructor(values: Readonly<Record<string, string>>) {
    this.#values = values;
  }

  get(lowerName: string): string | null {
    this.asked.push(lowerName);
    return this.#values[lowerName] ?? null;
  }
}

describe("conditional requests, row by row", () => {
  it.each(CONDITIONAL_ROWS)("§$section $method $representation $lines: $outcome, $why", (row) => {
    expect(answer(row)).toBe(row.outcome);
  });
});

describe("evaluatePreconditions", () => {
  it("costs four look-ups and nothing else where no precondition is", () => {
    const source = new CountingSource({});
    expect(evaluatePreconditions("GET", source, VALIDATORS, NOW_MS)).toBe(PROCEED);
    expect(source.asked).toEqual(["if-match", "if-unmodified-since", "if-none-match", "if-modified-since"]);
  });

  it("takes the platform's Headers too", () => {
    const headers = new Headers([
      ["If-None-Match", '"x"'],
      ["If-None-Match", 'W/"v2"'],
    ]);
    expect(evaluatePreconditions("GET", headers, VALIDATORS, NOW_MS)).toBe(NOT_MODIFIED);
  });

  const tag = fc.constantFrom('"v1"', '"v2"', 'W/"v2"', "*", "x", '"v1", "v2"', "");
  const date = fc.constantFrom(
    formatHttpDate(MODIFIED_MS - 1000),
    formatHttpDate(MODIFIED_MS),
    formatHttpDate(MODIFIED_MS + 1000),
    "yesterday",
    "",
  );
  const request = fc.record(
    { "if-match": tag, "if-unmodified-since": date, "if-none-match": tag, "if-modified-since": date },
    { requiredKeys: [] },
  );
  const validators = fc.record({
    etag: fc.constantFrom("", '"v2"', 'W/"v2"'),
    lastModifiedMs: fc.constantFrom(Number.NaN, MODIFIED_MS, MODIFIED_MS + 999),
  });

  function fieldsOf(values: object): Fields {
    return Fields.from(Object.entries(values) as [string, string][]);
  }

  it("answers 304 to GET and HEAD only, and to both alike", () => {
    fc.assert(
      fc.property(request, validators, fc.constantFrom("PUT", "POST", "DELETE", "BREW"), (values, current, method) => {
        const fields = fieldsOf(values);
        const ofGet = evaluatePreconditions("GET", fields, current, NOW_MS);
        expect(evaluatePreconditions("HEAD", fields, current, NOW_MS)).toBe(ofGet);
        expect(evaluatePreconditions(method, fields, current, NOW_MS)).not.toBe(NOT_MODIFIED);
        expect([PROCEED, NOT_MODIFIED, PRECONDITION_FAILED]).toContain(ofGet);
      }),
      SEED,
    );
  });

  it("does not look at a date where there is a list of tags for the same question", () => {
    fc.assert(
      fc.property(
        request,
        tag,
        tag,
        validators,
        fc.constantFrom("GET", "PUT"),
        (values, one, other, current, method) => {
          const withTags = { ...values, "if-match": one, "if-none-match": other };
          const { "if-unmodified-since": _until, "if-modified-since": _since, ...tagsAlone } = withTags;
          expect(evaluatePreconditions(method, fieldsOf(withTags), current, NOW_MS)).toBe(
            evaluatePreconditions(method, fieldsOf(tagsAlone), current, NOW_MS),
          );
        },
      ),
      SEED,
    );
  });

  it("never throws, whatever the fields hold", () => {
    const soup = fc.string({ unit: fc.constantFrom(...'"W/,* \tGMT0123:Monday-é\\'), maxLength: 40 });
    fc.assert(
      fc.property(soup, soup, soup, validators, (one, other, third, current) => {
        const values = { "if-match": one, "if-none-match": other, "if-modified-since": third, "if-range": one };
        const result = evaluatePreconditions("GET", fieldsOf(values), current, NOW_MS);
        expect([PROCEED, NOT_MODIFIED, PRECONDITION_FAILED]).toContain(result);
        expect(typeof isRangeCurrent(fieldsOf(values), current, NOW_MS)).toBe("boolean");
      }),
      SEED,
    );
  });

  it("validates a copy by its own Last-Modified, at any time since", () => {
    const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(time, fc.nat({ max: 10_000_000 }), (lastModifiedMs, laterMs) => {
        const nowMs = lastModifiedMs + laterMs;
        const fields = Fields.from([["If-Modified-Since", formatHttpDate(lastModifiedMs)]]);
        expect(evaluatePreconditions("GET", fields, { etag: "", lastModifiedMs }, nowMs)).toBe(NOT_MODIFIED);
        const before = Fields.from([["If-Modified-Since", formatHttpDate(lastModifiedMs - 1000)]]);
        expect(evaluatePreconditions("GET", before, { etag: "", lastModifiedMs }, nowMs)).toBe(PROCEED);
      }),
      SEED,
    );
  });

  it("asks no date of a file of the future to be more than a guess", () => {
    const future = { etag: "", lastModifiedMs: NOW_MS + 60_000 };
    // What Last-Modified said a second ago, which was the time of then
    const fields = Fields.from([["If-Modified-Since", formatHttpDate(NOW_MS - 1000)]]);
    expect(evaluatePreconditions("GET", fields, future, NOW_MS)).toBe(PROCEED);
  });
});

describe("isRangeCurrent", () => {
  it("is true without If-Range, after one look-up", () => {
    const source = new CountingSource({});
    expect(isRangeCurrent(source, VALIDATORS, NOW_MS)).toBe(true);
    expect(source.asked).toEqual(["if-range"]);
  });

  it("trusts a date from the second after the change on, not before", () => {
    const lastModifiedMs = NOW_MS;
    const fields = Fields.from([["If-Range", formatHttpDate(lastModifiedMs)]]);
    const secondOverMs = Math.floor(lastModifiedMs / 1000) * 1000 + 1000;
    expect(isRangeCurrent(fields, { etag: "", lastModifiedMs }, secondOverMs - 1)).toBe(false);
    expect(isRangeCurrent(fields, { etag: "", lastModifiedMs }, secondOverMs)).toBe(true);
  });
});
