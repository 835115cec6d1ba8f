/**
 * Content -> JSON value (RFC 8259), typed by a schema where one is given.
 *
 * Steps: declared type and charset -> content coding -> octets, bounded -> UTF-8 -> depth -> JSON -> names -> schema. Of equal
 * names in an object the last counts, as JSON.parse has it. It must never guess at a type, nor pass on what it has not checked.
 */

import { isUtf8 } from "node:buffer";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkOptions } from "../server/option-rules.ts";
import { textStart, toText } from "../web/body.ts";
import { parseJson } from "../web/json.ts";
import { findTooDeep } from "../web/json-depth.ts";
import { ContentError } from "./content-error.ts";
import { declaredType, essenceOf, isJson, requireUtf8, typeRefusal } from "./declared-type.ts";
import { findPrototypeName } from "./json-shape.ts";
import { type ContentOptions, readContent } from "./read-content.ts";
import { DEFAULT_MAX_DEPTH, rulesFor } from "./reader-options.ts";
import { type ValidateOptions, validateAs } from "./validate.ts";

/**
 * How {@link readJson} reads. `maxBytes` defaults to the server's `limits.maxBufferedBytes` (1 MiB), and may be more than that;
 * for coded content it defaults to 1 MiB.
 */
export interface JsonOptions extends ContentOptions, ValidateOptions {
  /** Levels of arrays and objects. Default 128, as serde_json; .NET has 64. */
  readonly maxDepth?: number;
  /**
   * What becomes of the names `__proto__`, and `constructor` with a member `prototype`: refused with 400, or kept as the plain
   * members that JSON.parse makes of them. Default `"refuse"`, as Fastify: code that copies members is often careless.
   */
  readonly prototypeNames?: "refuse" | "keep";
  /** Media types that are taken besides `application/json` and those in `+json`, e.g. `["text/plain"]`. Default none. */
  readonly types?: readonly string[];
}

const RULES = rulesFor(
  "maxBytes",
  "maxDepth",
  "prototypeNames",
  "types",
  "decompress",
  "maxRatio",
  "schema",
  "maxErrors",
);

/**
 * Reads JSON that a schema checks.
 *
 * @returns what the schema makes of it
 * @throws ValidationError (422) besides what the other form throws
 */
export function readJson<Schema extends StandardSchemaV1>(
  request: Request,
  options: JsonOptions & { readonly schema: Schema },
): Promise<StandardSchemaV1.InferOutput<Schema>>;
/**
 * Reads JSON.
 *
 * @throws ContentError 415 ERR_CONTENT_TYPE, ERR_CONTENT_CHARSET, ERR_CONTENT_CODING; 400 ERR_CONTENT_MISSING,
 * ERR_JSON_TOO_DEEP, ERR_PROTOTYPE_NAME; 413 ERR_UPLOAD_TOO_LARGE. JsonSyntaxError (400 ERR_JSON) with line, column and
 * offset. ProtocolError for content that never came whole. TypeError for wrong options, or if the content was read already
 */
export function readJson(request: Request, options?: JsonOptions): Promise<unknown>;
export async function readJson(
  request: Request,
  options: JsonOptions & { readonly schema?: StandardSchemaV1 } = {},
): Promise<unknown> {
  checkOptions("readJson", options, RULES);
  requireJson(request, options.types);
  const bytes = await readContent(request, options);
  const value = parse(bytes, options);
  if (options.schema === undefined) return value;
  return validateAs("the content", options.schema, value, options.maxErrors);
}

function requireJson(request: Request, types: readonly string[] = []): void {
  // What nearly every client says needs no taking apart
  if (request.headers.get("content-type") === "application/json") return;
  const mediaType = declaredType(request);
  const isTaken = mediaType !== null && (isJson(mediaType) || types.includes(essenceOf(mediaType)));
  if (!isTaken) throw typeRefusal(request, ["application/json", ...types]);
  requireUtf8(mediaType);
}

function parse(bytes: Uint8Array, options: JsonOptions): unknown {
  if (bytes.length === 0) throw new ContentError("ERR_CONTENT_MISSING");
  // RFC 8259 §8.1: U+FFFD in place of what was meant would be taken for what was sent
  if (!isUtf8(bytes)) throw new ContentError("ERR_CONTENT_CHARSET", "it holds octets that are none of UTF-8");
  const text = toText(bytes, null) as string;
  const maxDepth = options.maxDepth ?? DEFAULT_MAX_DEPTH;
  // RFC 8259 §9: a parser may set a limit on nesting
  if (findTooDeep(text, maxDepth) !== -1) throw new ContentError("ERR_JSON_TOO_DEEP", `more than ${maxDepth} levels`);
  const value = parseJson(text, textStart(bytes));
  if (options.prototypeNames === "keep") return value;
  const name = findPrototypeName(text, value);
  if (name !== null) throw new ContentError("ERR_PROTOTYPE_NAME", name);
  return value;
}
