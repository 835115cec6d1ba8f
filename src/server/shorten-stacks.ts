/**
 * Stacks as people read them: their own frames, and in place of ours and Node's how many there are.
 *
 * A handler is called by a dozen frames of this package, below its own two or three; whoever looks for a mistake in a handler
 * looks for those. It works on text, an error's stack or what `inspect()` makes of an error with its causes, and must never leave
 * out a frame that may be the user's: what it does not know is theirs. Forms for programs have all frames and do without it.
 */

import { fileURLToPath, pathToFileURL } from "node:url";

/** Where a frame is; `between` is native code such as `Array.map`, which goes with its caller. */
type Place = "user" | "fairlead" | "node" | "between";

interface Frame {
  readonly line: string;
  readonly place: Place;
  /** How many frames the line stands for. */
  readonly count: number;
}

const FRAME = /^\s+at /;
/** What `inspect()` writes for frames that it has shown already. */
const REPEATED = /^\s+\.\.\. (\d+) lines matching cause stack trace \.\.\.$/;
/** What `inspect()` puts behind the last frame of an error that has members, or that stands in a list. */
const BEHIND = /(?: \{|,)$/;

let ownFolders: readonly string[] = [];

/** Found when the first stack is cut: no start waits for it. */
function findOwnFolders(): readonly string[] {
  if (ownFolders.length > 0) return ownFolders;
  // Two folders up from src/server as from dist/parts and dist/cli
  const root = fileURLToPath(new URL("../..", import.meta.url));
  ownFolders = ["src/", "dist/"]
    .map((folder) => pathToFileURL(root + folder).href)
    // Frames of modules have URLs, those of scripts have paths
    .flatMap((url) => [url, fileURLToPath(url)]);
  return ownFolders;
}

/**
 * Cuts stacks short.
 *
 * @param text with any number of stacks in it
 * @param keepsForeign leave a stack as it is that has no frame of the user's: then the mistake may be ours
 */
export function shortenStacks(text: string, keepsForeign: boolean): string {
  const shown: string[] = [];
  let stack: Frame[] = [];
  const endStack = (): void => {
    const isForeign = !stack.some(({ place }) => place === "user");
    if (isForeign && keepsForeign) shown.push(...stack.map(({ line }) => line));
    else shown.push(...shortened(stack));
    stack = [];
  };
  for (const line of text.split("\n")) {
    const frame = frameOf(line);
    if (frame !== null) stack.push(frame);
    else {
      endStack();
      shown.push(line);
    }
  }
  endStack();
  return shown.join("\n");
}

function frameOf(line: string): Frame | null {
  const repeated = REPEATED.exec(line);
  if (repeated !== null) return { line, place: "between", count: Number(repeated[1]) };
  return FRAME.test(line) ? { line, place: placeOf(line.replace(BEHIND, "")), count: 1 } : null;
}

function placeOf(line: string): Place {
  if (/[( ]node:[\w/]+:\d+:\d+\)?$/.test(line)) return "node";
  if (!/:\d+:\d+\)?$/.test(line)) return "between";
  return findOwnFolders().some((folder) => line.includes(folder)) ? "fairlead" : "user";
}

/** Runs of frames that are not the user's become one line each. */
function shortened(stack: readonly Frame[]): string[] {
  const lines: string[] = [];
  let run: Frame[] = [];
  for (const [at, frame] of stack.entries()) {
    const caller = stack.slice(at).find(({ place }) => place !== "between");
    if (frame.place !== "user" && caller?.place !== "user") run.push(frame);
    else {
      if (run.length > 0) lines.push(countOf(run));
      run = [];
      lines.push(frame.line);
    }
  }
  if (run.length > 0) lines.push(countOf(run));
  return lines;
}

function countOf(run: readonly Frame[]): string {
  const count = run.reduce((sum, frame) => sum + frame.count, 0);
  const owners = ["fairlead", "node"].filter((owner) => run.some(({ place }) => place === owner));
  const [first, last] = [run[0]?.line ?? "", run.at(-1)?.line ?? ""];
  const indent = /^\s*/.exec(first)?.[0] ?? "";
  const whose = owners.length === 0 ? "" : ` of ${owners.join(" and ")}`;
  return `${indent}… ${count} ${count === 1 ? "frame" : "frames"}${whose}${BEHIND.exec(last)?.[0] ?? ""}`;
}
