/**
 * A JSON API with one book in it.
 *
 *   npx fairlead examples/book.ts
 *
 *   GET  /book   the book on the desk
 *   POST /book   a book in, as JSON or as a form; the same book out, with an id
 *
 * Content that is no JSON is the client's mistake: `request.json()` fails, and the answer is 400 with the position. The router
 * answers 404 for other paths, 405 with Allow for other methods, and HEAD and OPTIONS.
 */

import { App, HttpError, Response } from "fairlead";

let lastId = 0;

const app: App = new App()
  .get("/book", () => Response.json({ title: "Two Years Before the Mast", author: "Richard Henry Dana", year: 1840 }))
  .post("/book", async (request) => Response.json({ ...(await readBook(request)), id: ++lastId }, { status: 201 }));

/** The book in the content of a request, however many reads it takes to arrive. */
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

export default app;
