/**
 * A value against a schema of any library that follows Standard Schema: the typed value, or a 422 with a path per mistake.
 *
 * Paths are JSON pointers (RFC 6901), so that a client finds the member. The list is bounded; what a schema throws is the
 * handler's fault and passes through. It must never know one library from another.
 */

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkOptions } from "../server/option-rules.ts";
import { ContentError } from "./content-error.ts";
import { DEFAULT_MAX_ERRORS, isSchema, rulesFor } from "./reader-options.ts";

const RULES = rulesFor("maxErrors");

/** One mistake, as the answer lists it. */
export interface ValidationMistake {
  /** JSON pointer to the member (RFC 6901): `/items/0/name`; `""` for the value itself. */
  readonly path: string;
  /** In the words of the schema. */
  readonly message: string;
}

/** How {@link validate} tells of mistakes. */
export interface ValidateOptions {
  /** The most mistakes that are listed. Default 20; how many there are is told all the same. */
  readonly maxErrors?: number;
}

/** What was not valid. */
export class ValidationError extends ContentError {
  override readonly name: string = "ValidationError";
  /** As many as are listed. */
  readonly errors: readonly ValidationMistake[];

  constructor(what: string, issues: readonly StandardSchemaV1.Issue[], maxErrors: number) {
    const errors = issues.slice(0, maxErrors).map(mistakeOf);
    const count = issues.length === 1 ? "one mistake" : `${issues.length} mistakes`;
    super("ERR_VALIDATION", what === "" ? count : `${what} has ${count}`, { extensions: { errors } });
    this.errors = errors;
  }
}

function mistakeOf(issue: StandardSchemaV1.Issue): ValidationMistake {
  return { path: pointerOf(issue.path ?? []), message: issue.message };
}

/** RFC 6901 §3: `~` is written `~0` and `/` is written `~1`. */
function pointerOf(path: NonNullable<StandardSchemaV1.Issue["path"]>): string {
  let pointer = "";
  for (const segment of path) {
    const key = typeof segment === "object" ? segment.key : segment;
    pointer += `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  }
  return pointer;
}

/**
 * Checks a value and gives what the schema makes of it, typed. Asynchronous schemas are waited for.
 *
 * @param schema of zod, valibot, arktype or whatever else follows Standard Schema
 * @throws ValidationError (422) for a value that is not valid, TypeError for a schema that is none
 */
export async function validate<Schema extends StandardSchemaV1>(
  schema: Schema,
  value: unknown,
  options: ValidateOptions = {},
): Promise<StandardSchemaV1.InferOutput<Schema>> {
  checkOptions("validate", options, RULES);
  if (!isSchema(schema)) throw new TypeError("validate: the schema does not follow Standard Schema");
  return validateAs("", schema, value, options.maxErrors);
}

/** The same for readers, which have checked their options. @param what is judged, for the message */
export async function validateAs<Schema extends StandardSchemaV1>(
  what: string,
  schema: Schema,
  value: unknown,
  maxErrors: number = DEFAULT_MAX_ERRORS,
): Promise<StandardSchemaV1.InferOutput<Schema>> {
  const outcome = schema["~standard"].validate(value);
  const result = outcome instanceof Promise ? await outcome : outcome;
  if (result.issues !== undefined) throw new ValidationError(what, result.issues, maxErrors);
  return result.value;
}
