/** Subject: the hello-world handler in two worker processes that share the port, as --workers 2 runs it. */
import { serveProcesses } from "../../dist/processes/index.js";

const processes = await serveProcesses(new URL("support/fairlead-worker.js", import.meta.url), { workers: 2 });
console.log(JSON.stringify({ port: processes.listening[0].port }));
