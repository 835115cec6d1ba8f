/** What each worker of fairlead-workers.js runs. */
import { Response, serve } from "../../../dist/index.js";

const init = { headers: { "content-type": "text/plain" } };
await serve({ port: 0, limits: { maxConnections: 20_000 }, fetch: () => new Response("Hello, World!", init) });
