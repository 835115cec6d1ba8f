/**
 * One server-sent event as text (HTML Standard §9.2.5, §9.2.6).
 *
 * A line ends at CR LF, LF or CR, and an empty one ends an event: data is split at all three and each line gets its name, so
 * that no value can end an event early or begin another (event forging). Ids and names cannot be split and throw.
 */

/** An event, or part of one. Nothing in it is required. */
export interface ServerEvent {
  /** Text as it stands, in as many lines as it has; anything else as JSON. Without it browsers tell nobody. */
  readonly data?: unknown;
  /** Which listeners are told, default those of `message`. */
  readonly event?: string | undefined;
  /** What the client sends as Last-Event-ID when it comes back; `""` takes back what was said before. */
  readonly id?: string | undefined;
  /** How long the client waits before it comes back, in milliseconds. */
  readonly retryMs?: number | undefined;
  /** Seen by nobody but who looks at the bytes. */
  readonly comment?: string | undefined;
}

/** An event, or text that is the data of one. */
export type EventInput = ServerEvent | string;

const LINE_END = /\r\n|\n|\r/;
const MEMBERS: ReadonlySet<string> = new Set(["data", "event", "id", "retryMs", "comment"]);

/**
 * Writes an event, with the empty line that ends it.
 *
 * @throws TypeError for an id or name of an event with CR, LF or NUL, for data that JSON cannot say, and for members that
 *   there are not; RangeError if `retryMs` is no whole number from 0
 */
export function renderEvent(event: EventInput): string {
  if (typeof event === "string") return `${dataLines(event)}\n`;
  if (typeof event !== "object" || event === null) throw new TypeError("an event is text or an object");
  const { data, event: name, id, retryMs, comment } = event;
  checkMembers(event);
  let text = "";
  if (comment !== undefined) text += commentLines(comment);
  if (name !== undefined && name !== "") text += `event: ${oneLine(name, "name")}\n`;
  if (id !== undefined) text += `id: ${oneLine(id, "id")}\n`;
  if (retryMs !== undefined) text += retryLine(retryMs);
  if (data !== undefined) text += dataLines(typeof data === "string" ? data : toJson(data));
  if (text === "") throw new TypeError("an event with nothing in it");
  return `${text}\n`;
}

/** Writes a comment, with an empty line behind it. */
export function renderComment(comment: string): string {
  return `${commentLines(comment)}\n`;
}

function dataLines(text: string): string {
  let lines = "";
  for (const line of text.split(LINE_END)) lines += `data: ${line}\n`;
  return lines;
}

function commentLines(text: string): string {
  let lines = "";
  for (const line of String(text).split(LINE_END)) lines += line === "" ? ":\n" : `: ${line}\n`;
  return lines;
}

function retryLine(retryMs: number): string {
  // HTML §9.2.6: ASCII digits only, anything else is ignored
  if (!Number.isSafeInteger(retryMs) || retryMs < 0) {
    throw new RangeError(`retryMs is a whole number of milliseconds from 0, not ${String(retryMs)}`);
  }
  return `retry: ${retryMs}\n`;
}

function oneLine(text: unknown, what: string): string {
  if (typeof text !== "string") throw new TypeError(`the ${what} of an event is text`);
  // HTML §9.2.6: an id with NUL is ignored; a name would never be listened to
  if (/[\r\n\0]/.test(text))
    throw new TypeError(`the ${what} of an event holds CR, LF or NUL: ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

function toJson(data: unknown): string {
  const text = JSON.stringify(data) as string | undefined;
  if (text === undefined) throw new TypeError(`the data of an event cannot be said in JSON: ${typeof data}`);
  return text;
}

function checkMembers(event: object): void {
  for (const name of Object.keys(event)) {
    if (!MEMBERS.has(name))
      throw new TypeError(`an event has no ${JSON.stringify(name)}, only ${[...MEMBERS].join(", ")}`);
  }
}
