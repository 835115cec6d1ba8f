/**
 * HTTP-01 challenges (RFC 8555 §8.3): what an authority asks for, as files, and the handler that answers with them.
 *
 * They are files because whichever process the authority's request meets has to answer it. A token is taken as a name of a
 * file only if it is made of its 64 letters, so that nobody can ask for another file with it.
 */

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { HttpError } from "../http/errors.ts";
import { Response } from "../web/response.ts";
import type { Handler } from "../web/handler.ts";
import { writePrivate } from "./private-file.ts";

/** RFC 8555 §8.3: of the base64url alphabet; at least 128 bits of it. */
const TOKEN = /^[\w-]{16,256}$/;
const PREFIX = "/.well-known/acme-challenge/";

/** Challenges that wait for their authority. */
export class AcmeChallenges {
  readonly #folder: string;

  /** @param folder absolute */
  constructor(folder: string) {
    this.#folder = join(folder, "challenges");
  }

  /** @throws Error for a token that is none */
  async put(token: string, keyAuthorization: string): Promise<void> {
    if (!TOKEN.test(token)) throw new Error("the authority gave a token that is none (RFC 8555 §8.3)");
    await writePrivate(join(this.#folder, token), keyAuthorization);
  }

  async remove(token: string): Promise<void> {
    if (TOKEN.test(token)) await rm(join(this.#folder, token), { force: true });
  }

  /** Answers `/.well-known/acme-challenge/TOKEN`, all else with 404. */
  readonly answer: Handler = async (_request, context) => {
    const { method, target } = context.exchange.request;
    const token = target.startsWith(PREFIX) ? target.slice(PREFIX.length) : "";
    if (!TOKEN.test(token) || (method !== "GET" && method !== "HEAD")) throw new HttpError(404);
    let keyAuthorization: string;
    try {
      keyAuthorization = await readFile(join(this.#folder, token), "utf8");
    } catch {
      throw new HttpError(404);
    }
    return new Response(keyAuthorization, {
      headers: { "content-type": "application/octet-stream", "cache-control": "no-store" },
    });
  };
}
