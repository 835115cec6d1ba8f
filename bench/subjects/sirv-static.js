/** Subject: a folder behind sirv on node:http, as its README shows it for production, with the fields that ours sends. */
import { createServer } from "node:http";
import { peer } from "./support/peers.js";

const files = peer("sirv")(process.env.FAIRLEAD_BENCH_FOLDER, {
  etag: true,
  gzip: true,
  brotli: true,
  setHeaders: (response) => {
    response.setHeader("Cache-Control", "no-cache");
    response.setHeader("X-Content-Type-Options", "nosniff");
  },
});
const server = createServer({ keepAliveTimeout: 75_000 }, files);
server.listen(0, "127.0.0.1", 511, () => console.log(JSON.stringify({ port: server.address().port })));
