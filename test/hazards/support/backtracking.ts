/**
 * Whether a regular expression can be made to backtrack without end (ReDoS), decided by construction and not by trying.
 *
 * A backtracking matcher takes more than linear time only where one text can be matched in several ways: exponential where a
 * loop comes back to itself on two ways that read the same (`(a*)*`), polynomial where two loops read the same one after the
 * other (`a*a*`, and the search itself before an unanchored `a+$`). Both are questions about the automaton of positions, and
 * both are answered here for all texts at once (Weideman et al., "Analyzing matching time behavior of backtracking regular
 * expression matchers", CIAA 2016). Lookarounds are patterns of their own, and ignored where they stand; a loop after which
 * the match is over at once never backtracks. So what is called safe is safe, and what is not may still be.
 */

/** What has been found. */
export type Growth = "linear" | "polynomial" | "exponential";

/** Characters of the sample, by number: enough to tell all classes apart that patterns of ours have. */
const SAMPLE: readonly string[] = [
  ...Array.from({ length: 256 }, (_, code) => String.fromCodePoint(code)),
  ..."\u0130\u0131\u017F\u200B\u2028\u2029\u202E\u212A\uD800\uFEFF\uFFFD\uFFFF\u{1F600}".split(/(?:)/u),
];

/** A pattern as a tree. */
type Node =
  | { readonly kind: "atom"; readonly source: string }
  | { readonly kind: "start" | "end" | "nothing" }
  | { readonly kind: "sequence" | "choice"; readonly items: readonly Node[] }
  | { readonly kind: "repeat"; readonly item: Node; readonly min: number; readonly max: number };

/** Reads the syntax as far as it matters; the engine has accepted the pattern already. */
class PatternReader {
  /** Contents of the lookarounds. */
  readonly inner: string[] = [];
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  readChoice(): Node {
    const items = [this.#readSequence()];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      items.push(this.#readSequence());
    }
    return items.length === 1 ? (items[0] as Node) : { kind: "choice", items };
  }

  #readSequence(): Node {
    const items: Node[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at] as string)) {
      items.push(this.#readQuantified());
    }
    return { kind: "sequence", items };
  }

  #readQuantified(): Node {
    const item = this.#readItem();
    const quantifier = /(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/y;
    quantifier.lastIndex = this.#at;
    const match = quantifier.exec(this.#source);
    if (match === null) return item;
    this.#at = quantifier.lastIndex;
    const [text, least, comma, most] = match;
    if (least === undefined) {
      return { kind: "repeat", item, min: text.startsWith("+") ? 1 : 0, max: text.startsWith("?") ? 1 : Infinity };
    }
    const min = Number(least);
    const atMost = most === "" ? Infinity : Number(most);
    return { kind: "repeat", item, min, max: comma === "" ? min : atMost };
  }

  #readItem(): Node {
    const start = this.#at;
    const first = this.#source[start] as string;
    if (first === "(") return this.#readGroup();
    this.#at++;
    if (first === "^") return { kind: "start" };
    if (first === "$") return { kind: "end" };
    if (first === "[") this.#at = endOfClass(this.#source, start);
    else if (first === "\\") {
      const escape = /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|k<[^>]*>|\d+|.)/y;
      escape.lastIndex = start;
      escape.exec(this.#source);
      this.#at = escape.lastIndex;
    }
    const source = this.#source.slice(start, this.#at);
    if (/^\\[bB]$/.test(source)) return { kind: "nothing" };
    if (/^\\[1-9k]/.test(source)) throw new Error(`a reference back: ${source}`);
    return { kind: "atom", source };
  }

  #readGroup(): Node {
    const opening = /\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?/y;
    opening.lastIndex = this.#at;
    const kind = (opening.exec(this.#source) as RegExpExecArray)[0];
    this.#at = opening.lastIndex;
    const start = this.#at;
    const node = this.readChoice();
    const content = this.#source.slice(start, this.#at);
    this.#at++;
    if (!/^\(\?<?[=!]/.test(kind)) return node;
    this.inner.push(content);
    return { kind: "nothing" };
  }
}

function endOfClass(source: string, start: number): number {
  let at = start + 1;
  while (source[at] !== "]") at += source[at] === "\\" ? 2 : 1;
  return at + 1;
}

/**
 * The automaton: states without input, joined by empty steps, and positions that read one character each. Position 0 is the
 * beginning of the text, position 1 the search that skips what is before the match.
 */
class Automaton {
  readonly sets: Array<ReadonlySet<number>> = [new Set(), new Set(SAMPLE.keys())];
  /** Empty steps of each state; negative: `-1 - position`, which is read next. */
  readonly steps: number[][] = [];
  /** After position `p` comes state `afters[p]`. */
  readonly afters: number[] = [];
  readonly accept: number;
  readonly #flags: string;
  readonly #known: Map<string, ReadonlySet<number>> = new Map();

  constructor(tree: Node, flags: string) {
    this.#flags = flags.replaceAll(/[gyd]/g, "");
    this.accept = this.#state();
    const begin = this.#state();
    const search = this.#state();
    this.afters.push(begin, search);
    this.steps[begin]?.push(this.#build(tree, this.accept, true));
    if (flags.includes("y")) return;
    // The first try is at the beginning, where `^` holds; all others are behind characters skipped
    this.steps[begin]?.push(-2);
    this.steps[search]?.push(this.#build(tree, this.accept, flags.includes("m")), -2);
  }

  #state(): number {
    return this.steps.push([]) - 1;
  }

  /** A state from which `node` is read and then `next` reached. */
  #build(node: Node, next: number, isAtStart: boolean): number {
    const state = this.#state();
    const steps = this.steps[state] as number[];
    switch (node.kind) {
      case "atom": {
        this.sets.push(this.#setOf(node.source));
        this.afters.push(next);
        steps.push(-this.sets.length);
        break;
      }
      case "start": {
        if (isAtStart) steps.push(next);
        break;
      }
      case "end": {
        // What comes behind may fail: acceptance is not certain here
        if (next !== this.accept) steps.push(next);
        break;
      }
      case "nothing": {
        steps.push(next);
        break;
      }
      case "choice": {
        for (const item of node.items) steps.push(this.#build(item, next, isAtStart));
        break;
      }
      case "sequence": {
        let following = next;
        // `^` holds only before anything is read
        for (const [index, item] of [...node.items.entries()].toReversed()) {
          const isFirst = node.items.slice(0, index).every(isEmpty);
          following = this.#build(item, following, isAtStart && isFirst);
        }
        steps.push(following);
        break;
      }
      case "repeat": {
        this.#repeat(node, state, next, isAtStart);
        break;
      }
    }
    return state;
  }

  #repeat(node: Node & { kind: "repeat" }, state: number, next: number, isAtStart: boolean): void {
    let following = next;
    if (node.max === Infinity) {
      following = this.#state();
      this.steps[following]?.push(this.#build(node.item, following, false), next);
    } else {
      for (let count = node.min; count < node.max; count++) {
        const optional = this.#state();
        this.steps[optional]?.push(this.#build(node.item, following, isAtStart && node.min === 0), next);
        following = optional;
      }
    }
    for (let count = 0; count < node.min; count++) following = this.#build(node.item, following, isAtStart);
    this.steps[state]?.push(following);
  }

  #setOf(source: string): ReadonlySet<number> {
    const known = this.#known.get(source);
    if (known !== undefined) return known;
    const pattern = new RegExp(`^(?:${source})$`, this.#flags.replaceAll("m", ""));
    const set = new Set([...SAMPLE.keys()].filter((index) => pattern.test(SAMPLE[index] as string)));
    this.#known.set(source, set);
    return set;
  }
}

function isEmpty(node: Node): boolean {
  if (node.kind === "sequence") return node.items.every(isEmpty);
  return node.kind === "start" || node.kind === "nothing";
}

/** Positions that may follow each, with whether there is more than one way between them. */
interface Graph {
  readonly next: ReadonlyArray<ReadonlyMap<number, number>>;
  /** What each reads. */
  readonly reads: readonly bigint[];
  /** Where the match is over at once: no way is ever tried again from there. */
  readonly isOver: readonly boolean[];
}

function graphOf({ afters, sets, steps, accept }: Automaton): Graph {
  const isOver = afters.map(() => false);
  const next = afters.map((after, position) => {
    const ways = new Map<number, number>();
    const onWay = new Map<number, number>();
    const walk = (state: number): void => {
      if (state === accept) isOver[position] = true;
      // A loop is left and entered anew, but an empty round of it is not made (ECMA-262 §22.2.2.3.1)
      const visits = onWay.get(state) ?? 0;
      if (visits === 2) return;
      onWay.set(state, visits + 1);
      for (const step of steps[state] as number[]) {
        if (step >= 0) walk(step);
        else ways.set(-1 - step, (ways.get(-1 - step) ?? 0) + 1);
      }
      onWay.set(state, visits);
    };
    walk(after);
    return ways;
  });
  return { next, reads: bitsOf(sets), isOver };
}

/** Which positions are on a common loop: the number of the loop, or -1. */
function loopsOf({ next, isOver }: Graph): number[] {
  const reached = next.map((_, from) => {
    const seen = new Set<number>();
    const queue = [from];
    for (const position of queue) {
      for (const to of next[position]?.keys() ?? []) {
        if (seen.has(to) || isOver[to] === true) continue;
        seen.add(to);
        queue.push(to);
      }
    }
    return seen;
  });
  const loops = next.map(() => -1);
  for (const [position, ahead] of reached.entries()) {
    if (!ahead.has(position) || loops[position] !== -1) continue;
    for (const other of ahead) if (reached[other]?.has(position) === true) loops[other] = position;
  }
  return loops;
}

/** Sets as bits, one for each kind of character that the pattern tells apart. */
function bitsOf(sets: ReadonlyArray<ReadonlySet<number>>): bigint[] {
  const distinct = [...new Set(sets)];
  const kinds = new Map<string, bigint>();
  const kindOf = [...SAMPLE.keys()].map((index) => {
    const key = distinct.map((set) => (set.has(index) ? "1" : "0")).join("");
    const kind = kinds.get(key) ?? 1n << BigInt(kinds.size);
    kinds.set(key, kind);
    return kind;
  });
  const bits = new Map(
    distinct.map((set) => [set, [...set].reduce((all, index) => all | (kindOf[index] as bigint), 0n)]),
  );
  return sets.map((set) => bits.get(set) as bigint);
}

/** Where a character leads that both positions can read, each within its loop (-1: anywhere). */
function* stepsOfBoth(
  { next, reads }: Graph,
  [a, loopOfA]: readonly [position: number, loop: number],
  [b, loopOfB]: readonly [position: number, loop: number],
  loops: readonly number[],
): Generator<readonly [toA: number, toB: number, characters: bigint, ways: number]> {
  for (const [toA, ways] of next[a] ?? []) {
    if (loopOfA !== -1 && loops[toA] !== loopOfA) continue;
    for (const toB of next[b]?.keys() ?? []) {
      const characters = (reads[toA] as bigint) & (reads[toB] as bigint);
      if (characters !== 0n && (loopOfB === -1 || loops[toB] === loopOfB)) yield [toA, toB, characters, ways];
    }
  }
}

/** Whether two ways lead from a position of a loop back to it and read the same. */
function isExponential(graph: Graph, loops: readonly number[]): boolean {
  return [...loops.keys()].some((start) => loops[start] !== -1 && comesBackTwice(graph, loops, start));
}

function comesBackTwice(graph: Graph, loops: readonly number[], start: number): boolean {
  const loop = loops[start] as number;
  const seen = new Set<number>();
  const queue: [number, number, boolean][] = [[start, start, false]];
  for (const [a, b, areApart] of queue) {
    for (const [toA, toB, , ways] of stepsOfBoth(graph, [a, loop], [b, loop], loops)) {
      const willBeApart = areApart || toA !== toB || (a === b && ways > 1);
      if (willBeApart && toA === start && toB === start) return true;
      const key = (toA * loops.length + toB) * 2 + Number(willBeApart);
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push([toA, toB, willBeApart]);
    }
  }
  return false;
}

/** Whether one text leads from a loop back into it, from it into another loop, and from there back: `p -v-> p -v-> q -v-> q`. */
function isPolynomial(graph: Graph, loops: readonly number[]): boolean {
  const onLoops = [...loops.keys()].filter((position) => loops[position] !== -1);
  // Within one loop that is the other question
  return onLoops.some((p) => onLoops.some((q) => loops[p] !== loops[q] && isDoubled(graph, loops, p, q)));
}

function isDoubled(graph: Graph, loops: readonly number[], p: number, q: number): boolean {
  const { next, reads } = graph;
  if (((reads[p] as bigint) & (reads[q] as bigint)) === 0n) return false;
  const seen = new Set<number>();
  const queue: [number, number, number][] = [[p, p, q]];
  for (const [a, b, c] of queue) {
    for (const [toA, toC, characters] of stepsOfBoth(graph, [a, loops[p] as number], [c, loops[q] as number], loops)) {
      for (const toB of next[b]?.keys() ?? []) {
        const key = (toA * next.length + toB) * next.length + toC;
        if (seen.has(key) || (characters & (reads[toB] as bigint)) === 0n) continue;
        if (toA === p && toB === q && toC === q) return true;
        seen.add(key);
        queue.push([toA, toB, toC]);
      }
    }
  }
  return false;
}

/** How the time of a match grows with its text, at worst. */
export function growthOf(pattern: RegExp): Growth {
  const reader = new PatternReader(pattern.source);
  const automaton = new Automaton(reader.readChoice(), pattern.flags);
  const graph = graphOf(automaton);
  const loops = loopsOf(graph);
  // Looked at from one place
  const inner = reader.inner.map((source) => growthOf(new RegExp(source, `${pattern.flags.replace("y", "")}y`)));
  if (inner.includes("exponential") || isExponential(graph, loops)) return "exponential";
  return inner.includes("polynomial") || isPolynomial(graph, loops) ? "polynomial" : "linear";
}
