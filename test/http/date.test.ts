import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHttpDate, parseHttpDate } from "../../src/http/date.ts";

const SEED = { seed: 5322, numRuns: 1000 };
/** 2024-06-15T12:00:00Z */
const NOW = Date.UTC(2024, 5, 15, 12);
/** The RFC's example: 1994-11-06T08:49:37Z. */
const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);

const anyTime = fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }).map((seconds) => seconds * 1000);

describe("formatHttpDate", () => {
  it.each([
    [EXAMPLE, "Sun, 06 Nov 1994 08:49:37 GMT"],
    [0, "Thu, 01 Jan 1970 00:00:00 GMT"],
    [999, "Thu, 01 Jan 1970 00:00:00 GMT"],
    [-1, "Wed, 31 Dec 1969 23:59:59 GMT"],
    [Date.UTC(2024, 1, 29), "Thu, 29 Feb 2024 00:00:00 GMT"],
    [253_402_300_799_000, "Fri, 31 Dec 9999 23:59:59 GMT"],
    [-62_167_219_200_000, "Sat, 01 Jan 0000 00:00:00 GMT"],
    [Infinity, "Fri, 31 Dec 9999 23:59:59 GMT"],
    [-Infinity, "Sat, 01 Jan 0000 00:00:00 GMT"],
  ])("%d: %s", (ms, text) => {
    expect(formatHttpDate(ms)).toBe(text);
  });

  it("throws for NaN", () => {
    expect(() => formatHttpDate(Number.NaN)).toThrow(RangeError);
  });

  it("writes 29 characters that read back as the same second", () => {
    fc.assert(
      fc.property(anyTime, (ms) => {
        const text = formatHttpDate(ms);
        expect(text).toHaveLength(29);
        expect(parseHttpDate(text, NOW)).toBe(ms);
      }),
      SEED,
    );
  });
});

describe("parseHttpDate", () => {
  it.each([
    ["Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE],
    ["Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE],
    ["Sun Nov  6 08:49:37 1994", EXAMPLE],
    ["Wed Nov 16 08:49:37 1994", EXAMPLE + 10 * 86_400_000],
    ["Sun Nov 06 08:49:37 1994", EXAMPLE],
    ["Thu, 29 Feb 2024 00:00:00 GMT", Date.UTC(2024, 1, 29)],
    ["Tue, 29 Feb 2000 00:00:00 GMT", Date.UTC(2000, 1, 29)],
    ["Fri, 31 Dec 2016 23:59:60 GMT", Date.UTC(2016, 11, 31, 23, 59, 59)],
    ["Mon, 01 Jan 0001 00:00:00 GMT", -62_135_596_800_000],
    ["Sat, 01 Jan 0094 00:00:00 GMT", Date.parse("0094-01-01T00:00:00Z")],
    // The name of the day need not be that of the date
    ["Mon, 06 Nov 1994 08:49:37 GMT", EXAMPLE],
  ])("reads %s", (text, ms) => {
    expect(parseHttpDate(text, NOW)).toBe(ms);
  });

  it.each([
    "",
    "0",
    "1994",
    "now",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun,06 Nov 1994 08:49:37 GMT",
    "Sun, 06  Nov 1994 08:49:37 GMT",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "Sun, 06 Nov 1994 08:49:37 GMT; x",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Okt 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 32 Dec 1994 08:49:37 GMT",
    "Thu, 29 Feb 2023 00:00:00 GMT",
    "Thu, 29 Feb 1900 00:00:00 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 19940 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunday, 06 Nov 94 08:49:37 GMT",
    "Sunday, 31-Nov-94 08:49:37 GMT",
    "Sunday, 29-Feb-23 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sunday Nov  6 08:49:37 1994",
    "Sun Nov  0 08:49:37 1994",
    "Sun Nov  6 08:49:37 94",
    "1994-11-06T08:49:37Z",
    "Sun, 06 Nov 1994 08:49:37 GMT\n",
  ])("refuses %j", (text) => {
    expect(parseHttpDate(text, NOW)).toBeNull();
  });

  it.each([
    // two digits, now, year: at most 50 years ahead of now, else the most recent past
    ["01-Jan-94", NOW, 1994],
    ["01-Jan-24", NOW, 2024],
    ["01-Jan-30", NOW, 2030],
    ["14-Jun-74", NOW, 2074],
    ["16-Jun-74", NOW, 1974],
    ["01-Jan-75", NOW, 1975],
    ["01-Jan-00", NOW, 2000],
    ["31-Dec-99", NOW, 1999],
    ["29-Feb-00", NOW, 2000],
    ["29-Feb-76", NOW, 1976],
    ["29-Feb-00", Date.UTC(2051, 0, 1), 2000],
    ["01-Jan-10", Date.UTC(2090, 0, 1), 2110],
    ["01-Jan-60", Date.UTC(2090, 0, 1), 2060],
    ["01-Jan-99", Date.UTC(1999, 5, 1), 1999],
    ["01-Jan-49", Date.UTC(1999, 5, 1), 2049],
    ["01-Jan-50", Date.UTC(1999, 5, 1), 1950],
  ])("reads the year of %s, seen from %d, as %i", (day, now, year) => {
    const ms = parseHttpDate(`Monday, ${day} 00:00:00 GMT`, now);
    expect(new Date(ms ?? Number.NaN).getUTCFullYear()).toBe(year);
  });

  it("reads an rfc850-date within 50 years of now as the time that was meant", () => {
    const names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    const fortyNineYears = 49 * 365 * 86_400;
    fc.assert(
      fc.property(
        fc.integer({ min: -fortyNineYears, max: fortyNineYears }),
        fc.integer({ min: 0, max: 4_000_000_000 }),
        (deltaSeconds, nowSeconds) => {
          const ms = (nowSeconds + deltaSeconds) * 1000;
          const [, day, month, year, time] = formatHttpDate(ms).split(" ");
          const text = `${names[new Date(ms).getUTCDay()]}, ${day}-${month}-${year?.slice(2)} ${time} GMT`;
          expect(parseHttpDate(text, nowSeconds * 1000)).toBe(ms);
        },
      ),
      SEED,
    );
  });

  it("never throws, and gives null or whole seconds", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = parseHttpDate(text, NOW);
        expect(ms === null || ms % 1000 === 0).toBe(true);
      }),
      SEED,
    );
  });
});
