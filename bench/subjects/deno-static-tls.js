/** Subject: a folder behind Deno.serve(), under TLS. */
import { cert, key } from "./support/deno-certificate.js";
import { serveFiles } from "./support/deno-files.js";

const onListen = ({ port }) => console.log(JSON.stringify({ port }));
const place = { port: 0, hostname: "127.0.0.1", onListen, cert, key };
Deno.serve(place, serveFiles(Deno.env.get("FAIRLEAD_BENCH_FOLDER")));
