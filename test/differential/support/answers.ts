/**
 * Octets that any server wrote -> answers, read as a patient client would.
 *
 * It knows the framing of RFC 9112 §6 and nothing else, and takes what is not perfect: judging is not its task. The strict
 * reader of our own answers is test/support/wire-responses.ts.
 */

/** One answer. Interim ones are left out. */
export interface Answer {
  readonly status: number;
  /** Names in lower case; the last line of a name counts. */
  readonly fields: ReadonlyMap<string, string>;
  /** latin1 */
  readonly content: string;
  readonly framing: "none" | "length" | "chunked" | "close";
  /** False where the octets ended before the answer did. What ends with the connection is whole. */
  readonly isWhole: boolean;
}

const HEAD = /^HTTP\/\d\.\d (\d{3})[^\r\n]*\r?\n(?:(?:[^\r\n]+\r?\n)*)\r?\n/;

/**
 * Reads all answers of a connection, given as latin1.
 *
 * @param methods of its requests in order, where they are known: answers to HEAD have no content
 */
export function readAnswers(text: string, methods: readonly string[] = []): Answer[] {
  const answers: Answer[] = [];
  let rest = text;
  while (rest !== "") {
    const head = HEAD.exec(rest);
    if (head === null) return answers;
    rest = rest.slice(head[0].length);
    const status = Number(head[1]);
    if (status < 200) continue;
    const fields = fieldsOf(head[0]);
    const [content, framing, length, isWhole] = readContent(
      methods[answers.length] === "HEAD" ? 204 : status,
      fields,
      rest,
    );
    answers.push({ status, fields, content, framing, isWhole });
    rest = rest.slice(length);
  }
  return answers;
}

function fieldsOf(head: string): Map<string, string> {
  const lines = head.split(/\r?\n/).slice(1);
  return new Map(
    lines
      .filter((line) => line.includes(":"))
      .map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
  );
}

type Content = readonly [content: string, framing: Answer["framing"], length: number, isWhole: boolean];

function readContent(status: number, fields: ReadonlyMap<string, string>, rest: string): Content {
  // Our contents never look like a head: here an answer to HEAD ends
  if (status === 204 || status === 304 || rest.startsWith("HTTP/1.")) return ["", "none", 0, true];
  if (/chunked/i.test(fields.get("transfer-encoding") ?? "")) return readChunks(rest);
  const declared = fields.get("content-length");
  if (declared === undefined) return [rest, "close", rest.length, true];
  const length = Number(declared);
  return [rest.slice(0, length), "length", length, rest.length >= length];
}

function readChunks(rest: string): Content {
  let at = 0;
  let content = "";
  for (;;) {
    const size = /^([0-9A-Fa-f]+)[^\r\n]*\r\n/.exec(rest.slice(at, at + 100));
    if (size === null) return [content, "chunked", rest.length, false];
    at += size[0].length;
    const length = Number.parseInt(size[1] ?? "", 16);
    if (length === 0) {
      const end = /^(?:[^\r\n]+\r\n)*\r\n/.exec(rest.slice(at));
      return [content, "chunked", end === null ? rest.length : at + end[0].length, end !== null];
    }
    content += rest.slice(at, at + length);
    at += length + 2;
  }
}
