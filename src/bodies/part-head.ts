/**
 * The header of a part of multipart/form-data -> name, file name, type (RFC 7578 §4.2 to §4.8).
 *
 * Content-Disposition is read as browsers write it (the multipart/form-data encoding of the HTML standard), which is no
 * quoted-string of RFC 9110: a backslash stands for itself but before a quote, and `"`, CR and LF come as %22, %0D, %0A.
 * What is ambiguous is refused, because two programs could see two different files. It must never touch content.
 */

import { isFieldValue, isToken, trimWhiteSpace } from "../http/fields.ts";
import { parseMediaType } from "../http/media-type.ts";
import { ContentError } from "./content-error.ts";
import { safeFileName } from "./file-name.ts";

/** What the header of a part says. */
export interface PartHead {
  readonly name: string;
  /** As sent; null for a field, `""` where no file was chosen. */
  readonly originalFilename: string | null;
  /** Safe to be the name of a file; null for a field. */
  readonly filename: string | null;
  readonly type: string;
  /** Name, value, name, value, in lower case and as sent. */
  readonly lines: readonly string[];
}

/** Lines by name in lower case, as the parser gives them: one character for each octet. */
export type RawPartHead = Readonly<Record<string, readonly string[]>>;

function malformed(detail: string): ContentError {
  return new ContentError("ERR_MULTIPART", detail);
}

/** @throws ContentError ERR_MULTIPART for a header that is not that of a form's part */
export function readPartHead(raw: RawPartHead): PartHead {
  const lines = linesOf(raw);
  const disposition = onlyValue(raw, "content-disposition");
  // RFC 7578 §4.2: each part must have it, with a name
  if (disposition === null) throw malformed("a part has no Content-Disposition");
  const parameters = readDisposition(disposition);
  const name = parameters?.get("name");
  if (parameters === null || name === undefined) throw malformed("a Content-Disposition is not form-data with a name");
  // RFC 7578 §4.7: deprecated, and nobody would undo it later
  const coding = (onlyValue(raw, "content-transfer-encoding") ?? "binary").toLowerCase();
  if (!/^(?:7bit|8bit|binary)$/.test(coding)) throw malformed("a part has a Content-Transfer-Encoding");
  const originalFilename = filenameOf(parameters);
  const filename = originalFilename === null ? null : safeFileName(originalFilename);
  const type = typeOf(onlyValue(raw, "content-type"), filename !== null);
  return { name: decodeName(name), originalFilename, filename, type, lines };
}

function linesOf(raw: RawPartHead): string[] {
  const lines: string[] = [];
  for (const [name, values] of Object.entries(raw)) {
    for (const value of values) {
      if (!isToken(name) || !isFieldValue(value)) throw malformed("a part has an invalid header line");
      lines.push(name, trimWhiteSpace(value));
    }
  }
  return lines;
}

function onlyValue(raw: RawPartHead, name: string): string | null {
  const values = raw[name];
  if (values === undefined) return null;
  if (values.length > 1) throw malformed(`a part has more than one ${name}`);
  return trimWhiteSpace(values[0] as string);
}

/** RFC 7578 §4.4: text unless it says otherwise; a file without type is octets. */
function typeOf(value: string | null, isFile: boolean): string {
  if (value === null) return isFile ? "application/octet-stream" : "text/plain";
  return parseMediaType(value) === null ? "application/octet-stream" : value;
}

const TYPE = /^form-data[ \t]*(?=;|$)/i;
const PARAMETER = /[ \t]*;[ \t]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[ \t]*=[ \t]*/y;
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z\x80-\xff]+/y;
const END = /[ \t]*(?:;[ \t]*)?$/y;

/** Parameters by name in lower case, null if it is no `form-data`, is malformed or has one of them twice. */
function readDisposition(value: string): ReadonlyMap<string, string> | null {
  const type = TYPE.exec(value);
  if (type === null) return null;
  const parameters = new Map<string, string>();
  let at = type[0].length;
  for (;;) {
    END.lastIndex = at;
    if (END.test(value)) return parameters;
    PARAMETER.lastIndex = at;
    const name = PARAMETER.exec(value)?.[1]?.toLowerCase();
    if (name === undefined || parameters.has(name)) return null;
    at = PARAMETER.lastIndex;
    const end = value[at] === '"' ? endOfQuoted(value, at) : endOfToken(value, at);
    if (end === -1) return null;
    const given = value.slice(at, end);
    parameters.set(name, given.startsWith('"') ? given.slice(1, -1).replaceAll(String.raw`\"`, '"') : given);
    at = end;
  }
}

function endOfToken(value: string, at: number): number {
  TOKEN.lastIndex = at;
  return TOKEN.test(value) ? TOKEN.lastIndex : -1;
}

/** A quote behind a backslash ends the value only if what follows could follow it: browsers do not escape backslashes. */
function endOfQuoted(value: string, start: number): number {
  for (let at = value.indexOf('"', start + 1); at !== -1; at = value.indexOf('"', at + 1)) {
    if (value[at - 1] !== "\\" || /^[ \t]*(?:;|$)/.test(value.slice(at + 1, at + 64))) return at + 1;
  }
  return -1;
}

/** The octets are UTF-8 (RFC 7578 §5.1.2, HTML); three characters come as percent-escapes. */
function decodeName(latin1: string): string {
  const text = Buffer.from(latin1, "latin1").toString();
  return text.replace(/%(?:22|0D|0A)/gi, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16)));
}

/** RFC 7578 §4.2: `filename*` must not be sent; where it comes alone it is understood, beside `filename` it is passed over. */
function filenameOf(parameters: ReadonlyMap<string, string>): string | null {
  const plain = parameters.get("filename");
  if (plain !== undefined) return decodeName(plain);
  const extended = parameters.get("filename*");
  return extended === undefined ? null : decodeExtended(extended);
}

/** RFC 8187 §3.2: charset'language'value. */
function decodeExtended(value: string): string {
  const [, charset = "", escaped = ""] = /^([\w-]+)'[^']*'(.*)$/.exec(value) ?? [];
  const octets = escaped.replace(/%[0-9a-f]{2}/gi, (hex) => String.fromCharCode(Number.parseInt(hex.slice(1), 16)));
  if (charset.toLowerCase() === "utf-8") return Buffer.from(octets, "latin1").toString();
  if (charset.toLowerCase() === "iso-8859-1") return octets;
  throw malformed("a filename* has another charset than UTF-8");
}
