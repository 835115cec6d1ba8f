/**
 * HTTP-date (RFC 9110 §5.6.7): written in one form, read in three.
 *
 * The three are IMF-fixdate (the only one written), the obsolete rfc850-date with its two-digit year, and asctime-date.
 * Reading is strict: names are case-sensitive, the day exists in its month, the time exists in its day. Time is an
 * argument: this file must never ask a clock.
 */

const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
const TIME = String.raw`(\d\d):(\d\d):(\d\d)`;
const MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const DAY_NAME_LONG = "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)";

/** day, month, year, hour, minute, second */
const IMF_FIXDATE = new RegExp(String.raw`^${DAY_NAME}, (\d\d) ${MONTH} (\d{4}) ${TIME} GMT$`);
/** day, month, two digits of the year, hour, minute, second */
const RFC850_DATE = new RegExp(String.raw`^${DAY_NAME_LONG}, (\d\d)-${MONTH}-(\d\d) ${TIME} GMT$`);
/** month, day, hour, minute, second, year */
const ASCTIME_DATE = new RegExp(String.raw`^${DAY_NAME} ${MONTH} (\d\d| \d) ${TIME} (\d{4})$`);

/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what four digits of a year can say. */
const FIRST_MS = -62_167_219_200_000;
const LAST_MS = 253_402_300_799_000;

const DAY_MS = 86_400_000;
/** The Gregorian calendar repeats after 400 years. */
const DAYS_OF_400_YEARS = 146_097;

/**
 * Writes a time as IMF-fixdate, e.g. `Sun, 06 Nov 1994 08:49:37 GMT`. Parts of a second are dropped.
 *
 * @param ms milliseconds since 1970-01-01T00:00:00Z; times outside the years 0000 to 9999 become the nearest inside
 * @throws RangeError if `ms` is NaN
 */
export function formatHttpDate(ms: number): string {
  if (Number.isNaN(ms)) throw new RangeError("time of an HTTP-date is NaN");
  // ECMA-262 fixes the form of toUTCString, and for these years it is IMF-fixdate
  return new Date(Math.min(Math.max(ms, FIRST_MS), LAST_MS)).toUTCString();
}

/**
 * Reads any of the three forms. The name of the day must be one, but need not be that of the date.
 *
 * @param text field value without surrounding whitespace
 * @param nowMs now, in milliseconds since 1970; decides the century of an rfc850-date
 * @returns milliseconds since 1970, or null if `text` is no HTTP-date
 */
export function parseHttpDate(text: string, nowMs: number): number | null {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) {
    const [, day, month, year, hour, minute, second] = match as unknown as string[];
    return timeOf(Number(year), month, day, hour, minute, second);
  }
  match = RFC850_DATE.exec(text);
  if (match !== null) {
    const [, day, month, year, hour, minute, second] = match as unknown as string[];
    return timeOfShortYear(Number(year), nowMs, month, day, hour, minute, second);
  }
  match = ASCTIME_DATE.exec(text);
  if (match !== null) {
    const [, month, day, hour, minute, second, year] = match as unknown as string[];
    return timeOf(Number(year), month, day, hour, minute, second);
  }
  return null;
}

/** A time from its parts, or null if there is no such day or time. */
function timeOf(
  year: number,
  monthName = "",
  dayText = "",
  hourText = "",
  minuteText = "",
  secondText = "",
): number | null {
  const month = MONTHS.indexOf(monthName) / 3;
  const day = Number(dayText);
  const hour = Number(hourText);
  const minute = Number(minuteText);
  const second = Number(secondText);
  // RFC 9110 §5.6.7: second is 00 to 60, the last a leap second, for which POSIX time has no number of its own
  if (hour > 23 || minute > 59 || second > 60) return null;
  // Date.UTC reads years below 100 as 19xx, so count 400 years later
  const startOfDay = Date.UTC(year + 400, month, day) - DAYS_OF_400_YEARS * DAY_MS;
  // A day that its month does not have has become one of another month
  if (new Date(startOfDay).getUTCDate() !== day) return null;
  return startOfDay + ((hour * 60 + minute) * 60 + Math.min(second, 59)) * 1000;
}

/** The century is chosen so that the time is the latest that is not more than 50 years ahead. */
function timeOfShortYear(
  yearOfCentury: number,
  nowMs: number,
  month = "",
  day = "",
  hour = "",
  minute = "",
  second = "",
): number | null {
  const limit = new Date(nowMs);
  limit.setUTCFullYear(limit.getUTCFullYear() + 50);
  const latestMs = limit.getTime();
  const year = Math.floor(limit.getUTCFullYear() / 100) * 100 + yearOfCentury;
  const timeMs = timeOf(year, month, day, hour, minute, second);
  // RFC 9110 §5.6.7: more than 50 years in the future means the most recent year in the past with these digits.
  // Null may be a February 29 that only the century before has.
  const isInReach = timeMs !== null && timeMs <= latestMs;
  return isInReach ? timeMs : timeOf(year - 100, month, day, hour, minute, second);
}
