/**
 * Where middleware applies: a path and all below it.
 *
 * A scope must never miss a request that reaches what it guards, so it takes a path as everybody behind it might: decoded once,
 * without empty segments (`//admin` is `/admin` to a file server), and, where a segment holds an encoded slash or backslash,
 * also as if those were real. Against a route's own pattern most is decided when the app is put together; what is left is
 * compared with the path of the request.
 */

import { MixedSegment } from "./mixed-segment.ts";
import { PathText, pathOf } from "./path-text.ts";
import { checkPrefix, parsePattern, type Segment } from "./pattern.ts";

/** Whether a scope covers what a pattern matches: all of it, none, or that depends on the path. */
export type Coverage = "always" | "never" | "by-path";

/** One segment of a scope. */
type Step = { readonly kind: "static"; readonly text: string } | { readonly kind: "param" } | MixedSegment;

/** A path with all below it. */
export class Scope {
  readonly #steps: readonly Step[];

  /**
   * @param path as given to `use()`: `/admin`, `/admin/` and `/admin/*` are one; params match any segment
   * @throws TypeError for what is no prefix
   */
  constructor(path: string) {
    const prefix = checkPrefix(path.endsWith("/*") ? path.slice(0, -1) : path);
    const segments = prefix === "" ? [] : (parsePattern(prefix).variants[0] as readonly Segment[]);
    this.#steps = segments.map(stepOf);
  }

  /** Whether it covers all there is. */
  get isWhole(): boolean {
    return this.#steps.length === 0;
  }

  /** Segments: of two scopes around one path the longer is the more special. */
  get depth(): number {
    return this.#steps.length;
  }

  /** What can be said of all paths that a pattern matches. */
  coverageOf(pattern: readonly Segment[]): Coverage {
    for (let i = 0; i < this.#steps.length; i++) {
      const segment = pattern[i];
      if (segment === undefined) return "never";
      if (segment.kind === "wildcard") return "by-path";
      const coverage = coverageOfStep(this.#steps[i] as Step, segment);
      if (coverage !== "always") return coverage;
    }
    return "always";
  }

  /** Whether the path of a request lies inside. */
  covers(request: globalThis.Request): boolean {
    return readingsOf(pathOf(request)).some((names) => this.#coversNames(names));
  }

  #coversNames(names: readonly string[]): boolean {
    const steps = this.#steps;
    if (names.length < steps.length) return false;
    for (let i = 0; i < steps.length; i++) {
      if (!takes(steps[i] as Step, names[i] as string)) return false;
    }
    return true;
  }
}

function stepOf(segment: Segment): Step {
  if (segment.kind === "mixed") return new MixedSegment(segment.parts);
  if (segment.kind === "static") return segment;
  return { kind: "param" };
}

/** @param name not empty */
function takes(step: Step, name: string): boolean {
  if (step instanceof MixedSegment) return step.match(name) !== null;
  return step.kind === "param" || step.text === name;
}

function coverageOfStep(step: Step, segment: Exclude<Segment, { kind: "wildcard" }>): Coverage {
  if (segment.kind !== "static") return !(step instanceof MixedSegment) && step.kind === "param" ? "always" : "by-path";
  // A path may end in a slash; what follows it is no name
  return segment.text !== "" && takes(step, segment.text) ? "always" : "never";
}

const SEPARATOR = /[/\\]/;
const path: PathText = new PathText();
/** The last path and its readings: all scopes around one request ask for the same. */
let lastPath = "";
let lastReadings: readonly (readonly string[])[] = [[]];

/** The names of a path, in every way that they might be read. */
function readingsOf(text: string): readonly (readonly string[])[] {
  if (text === lastPath) return lastReadings;
  path.read(text);
  const names: string[] = [];
  for (let i = 0; i < path.count; i++) {
    const name = path.segment(i);
    if (name !== "") names.push(name);
  }
  lastReadings = names.some((name) => SEPARATOR.test(name)) ? [names, flatten(names)] : [names];
  lastPath = text;
  return lastReadings;
}

/** As read by who decodes first and cuts then. */
function flatten(names: readonly string[]): string[] {
  const flat: string[] = [];
  for (const name of names.flatMap((each) => each.split(SEPARATOR))) {
    if (name === "..") flat.pop();
    else if (name !== "" && name !== ".") flat.push(name);
  }
  return flat;
}
