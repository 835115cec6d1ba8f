/**
 * The first lines: what is served, in which mode, where, what is hidden, how to stop.
 *
 * Everything in them is given, nothing is looked up, so that each set-up can be tested as text.
 */

import type { Painter } from "./paint.ts";
import type { Subject } from "./subject.ts";

/** What there is to say. */
export interface Welcome {
  readonly version: string;
  readonly subject: Subject;
  /** The subject as people know it, relative to where they are. */
  readonly shownPath: string;
  /** Where it can be reached from here. */
  readonly url: string;
  /** Where others can reach it; none if it listens for this machine only. */
  readonly networkUrls: readonly string[];
  /** The default port that was taken, 0 if it was free. */
  readonly takenPort: number;
  /** Only loopback is listened on, and this is a container: nobody will get in. */
  readonly isShutIn: boolean;
}

const SHUT_IN = "in a container nobody outside of it can reach this address: --host 0.0.0.0 opens it";

/** Lines for a person. Ends in an empty line. */
export function renderBanner(welcome: Welcome, paint: Painter): string {
  const rows: [label: string, value: string][] = [
    ["Serving", `${welcome.shownPath} ${paint("faint", `(${modeOf(welcome.subject)})`)}`],
    ["Local", paint("link", welcome.url)],
    ...welcome.networkUrls.map((url): [string, string] => ["Network", paint("link", url)]),
  ];
  if (welcome.takenPort !== 0)
    rows.push(["Note", paint("warning", `port ${welcome.takenPort} is taken, so this is the next free one`)]);
  if (welcome.isShutIn) rows.push(["Note", paint("warning", SHUT_IN)]);
  else if (welcome.networkUrls.length === 0) {
    rows.push(["Reach", paint("faint", "this machine only; --host 0.0.0.0 lets others in")]);
  }
  if (welcome.subject.kind === "folder") {
    rows.push(["Hidden", paint("faint", "names with a leading dot, links that lead out of the folder")]);
  }
  rows.push(["Stop", paint("faint", "Ctrl-C")]);
  const lines = rows.map(([label, value]) => `  ${paint("faint", label.padEnd(9))}${value}`);
  return `\n  ${paint("title", `Fairlead ${welcome.version}`)}\n\n${lines.join("\n")}\n\n`;
}

/** A line for a program, or a file; a second one where something is remarkable. */
export function renderPlainBanner(welcome: Welcome): string {
  const urls = [welcome.url, ...welcome.networkUrls].join(" ");
  let text = `fairlead ${welcome.version}: ${modeOf(welcome.subject)} ${welcome.subject.path} at ${urls}\n`;
  if (welcome.takenPort !== 0) text += `fairlead: port ${welcome.takenPort} is taken, so this is the next free one\n`;
  if (welcome.isShutIn) text += `fairlead: ${SHUT_IN}\n`;
  return text;
}

function modeOf(subject: Subject): string {
  return subject.kind === "module" ? "app" : subject.kind;
}
