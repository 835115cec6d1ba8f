/**
 * One round under load: check, warm up, load while checking on, check again; and the figures of it.
 *
 * The answers that the checks ask for are counted with those of the load where they cost the server the same. A wrong answer
 * ends the run.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { busyBetween } from "./accounting.ts";
import type { LoadResult } from "./load/result.ts";
import { percentileOf } from "./load/result.ts";
import type { Subject } from "./process.ts";
import type { Figure, Round, RoundSettings } from "./profile.ts";

/** Asks a subject and looks at the answers; each throws where one is wrong. */
export interface Checker {
  /** Looks at every answer whole. */
  whole(): Promise<void>;
  /** Looks at one answer. @returns how many requests of the load that was worth */
  once(): Promise<number>;
  close(): void;
}

/** Figures of every round under load. */
export const LOAD_FIGURES: readonly Figure[] = [
  { name: "CPU us/req", digits: 2, better: "less" },
  { name: "user us", digits: 2, better: "less" },
  { name: "system us", digits: 2, better: "less" },
  { name: "req/s", digits: 0, better: "more" },
  { name: "p50 us", digits: 0, better: "less" },
  { name: "p99 us", digits: 0, better: "less" },
  { name: "p99.9 us", digits: 0, better: "less" },
  { name: "RSS MiB", digits: 1, better: "less" },
  { name: "peak MiB", digits: 1, better: "less" },
];

const CHECK_EVERY_MS = 150;
/** Warming up takes this share of measuring, a second at least. */
const WARM_SHARE = 1 / 3;

/** Runs one round. */
export async function roundOf(
  subject: Subject,
  checker: Checker,
  settings: RoundSettings,
  load: (seconds: number) => Promise<LoadResult>,
): Promise<Round> {
  try {
    await checker.whole();
    await load(Math.max(1, settings.seconds * WARM_SHARE));
    const before = subject.clocks();
    let isLoading = true;
    const loading = load(settings.seconds).finally(() => (isLoading = false));
    // Heard here too, so that a check that fails first leaves no rejection unheard
    loading.catch(() => {});
    let checked = 0;
    while (isLoading) {
      checked += await checker.once();
      await Promise.race([sleep(CHECK_EVERY_MS), loading]);
    }
    const result = await loading;
    const after = subject.clocks();
    const residentBytes = subject.residentBytes();
    const peakBytes = subject.peakResidentBytes();
    await checker.whole();
    const requests = result.requests + checked;
    const userUs = (after.subject.userUs - before.subject.userUs) / requests;
    const systemUs = (after.subject.systemUs - before.subject.systemUs) / requests;
    return {
      figures: {
        "CPU us/req": userUs + systemUs,
        "user us": userUs,
        "system us": systemUs,
        "req/s": result.requests / (result.durationUs / 1e6),
        "p50 us": percentileOf(result, 50),
        "p99 us": percentileOf(result, 99),
        "p99.9 us": percentileOf(result, 99.9),
        "RSS MiB": residentBytes / 2 ** 20,
        "peak MiB": peakBytes / 2 ** 20,
        ...result.more,
      },
      percentiles: result.percentiles,
      busy: busyBetween(before, after, settings.loadCore),
    };
  } finally {
    checker.close();
  }
}
