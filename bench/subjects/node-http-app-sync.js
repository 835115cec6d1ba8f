/** Subject: the same from node:http, with zlib on the main thread: for 8 KB on one core, threads cost more than they bring. */
import { gzipSync } from "node:zlib";
import { serveApp } from "./support/node-app.js";

serveApp((text, callback) => callback(gzipSync(text, { level: 6 })));
