/**
 * A folder that changes in every way that folders do, with a witness for each path.
 *
 * Replaced by rename; deleted and made again; truncated, grown and overwritten in its place; links swapped; precompressed
 * siblings coming, going and being too old. What is written in place is written in one call within a page of memory, so that
 * every state is one that a reader may see. All is drawn from one seed.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { Timeline } from "./timeline.ts";

const BLOCK_BYTES = 1024;
const PAGE_BYTES = 4096;
const LONG_AGO = new Date("2024-02-29T12:34:56Z");

/** A path that is asked for. */
export interface Subject {
  readonly path: string;
  readonly plain: Timeline;
  /** Decoded content of precompressed siblings by coding. */
  readonly siblings: ReadonlyMap<string, Timeline>;
  /** It is written to where it stands: then a message may be broken off. */
  readonly isInPlace: boolean;
  readonly isLarge: boolean;
  /** Changes it. */
  readonly change: () => void;
}

/** Numbers from a seed, the same at each run (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** The folder. */
export class ChangingTree {
  readonly subjects: readonly Subject[];
  /** Changes by what they were. */
  readonly changes: Map<string, number> = new Map<string, number>();
  readonly #root: string;
  readonly #outside: string;
  readonly #draw: (below: number) => number;
  #version: number;

  /** @param base an empty folder, of which `www` is the part to be served */
  constructor(base: string, draw: (below: number) => number) {
    this.#root = join(base, "www");
    this.#outside = join(base, "outside");
    this.#draw = draw;
    this.#version = 0;
    mkdirSync(this.#root);
    mkdirSync(this.#outside);
    this.subjects = [
      ...["page.html", "app.js", "data.bin"].map((name) => this.#replaced(name, 60_000)),
      this.#replaced("film.bin", 3 * 1024 * 1024),
      this.#twins("twins.txt"),
      ...["late.txt", "gone.bin"].map((name) => this.#comingAndGoing(name)),
      this.#inPlace("log.txt", 24),
      this.#inPlace("log.bin", 24),
      this.#inPlace("disk.bin", 6144),
      this.#link("link.txt", ["one.txt", "two.txt", "../outside/secret.txt"]),
      this.#releases("current/page.txt"),
      ...["style.css", "lib.js"].map((name) => this.#withSiblings(name)),
    ];
  }

  /** Changes something. What is large is changed seldom: it costs the time of many. */
  changeOne(): void {
    const subject = this.subjects[this.#draw(this.subjects.length)] as Subject;
    if (!subject.isLarge || this.#draw(4) === 0) subject.change();
  }

  /** Content that tells in every line which version it is of, and where it stands in it. */
  #content(path: string, sizeBytes: number): Buffer {
    const version = ++this.#version;
    const line = `${path} v${version} `.padEnd(48, "~").padEnd(63) + "\n";
    const bytes = Buffer.alloc(sizeBytes, line, "latin1");
    for (let at = 48; at + 15 < sizeBytes; at += sizeBytes > 100_000 ? PAGE_BYTES : 64) {
      bytes.write(String(at), at, "latin1");
    }
    return bytes;
  }

  #count(what: string): void {
    this.changes.set(what, (this.changes.get(what) ?? 0) + 1);
  }

  /** Writes beside and renames, as everybody should. */
  #replace(line: Timeline, name: string, bytes: Buffer, written: Buffer = bytes, time: Date | null = null): void {
    const path = join(this.#root, name);
    writeFileSync(`${path}.next~`, written);
    if (time !== null) utimesSync(`${path}.next~`, time, time);
    line.change(bytes, () => renameSync(`${path}.next~`, path));
  }

  #replaced(name: string, mostBytes: number): Subject {
    const plain = new Timeline();
    const change = (): void => {
      const size = mostBytes > 1_000_000 ? mostBytes + this.#draw(5000) : this.#draw(mostBytes);
      this.#replace(plain, name, this.#content(name, this.#draw(20) === 0 ? 0 : size));
      this.#count("replaced");
    };
    change();
    return { path: `/${name}`, plain, siblings: new Map(), isInPlace: false, isLarge: mostBytes > 1_000_000, change };
  }

  /** Other content of the same size and time. */
  #twins(name: string): Subject {
    const plain = new Timeline();
    const change = (): void => {
      const bytes = this.#content(name, 5000);
      this.#replace(plain, name, bytes, bytes, LONG_AGO);
      this.#count("replaced, same size and time");
    };
    change();
    return { path: `/${name}`, plain, siblings: new Map(), isInPlace: false, isLarge: false, change };
  }

  #comingAndGoing(name: string): Subject {
    const plain = new Timeline();
    const change = (): void => {
      if (plain.now === null) {
        this.#replace(plain, name, this.#content(name, 600 + this.#draw(20_000)));
        this.#count("created");
        return;
      }
      plain.change(null, () => unlinkSync(join(this.#root, name)));
      this.#count("deleted");
    };
    change();
    return { path: `/${name}`, plain, siblings: new Map(), isInPlace: false, isLarge: false, change };
  }

  #inPlace(name: string, blocks: number): Subject {
    const plain = new Timeline();
    const path = join(this.#root, name);
    this.#replace(plain, name, this.#content(name, blocks * BLOCK_BYTES));
    const change = (): void => {
      const before = plain.now as Buffer;
      const length = before.length / BLOCK_BYTES;
      const choice = this.#draw(4);
      const block = this.#content(name, BLOCK_BYTES);
      if (choice === 0 && length > blocks / 2) {
        const kept = this.#draw(4) === 0 ? 0 : Math.floor(length / 2) * BLOCK_BYTES;
        plain.change(before.subarray(0, kept), () => truncateSync(path, kept));
        this.#count("truncated in place");
      } else if (choice === 1 && length > 0) {
        const at = this.#draw(length) * BLOCK_BYTES;
        const after = Buffer.from(before);
        block.copy(after, at);
        plain.change(after, () => writeAt(path, block, at));
        this.#count("overwritten in place");
      } else if (length < blocks * 2) {
        plain.change(Buffer.concat([before, block]), () => writeAt(path, block, before.length));
        this.#count("grown in place");
      } else {
        this.#replace(plain, name, this.#content(name, blocks * BLOCK_BYTES));
        this.#count("replaced");
      }
    };
    return { path: `/${name}`, plain, siblings: new Map(), isInPlace: true, isLarge: blocks > 1000, change };
  }

  #link(name: string, targets: readonly string[]): Subject {
    const plain = new Timeline();
    const contents = targets.map((target, index) => {
      const content = this.#content(`${name}-${index}`, 3000 + index);
      writeFileSync(join(this.#root, target), content);
      return target.startsWith("../") ? null : content;
    });
    const change = (): void => {
      const index = this.#draw(targets.length);
      this.#swap(plain, name, targets[index] as string, contents[index] ?? null);
      this.#count("link swapped");
    };
    change();
    return { path: `/${name}`, plain, siblings: new Map(), isInPlace: false, isLarge: false, change };
  }

  /** `current/` leads to one release or the other. */
  #releases(path: string): Subject {
    const plain = new Timeline();
    const contents = ["r1", "r2"].map((release) => {
      mkdirSync(join(this.#root, release));
      const content = this.#content(release, 4000);
      writeFileSync(join(this.#root, release, "page.txt"), content);
      utimesSync(join(this.#root, release, "page.txt"), LONG_AGO, LONG_AGO);
      return content;
    });
    let at = 0;
    const change = (): void => {
      at = 1 - at;
      this.#swap(plain, "current", at === 0 ? "r1" : "r2", contents[at] as Buffer);
      this.#count("folder link swapped");
    };
    change();
    return { path: `/${path}`, plain, siblings: new Map(), isInPlace: false, isLarge: false, change };
  }

  #swap(plain: Timeline, name: string, target: string, content: Buffer | null): void {
    const path = join(this.#root, name);
    symlinkSync(target, `${path}.next~`);
    plain.change(content, () => renameSync(`${path}.next~`, path));
  }

  #withSiblings(name: string): Subject {
    const plain = new Timeline();
    const siblings = new Map([
      ["gzip", new Timeline()],
      ["br", new Timeline()],
    ]);
    const replace = (): void => {
      this.#replace(plain, name, this.#content(name, 2000 + this.#draw(20_000)));
      this.#count("replaced");
    };
    const change = (): void => {
      const choice = this.#draw(3);
      if (choice === 0) replace();
      else if (choice === 1) this.#changeSibling(siblings.get("gzip") as Timeline, `${name}.gz`, gzipSync);
      else this.#changeSibling(siblings.get("br") as Timeline, `${name}.br`, brotli);
    };
    replace();
    return { path: `/${name}`, plain, siblings, isInPlace: false, isLarge: false, change };
  }

  #changeSibling(line: Timeline, name: string, pack: (bytes: Buffer) => Buffer): void {
    const choice = this.#draw(4);
    if (choice === 0 && line.now !== null) {
      line.change(null, () => unlinkSync(join(this.#root, name)));
      this.#count("sibling deleted");
      return;
    }
    const content = this.#content(name, 2000 + this.#draw(10_000));
    if (choice === 1) {
      // Of a version long before: it must never be served
      writeFileSync(join(this.#root, `${name}.next~`), pack(content));
      utimesSync(join(this.#root, `${name}.next~`), LONG_AGO, LONG_AGO);
      line.change(null, () => renameSync(join(this.#root, `${name}.next~`), join(this.#root, name)));
      this.#count("sibling too old");
      return;
    }
    this.#replace(line, name, content, pack(content));
    this.#count("sibling made");
  }
}

function brotli(bytes: Buffer): Buffer {
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
}

function writeAt(path: string, bytes: Buffer, position: number): void {
  const fd = openSync(path, "r+");
  writeSync(fd, bytes, 0, bytes.length, position);
  closeSync(fd);
}
