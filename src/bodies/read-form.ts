/**
 * A form of text fields: names and values, however the client encoded them, typed by a schema where one is given.
 *
 * `application/x-www-form-urlencoded` is read whole; of `multipart/form-data` every part must be a field. Files are for
 * readMultipart. It must never keep more than its bounds.
 */

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkOptions } from "../server/option-rules.ts";
import { toText } from "../web/body.ts";
import { ContentError } from "./content-error.ts";
import { declaredType, essenceOf, requireUtf8, typeRefusal } from "./declared-type.ts";
import { type PairOptions, parsePairs, recordOf, tooMany } from "./pairs.ts";
import { type ContentOptions, readContent } from "./read-content.ts";
import { readMultipart } from "./read-multipart.ts";
import { DEFAULT_MAX_BUFFERED_BYTES, DEFAULT_MAX_FIELDS, DEFAULT_MAX_RATIO, rulesFor } from "./reader-options.ts";
import { type ValidateOptions, validateAs } from "./validate.ts";

/**
 * How {@link readForm} reads. `maxBytes` defaults to the server's `limits.maxBufferedBytes` (1 MiB); for multipart forms and
 * coded content to 1 MiB.
 */
export interface FormOptions extends ContentOptions, PairOptions, ValidateOptions {}

const RULES = rulesFor("maxBytes", "maxFields", "arrays", "decompress", "maxRatio", "schema", "maxErrors");

const URL_ENCODED = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data";

/**
 * Reads a form that a schema checks. The schema gets an object: a string for a name that stands once, an array of strings for
 * one that stands several times or is named in `arrays`.
 *
 * @throws ValidationError (422), ContentError 400 ERR_PROTOTYPE_NAME, besides what the other form throws
 */
export function readForm<Schema extends StandardSchemaV1>(
  request: Request,
  options: FormOptions & { readonly schema: Schema },
): Promise<StandardSchemaV1.InferOutput<Schema>>;
/**
 * Reads a form. A form without content is a form without fields.
 *
 * @returns in the order of the content; `get` gives the first value of a name, `getAll` all
 * @throws ContentError 415 ERR_CONTENT_TYPE, ERR_CONTENT_CHARSET, ERR_CONTENT_CODING; 400 ERR_TOO_MANY_PAIRS, ERR_MULTIPART;
 * 413 ERR_UPLOAD_TOO_LARGE. ProtocolError for content that never came whole. TypeError for wrong options
 */
export function readForm(request: Request, options?: FormOptions): Promise<URLSearchParams>;
export async function readForm(
  request: Request,
  options: FormOptions & { readonly schema?: StandardSchemaV1 } = {},
): Promise<unknown> {
  checkOptions("readForm", options, RULES);
  const pairs = await readPairs(request, options);
  if (options.schema === undefined) return pairs;
  return validateAs("the form", options.schema, recordOf(pairs, options.arrays), options.maxErrors);
}

async function readPairs(request: Request, options: FormOptions): Promise<URLSearchParams> {
  const mediaType = declaredType(request);
  const essence = mediaType === null ? "" : essenceOf(mediaType);
  const maxFields = options.maxFields ?? DEFAULT_MAX_FIELDS;
  if (mediaType !== null && essence === MULTIPART) return readFields(request, options, maxFields);
  if (mediaType === null || essence !== URL_ENCODED) throw typeRefusal(request, [URL_ENCODED, MULTIPART]);
  requireUtf8(mediaType);
  return parsePairs(toText(await readContent(request, options), null) as string, maxFields);
}

async function readFields(request: Request, options: FormOptions, maxFields: number): Promise<URLSearchParams> {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BUFFERED_BYTES;
  const { decompress = false, maxRatio = DEFAULT_MAX_RATIO } = options;
  const limits = { maxBytes, maxBufferedBytes: maxBytes, maxParts: Infinity, maxFiles: Infinity, decompress, maxRatio };
  const pairs = new URLSearchParams();
  let count = 0;
  for await (const part of readMultipart(request, limits)) {
    if (part.isFile && (part.originalFilename !== "" || (await part.bytes()).length > 0)) {
      throw new ContentError("ERR_MULTIPART", "a field is a file, and only text is taken here");
    }
    // What a browser sends for an input of files where none was chosen
    if (part.isFile) continue;
    if (++count > maxFields) throw tooMany(maxFields);
    pairs.append(part.name, await part.text());
  }
  return pairs;
}
