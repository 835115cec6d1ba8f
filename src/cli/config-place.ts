/**
 * On which line of a file a setting stands, by looking at its text.
 *
 * The names of settings are found where a property of that name is written, in the group that they belong to. What is computed
 * or imported is not found, and then the file alone is named: a hint for people, and nothing that anything depends on.
 */

/** What stands between quotation marks of any kind. */
const STRING = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/.source;

/** Braces, and what may hold some that are none. */
const BRACES = new RegExp(`${STRING}|[{}]`, "g");

/** Finds lines: `fairlead.config.ts:3`, or `fairlead.config.ts` where the line is not to be found. */
export function placeFinder(text: string, shown: string): (setting: string) => string {
  const plain = blankComments(text);
  return (setting) => {
    let from = 0;
    let end = plain.length;
    for (const part of setting.split(".")) {
      const [, name = part, index = ""] = /^(.*)\[(\d+)\]$/.exec(part) ?? [];
      const found = offsetOf(plain, name, from);
      if (found === -1 || found >= end) return from === 0 ? shown : `${shown}:${lineOfOffset(plain, from)}`;
      from = index === "" ? found : entryAt(plain, found, Number(index));
      end = endOfGroup(plain, from);
    }
    return `${shown}:${lineOfOffset(plain, from)}`;
  };
}

/** Behind the first object from here on; names that come later belong to others. */
function endOfGroup(text: string, from: number): number {
  let depth = 0;
  for (const { 0: sign, index: offset } of text.slice(from).matchAll(BRACES)) {
    if (sign === "{") depth++;
    else if (sign === "}" && --depth <= 0) return from + offset;
  }
  return text.length;
}

/** Where an object of a list begins, by its number from 0; where it is not to be found, the list. */
function entryAt(text: string, list: number, index: number): number {
  let depth = 0;
  let left = index;
  for (const { 0: sign, index: offset } of text.slice(list).matchAll(BRACES)) {
    if (sign === "}" && --depth < 0) break;
    if (sign !== "{") continue;
    if (depth === 0 && left-- === 0) return list + offset;
    depth++;
  }
  return list;
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
  return text.replace(new RegExp(`(${STRING})|/\\*[^]*?\\*/|//[^\\n]*`, "g"), (all, quoted) =>
    quoted === undefined ? all.replace(/[^\n]/g, " ") : all,
  );
}
