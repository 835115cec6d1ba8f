/**
 * Routes of Bun for every file of a folder, as Bun's document on routing advises: it streams the file, looks at it for each
 * request, and does conditions and ranges by itself. Only the entity tag is given, of the size and the time of change.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** @param {string} folder */
export function fileRoutes(folder) {
  const routes = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size, mtimeMs } = statSync(path);
    const headers = {
      "etag": `"${Math.trunc(mtimeMs).toString(36)}-${size.toString(36)}"`,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    };
    routes[encodeURI(path.slice(folder.length))] = new Response(Bun.file(path), { headers });
  }
  return routes;
}
