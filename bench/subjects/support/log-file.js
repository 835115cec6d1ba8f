/** Where the subjects with a log write it: one file each in a folder of the run, emptied when the subject starts. */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @param {string} name */
export function logFile(name) {
  const path = join(process.env.FAIRLEAD_BENCH_LOGS ?? tmpdir(), `fairlead-bench-${name}.log`);
  writeFileSync(path, "");
  return path;
}
