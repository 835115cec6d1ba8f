/**
 * Subject: the same folder behind sirv on node:http, as its README shows it for production. It is no dependency: install it
 * into a folder of its own and name that in FAIRLEAD_BENCH_SIRV (`npm install --prefix /tmp/sirv sirv`).
 */
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";

const home = process.env.FAIRLEAD_BENCH_SIRV;
if (home === undefined) throw new Error("FAIRLEAD_BENCH_SIRV names no folder with sirv in it");
const sirv = createRequire(join(home, "package.json"))("sirv");
const server = createServer({ keepAliveTimeout: 75_000 }, sirv(process.env.FAIRLEAD_BENCH_FOLDER, { etag: true }));
server.listen(0, "127.0.0.1", 511, () => console.log(JSON.stringify({ port: server.address().port })));
