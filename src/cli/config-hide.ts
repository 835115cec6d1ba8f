/**
 * The configuration file is not served, though it may lie in the folder that is: it says how the server works, and may hold a
 * password.
 *
 * Compared are decoded names, as the disk gets them, and without regard to case, because many disks have none.
 */

import { relative, sep } from "node:path";
import { HttpError } from "../http/errors.ts";
import { resolveTarget } from "../static/resolve.ts";
import type { Handler } from "../web/handler.ts";

/**
 * A handler that answers 404 for one file.
 *
 * @param root absolute folder that the handler serves
 * @param file absolute; the handler itself is given back if it lies elsewhere
 */
export function hideFile(handler: Handler, root: string, file: string): Handler {
  const below = relative(root, file);
  if (below.startsWith("..") || below === "") return handler;
  const hidden = fold(below.split(sep));
  return (request, context) => {
    const { method, target } = context.exchange.request;
    const names = resolveTarget(method, target, true)?.names;
    if (names !== undefined && fold(names) === hidden) throw new HttpError(404, "the configuration is not served");
    return handler(request, context);
  };
}

function fold(names: readonly string[]): string {
  return names.join("/").normalize().toLowerCase();
}
