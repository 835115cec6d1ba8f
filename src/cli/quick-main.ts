/**
 * The `fairlead` command in one script that start.ts compiles: for folders and files, whose serving runs no code of others.
 *
 * Where it turns out to be about a module, the command runs anew as modules (main.ts), because the module may import
 * `fairlead` itself and must meet the same classes.
 */

import { runInProcess } from "./own-process.ts";

/** @param onServing called once the command listens */
export function run(onServing: () => void): void {
  runInProcess(() => import("./main.ts"), onServing);
}
