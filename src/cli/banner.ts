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
  /** What is special about how it is served, e.g. `single-page app`. */
  readonly modes: readonly string[];
  /** Where it can be reached from here; one for each address that is listened on. */
  readonly urls: readonly string[];
  /** Where others can reach it; none if it listens for this machine only. */
  readonly networkUrls: readonly string[];
  /** Where plain HTTP is sent on to HTTPS; `""` for nowhere. */
  readonly redirectUrl: string;
  /** Nobody but this machine can ask. */
  readonly isLocal: boolean;
  /** What is not served of the folder, in words; `""` for nothing. */
  readonly hidden: string;
  /** Which rules of the folder apply, in words; `""` for none. */
  readonly rules: string;
  /** Things that should not be overlooked. */
  readonly notes: readonly string[];
}

/** Lines for a person. Ends in an empty line. */
export function renderBanner(welcome: Welcome, paint: Painter): string {
  const mode = [modeOf(welcome.subject), ...welcome.modes].join(", ");
  const rows: [label: string, value: string][] = [
    ["Serving", `${welcome.shownPath} ${paint("faint", `(${mode})`)}`],
    ...welcome.urls.map((url): [string, string] => ["Local", paint("link", url)]),
    ...welcome.networkUrls.map((url): [string, string] => ["Network", paint("link", url)]),
  ];
  if (welcome.redirectUrl !== "")
    rows.push(["Redirect", `${paint("link", welcome.redirectUrl)} ${paint("faint", "to HTTPS")}`]);
  rows.push(...welcome.notes.map((note): [string, string] => ["Note", paint("warning", note)]));
  if (welcome.isLocal) rows.push(["Reach", paint("faint", "this machine only; --host lets others in")]);
  if (welcome.hidden !== "") rows.push(["Hidden", paint("faint", welcome.hidden.replace(" hidden:", ":"))]);
  if (welcome.rules !== "") rows.push(["Rules", paint("faint", welcome.rules)]);
  rows.push(["Stop", paint("faint", "Ctrl-C")]);
  const lines = rows.map(([label, value]) => `  ${paint("faint", label.padEnd(9))}${value}`);
  return `\n  ${paint("title", `Fairlead ${welcome.version}`)}\n\n${lines.join("\n")}\n\n`;
}

/** A line for a program, or a file; one more for each thing that is remarkable. */
export function renderPlainBanner(welcome: Welcome): string {
  const urls = [...welcome.urls, ...welcome.networkUrls].join(" ");
  let text = `fairlead ${welcome.version}: ${modeOf(welcome.subject)} ${welcome.subject.path} at ${urls}\n`;
  if (welcome.redirectUrl !== "") text += `fairlead: ${welcome.redirectUrl} is sent on to HTTPS\n`;
  if (welcome.hidden !== "") text += `fairlead: ${welcome.hidden}\n`;
  if (welcome.rules !== "") text += `fairlead: ${welcome.rules}\n`;
  for (const note of welcome.notes) text += `fairlead: ${note}\n`;
  return text;
}

function modeOf(subject: Subject): string {
  return subject.kind === "module" ? "app" : subject.kind;
}
