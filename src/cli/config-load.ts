/**
 * A configuration file -> what it says: TypeScript and JavaScript are imported, JSON is parsed, and each mistake gets its line.
 *
 * Loaded only where there is a file. A file that is read again is imported under a new name, because a module is evaluated
 * once; modules that it imports itself are those of the first time.
 */

import { readFileSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { importModule } from "../workers/handler-module.ts";
import { CommandError, howToOpen, messageOf, pathFromHere, whyNotOpened } from "./command-error.ts";
import { CONFIG_NAMES, FOREIGN_NAME } from "./config-find.ts";
import type { ConfigFile } from "./config-layers.ts";
import { lineOfOffset, placeFinder } from "./config-place.ts";
import { readConfig } from "./config-schema.ts";
import type { ConfigSource } from "./config-schema.ts";
import { readServeJson } from "./config-serve-json.ts";
import { explainFailure, ownFrames, saidBy } from "./load-module.ts";

const MODULES: ReadonlySet<string> = new Set([".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"]);

/**
 * Reads and checks a file. Mistakes in what it says are in the result.
 *
 * @param path absolute
 * @param workingFolder absolute; the file is named relative to it
 * @param isAgain it has been read before, and may have changed
 * @throws CommandError with exit code 1 if it cannot be read at all
 */
export async function loadConfig(path: string, workingFolder: string, isAgain: boolean): Promise<ConfigFile> {
  const shown = pathFromHere(workingFolder, path);
  const extension = extname(path).toLowerCase();
  const text = readText(path, shown);
  const source = { path, shown, placeOf: placeFinder(text, shown) };
  if (basename(path) === FOREIGN_NAME) return readServeJson(parseJson(text, shown), source);
  if (extension === ".json") return readConfig(parseJson(text, shown), source);
  if (!MODULES.has(extension)) {
    throw new CommandError(1, `${shown} is no configuration file`, [
      `Give a file like ${CONFIG_NAMES.join(", ")} or ${FOREIGN_NAME}`,
    ]);
  }
  const exported = await importConfig(path, shown, isAgain);
  return readExported(exported["default"], source);
}

/** A getter of the file's is code, and runs when it is read. */
function readExported(value: unknown, source: ConfigSource): ConfigFile {
  try {
    return readConfig(value, source);
  } catch (error) {
    const frames = ownFrames(error);
    if (frames.length === 0) throw error;
    throw new CommandError(1, `${source.shown} failed while it was read: ${saidBy(error)}`, frames, { cause: error });
  }
}

function readText(path: string, shown: string): string {
  try {
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const advice = howToOpen(error, ["Give the path of one that is there"]);
    throw new CommandError(1, `${shown} cannot be read: ${whyNotOpened(error)}`, advice, { cause: error });
  }
}

function parseJson(text: string, shown: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // It quotes the file, which may come from whoever made the folder
    const said = saidBy(error);
    const offset = /at position (\d+)/.exec(said)?.[1];
    const line = offset === undefined ? "" : `:${lineOfOffset(text, Number(offset))}`;
    throw new CommandError(1, `${shown}${line} is no JSON: ${said}`, [], { cause: error });
  }
}

async function importConfig(path: string, shown: string, isAgain: boolean): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await importModule(path, isAgain);
  } catch (error) {
    const said = messageOf(error);
    if (!/Cannot find (?:package|module) '(?:fairlead(?:\/\w+)?|\.*\/fairlead)'/.test(said))
      throw explainFailure(path, error);
    throw new CommandError(
      1,
      `${shown} imports fairlead, which is not installed in ${dirname(path)}`,
      [
        "Install it there: npm install fairlead",
        "or leave the import out: in TypeScript a type alone does as well, as in",
        '  import type { Config } from "fairlead/config";',
        "  export default { … } satisfies Config;",
      ],
      { cause: error },
    );
  }
}
