/**
 * What was found -> Response. The only place in this room that makes responses and names their fields.
 *
 * A file's content goes out as a slice of the open file, so that the carrier pumps it at the peer's pace; the slice owns
 * the descriptor and gives it back once, whatever becomes of the exchange. It must never show a path of the disk.
 * RFC 9110 §9.3.1, §9.3.2, §9.3.7 (methods), §8 (representation fields), §15.4.2, §15.5.5, §15.5.6 (statuses).
 */

import type { FileHandle } from "node:fs/promises";
import { formatHttpDate } from "../http/date.ts";
import type { FileSlice } from "../http/exchange.ts";
import { renderProblem } from "../http/problem.ts";
import type { Problem } from "../http/problem.ts";
import { Response } from "../web/response.ts";
import { closeFile } from "./contain.ts";
import type { FoundFile } from "./contain.ts";
import type { ResolvedTarget } from "./resolve.ts";
import { folderPath } from "./resolve.ts";

/** Methods that a file answers. */
const ALLOW = "GET, HEAD, OPTIONS";

/** A part of a file that this room has opened. */
class OpenFileSlice implements FileSlice {
  readonly fd: number;
  readonly start: number;
  readonly length: number;
  /** Held, because a handle that nobody holds is closed by the garbage collector. */
  readonly #handle: FileHandle;
  #isReleased: boolean;

  constructor(handle: FileHandle, start: number, length: number) {
    this.fd = handle.fd;
    this.start = start;
    this.length = length;
    this.#handle = handle;
    this.#isReleased = false;
  }

  release(): void {
    // Closing twice would close a descriptor that meanwhile is somebody else's
    if (this.#isReleased) return;
    this.#isReleased = true;
    closeFile(this.#handle);
  }
}

/** 200 with the whole file (RFC 9110 §15.3.1); for HEAD its fields alone (§9.3.2). Takes over the descriptor. */
export function replyFile(method: string, file: FoundFile, mediaType: string): Response {
  const headers = {
    "content-type": mediaType,
    "content-length": String(file.sizeBytes),
    "last-modified": formatHttpDate(file.mtimeMs),
    // A file is what its name says, whatever its bytes look like (content sniffing)
    "x-content-type-options": "nosniff",
  };
  if (method === "HEAD") {
    closeFile(file.handle);
    return new Response(null, { headers });
  }
  return new Response(new OpenFileSlice(file.handle, 0, file.sizeBytes), { headers });
}

/**
 * 301 from a folder to its path with a slash, without which relative references in its page would be wrong. Of the
 * permanent redirects the one that every client knows; its doubt about methods (RFC 9110 §15.4.2) is none for GET and HEAD.
 */
export function redirectToFolder(target: ResolvedTarget): Response {
  const location = folderPath(target.names) + target.search;
  return new Response(null, { status: 301, headers: { location } });
}

/** 204 to OPTIONS with what the resource, or the server, would answer (RFC 9110 §9.3.7). */
export function replyOptions(): Response {
  return new Response(null, { status: 204, headers: { allow: ALLOW } });
}

/** 405: the method is known but no file answers it (RFC 9110 §15.5.6: Allow is a MUST). */
export function refuseMethod(request: Request): Response {
  const problem = { status: 405, title: "Method Not Allowed", detail: `files answer ${ALLOW}` };
  return replyProblem(request, problem, { allow: ALLOW });
}

/** 404, for what is not there and for what is none of the client's business, alike (RFC 9110 §15.5.5). */
export function refuseMissing(request: Request): Response {
  return replyProblem(request, { status: 404, title: "Not Found", detail: "there is nothing here" }, {});
}

function replyProblem(request: Request, problem: Problem, headers: Readonly<Record<string, string>>): Response {
  const { contentType, text } = renderProblem(problem, request.headers.get("accept"));
  return new Response(text, {
    status: problem.status,
    headers: { "content-type": contentType, "x-content-type-options": "nosniff", ...headers },
  });
}
