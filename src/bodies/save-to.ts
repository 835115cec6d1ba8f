/**
 * The content of a request as a file: what PUT and raw uploads send, with progress.
 *
 * The path is the handler's, never the client's. It must never look into the content.
 */

import { HttpError } from "../http/errors.ts";
import { checkOptions } from "../server/option-rules.ts";
import { declaredLength } from "./declared-type.ts";
import { type ContentOptions, contentStream, tooLarge } from "./read-content.ts";
import type { ProgressListener } from "./read-multipart.ts";
import { rulesFor } from "./reader-options.ts";
import { type SavedFile, saveFile, type SaveOptions } from "./save-file.ts";

/**
 * How {@link saveTo} saves. `maxBytes` defaults to none besides the server's `limits.maxContentBytes` (16 MiB), which is the
 * one to raise for larger uploads.
 */
export interface UploadOptions extends ContentOptions, SaveOptions {
  /** Called for each piece of the content. What it throws ends the upload. */
  readonly onProgress?: ProgressListener;
}

const RULES = rulesFor("maxBytes", "overwrite", "onProgress", "decompress", "maxRatio");

/**
 * Saves the content of a request. The file is there when all of it has come, and never in part; a request without content makes
 * an empty one.
 *
 * @param target the path of the file; or a folder that exists, to get a file called `unnamed`, with a number where that is taken
 * @throws ContentError 409 ERR_FILE_EXISTS, 413 ERR_UPLOAD_TOO_LARGE, 415 ERR_CONTENT_CODING; HttpError 400 for part of a file
 * (Content-Range); ProtocolError where the upload broke off; TypeError for wrong options; errors of the file system
 */
export async function saveTo(request: Request, target: string, options: UploadOptions = {}): Promise<SavedFile> {
  checkOptions("saveTo", options, RULES);
  // RFC 9110 §14.5: a PUT of a part would replace the whole
  if (request.headers.has("content-range")) {
    throw new HttpError(400, "part of a file is not taken here (RFC 9110 §14.5)");
  }
  const content = contentStream(request, options);
  if (content === null) return saveFile(async () => null, target, "", options);
  const { maxBytes = Infinity, onProgress } = options;
  const isCoded = content !== (request.body as ReadableStream<Uint8Array> | null);
  const declaredBytes = isCoded ? null : declaredLength(request);
  const reader = content.getReader();
  let receivedBytes = 0;
  const pull = async (): Promise<Uint8Array | null> => {
    const { done, value } = await reader.read();
    if (done) return null;
    receivedBytes += value.length;
    if (receivedBytes > maxBytes) throw tooLarge(maxBytes);
    onProgress?.(receivedBytes, declaredBytes);
    return value;
  };
  try {
    return await saveFile(pull, target, "", options);
  } catch (error) {
    void reader.cancel(error).catch(() => {});
    throw error;
  }
}
