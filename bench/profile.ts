/**
 * What a profile is: a question, how it is asked, whose answer counts as 1, and what of our answer is demanded.
 *
 * Types only. The profiles stand by family in `*-profiles.ts`, all of them in profiles.ts; measure.ts runs them.
 */
import type { Busy } from "./noise.ts";
import type { Subject } from "./process.ts";
import type { SubjectSpec } from "./subject-list.ts";

/** A figure of a round. */
export interface Figure {
  /** With its unit: `CPU us/req`. */
  readonly name: string;
  readonly digits: number;
  readonly better: "less" | "more";
}

/** What of us is demanded, as a ratio of the first figure to the reference's. */
export interface Target {
  /** Not above this. */
  readonly must: number;
  /** Better still. */
  readonly aim: number;
}

/** One round of one subject. */
export interface Round {
  readonly figures: Readonly<Record<string, number>>;
  /** `[percentile, microseconds]`; empty where no latency is measured. */
  readonly percentiles: readonly (readonly [number, number])[];
  /** Who was busy meanwhile; null where it does not matter. */
  readonly busy: Busy | null;
}

/** How a round is run. */
export interface RoundSettings {
  readonly seconds: number;
  /** Null: as the profile says. */
  readonly connections: number | null;
  readonly load: "wrk" | "h2load";
  readonly subjectCore: number;
  readonly loadCore: number;
}

/** A question with all that belongs to it. */
export interface Profile {
  readonly name: string;
  readonly about: string;
  /** Who can answer: the family of subject-list.ts. */
  readonly family: string;
  /** The first is the one to steer by. */
  readonly figures: readonly Figure[];
  /** Subject that the others are compared with, and ours, by name. */
  readonly reference: string;
  readonly ours: readonly string[];
  /** Peers that take part by default. */
  readonly peers: readonly string[];
  /** Of the first of ours; null where nothing is demanded. */
  readonly target: Target | null;
  /** Programs it needs. */
  readonly tools: readonly string[];
  /** Whether h2load can ask it in the place of wrk; absent: no. */
  readonly isForH2load?: boolean;
  /** Also what makes as much load as it can: then it matters who was the bottleneck. */
  readonly isSaturating: boolean;
  /** Called once before the subjects start; gives what undoes it. */
  readonly prepare?: () => () => void;
  /** One round with a subject that runs. */
  readonly run?: (subject: Subject, settings: RoundSettings) => Promise<Round>;
  /** In its place: one round that starts the subject itself, on the Node of that path. */
  readonly start?: (spec: SubjectSpec, node: string, settings: RoundSettings) => Promise<Round>;
}
