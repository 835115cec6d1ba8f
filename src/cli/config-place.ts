/**
 * On which line of a file a setting stands, by looking at its text.
 *
 * The names of settings are found where a property of that name is written, in the group that they belong to. What is computed
 * or imported is not found, and then the file alone is named: a hint for people, and nothing that anything depends on.
 */

/** Finds lines: `fairlead.config.ts:3`, or `fairlead.config.ts` where the line is not to be found. */
export function placeFinder(text: string, shown: string): (setting: string) => string {
  const plain = blankComments(text);
  return (setting) => {
    let from = 0;
    for (const name of setting.split(".")) {
      const found = offsetOf(plain, name, from);
      if (found === -1) return from === 0 ? shown : `${shown}:${lineOfOffset(plain, from)}`;
      from = found;
    }
    return `${shown}:${lineOfOffset(plain, from)}`;
  };
}

/** The line, from 1, that an offset is on. */
export function lineOfOffset(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** `name:`, `"name":`, or `name` alone between commas and braces. */
function offsetOf(text: string, name: string, from: number): number {
  const escaped = name.replace(/[^\w]/g, "\\$&");
  const pattern = new RegExp(`(?<=[{,\\s])(["']?)${escaped}\\1(?=\\s*[:(,}])`, "g");
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? -1;
}

/** Comments as blanks, so that offsets stay and a setting that was switched off is not found. */
function blankComments(text: string): string {
  return text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[^]*?\*\/|\/\/[^\n]*/g,
    (all, quoted) => (quoted === undefined ? all.replace(/[^\n]/g, " ") : all),
  );
}
