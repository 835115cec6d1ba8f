/**
 * The demonstration site: the book API, and the files of htdocs/ for everything else.
 *
 *   npm start
 */

import { serveStatic } from "fairlead";
import type { Context } from "fairlead";
import { book } from "./book.ts";

const files = serveStatic(new URL("../htdocs/", import.meta.url));

/** Answers every request of the site. */
export function fetch(request: Request, context: Context): Response | Promise<Response> {
  return new URL(request.url).pathname === "/book" ? book(request) : files(request, context);
}
