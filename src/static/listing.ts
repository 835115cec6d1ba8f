/**
 * A folder without an index as an answer: a page for people, JSON for programs.
 *
 * The folder is read before there is an answer, so that what cannot be read is no broken page; then rows are looked up and
 * written as the peer takes them, and the whole is never in memory. Who may see the folder has been decided before: the
 * pipeline calls this for a folder inside the root, asked for with its slash. RFC 9110 §12.5.1 (Accept), §12.5.5 (Vary),
 * §9.3.2 (HEAD); RFC 8259 (JSON).
 */

import { HttpError } from "../http/errors.ts";
import { selectMediaType } from "../http/negotiate.ts";
import { Response } from "../web/response.ts";
import { type Coding, IDENTITY } from "./coding.ts";
import { isNotThere } from "./contain.ts";
import type { EntryFilter, FolderEntries, ListedFolder, ListingEntry } from "./listing-entries.ts";
import { BUSY, GONE, readEntries } from "./listing-entries.ts";
import { codePieces, codingFields, listingCoding } from "./listing-coding.ts";
import type { ListingOrder } from "./listing-order.ts";
import { parseOrder } from "./listing-order.ts";
import type { ListingFacts } from "./listing-page.ts";
import { LISTING_POLICY, linkTo, renderEnd, renderTop, RowWriter } from "./listing-page.ts";

/** What is asked for. */
export interface ListingRequest {
  /** GET or HEAD. */
  readonly method: string;
  /** Decoded names of the folder below the root; none for the root. */
  readonly names: readonly string[];
  /** With its `?`, or `""`: `?sort=name|size|time&order=asc|desc`. */
  readonly search: string;
  /** The Accept field, null if there was none. */
  readonly accept: string | null;
  /** Codings that the request takes, the best first; undefined for none, whatever it takes. */
  readonly codings?: readonly Coding[] | undefined;
}

const HTML = "text/html";
const JSON_TYPE = "application/json";
const OFFERED: readonly string[] = [HTML, JSON_TYPE];
const RETRY_SOON = { "retry-after": "5" };

/** A listing is true when it is made: it is asked for anew each time. */
const FIELDS = { "cache-control": "no-cache", "vary": "accept", "x-content-type-options": "nosniff" };
const HTML_FIELDS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": LISTING_POLICY,
  // The path may be nobody's business elsewhere
  "referrer-policy": "same-origin",
  ...FIELDS,
};
const JSON_FIELDS = { "content-type": JSON_TYPE, ...FIELDS };

/**
 * Lists a folder, or the several that are one to the client.
 *
 * @param folders verified to lie inside their roots; at least one
 * @param filter what may be shown
 * @param nowMs milliseconds since 1970
 * @returns 200 with a page or JSON; null if the folder is gone or cannot be read, which to a client is 404
 * @throws HttpError 503 while listings of other clients take all the memory that there is for them
 * @throws the error of the file system where it is broken or out of descriptors
 */
export async function listFolder(
  folders: readonly ListedFolder[],
  request: ListingRequest,
  filter: EntryFilter,
  nowMs: number,
): Promise<Response | null> {
  // What accepts neither gets the page: better than a refusal, and allowed (RFC 9110 §12.5.1)
  const isHtml = selectMediaType(request.accept, OFFERED) !== JSON_TYPE;
  const coding = request.codings === undefined ? IDENTITY : listingCoding(request.codings);
  const headers = {
    ...(isHtml ? HTML_FIELDS : JSON_FIELDS),
    ...codingFields(coding),
    // RFC 9110 §12.5.5
    ...(request.codings === undefined ? {} : { vary: "accept, accept-encoding" }),
  };
  const order = parseOrder(request.search);
  try {
    const entries = await readEntries(folders, filter, order, nowMs);
    if (entries === GONE) return null;
    if (entries === BUSY) throw new HttpError(503, "too many listings are being read", { headers: RETRY_SOON });
    if (request.method === "HEAD") {
      entries.release();
      return new Response(null, { headers });
    }
    const pieces = isHtml ? writePage(request.names, entries, order) : writeJson(request.names, entries, order);
    const content = coding === IDENTITY ? pieces : codePieces(pieces, coding);
    return new Response(new ReleasingContent<string | Uint8Array>(content, entries.release), { headers });
  } catch (error) {
    if (isNotThere(error)) return null;
    throw error;
  }
}

/** Content that lets go of what it holds at its end, however it ends, and even if it has never begun. */
class ReleasingContent<Piece> implements AsyncIterable<Piece>, AsyncIterator<Piece, undefined> {
  readonly #pieces: AsyncGenerator<Piece, undefined>;
  readonly #release: () => void;

  constructor(pieces: AsyncGenerator<Piece, undefined>, release: () => void) {
    this.#pieces = pieces;
    this.#release = release;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Piece, undefined>> {
    try {
      const step = await this.#pieces.next();
      if (step.done === true) this.#release();
      return step;
    } catch (error) {
      this.#release();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Piece, undefined>> {
    this.#release();
    return this.#pieces.return(undefined);
  }
}

async function* writePage(
  names: readonly string[],
  entries: FolderEntries,
  order: ListingOrder,
): AsyncGenerator<string, undefined> {
  const { folderCount, fileCount, isCut } = entries;
  const facts: ListingFacts = { names, order, folderCount, fileCount, isCut };
  const rows = new RowWriter();
  yield renderTop(facts);
  for await (const batch of entries.batches()) {
    if (batch.length > 0) yield rows.write(batch);
  }
  yield renderEnd(facts, rows);
  return undefined;
}

/** One entry a line, so that a person with grep is served too. */
async function* writeJson(
  names: readonly string[],
  entries: FolderEntries,
  order: ListingOrder,
): AsyncGenerator<string, undefined> {
  const path = JSON.stringify(`/${names.map((name) => `${name}/`).join("")}`);
  const direction = order.isDescending ? "desc" : "asc";
  yield `{"path":${path},"sort":"${order.column}","order":"${direction}","isCut":${entries.isCut},"entries":[`;
  let separator = "\n";
  for await (const batch of entries.batches()) {
    let text = "";
    for (const entry of batch) {
      text += separator + JSON.stringify(toJson(entry));
      separator = ",\n";
    }
    if (text !== "") yield text;
  }
  yield "\n]}\n";
  return undefined;
}

/** An entry as programs see it. */
interface JsonEntry {
  readonly name: string;
  readonly type: "file" | "folder";
  /** Octets; null for a folder. */
  readonly size: number | null;
  /** As RFC 3339 has it, in UTC; null if it is not known. */
  readonly modified: string | null;
  /** Relative to the folder; null for what cannot be asked for. */
  readonly href: string | null;
}

function toJson(entry: ListingEntry): JsonEntry {
  const isDated = Math.abs(entry.mtimeMs) < 8.64e15;
  return {
    name: entry.name,
    type: entry.isFolder ? "folder" : "file",
    size: entry.sizeBytes < 0 ? null : entry.sizeBytes,
    modified: isDated ? new Date(entry.mtimeMs).toISOString() : null,
    href: linkTo(entry),
  };
}
