/** Subject: JSON, forms and uploads by the routes of Bun.serve(). */
import { items } from "./library.js";

const query = (request) => new URL(request.url).searchParams;
const gzipFields = { "content-type": "application/json", "content-encoding": "gzip", "vary": "Accept-Encoding" };

const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  idleTimeout: 75,
  routes: {
    "/json": (request) => Response.json(items(Number(query(request).get("items")))),
    "/gzip": (request) => {
      const text = JSON.stringify(items(Number(query(request).get("items"))));
      return new Response(Bun.gzipSync(Buffer.from(text), { level: 6 }), { headers: gzipFields });
    },
    "/search": (request) => {
      const words = query(request);
      return new Response(`${words.get("q")}, page ${words.get("page")}`);
    },
    "/book": { POST: async (request) => Response.json({ ...(await request.json()), id: 1 }) },
    "/form": {
      POST: async (request) => {
        const fields = new URLSearchParams(await request.text());
        return new Response(`${fields.get("name")}, ${fields.get("age")}`);
      },
    },
    "/upload": {
      POST: async (request) => {
        let octets = 0;
        for await (const piece of request.body) octets += piece.length;
        return new Response(String(octets));
      },
    },
  },
  fetch: () => new Response("not found\n", { status: 404 }),
});
console.log(JSON.stringify({ port: server.port }));
