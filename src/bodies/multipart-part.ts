/**
 * One part of a form, as handlers see it: what its header says, and its content in the form they ask for.
 *
 * Content is read once, in order of the form, and no faster than the handler takes it. It must never keep more of it than
 * `text()` and `bytes()` are allowed.
 */

import { TextDecoder } from "node:util";
import { charsetOf, parseMediaType } from "../http/media-type.ts";
import { checkOptions } from "../server/option-rules.ts";
import { Headers } from "../web/headers.ts";
import { ContentError } from "./content-error.ts";
import type { PartContent } from "./part-content.ts";
import type { PartHead } from "./part-head.ts";
import { rulesFor } from "./reader-options.ts";
import { type SavedFile, saveFile, type SaveOptions } from "./save-file.ts";

const SAVE_RULES = rulesFor("overwrite");

/** A part of multipart/form-data: a field, or a file. */
export class MultipartPart {
  /** Of the field; several parts may have the same. */
  readonly name: string;
  /**
   * Safe to be the name of a file, on any system: no path, no controls, no leading dot, never empty. Null for a field. For what
   * the client sent see {@link originalFilename}.
   */
  readonly filename: string | null;
  /** As sent, a path or anything else perhaps: to be shown, never to be opened. `""` where no file was chosen; null for a field. */
  readonly originalFilename: string | null;
  /** The declared media type; `text/plain` for a field and `application/octet-stream` for a file without. Never checked. */
  readonly type: string;
  readonly #lines: readonly string[];
  readonly #content: PartContent;
  readonly #maxBufferedBytes: number;
  #headers: globalThis.Headers | null;
  #isUsed: boolean;

  /** @internal */
  constructor(head: PartHead, content: PartContent, maxBufferedBytes: number) {
    this.name = head.name;
    this.filename = head.filename;
    this.originalFilename = head.originalFilename;
    this.type = head.type;
    this.#lines = head.lines;
    this.#content = content;
    this.#maxBufferedBytes = maxBufferedBytes;
    this.#headers = null;
    this.#isUsed = false;
  }

  /** Whether it has a file name, an empty one perhaps. */
  get isFile(): boolean {
    return this.filename !== null;
  }

  /** The header of the part. Values are as sent: one character for each octet. */
  get headers(): globalThis.Headers {
    if (this.#headers === null) {
      this.#headers = new Headers();
      for (let i = 0; i < this.#lines.length; i += 2) {
        this.#headers.append(this.#lines[i] as string, this.#lines[i + 1] as string);
      }
    }
    return this.#headers;
  }

  /** Octets of content that have come so far. */
  get receivedBytes(): number {
    return this.#content.receivedBytes;
  }

  /** Whether somebody has read it. */
  get bodyUsed(): boolean {
    return this.#isUsed;
  }

  /**
   * The content as it comes. The client is made to wait while nobody reads.
   *
   * @throws TypeError if it was read already
   */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const content = this.#use();
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        async pull(controller): Promise<void> {
          const piece = await content.pull();
          if (piece === null) controller.close();
          // Its memory holds other parts too, and may be the decoder's: what is given away here may be transferred
          else controller.enqueue(new Uint8Array(piece));
        },
        cancel: () => content.drop(),
      },
      { highWaterMark: 0 },
    );
  }

  /**
   * The content whole.
   *
   * @throws ContentError ERR_PART_TOO_LARGE above `maxBufferedBytes`; TypeError if it was read already
   */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const content = this.#use();
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (let piece = await content.pull(); piece !== null; piece = await content.pull()) {
      length += piece.length;
      if (length > this.#maxBufferedBytes) {
        throw new ContentError("ERR_PART_TOO_LARGE", `more than ${this.#maxBufferedBytes} octets to be read at once`);
      }
      pieces.push(piece);
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /**
   * The content as text: UTF-8, or in the charset that the part declares (RFC 7578 §4.5). What is malformed becomes U+FFFD.
   *
   * @throws ContentError ERR_CONTENT_CHARSET for an unknown charset, and as {@link bytes}
   */
  async text(): Promise<string> {
    const decoder = decoderFor(this.type);
    return decoder.decode(await this.bytes());
  }

  /**
   * Writes the content to disk. The file is there when all of it has come, and never in part.
   *
   * @param target a folder that exists, to get a file called {@link filename} (with a number where that is taken), or the path
   * of the file. Never make a path of {@link originalFilename}
   * @throws ContentError ERR_FILE_EXISTS (409) for a path that is taken; what broke the upload off; errors of the file system
   */
  async saveTo(target: string, options: SaveOptions = {}): Promise<SavedFile> {
    checkOptions("saveTo", options, SAVE_RULES);
    const content = this.#use();
    return saveFile(() => content.pull(), target, this.originalFilename ?? "", options);
  }

  #use(): PartContent {
    if (this.#isUsed) throw new TypeError("the part has already been read");
    this.#isUsed = true;
    return this.#content;
  }
}

function decoderFor(type: string): TextDecoder {
  const mediaType = parseMediaType(type);
  const charset = (mediaType === null ? null : charsetOf(mediaType)) ?? "utf-8";
  try {
    return new TextDecoder(charset);
  } catch (error) {
    throw new ContentError("ERR_CONTENT_CHARSET", "a part declares one that is not known", { cause: error });
  }
}
