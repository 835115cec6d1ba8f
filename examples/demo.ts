/**
 * The demonstration site: the book API, and the files of htdocs/ for everything else.
 *
 *   npm start
 */

import { App, serveStatic } from "fairlead";
import book from "./book.ts";

const app: App = new App().route("/", book).mount("/", serveStatic(new URL("../htdocs/", import.meta.url)));

export default app;
