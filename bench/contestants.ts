/**
 * Who takes part in a profile: words of the command line into subjects, one for each Node where they run on Node.
 *
 * Pure but for asking a subject whether it can run here. Whoever cannot is left out aloud, never silently.
 */
import type { NodeBinary } from "./nodes.ts";
import type { Profile } from "./profile.ts";
import type { SubjectSpec } from "./subject-list.ts";

/** A subject on one Node. */
export interface Contestant {
  readonly spec: SubjectSpec;
  /** What runs it; of a program what starts its launcher. */
  readonly node: NodeBinary;
  readonly label: string;
  /** Label of the contestant that it is compared with: on the same Node, else on the first. Null: none takes part. */
  readonly reference: string | null;
}

/** Words for whom to compare with. */
export interface Choice {
  readonly against: readonly string[];
  readonly subjects: readonly string[];
}

/** Endings of names that say the family: `nginx-static` is nginx. */
const ENDING = /-(?:app|static|tls|static-tls)$/;

/**
 * @param skip told of each that is left out, and why
 * @returns names of subjects, ours first, then the reference, then the others
 */
export function chooseNames(
  profile: Profile,
  specs: readonly SubjectSpec[],
  choice: Choice,
  skip: (message: string) => void,
): readonly string[] {
  if (choice.subjects.length > 0) return choice.subjects;
  const names = [...profile.ours, profile.reference];
  const peers = specs.filter(
    ({ name, serves }) =>
      serves.includes(profile.family) &&
      !name.startsWith("fairlead") &&
      (profile.peers.includes(name) || !serves.includes("log")),
  );
  const references = specs.filter(({ name }) => name === profile.reference);
  if (choice.against.length === 0) names.push(...profile.peers);
  for (const word of choice.against) {
    const found = word === "all" ? peers : relatives(word, peers);
    if (found.length > 0) names.push(...found.map(({ name }) => name));
    else if (relatives(word, references).length === 0) skip(`${profile.name}: no subject of ${word} does this`);
  }
  return [...new Set(names)];
}

/** The subject of that name, or those that are it in this family. */
function relatives(word: string, specs: readonly SubjectSpec[]): readonly SubjectSpec[] {
  const tests: ((name: string) => boolean)[] = [
    (name) => name === word,
    (name) => name.replace(ENDING, "") === word,
    (name) => name.startsWith(`${word}-`),
  ];
  for (const test of tests) {
    const found = specs.filter(({ name }) => test(name));
    if (found.length > 0) return found;
  }
  return [];
}

/**
 * @param names of subjects, each known
 * @param nodes at least one
 * @returns in the order in which the first round takes them
 */
export function contestantsOf(
  profile: Profile,
  specs: readonly SubjectSpec[],
  names: readonly string[],
  nodes: readonly NodeBinary[],
  skip: (message: string) => void,
): readonly Contestant[] {
  const [first] = nodes;
  if (first === undefined) return [];
  const present: { spec: SubjectSpec; node: NodeBinary; label: string }[] = [];
  for (const name of names) {
    const spec = specs.find((one) => one.name === name);
    const reason = spec === undefined ? "no such subject (--list)" : spec.missing();
    if (spec === undefined || reason !== null) {
      skip(`${profile.name}: ${name}: ${reason}`);
      continue;
    }
    if (spec.runsOn === "program" || nodes.length === 1) present.push({ spec, node: first, label: name });
    else for (const node of nodes) present.push({ spec, node, label: `${name} (${node.label})` });
  }
  const references = present.filter(({ spec }) => spec.name === profile.reference);
  return present.map((one) => {
    const reference = references.find(({ node }) => node === one.node) ?? references[0];
    return { ...one, reference: reference?.label ?? null };
  });
}
