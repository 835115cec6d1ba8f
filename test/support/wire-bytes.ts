/**
 * The notation of octets in wire cases: a block of text -> the octets and events that it stands for, and back.
 *
 * Each line of a block is a line on the wire and ends in CRLF, unless its last character is a lone backslash: then nothing
 * follows. Escapes are `\r \n \t \0 \s \xHH \\`; `${repeat("text", 100)}` repeats, with escapes inside. White space at the
 * end of a line must be written as an escape, so that no editor can change a case. Lines that start with `>>> ` are
 * events: `fin`, `reset`, `wait 30s`, `wait 250ms`, `answer`, `shutdown`, `drain`.
 * Octets are latin1 in the block's text. It must never guess: what it does not know is an error.
 */

/** What happens at the peer's end, in order. */
export type Step = { readonly bytes: Buffer } | { readonly event: string; readonly waitMs: number };

const ESCAPES: Readonly<Record<string, string>> = {
  "r": "\r",
  "n": "\n",
  "t": "\t",
  "0": "\0",
  "s": " ",
  "\\": "\\",
  '"': '"',
};
const EVENTS: ReadonlySet<string> = new Set(["fin", "reset", "answer", "shutdown", "drain"]);

/** Octets and events of a block, neighbouring octets joined. */
export function parseSteps(block: string): Step[] {
  const steps: Step[] = [];
  let text = "";
  const flush = (): void => {
    if (text !== "") steps.push({ bytes: Buffer.from(text, "latin1") });
    text = "";
  };
  for (const line of block === "" ? [] : block.split("\n")) {
    if (line.startsWith(">>> ")) {
      flush();
      steps.push(parseEvent(line.slice(4)));
    } else text += parseLine(line);
  }
  flush();
  return steps;
}

function parseEvent(text: string): Step {
  if (EVENTS.has(text)) return { event: text, waitMs: 0 };
  const wait = /^wait (\d+)(ms|s)$/.exec(text);
  if (wait === null) throw new Error(`unknown event: ${text}`);
  return { event: "wait", waitMs: Number(wait[1]) * (wait[2] === "s" ? 1000 : 1) };
}

/** One line of a block, with the line end that it stands for. */
function parseLine(line: string): string {
  if (/[ \t]$/.test(line)) throw new Error(`white space at the end of a line must be an escape: ${line}`);
  const isOpen = /(?:^|[^\\])(?:\\\\)*\\$/.test(line);
  const expanded = (isOpen ? line.slice(0, -1) : line).replaceAll(
    /\$\{repeat\("((?:[^"\\]|\\.)*)", (\d+)\)\}/g,
    (_, text: string, count: string) => text.repeat(Number(count)),
  );
  return unescape(expanded) + (isOpen ? "" : "\r\n");
}

function unescape(text: string): string {
  return text.replaceAll(/\\(x[0-9A-Fa-f]{2}|.|$)/gs, (whole, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    const known = ESCAPES[code];
    if (known === undefined) throw new Error(`unknown escape: ${whole}`);
    return known;
  });
}

/** Above this many octets a text is shown by its beginning and its length. */
const MAX_SHOWN_BYTES = 100;

/** Octets as a log shows them: in double quotes, with the escapes of blocks; long ones are cut. */
export function showBytes(bytes: Uint8Array): string {
  const isLong = bytes.length > MAX_SHOWN_BYTES;
  const shown = Buffer.from(isLong ? bytes.subarray(0, 16) : bytes);
  const text = escape(shown.toString("latin1")).replaceAll('"', '\\"');
  return isLong ? `"${text}"...` : `"${text}"`;
}

/** Text with the escapes of blocks. */
export function escape(text: string): string {
  return Array.from(text, escapeCharacter).join("");
}

function escapeCharacter(character: string): string {
  if (character === "\\") return "\\\\";
  if (character === "\r") return "\\r";
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  if (character >= " " && character <= "~") return character;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
