/** Subject: JSON, forms and uploads by Deno.serve(), told apart by path. */
import { gzipSync } from "node:zlib";
import { items } from "./library.js";

const gzipFields = { "content-type": "application/json", "content-encoding": "gzip", "vary": "Accept-Encoding" };

const answers = {
  "/json": (_request, query) => Response.json(items(Number(query.get("items")))),
  "/gzip": (_request, query) => {
    const text = JSON.stringify(items(Number(query.get("items"))));
    return new Response(gzipSync(text, { level: 6 }), { headers: gzipFields });
  },
  "/search": (_request, query) => new Response(`${query.get("q")}, page ${query.get("page")}`),
  "/book": async (request) => Response.json({ ...(await request.json()), id: 1 }),
  "/form": async (request) => {
    const fields = new URLSearchParams(await request.text());
    return new Response(`${fields.get("name")}, ${fields.get("age")}`);
  },
  "/upload": async (request) => {
    let octets = 0;
    for await (const piece of request.body) octets += piece.length;
    return new Response(String(octets));
  },
};

const onListen = ({ port }) => console.log(JSON.stringify({ port }));
// A client that goes in the middle of its upload is nothing to tell of
const onError = () => new Response("cut off\n", { status: 400 });
Deno.serve({ port: 0, hostname: "127.0.0.1", onListen, onError }, (request) => {
  const { pathname, searchParams } = new URL(request.url);
  return answers[pathname](request, searchParams);
});
