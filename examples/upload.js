/**
 * Uploads of any size, straight to disk, with progress on both sides.
 *
 *   node examples/upload.js               then http://127.0.0.1:8080/
 *
 * A file is written as it comes: a gigabyte takes no more memory than a kilobyte, and where the disk is slower than the client
 * the client waits. It gets its name when all of it is there, and a name that is safe whatever the client sent.
 */

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Response, serve } from "fairlead";
import { readMultipart } from "fairlead/bodies";
import { html } from "fairlead/replies";

const folder = process.env.UPLOADS ?? (await mkdtemp(join(tmpdir(), "uploads-")));

const PAGE = html`<!doctype html>
  <meta charset="utf-8" />
  <title>Upload</title>
  <form><input name="file" type="file" multiple required /> <button>Upload</button></form>
  <p><progress max="1" value="0"></progress> <output></output></p>
  <script src="/upload.js"></script> `;

// fetch() tells no progress of what it sends, XMLHttpRequest does
const SCRIPT = `
  document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.upload.onprogress = ({ loaded, total }) => (document.querySelector("progress").value = loaded / total);
    request.onloadend = () => (document.querySelector("output").textContent = request.responseText);
    request.open("POST", "/");
    request.send(new FormData(event.target));
  });
`;

const app = new App()
  .get("/", () => PAGE.toResponse())
  .get("/upload.js", () => new Response(SCRIPT, { headers: { "content-type": "text/javascript" } }))
  .post("/", async (request) => {
    const saved = [];
    let quarters = 0;
    const onProgress = (receivedBytes, declaredBytes) => {
      // null: the client has not said how much will come
      if (declaredBytes === null || receivedBytes < (declaredBytes * (quarters + 1)) / 4) return;
      quarters = Math.floor((4 * receivedBytes) / declaredBytes);
      console.log(`${quarters} of 4 quarters have come`);
    };
    for await (const part of readMultipart(request, { maxFiles: 20, onProgress })) {
      if (!part.isFile) continue;
      const { name, size } = await part.saveTo(folder);
      saved.push({ name, size });
    }
    return Response.json(saved, { status: 201 });
  });

const server = await serve({
  ...app,
  port: Number(process.env.PORT ?? 8080),
  // 16 MiB without this line
  limits: { maxContentBytes: 2 ** 30 },
});
console.log(`Listening on ${server.url.href}, files go to ${folder}`);
