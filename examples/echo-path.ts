/**
 * The path echoed in a page, as text and never as markup.
 *
 *   npx fairlead examples/echo-path.ts      then http://127.0.0.1:8080/<b>harbour</b>
 *
 * The router decodes the path once and answers 400 for what cannot be decoded; `html` escapes every value.
 */

import { App } from "fairlead";
import { html } from "fairlead/replies";

const app: App = new App().get("/*path", (_request, { params }) =>
  html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <title>${params.path}</title>
      <p>You asked for <code title="${params.path}">/${params.path}</code>.</p>
    </html> `.toResponse(),
);

export default app;
