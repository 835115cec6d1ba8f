/**
 * A reporter that says the result of a whole run in one line of its own: `Tests: 123 passed, 0 failed`.
 *
 * For machines and for the last line of .ci/run. A test file that could not be loaded and an error outside of any test
 * count as failures, because neither of them is a test that passed.
 */
import type { Reporter, SerializedError, TestModule } from "vitest/node";

export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tally = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      tally.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that never ran in a run that has ended did not pass
        tally[state === "pending" ? "failed" : state] += 1;
      }
    }
    const skipped = tally.skipped === 0 ? "" : `, ${tally.skipped} skipped`;
    process.stdout.write(`\nTests: ${tally.passed} passed, ${tally.failed} failed${skipped}\n`);
  }
}
