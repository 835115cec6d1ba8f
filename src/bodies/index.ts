/**
 * `fairlead/bodies`: what a handler needs to take content in. JSON, forms, uploads of any size, and values checked by a schema.
 *
 * Exports only. Importing it loads no library: of Standard Schema it has the types, and schemas are the caller's.
 */

export { ContentError } from "./content-error.ts";
export { safeFileName } from "./file-name.ts";
export { MultipartPart } from "./multipart-part.ts";
export type { PairOptions } from "./pairs.ts";
export type { ContentOptions } from "./read-content.ts";
export { readForm } from "./read-form.ts";
export type { FormOptions } from "./read-form.ts";
export { readJson } from "./read-json.ts";
export type { JsonOptions } from "./read-json.ts";
export { readPieces } from "./read-pieces.ts";
export { readMultipart } from "./read-multipart.ts";
export type { MultipartOptions, ProgressListener } from "./read-multipart.ts";
export { readParams, readQuery } from "./read-query.ts";
export type { QueryOptions } from "./read-query.ts";
export type { SavedFile, SaveOptions } from "./save-file.ts";
export { saveTo } from "./save-to.ts";
export type { UploadOptions } from "./save-to.ts";
export { validate, ValidationError } from "./validate.ts";
export type { ValidateOptions, ValidationMistake } from "./validate.ts";
