/**
 * What the target of a request says, typed by a schema: the query, and what a pattern of the path matched.
 *
 * Values are strings there; a schema that wants numbers coerces them. It must never look at content.
 */

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkOptions } from "../server/option-rules.ts";
import { type PairOptions, parsePairs, recordOf } from "./pairs.ts";
import { DEFAULT_MAX_FIELDS, rulesFor } from "./reader-options.ts";
import { type ValidateOptions, validateAs } from "./validate.ts";

/** How {@link readQuery} reads. */
export interface QueryOptions extends PairOptions, ValidateOptions {}

const QUERY_RULES = rulesFor("schema", "maxFields", "arrays", "maxErrors");
const PARAMS_RULES = rulesFor("schema", "maxErrors");

/**
 * The query of a request, as a schema makes it. The schema gets an object: a string for a name that stands once, an array of
 * strings for one that stands several times or is named in `arrays`.
 *
 * @throws ValidationError (422), ContentError 400 ERR_TOO_MANY_PAIRS, ERR_PROTOTYPE_NAME; TypeError for wrong options
 */
export async function readQuery<Schema extends StandardSchemaV1>(
  request: Request,
  schema: Schema,
  options: QueryOptions = {},
): Promise<StandardSchemaV1.InferOutput<Schema>> {
  checkOptions("readQuery", { schema, ...options }, QUERY_RULES);
  const pairs = parsePairs(queryOf(request.url), options.maxFields ?? DEFAULT_MAX_FIELDS);
  return validateAs("the query", schema, recordOf(pairs, options.arrays), options.maxErrors);
}

function queryOf(url: string): string {
  const start = url.indexOf("?");
  if (start === -1) return "";
  const end = url.indexOf("#", start);
  return url.slice(start + 1, end === -1 ? url.length : end);
}

/**
 * What the pattern of the route matched, as a schema makes it.
 *
 * @param context as the handler got it
 * @throws ValidationError (422); TypeError for wrong options
 */
export async function readParams<Schema extends StandardSchemaV1>(
  context: { readonly params: object },
  schema: Schema,
  options: ValidateOptions = {},
): Promise<StandardSchemaV1.InferOutput<Schema>> {
  checkOptions("readParams", { schema, ...options }, PARAMS_RULES);
  return validateAs("the path", schema, context.params, options.maxErrors);
}
