/** Subject: a folder behind serveStatic() with its defaults, large files sent by the kernel, on the built package. */
import { serve, serveStatic } from "../../dist/index.js";
import { linuxSendfile } from "../../dist/sendfile/index.js";

const fetch = serveStatic(process.env.FAIRLEAD_BENCH_FOLDER);
const server = await serve({ port: 0, fetch, sendfile: linuxSendfile() });
console.log(JSON.stringify({ port: Number(server.url.port) }));
