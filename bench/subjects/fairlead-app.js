/** Subject: an app on the built package, which looks at uploads without keeping them. */
import { readPieces } from "../../dist/bodies/index.js";
import { serveApp } from "./support/fairlead-app.js";

await serveApp((request) => readPieces(request, () => {}));
