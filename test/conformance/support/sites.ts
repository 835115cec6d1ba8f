/** Times and folders that tests of conformance share. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** As in Last-Modified. */
export const OLD = "Thu, 29 Feb 2024 12:34:56 GMT";
export const NOW: Date = new Date("2026-01-15T10:00:00Z");

/** A folder of files that were written long ago. */
export class StaticSite {
  readonly folder: string;

  constructor(files: Readonly<Record<string, string>>) {
    this.folder = mkdtempSync(join(tmpdir(), "fairlead-conformance-"));
    for (const [name, content] of Object.entries(files)) this.write(name, content, new Date(OLD));
  }

  write(name: string, content: string, changed: Date): void {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    utimesSync(path, changed, changed);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
