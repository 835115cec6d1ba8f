/**
 * Options of readers: defaults with their reasons, and what each may be.
 *
 * Which of them a reader has it says itself; server/option-rules.ts checks them, for each request. It must never read a request.
 */

import { A_FUNCTION, listOf, oneOf, type OptionRule, wholeOrInfinity, YES_OR_NO } from "../server/option-rules.ts";

const KIB = 1024;
const MIB: number = 1024 * KIB;

/** Fields of a form or query: PHP max_input_vars 1000, qs parameterLimit 1000. */
export const DEFAULT_MAX_FIELDS = 1000;
/** Nesting of JSON: .NET 64, serde_json 128, PHP 512. */
export const DEFAULT_MAX_DEPTH = 128;
/** Mistakes that an answer lists. */
export const DEFAULT_MAX_ERRORS = 20;
/** Content in memory where no server says otherwise: limits.maxBufferedBytes 1 MiB. */
export const DEFAULT_MAX_BUFFERED_BYTES: number = MIB;
/** Octets out for each octet in. gzip reaches 1,032 with zeros; JSON and text rarely 30. */
export const DEFAULT_MAX_RATIO = 100;
/** Parts of a form, @fastify/multipart 1000. */
export const DEFAULT_MAX_PARTS = 1000;
/** Files of a form, PHP max_file_uploads 20; folders are chosen whole today. */
export const DEFAULT_MAX_FILES = 100;
/** Header of a part: Go 8 KiB per line of its, Apache Commons FileUpload 512 octets; ours is for long names in UTF-8. */
export const DEFAULT_MAX_PART_HEAD_BYTES: number = 8 * KIB;

/** Name of an option of any reader. */
export type OptionName =
  | "maxBytes"
  | "maxBufferedBytes"
  | "maxPartBytes"
  | "maxPartHeadBytes"
  | "maxParts"
  | "maxFiles"
  | "maxFields"
  | "maxDepth"
  | "maxErrors"
  | "maxRatio"
  | "decompress"
  | "overwrite"
  | "prototypeNames"
  | "arrays"
  | "types"
  | "onProgress"
  | "schema";

const RULES: Readonly<Record<OptionName, OptionRule>> = {
  maxBytes: wholeOrInfinity(0, "octets"),
  maxBufferedBytes: wholeOrInfinity(0, "octets"),
  maxPartBytes: wholeOrInfinity(0, "octets"),
  maxPartHeadBytes: wholeOrInfinity(64, "octets"),
  maxParts: wholeOrInfinity(0, "parts"),
  maxFiles: wholeOrInfinity(0, "files"),
  maxFields: wholeOrInfinity(0, "fields"),
  maxDepth: wholeOrInfinity(1, "levels"),
  maxErrors: wholeOrInfinity(1, "mistakes"),
  maxRatio: { allowed: "a number from 1", isAllowed: (value) => typeof value === "number" && value >= 1 },
  decompress: YES_OR_NO,
  overwrite: YES_OR_NO,
  prototypeNames: oneOf("refuse", "keep"),
  arrays: listOf("names", () => true),
  types: listOf("media types", (type) => type.includes("/")),
  onProgress: A_FUNCTION,
  schema: { allowed: "a Standard Schema", isAllowed: isSchema },
};

/** Whether a value follows Standard Schema (standardschema.dev): that of arktype is a function. */
export function isSchema(value: unknown): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = (value as { readonly "~standard"?: unknown })["~standard"];
  return (
    typeof standard === "object" &&
    standard !== null &&
    typeof (standard as { readonly validate?: unknown }).validate === "function"
  );
}

/** The rules for the options that a reader has. Made once, when its module is loaded. */
export function rulesFor<Name extends OptionName>(...names: readonly Name[]): Readonly<Record<Name, OptionRule>> {
  return Object.freeze(Object.fromEntries(names.map((name) => [name, RULES[name]]))) as Readonly<
    Record<Name, OptionRule>
  >;
}
