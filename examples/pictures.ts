/**
 * A picture shown, and files to be saved under names that strangers chose.
 *
 *   npx fairlead examples/pictures.ts       then http://127.0.0.1:8080/
 *
 * `fileResponse` answers with a file, or with the ranges of it that are asked for, so that a download can go on where it broke
 * off. A name goes through `safeFileName`, and `download` writes it so that every browser understands it and none is deceived.
 */

import { App, Response } from "fairlead";
import { safeFileName } from "fairlead/bodies";
import { download, fileResponse, html } from "fairlead/replies";

const FLAGS = new URL("../htdocs/images/flags.png", import.meta.url);

const app: App = new App()
  .get("/", () =>
    html`<!doctype html>
      <meta charset="utf-8" />
      <title>Pictures</title>
      <img src="/flags.png" alt="Four signal flags" width="480" height="96" />
      <p><a href="/note?name=${encodeURIComponent("Logbook – März.txt")}">Save the logbook</a></p> `.toResponse(),
  )
  .get("/flags.png", (request) => fileResponse(request, FLAGS, { type: "image/png" }))
  .get("/flags", () => new Response(null, { status: 303, headers: { location: "/flags.png" } }))
  .get("/note", (_request, { query }) => {
    const name = query.get("name") ?? "";
    // Path, control characters, and marks that would show exe.txt as txt.exe: nothing of that is left in the name
    return download("Wind south-west, sea calm.\n", safeFileName(name), { type: "text/plain; charset=utf-8" });
  });

export default app;
