/** What this process has open, as Linux shows it. */

import { readdirSync, readlinkSync } from "node:fs";

/** Paths below a folder that descriptors of this process lead to. */
export function openFiles(folder: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}
