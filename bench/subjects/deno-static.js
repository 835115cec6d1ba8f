/** Subject: a folder behind Deno.serve(). */
import { serveFiles } from "./support/deno-files.js";

const onListen = ({ port }) => console.log(JSON.stringify({ port }));
Deno.serve({ port: 0, hostname: "127.0.0.1", onListen }, serveFiles(Deno.env.get("FAIRLEAD_BENCH_FOLDER")));
