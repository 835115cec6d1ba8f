/**
 * Status and reason phrase as users give them -> as they are sent (Fetch §5.5 "initialize a response").
 *
 * Conversions are those of Web IDL, so that a response takes what the platform's takes and refuses what it refuses. What
 * would split a response is refused here, at the line of the handler's code that wrote it.
 */

/** RFC 9112 §4: HTAB, SP, VCHAR and obs-text. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Web IDL §3.3.8: modulo 2^16, without fraction, what is no number is 0. */
export function toUnsignedShort(value: unknown): number {
  if (typeof value === "number" && value >= 0 && value <= 0xff_ff && Number.isInteger(value)) return value;
  // The plus refuses symbols and big integers
  const number = Math.trunc(+(value as number));
  if (!Number.isFinite(number)) return 0;
  return ((number % 0x1_00_00) + 0x1_00_00) % 0x1_00_00;
}

/** A final status. @throws RangeError outside 200 to 599 */
export function toStatus(value: unknown): number {
  const code = toUnsignedShort(value);
  if (code < 200 || code > 599) {
    throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
  }
  return code;
}

/** A reason phrase. @throws TypeError if it holds CR or LF (response splitting), another control or what is not latin1 */
export function toReason(value: unknown): string {
  const reason = `${value as string}`;
  if (!REASON.test(reason)) throw new TypeError("Invalid statusText");
  return reason;
}
