/**
 * A JSON API with one book in it.
 *
 *   GET  /book   the book on the desk
 *   POST /book   a book in, as JSON or as a form; the same book out, with an id
 *
 * Content that is no JSON is the client's mistake: `request.json()` fails, and the answer is 400 with the position.
 */

import { HttpError, Response } from "fairlead";

const DESK = { title: "Two Years Before the Mast", author: "Richard Henry Dana", year: 1840 };

let lastId = 0;

/** Answers what is asked of `/book`. */
export async function book(request: Request): Promise<Response> {
  switch (request.method) {
    case "GET":
    case "HEAD":
      return Response.json(DESK);
    case "POST": {
      const sent = await readBook(request);
      return Response.json({ ...sent, id: ++lastId }, { status: 201 });
    }
    case "OPTIONS":
      return new Response(null, { status: 204, headers: { allow: ALLOW } });
    default:
      throw new HttpError(405, `a book takes ${ALLOW}`, { headers: { allow: ALLOW } });
  }
}

const ALLOW = "GET, HEAD, POST, OPTIONS";

/** The book in the content of a request. */
async function readBook(request: Request): Promise<object> {
  const sent: unknown = isPlainForm(request)
    ? Object.fromEntries(new URLSearchParams(await request.text()))
    : await request.json();
  if (typeof sent !== "object" || sent === null || Array.isArray(sent))
    throw new HttpError(422, "a book is a JSON object");
  return sent;
}

/**
 * Whether a page without scripts sent this. `curl -d '{"title": …}'` claims to be a form as well, but nobody who takes
 * HTML in return.
 */
function isPlainForm(request: Request): boolean {
  const type = request.headers.get("content-type") ?? "";
  const accept = request.headers.get("accept") ?? "";
  return type.startsWith("application/x-www-form-urlencoded") && accept.includes("text/html");
}
