/**
 * Path -> the version of a file that stands there now: from the cache while it is fresh, else from the disk, once for all who
 * wait.
 *
 * A look compares what stands there with what is held; only what differs is opened and read again. What the look began with
 * counts for a second. Here alone the cache, the looks and the loading meet. It must never give out a version that was not
 * looked at within the second, nor one that it has let go of.
 */

import { sep } from "node:path";
import { ServerError } from "../http/errors.ts";
import { cacheControlFor } from "../http/cache-control.ts";
import type { FieldLines } from "../http/exchange.ts";
import type { CachedFile, Wanted } from "./cached-file.ts";
import { isSameVersion } from "./cached-file.ts";
import type { Coding } from "./coding.ts";
import type { Trace } from "./explain.ts";
import type { CacheStats } from "./file-cache.ts";
import { FileCache } from "./file-cache.ts";
import { isShortage, type Seen } from "./contain.ts";
import { Loader } from "./load.ts";
import type { LocatedFile, LocatedFolder, LocatedRedirect } from "./locate.ts";
import { Locator } from "./locate.ts";
import { mediaTypeOf } from "./mime.ts";
import type { Description } from "./representation.ts";
import type { ResolvedTarget } from "./resolve.ts";
import { readRules, Rules } from "./rules.ts";
import { applyFieldChanges, applyToStandIn, dressRefusal } from "./rules-headers.ts";
import type { AskedPath } from "./rules-text.ts";
import { encodePath } from "./rules-text.ts";
import type { StaticSettings } from "./static-options.ts";

/** What a path leads to. */
export type FoundThing = { readonly kind: "file"; readonly file: CachedFile } | LocatedFolder | LocatedRedirect;

/** Rules are looked at again after so long. */
const RULES_AGE_MS = 900;

/** Finds files. */
export class FileFinder {
  readonly #settings: StaticSettings;
  readonly #cache: FileCache;
  readonly #locator: Locator;
  readonly #loader: Loader;
  readonly #looking: Map<string, Promise<FoundThing | null>>;
  #rules: Rules;
  #rulesReadMs: number;

  constructor(settings: StaticSettings) {
    const { maxCacheBytes, maxCacheEntries, time, compresses } = settings;
    this.#settings = settings;
    this.#locator = new Locator(settings);
    this.#loader = new Loader(time, maxCacheBytes, compresses);
    this.#looking = new Map();
    this.#rules = Rules.NONE;
    this.#rulesReadMs = -Infinity;
    this.#cache = new FileCache(time, maxCacheBytes, maxCacheEntries, (key, file) => this.#lookAhead(key, file));
    if (settings.hasRules) this.refreshRules();
    // At start it is an error: served without them, a folder would show what a rule was to hide
    const { mistakes } = this.#rules;
    if (mistakes.length > 0) throw new ServerError("ERR_OPTIONS", mistakes.join("; "), { cause: mistakes });
  }

  get stats(): CacheStats {
    return this.#cache.stats;
  }

  get rules(): Rules {
    return this.#rules;
  }

  /** Reads `_redirects` and `_headers` again, if they have changed and it is time. */
  refreshRules(): void {
    const nowMs = this.#settings.time.nowMs();
    const ageMs = nowMs - this.#rulesReadMs;
    if (ageMs >= 0 && ageMs < RULES_AGE_MS) return;
    this.#rulesReadMs = nowMs;
    const [root] = this.#settings.roots;
    const rules = readRules(root?.path ?? "", this.#rules);
    if (rules === this.#rules) return;
    this.#rules = rules;
    // Said once for each faulty version; those that were there before go on
    if (ageMs !== Infinity && rules.mistakes.length > 0) {
      process.emitWarning(rules.mistakes.join("; "), { code: "FAIRLEAD_RULES" });
    }
    // Their fields stand in what is kept
    this.#cache.clear();
  }

  /**
   * A version by the target as received, if that is written plainly and was looked at within the second.
   *
   * Keys are decoded paths. A target with `%` is none, and one without is its own decoding, so no spelling hits a wrong key.
   */
  cached(target: string, nowMs: number): CachedFile | null {
    if (this.#settings.hasRules) {
      this.refreshRules();
      // Such a rule may depend on more than the path; other rules are asked where there is no file, which is never kept
      if (this.#rules.hasForced) return null;
    }
    const mark = target.indexOf("?");
    const path = mark === -1 ? target : target.slice(0, mark);
    return path.includes("%") ? null : this.#cache.fresh(path, nowMs);
  }

  /**
   * The key of a target below the prefix: the decoded path with the prefix, as who asks plainly writes it.
   *
   * @param origin what the client asked for; another than `target` where a rule has led there
   */
  keyOf(target: ResolvedTarget, origin: AskedPath): string {
    const { names, isFolderPath } = target;
    const all = [...this.#settings.mount.names, ...names].join("/");
    const key = isFolderPath && all !== "" ? `/${all}/` : `/${all}`;
    return origin === target ? key : this.#dressedKey(key, target, origin);
  }

  /** A version that was looked at within the second. */
  fresh(key: string, nowMs: number): CachedFile | null {
    return this.#cache.fresh(key, nowMs);
  }

  /** What a path leads to, by the disk. Whoever gets a file answers with it between {@link CachedFile.hold} and {@link done}. */
  find(wanted: Wanted, trace: Trace | null): Promise<FoundThing | null> {
    this.#cache.missed();
    // Who asks for reasons wants them all
    return trace === null ? this.#lookOnce(wanted) : this.#look(wanted, trace);
  }

  /**
   * A file of exactly these names, for a fallback. To be used as that of {@link find}.
   *
   * @param origin what the client asked for
   */
  async findPage(names: readonly string[], origin: AskedPath, trace: Trace | null): Promise<CachedFile | null> {
    // No target is spelled like this
    const key = this.#dressedKey(`\0${names.join("/")}`, { names, isFolderPath: false }, origin);
    const fresh = trace === null ? this.#cache.fresh(key, this.#settings.time.nowMs()) : null;
    if (fresh !== null && fresh.isUsable) return fresh;
    const found = await this.find({ key, names, isFolderPath: false, isExact: true, fieldsFor: origin }, trace);
    return found?.kind === "file" ? found.file : null;
  }

  /** Makes the best coding of `order` that is not there yet. */
  async code(file: CachedFile, order: readonly Coding[]): Promise<void> {
    const selected = file.select(order);
    if (typeof selected !== "number") return;
    await file.make(selected, () => this.#loader.code(file, selected));
    this.#cache.resize(file.wanted.key, file);
  }

  /** A file has been answered with: what the cache did not keep is let go of. */
  done(file: CachedFile): void {
    file.release(this.#cache.stale(file.wanted.key) === file);
  }

  /** One version is kept for each set of fields that it has been answered with, not for each path that leads to it. */
  #dressedKey(key: string, own: AskedPath, origin: AskedPath): string {
    const changes = this.#rules.changesFor(origin);
    return changes?.key === this.#rules.changesFor(own)?.key ? key : `${key}\0${changes?.key ?? ""}`;
  }

  #lookOnce(wanted: Wanted): Promise<FoundThing | null> {
    const { key } = wanted;
    const running = this.#looking.get(key);
    if (running !== undefined) return running;
    const look = this.#look(wanted, null).finally(() => this.#looking.delete(key));
    this.#looking.set(key, look);
    return look;
  }

  #lookAhead(key: string, file: CachedFile): void {
    file.isChecking = true;
    this.#lookOnce(file.wanted).then(
      () => {
        file.isChecking = false;
      },
      // Whoever asks next looks again, and is told
      () => this.#cache.delete(key),
    );
  }

  /** What the cache keeps open for nobody gives way to what somebody wants. */
  async #look(wanted: Wanted, trace: Trace | null): Promise<FoundThing | null> {
    try {
      return await this.#lookAtDisk(wanted, trace);
    } catch (error) {
      if (!isShortage(error) || this.#cache.closeIdle(0) === 0) throw error;
      return this.#lookAtDisk(wanted, trace);
    }
  }

  async #lookAtDisk(wanted: Wanted, trace: Trace | null): Promise<FoundThing | null> {
    const { key } = wanted;
    const startedMs = this.#settings.time.nowMs();
    const rules = this.#rules;
    const located = await this.#locator.locate(wanted, trace);
    if (located?.kind !== "file") {
      this.#cache.delete(key);
      return located;
    }
    const held = this.#cache.stale(key);
    if (held !== undefined && held.isSettled && isCurrent(held, located) && (await located.root.holds(located.file))) {
      trace?.note("cache", "kept", "the same version as the last time");
      if (held.isUsable) {
        held.checkedMs = startedMs;
        return { kind: "file", file: held };
      }
    }
    const describe = (vary: boolean): Description => this.#describe(located, wanted, vary, trace);
    const file = await this.#loader.load(wanted, located, describe, held ?? null);
    if (file === null) {
      if (trace !== null) trace.note("contain", "refused", await located.root.whyNot(located.file));
      this.#cache.delete(key);
      return null;
    }
    trace?.note("contain", "inside", `opened, and verified to lie in ${located.root.path}`);
    // With the fields of rules that have been changed meanwhile it is kept for nobody else
    if (rules === this.#rules) this.#cache.set(key, file);
    file.onGrown(() => this.#cache.resize(key, file));
    return { kind: "file", file };
  }

  #describe(located: LocatedFile, wanted: Wanted, isNegotiated: boolean, trace: Trace | null): Description {
    const { file } = located;
    const { mediaTypes, headers } = this.#settings;
    const changes = this.#rules.changesFor(wanted.fieldsFor);
    const cacheControl = this.#cacheControl(located, wanted, trace);
    if (trace !== null && headers !== null) trace.attribute(headers.lines, "option headers");
    if (trace !== null && changes !== null) trace.attributeEach(changes.places);
    return {
      mediaType: mediaTypeOf(file.name, mediaTypes),
      // What stands in for something else is chosen by Accept
      vary: [...(wanted.isExact ? ["accept"] : []), ...(isNegotiated ? ["accept-encoding"] : [])].join(", "),
      cacheControl,
      finish: (lines: FieldLines) => {
        const withOptions = headers === null ? lines : applyFieldChanges(lines, headers);
        if (changes === null) return withOptions;
        return wanted.isExact ? applyToStandIn(withOptions, changes) : applyFieldChanges(withOptions, changes);
      },
      finishRefusal: (lines: FieldLines) => dressRefusal(lines, headers, changes),
    };
  }

  #cacheControl({ root, file }: LocatedFile, { names, isFolderPath }: Wanted, trace: Trace | null): string {
    const { cacheControl, spaNames, mount } = this.#settings;
    if (typeof cacheControl === "function") return cacheControl(mount.base + encodePath({ names, isFolderPath }));
    // It names the files of its build: kept for a while, it would ask for those that a deployment has taken away
    const isSinglePage = spaNames !== null && file.path === [root.path, ...spaNames].join(sep);
    if (!isSinglePage || typeof cacheControl !== "number") return cacheControlFor(cacheControl, file.name);
    trace?.attribute(["cache-control", ""], "option spa: its page is asked for anew each time");
    return cacheControlFor("auto", file.name);
  }
}

/** Whether a version is what stands on the disk, siblings included. */
function isCurrent(held: CachedFile, located: LocatedFile): boolean {
  if (!isSameVersion(held.mark, located.file)) return false;
  return located.siblings.every((sibling, index) => isSameSibling(sibling, held.siblings[index] ?? null));
}

function isSameSibling(sibling: Seen | null, held: CachedFile["siblings"][number]): boolean {
  if (sibling === null || held === null) return sibling === held;
  return isSameVersion(sibling, held);
}
