/** JSON, forms and uploads by a table of routes on the built package, as its guides show it; octets of uploads counted by who calls. */
import { Response, serve } from "../../../dist/index.js";
import { compress } from "../../../dist/middleware/index.js";
import { items } from "../library.js";

// The effort of all subjects, which is that of zlib; ours is 3 if nobody says
const squeeze = compress({ gzipLevel: 6 });

function list(_request, { query }) {
  return Response.json(items(Number(query.get("items"))));
}

/**
 * @param {(request: Request) => Promise<number>} countOctets
 */
export async function serveApp(countOctets) {
  const server = await serve({
    port: 0,
    limits: { maxContentBytes: 64 * 1024 * 1024 },
    routes: {
      "/json": list,
      "/gzip": (request, context) => squeeze(request, context, list),
      "/search": (_request, { query }) => new Response(`${query.get("q")}, page ${query.get("page")}`),
      "/book": { POST: async (request) => Response.json({ ...(await request.json()), id: 1 }) },
      "/form": {
        POST: async (request) => {
          const fields = new URLSearchParams(await request.text());
          return new Response(`${fields.get("name")}, ${fields.get("age")}`);
        },
      },
      "/upload": {
        POST: async (request) => new Response(String(await countOctets(request))),
      },
    },
  });
  console.log(JSON.stringify({ port: Number(server.url.port) }));
}
