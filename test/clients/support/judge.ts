/**
 * Answers about a changing folder, judged: one whole version that was there within the second, under the right length, tag and
 * coding; or nothing where nothing was; or a message visibly broken off where the file was written to. All else is a mistake.
 */
import { createHash } from "node:crypto";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { Subject } from "./changing-tree.ts";
import type { State } from "./timeline.ts";

/** What was asked. */
export interface Question {
  readonly subject: Subject;
  readonly method: "GET" | "HEAD";
  readonly fields: Readonly<Record<string, string>>;
  /** Milliseconds since 1970, before it was sent. */
  readonly askedMs: number;
}

/** What came. */
export interface Answer {
  readonly status: number;
  /** By lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly content: Buffer;
}

/** A representation as it was answered with once. */
interface Known {
  readonly etag: string;
  readonly coding: string;
  /** As sent, coded. */
  readonly content: Buffer;
}

const MOST_MISTAKES = 20;
const MOST_KNOWN = 6;

/** Judges all answers of one run. */
export class Judge {
  readonly mistakes: string[] = [];
  /** Answers by what they were. */
  readonly counts: Map<string, number> = new Map<string, number>();
  readonly #known: Map<Subject, Known[]> = new Map<Subject, Known[]>();
  /** Digests by path and tag: the same strong tag means the same octets (RFC 9110 §8.8.1). */
  readonly #digests: Map<string, string> = new Map<string, string>();

  /** Representations of a path that were answered with lately, the newest last. */
  known(subject: Subject): readonly Known[] {
    return this.#known.get(subject) ?? [];
  }

  /** Judges a message that was broken off. */
  judgeBroken(question: Question, error: unknown): void {
    if (question.subject.isInPlace) this.#count("broken off");
    else this.#mistake(question, `was broken off though nobody wrote to it: ${String(error)}`);
  }

  judge(question: Question, answer: Answer): void {
    const { subject, askedMs } = question;
    const plain = subject.plain.possible(askedMs, Date.now());
    switch (answer.status) {
      case 200:
        this.#judgeWhole(question, answer, plain);
        break;
      case 206:
        this.#judgePart(question, answer, plain);
        break;
      case 304:
        this.#judgeNotModified(question, answer, plain);
        break;
      case 404:
        this.#check(
          question,
          plain.some(({ bytes }) => bytes === null),
          "is 404, and was there all the time",
        );
        break;
      case 416:
        this.#judgeUnsatisfied(question, answer, plain);
        break;
      case 503:
        this.#check(question, subject.isInPlace, "is 503, and nobody wrote to it");
        break;
      default:
        this.#mistake(question, `is ${answer.status}`);
    }
    const kind = answer.fields.get("content-encoding");
    this.#count(`${answer.status}${kind === undefined ? "" : ` ${kind}`}`);
  }

  #judgeWhole(question: Question, { fields, content }: Answer, plain: readonly State[]): void {
    const { subject, method, askedMs } = question;
    const length = Number(fields.get("content-length"));
    const coding = fields.get("content-encoding") ?? "identity";
    const accepted = question.fields["accept-encoding"] ?? "";
    this.#check(
      question,
      coding === "identity" || accepted.includes(coding),
      `is coded ${coding}, which was not accepted`,
    );
    if (method === "HEAD") {
      const isKnown = coding !== "identity" || plain.some(({ bytes }) => bytes?.length === length);
      this.#check(question, isKnown && content.length === 0, `has a HEAD of ${length} octets`);
      return;
    }
    this.#check(question, content.length === length, `has ${content.length} octets and says ${length}`);
    const decoded = decode(content, coding);
    if (decoded === null) {
      this.#mistake(question, `is no ${coding}`);
      return;
    }
    const sibling = subject.siblings.get(coding)?.possible(askedMs, Date.now()) ?? [];
    const isSibling = sibling.some(({ bytes }) => bytes?.equals(decoded) === true);
    if (isSibling) this.#count("from siblings");
    if (!isSibling && !plain.some(({ bytes }) => bytes?.equals(decoded) === true)) {
      const line = decoded.includes(`${subject.path.slice(1)}.`) ? subject.siblings.get(coding) : subject.plain;
      this.#mistake(question, `${coding}: ${(line ?? subject.plain).explain(decoded, askedMs)}`);
    }
    this.#remember(question, { etag: fields.get("etag") ?? "", coding, content });
  }

  #judgePart(question: Question, { fields, content }: Answer, plain: readonly State[]): void {
    const coding = fields.get("content-encoding") ?? "identity";
    const etag = fields.get("etag") ?? "";
    this.#check(question, content.length === Number(fields.get("content-length")), "has a part of another length");
    const ifRange = question.fields["if-range"];
    this.#check(question, ifRange === undefined || ifRange === etag, "answers If-Range with a part of another version");
    const parts = partsOf(fields, content);
    if (parts === null) {
      this.#mistake(question, "has parts that cannot be read");
      return;
    }
    const isOf = (whole: Buffer): boolean =>
      parts.every(
        ({ start, total, bytes }) =>
          total === whole.length && bytes.equals(whole.subarray(start, start + bytes.length)) && bytes.length > 0,
      );
    const known = this.known(question.subject).find((one) => one.etag === etag && one.coding === coding);
    if (known !== undefined) {
      this.#check(question, isOf(known.content), `has a part that is none of what ${etag} was`);
      this.#count("parts of a known version");
    }
    // Coded octets cannot be made here again; what they come to is judged as a whole
    if (coding !== "identity") return;
    if (!plain.some(({ bytes }) => bytes !== null && isOf(bytes))) {
      const told = parts.map(({ start, total, bytes }) => `${start}+${bytes.length}/${total}`).join(", ");
      this.#mistake(question, `has parts ${told} of no version of that time`);
    }
  }

  #judgeNotModified(question: Question, { fields }: Answer, plain: readonly State[]): void {
    const { subject, askedMs } = question;
    const asked = question.fields["if-none-match"];
    const etag = fields.get("etag");
    if (asked === undefined || asked !== etag) {
      this.#mistake(question, `is 304 with ${etag} to ${asked}`);
      return;
    }
    const digest = this.#digests.get(`${subject.path} ${etag}`);
    const sibling = [...subject.siblings.values()].flatMap((line) => line.possible(askedMs, Date.now()));
    const isThere = [...plain, ...sibling].some(({ bytes }) => bytes !== null && digestOf(bytes) === digest);
    this.#check(question, isThere, `is 304 to ${etag}, which was over more than a second before`);
  }

  #judgeUnsatisfied(question: Question, { fields }: Answer, plain: readonly State[]): void {
    const total = Number(/^bytes \*\/(\d+)$/.exec(fields.get("content-range") ?? "")?.[1] ?? NaN);
    const isCoded = question.fields["accept-encoding"] !== undefined;
    const isKnown = isCoded || plain.some(({ bytes }) => bytes?.length === total);
    const start = Number(/^bytes=(\d+)-/.exec(question.fields["range"] ?? "")?.[1] ?? Infinity);
    this.#check(question, isKnown && start >= total, `is 416 of ${total} octets`);
  }

  #remember(question: Question, known: Known): void {
    const { subject } = question;
    const digest = digestOf(decode(known.content, known.coding) as Buffer);
    const key = `${subject.path} ${known.etag}`;
    const before = this.#digests.get(key);
    this.#check(question, known.etag.startsWith('"'), "has no strong tag");
    this.#check(question, before === undefined || before === digest, `has ${known.etag} for two contents`);
    this.#digests.set(key, digest);
    const others = this.known(subject).filter(({ etag }) => etag !== known.etag);
    this.#known.set(subject, [...others.slice(1 - MOST_KNOWN), known]);
  }

  #check(question: Question, isRight: boolean, mistake: string): void {
    if (!isRight) this.#mistake(question, mistake);
  }

  #mistake({ subject, method, fields }: Question, what: string): void {
    if (this.mistakes.length < MOST_MISTAKES) {
      this.mistakes.push(`${method} ${subject.path} ${JSON.stringify(fields)} ${what}`);
    }
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

interface Part {
  readonly start: number;
  readonly total: number;
  readonly bytes: Buffer;
}

/** One part or several; null where they are malformed. */
function partsOf(fields: ReadonlyMap<string, string>, content: Buffer): Part[] | null {
  const boundary = /^multipart\/byteranges; ?boundary="?([^"]+)"?$/.exec(fields.get("content-type") ?? "")?.[1];
  if (boundary === undefined) {
    const part = partOf(fields.get("content-range") ?? "", content);
    return part === null ? null : [part];
  }
  const parts: (Part | null)[] = [];
  for (const piece of content.toString("latin1").split(`--${boundary}`).slice(1, -1)) {
    const end = piece.indexOf("\r\n\r\n");
    const range = /content-range: ([^\r]*)\r\n/i.exec(piece.slice(0, end + 2))?.[1] ?? "";
    parts.push(partOf(range, Buffer.from(piece.slice(end + 4, -2), "latin1")));
  }
  const whole = parts.filter((part) => part !== null);
  return whole.length === parts.length && parts.length > 0 ? whole : null;
}

function partOf(contentRange: string, bytes: Buffer): Part | null {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange);
  if (match === null) return null;
  const [start, end, total] = match.slice(1).map(Number) as [number, number, number];
  return end - start + 1 === bytes.length ? { start, total, bytes } : null;
}

function decode(content: Buffer, coding: string): Buffer | null {
  try {
    if (coding === "identity") return content;
    return coding === "br" ? brotliDecompressSync(content) : gunzipSync(content);
  } catch {
    return null;
  }
}

const digests = new WeakMap<Buffer, string>();

function digestOf(bytes: Buffer): string {
  const made = digests.get(bytes) ?? createHash("sha1").update(bytes).digest("base64");
  digests.set(bytes, made);
  return made;
}
