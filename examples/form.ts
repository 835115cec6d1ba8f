/**
 * A form, sent in either of the two ways that browsers have.
 *
 *   npx fairlead examples/form.ts           then http://127.0.0.1:8080/
 *
 * `readForm` reads what Content-Type declares: `application/x-www-form-urlencoded`, or `multipart/form-data` without files.
 * Anything else is 415, too many fields 400, too many octets 413.
 */

import { App } from "fairlead";
import { readForm } from "fairlead/bodies";
import { html } from "fairlead/replies";

const ENCODINGS = ["application/x-www-form-urlencoded", "multipart/form-data"];

const app: App = new App()
  .get("/", () =>
    html`<!doctype html>
      <meta charset="utf-8" />
      <title>Forms</title>
      ${ENCODINGS.map(
        (encoding) =>
          html`<form action="/" method="post" enctype="${encoding}">
            <p>${encoding}</p>
            <input name="title" aria-label="Title" value="The Sea &amp; I" />
            <input name="flag" type="checkbox" value="H" checked /> Hotel
            <input name="flag" type="checkbox" value="T" checked /> Tango
            <button>Send</button>
          </form> `,
      )}`.toResponse(),
  )
  .post("/", async (request) => {
    const fields = await readForm(request);
    // A name may stand several times, so that this is a list of pairs and no object
    return html`<!doctype html>
      <meta charset="utf-8" />
      <title>Thank you</title>
      <dl>
        ${[...fields].map(
          ([name, value]) =>
            html`<dt>${name}</dt>
              <dd>${value}</dd>`,
        )}
      </dl> `.toResponse();
  });

export default app;
