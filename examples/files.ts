/**
 * The files of htdocs/: index.html for `/`, other pages, pictures, each with its type.
 *
 *   npx fairlead examples/files.ts          the same as: npx fairlead ./htdocs
 *
 * Paths cannot leave the folder, by whatever trick they are written; what is not there is 404, and other methods than GET,
 * HEAD and OPTIONS are 405. Ranges, validators and compression come with it.
 */

import { serveStatic } from "fairlead";
import type { Handler } from "fairlead";

const files: Handler = serveStatic(new URL("../htdocs/", import.meta.url));

export default files;
