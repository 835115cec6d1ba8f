/**
 * Paths to endpoints: a tree of segments, and a table of the paths that have no params.
 *
 * At each segment a literal goes before several parts, those before a param, that before a wildcard; where a way ends without
 * an endpoint the next one is tried, so that the order of registration decides nothing (but between several constraints at one
 * place, which nobody can compare). No way is gone twice: time is bounded by the length of the path and the ways that match.
 * It must never call a handler, and knows middleware and methods only as what stands at the end of a way.
 */

import type { Params } from "../web/context.ts";
import type { Handler } from "../web/handler.ts";
import { MixedSegment } from "./mixed-segment.ts";
import { PathText } from "./path-text.ts";
import type { Segment } from "./pattern.ts";

/** What answers one method at the end of a way. */
export interface Endpoint {
  /** As it was registered, with all prefixes. */
  readonly pattern: string;
  readonly handler: Handler;
}

/** Where the value of a param is found. */
interface Place {
  readonly name: string;
  /** Index of the segment. */
  readonly segment: number;
  /** Index among the params of `mixed`; without one -1 for the whole segment, -2 for it and all that follow. */
  readonly part: number;
  /** The segment of several parts that it is in. */
  readonly mixed: MixedSegment | null;
}

const WHOLE = -1;
const REST = -2;

/** An endpoint in one variant of its pattern. */
export class Match {
  readonly pattern: string;
  readonly handler: Handler;
  readonly isMount: boolean;
  readonly places: readonly Place[];

  constructor({ pattern, handler }: Endpoint, segments: readonly Segment[], isMount: boolean) {
    this.pattern = pattern;
    this.handler = handler;
    this.isMount = isMount;
    // What follows a mount's prefix is its handler's path, no param
    this.places = segments.flatMap(placesOf).filter(({ part }) => !isMount || part !== REST);
  }
}

function placesOf(segment: Segment, index: number): Place[] {
  switch (segment.kind) {
    case "static":
      return [];
    case "param":
      return [{ name: segment.name, segment: index, part: WHOLE, mixed: null }];
    case "wildcard":
      return [{ name: segment.name, segment: index, part: REST, mixed: null }];
    case "mixed": {
      const mixed = new MixedSegment(segment.parts);
      return segment.parts
        .filter((part) => typeof part !== "string")
        .map(({ name }, part) => ({ name, segment: index, part, mixed }));
    }
  }
}

/** In place of a method: called for every one that has no endpoint of its own. */
export const ANY_METHOD = "*";
/** In place of a method: called for all, but only where no route knows the path. A method's name is never empty. */
export const MOUNT = "";

/** The end of a way: an endpoint per method. */
class Leaf {
  #get: Match | null = null;
  #any: Match | null = null;
  /** Asked only where no route knows the path: a mount leaves the methods of a known path to the app. */
  #mount: Match | null = null;
  readonly #others: Map<string, Match> = new Map();

  /** @param method upper case, {@link ANY_METHOD} or {@link MOUNT} */
  add(method: string, match: Match): void {
    if (method === MOUNT) this.#mount = match;
    else if (method === ANY_METHOD) this.#any = match;
    else if (method === "GET") this.#get = match;
    else this.#others.set(method, match);
  }

  find(method: string): Match | null {
    if (method === "GET") return this.#get ?? this.#any;
    // RFC 9110 §9.3.2: HEAD is GET without content, which the wire leaves out
    return this.#others.get(method) ?? (method === "HEAD" ? this.#get : null) ?? this.#any;
  }

  get mount(): Match | null {
    return this.#mount;
  }

  /** Whether it knows any method. */
  get hasMethods(): boolean {
    return this.#get !== null || this.#any !== null || this.#others.size > 0;
  }

  addMethodsTo(methods: Set<string>): void {
    if (this.#get !== null) methods.add("GET").add("HEAD");
    for (const method of this.#others.keys()) methods.add(method);
  }
}

/** Above it a table by hash is faster than one comparison after the other. */
const MAX_LISTED = 4;

/** By characters: for names of usual length half the time of `startsWith`, which is a call into the engine. */
function isAt(text: string, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (text.charCodeAt(start + i) !== name.charCodeAt(i)) return false;
  return true;
}

/** Where ways part. */
class Node {
  /** Ends here. */
  leaf: Leaf | null = null;
  /** Ends here and everywhere below, behind a slash. */
  wildcard: Leaf | null = null;
  param: Node | null = null;
  readonly mixed: { readonly segment: MixedSegment; readonly shape: string; readonly node: Node }[] = [];
  readonly #names: string[] = [];
  readonly #nodes: Node[] = [];
  #byName: Map<string, Node> | null = null;

  literal(text: string, start: number, end: number): Node | null {
    if (this.#byName !== null) return this.#byName.get(text.slice(start, end)) ?? null;
    const names = this.#names;
    const length = end - start;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      if (name.length === length && isAt(text, start, name)) return this.#nodes[i] as Node;
    }
    return null;
  }

  /** The node behind `segment`, made if need be. */
  descend(segment: Exclude<Segment, { kind: "wildcard" }>): Node {
    switch (segment.kind) {
      case "static":
        return this.literal(segment.text, 0, segment.text.length) ?? this.#addLiteral(segment.text);
      case "param":
        this.param ??= new Node();
        return this.param;
      case "mixed":
        return this.#descendMixed(new MixedSegment(segment.parts), shapeOfParts(segment));
    }
  }

  #addLiteral(text: string): Node {
    const node = new Node();
    this.#names.push(text);
    this.#nodes.push(node);
    if (this.#byName !== null) this.#byName.set(text, node);
    else if (this.#names.length > MAX_LISTED) {
      this.#byName = new Map(this.#names.map((name, i) => [name, this.#nodes[i] as Node]));
    }
    return node;
  }

  #descendMixed(segment: MixedSegment, shape: string): Node {
    const known = this.mixed.find((each) => each.shape === shape);
    if (known !== undefined) return known.node;
    const node = new Node();
    this.mixed.push({ segment, shape, node });
    this.mixed.sort((a, b) => b.segment.rank - a.segment.rank);
    return node;
  }
}

/** What two segments of several parts have in common if they match the same. */
function shapeOfParts({ parts }: Extract<Segment, { kind: "mixed" }>): string {
  return JSON.stringify(parts.map((part) => (typeof part === "string" ? part : [part.constraint?.source])));
}

/** An object without prototype: no name of a param means anything to it, `__proto__` neither. */
const ParamsObject = function ParamsObject() {} as unknown as { new (): Record<string, string>; prototype: unknown };
ParamsObject.prototype = Object.create(null) as unknown;

/** Literals of which one text is all that a client writes; others are found decoded, in the tree. */
const PLAIN = /^[\w\-.~!$&'()*+,;=:@]*$/;

/** Finds the endpoint of a request. What a search leaves behind is valid until the next. */
export class Router {
  readonly #root: Node = new Node();
  readonly #literalPaths: Map<string, Leaf> = new Map();
  readonly #path: PathText = new PathText();
  #method = "";
  /** A more special route knows the path, but not the method. */
  #isKnown = false;
  /** Gathers the methods of all routes that know the path; null where one match is looked for. */
  #methods: Set<string> | null = null;

  /**
   * @param method upper case, {@link ANY_METHOD} or {@link MOUNT}
   * @param segments one variant of the endpoint's pattern
   */
  add(method: string, segments: readonly Segment[], endpoint: Endpoint): void {
    let node = this.#root;
    for (const segment of segments) if (segment.kind !== "wildcard") node = node.descend(segment);
    const isOpen = segments.at(-1)?.kind === "wildcard";
    const leaf = isOpen ? (node.wildcard ??= new Leaf()) : (node.leaf ??= new Leaf());
    leaf.add(method, new Match(endpoint, segments, method === MOUNT));
    const literals = segments.map((segment) => (segment.kind === "static" ? segment.text : null));
    if (literals.every((text) => text !== null && PLAIN.test(text))) {
      this.#literalPaths.set(`/${literals.join("/")}`, leaf);
    }
  }

  /**
   * Looks for a route without params by the whole target, as most clients write it: for most sites most requests.
   *
   * @param target may be anything: what is no such path is not found
   */
  findLiteral(method: string, target: string): Match | null {
    const leaf = this.#literalPaths.get(target);
    return leaf === undefined ? null : leaf.find(method);
  }

  /** @param path as pathOf() gives it; one that cannot be decoded is not found */
  find(method: string, path: string): Match | null {
    this.#method = method;
    this.#isKnown = false;
    return this.#path.read(path) ? this.#search(this.#root, 0) : null;
  }

  /** Whether a route had the path that {@link find} looked for last, be it with another method. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The params of what {@link find} has just found; null if there are none. */
  params(match: Match): Params | null {
    const { places } = match;
    if (places.length === 0) return null;
    const path = this.#path;
    const params = new ParamsObject();
    for (let i = 0; i < places.length; i++) {
      const { name, segment, part, mixed } = places[i] as Place;
      if (mixed !== null) params[name] = mixed.match(path.segment(segment))?.[part] as string;
      else params[name] = part === WHOLE ? path.segment(segment) : path.rest(segment);
    }
    return params;
  }

  /** Methods that routes have for a path, HEAD where there is GET; none for a path that no route knows. */
  methodsOf(path: string): ReadonlySet<string> {
    const methods = new Set<string>();
    this.#methods = methods;
    if (this.#path.read(path)) this.#search(this.#root, 0);
    this.#methods = null;
    return methods;
  }

  #search(node: Node, index: number): Match | null {
    const path = this.#path;
    if (index === path.count) return node.leaf === null ? null : this.#take(node.leaf);
    const start = path.starts[index] as number;
    const end = path.ends[index] as number;
    const literal = node.literal(path.text, start, end);
    if (literal !== null) {
      const match = this.#search(literal, index + 1);
      if (match !== null) return match;
    }
    if (end > start) {
      const match = this.#searchParams(node, index);
      if (match !== null) return match;
    }
    return node.wildcard === null ? null : this.#take(node.wildcard);
  }

  #searchParams(node: Node, index: number): Match | null {
    const { mixed, param } = node;
    if (mixed.length > 0) {
      const text = this.#path.segment(index);
      for (const each of mixed) {
        if (each.segment.match(text) === null) continue;
        const match = this.#search(each.node, index + 1);
        if (match !== null) return match;
      }
    }
    return param === null ? null : this.#search(param, index + 1);
  }

  /** What the end of a way has for the method; null: look on. */
  #take(leaf: Leaf): Match | null {
    if (this.#methods !== null) {
      leaf.addMethodsTo(this.#methods);
      return null;
    }
    const match = leaf.find(this.#method);
    if (match !== null) return match;
    if (leaf.hasMethods) this.#isKnown = true;
    return this.#isKnown ? null : leaf.mount;
  }
}
