/**
 * Options of readers: defaults with their reasons, and the check of what was given.
 *
 * Readers are called once per request, so what is right costs one look at each option that is there, and only what is wrong
 * is put into words. All mistakes are told at once. It must never read a request.
 */

import { editDistance, type OptionMistake, renderMistakes, show } from "../server/option-check.ts";

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

interface OptionRule {
  readonly allowed: string;
  readonly isAllowed: (value: unknown) => boolean;
}

function count(unit: string, from = 0): OptionRule {
  return {
    allowed: `a whole number of ${unit} from ${from}, or Infinity`,
    isAllowed: (value) =>
      typeof value === "number" && value >= from && (Number.isSafeInteger(value) || value === Infinity),
  };
}

const YES_OR_NO: OptionRule = { allowed: "true or false", isAllowed: (value) => typeof value === "boolean" };

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
  maxBytes: count("octets"),
  maxBufferedBytes: count("octets"),
  maxPartBytes: count("octets"),
  maxPartHeadBytes: count("octets", 64),
  maxParts: count("parts"),
  maxFiles: count("files"),
  maxFields: count("fields"),
  maxDepth: count("levels", 1),
  maxErrors: count("mistakes", 1),
  maxRatio: { allowed: "a number from 1", isAllowed: (value) => typeof value === "number" && value >= 1 },
  decompress: YES_OR_NO,
  overwrite: YES_OR_NO,
  prototypeNames: { allowed: '"refuse" or "keep"', isAllowed: (value) => value === "refuse" || value === "keep" },
  arrays: {
    allowed: "an array of names",
    isAllowed: (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
  },
  types: {
    allowed: "an array of media types",
    isAllowed: (value) => Array.isArray(value) && value.every((type) => typeof type === "string" && type.includes("/")),
  },
  onProgress: { allowed: "a function", isAllowed: (value) => typeof value === "function" },
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

/**
 * Checks what a caller gave; absent and undefined are the default.
 *
 * @param reader its name, for the message
 * @param names the options that it has
 * @throws TypeError that names every mistake, and for an unknown name the nearest known one
 */
export function checkOptions(reader: string, options: object, names: readonly OptionName[]): void {
  let mistakes: OptionMistake[] | null = null;
  for (const [path, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined) continue;
    const isKnown = (names as readonly string[]).includes(path);
    const rule = isKnown ? RULES[path as OptionName] : null;
    if (rule?.isAllowed(value) === true) continue;
    mistakes ??= [];
    if (rule === null) mistakes.push({ path, given: "", allowed: "", nearest: nearestOf(path, names) });
    else mistakes.push({ path, given: show(value), allowed: rule.allowed, nearest: "" });
  }
  if (mistakes !== null) throw new TypeError(`${reader}: ${renderMistakes(mistakes)}`);
}

const MAX_DISTANCE = 3;

function nearestOf(path: string, names: readonly string[]): string {
  const [nearest] = names
    .map((name) => ({ name, distance: editDistance(path.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= MAX_DISTANCE)
    .toSorted((a, b) => a.distance - b.distance);
  return nearest?.name ?? "";
}
