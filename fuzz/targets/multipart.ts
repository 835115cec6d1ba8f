/**
 * Fuzz target: multipart/form-data (bodies/part-parser.ts, part-head.ts). An input is a boundary on the first line, then the
 * content.
 *
 * Invariants:
 * - Octets are parts or one ContentError of a 4xx status, never another exception.
 * - The parts are the same in every split: names, types, and every octet of content (RFC 2046 §5.1.1). Which of several
 *   reasons a form is refused for may depend on how far it had come.
 * - What is accepted has the parts that @fastify/busboy finds, a parser of somebody else's; but for a part whose header is
 *   followed by a delimiter at once, which that one takes for a header without end (RFC 2046 §5.1.1: body-part).
 * - File names are safe; limits of parts, files, sizes and heads hold.
 * - A form written by the platform is read as it was written (RFC 7578 §4).
 */

import { Dicer } from "@fastify/busboy";
import { ContentError } from "../../src/bodies/content-error.ts";
import { PartParser } from "../../src/bodies/part-parser.ts";
import { trimWhiteSpace } from "../../src/http/fields.ts";
import { join, listOf, orMutated, seedsOf, wordsOf } from "../grammar.ts";
import { hold, same } from "../invariant.ts";
import { latin1 } from "../mutate.ts";
import { Random } from "../random.ts";
import { cutsOf, octetsOf } from "../splits.ts";
import type { FuzzTarget } from "../target.ts";
import fc from "fast-check";

const LIMITS = { maxParts: 6, maxFiles: 3, maxPartBytes: 200, maxPartHeadBytes: 400 };
const WORDS = [
  "\r\n--b",
  "--b\r\n",
  "--b--\r\n",
  "--",
  'Content-Disposition: form-data; name="a"\r\n',
  '; filename="a.txt"',
  "a: b\r\n",
  "Content-Type: text/plain\r\n",
  "\r\n\r\n",
];
const disposition = join(
  "Content-Disposition: form-data; ",
  wordsOf('name="a" name=a name="" filename="b";name="a" name="a%22" name="a\\"b" x'),
  wordsOf(' ;filename="a.txt" ;filename="../a" ;filename*=UTF-8\'\'a'),
  "\r\n",
);
const part = join(
  "--b\r\n",
  disposition,
  fc.constantFrom("", "Content-Type: text/html\r\n", "Content-Transfer-Encoding: base64\r\n", "X: y\r\n"),
  "\r\n",
  fc.stringMatching(/^[a\r\nb-]{0,30}$/),
  "\r\n",
);

type FoundPart = readonly [name: string, filename: string | null, type: string, content: string, lines: string];

interface Found {
  readonly parts: readonly FoundPart[];
  readonly code: string;
}

function read(boundary: string, pieces: readonly Uint8Array[]): Found {
  const parts: [string, string | null, string, string, string][] = [];
  const parser = new PartParser(boundary, LIMITS, (head) => {
    const row: (typeof parts)[number] = [head.name, head.filename, head.type, "", head.lines.join("\n")];
    parts.push(row);
    hold(
      head.filename === null || !/[/\\\0]|^\.*$/.test(head.filename),
      "file names are safe",
      () => head.filename ?? "",
    );
    return {
      push: (bytes) => void (row[3] += latin1(bytes)),
      end: () => {},
    };
  });
  try {
    for (const piece of pieces) parser.write(piece);
    parser.end();
  } catch (error) {
    if (!(error instanceof ContentError)) throw error;
    hold(error.status >= 400 && error.status < 500, "refuses with 4xx");
    return { parts: [], code: error.code };
  }
  hold(
    parts.length <= LIMITS.maxParts && parts.filter(([, filename]) => filename !== null).length <= LIMITS.maxFiles,
    "takes no more parts than allowed",
  );
  hold(
    parts.every(([, , , content]) => content.length <= LIMITS.maxPartBytes),
    "takes no larger parts than allowed",
  );
  return { parts, code: "" };
}

/** Contents and headers of the parts, as the other parser finds them. */
function readElsewhere(boundary: string, content: Uint8Array): [content: string, lines: string][] {
  const parts: [string, string][] = [];
  const dicer = new Dicer({ boundary });
  dicer.on("error", () => {});
  dicer.on("part", (part) => {
    const row: [string, string] = ["", ""];
    parts.push(row);
    part.on("header", (header: Record<string, string[]>) => {
      const lines = Object.entries(header).flatMap(([name, values]) =>
        values.map((value) => [name, trimWhiteSpace(value)]),
      );
      row[1] = lines.flat().join("\n");
    });
    // Its streams are fed by push(): taken here, content comes at once
    part.push = (chunk: Uint8Array | null): boolean => {
      if (chunk === null) part.emit("end");
      else row[0] += latin1(chunk);
      return true;
    };
  });
  dicer.write(Buffer.from(content));
  return parts;
}

/** What must be the same: the parts, or that it is refused. */
function outcomeOf({ parts, code }: Found): unknown {
  return code === "" ? parts : "refused";
}

/** The target. */
export const multipartTarget: FuzzTarget = {
  name: "multipart",
  about: "a form is read as the same parts in every split, or refused with one 4xx",
  arbitrary: orMutated(join("b\n", listOf(part, "", 4), wordsOf("--b-- --b--\r\n --b")), WORDS),
  words: WORDS,
  seeds: () =>
    seedsOf(
      'b\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nhello\r\n--b--\r\n',
      "b\n--b--\r\n",
      "b\n\r\n--b\r\n\r\n\r\n--b--",
      'b\npreamble\r\n--b \r\nContent-Disposition: form-data; name="a"; filename="x.txt"\r\nContent-Type: a/b\r\n\r\n\r\n--bc\r\n--b--\r\nepilogue',
    ),
  run(input) {
    const at = input.indexOf(0x0a);
    const boundary = latin1(input.subarray(0, Math.max(at, 0)));
    // What readMultipart() lets through (RFC 2046 §5.1.1)
    if (!/^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary)) return;
    const content = input.subarray(at + 1);
    const whole = read(boundary, [content]);
    const octets = read(boundary, octetsOf(content));
    same(outcomeOf(octets), outcomeOf(whole), "is the same octet by octet");
    same(
      outcomeOf(read(boundary, cutsOf(content, new Random(content.length)))),
      outcomeOf(whole),
      "is the same in a split",
    );
    if (whole.code !== "") return;
    const isBare = latin1(content)
      .split(`\r\n\r\n--${boundary}`)
      .slice(0, -1)
      .some((before) => !before.endsWith("\n"));
    if (isBare && whole.parts.some(([, , , text]) => text === "")) return;
    // White space behind a boundary is a line without a name to it, which ends the header
    const isPadded = /^[ \t]/m.test(latin1(content).replaceAll(`--${boundary}`, "\n"));
    const known = ([text, lines]: readonly [content: string, lines: string]): string[] =>
      isPadded ? [text] : [text, lines];
    same(
      readElsewhere(boundary, content).map(known),
      whole.parts.map(([, , , text, lines]) => known([text, lines])),
      "is what another parser finds",
    );
  },
};
