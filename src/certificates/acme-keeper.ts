/**
 * Keeps a certificate from ACME: obtained, stored, renewed in time, tried again when it fails.
 *
 *  1 open    what is stored is used; where nothing is, a placeholder lets the server speak TLS at once
 *  2 wait    until a third of the lifetime is left, less a random part, so that not all servers come at one hour
 *  3 order   a new one (acme-order.ts), which replaces the bundle whole; whoever watches the file takes it up
 *  4 again   after a failure: 2 minutes, then twice as long each time, up to 6 hours; after a success, a third of the lifetime
 *
 * When a certificate is over is asked of the wall clock, as clients do; how long ago an order was, of time that only grows.
 * A failure never touches the certificate that is there. Only one process of a server may be started; all of them can answer
 * challenges.
 */

import { join } from "node:path";
import type { Handler } from "../web/handler.ts";
import type { TimeSource } from "../web/clock.ts";
import { AcmeChallenges } from "./acme-challenge.ts";
import type { OrderCertificate } from "./acme-order.ts";
import { isFor, parseBundle, readBundle, writeBundle } from "./bundle.ts";
import type { Bundle } from "./bundle.ts";
import { issuePlaceholder } from "./issue.ts";
import type { Issued } from "./issue.ts";

/** What is kept. */
export interface AcmeOptions {
  readonly mail: string;
  /** Names of hosts, at least one; the first gives the file its name. */
  readonly domains: readonly string[];
  /** URL of the authority's directory. */
  readonly directoryUrl: string;
  /** Where all of it is kept, absolute; made if it is not there. */
  readonly folder: string;
  readonly time: TimeSource;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly order: OrderCertificate;
  /** Called when there is a new one, so that it need not be noticed by the change of its file. */
  readonly onObtained: () => void;
  /** What happens, a line each. */
  readonly say: (line: string) => void;
  /** Tells of failures, a line each; default {@link say}. */
  readonly warn?: ((line: string) => void) | undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Let's Encrypt takes 5 failed validations of a name an hour: the first hour has five tries in it. */
const FIRST_RETRY_MS: number = 2 * MINUTE_MS;
const LONGEST_RETRY_MS: number = 6 * HOUR_MS;
/** A third, as certbot and Caddy have it: of 90 days the last 30, of 6 days the last 2. */
const LEFT_AT_RENEWAL: number = 1 / 3;
/** How much of the lifetime servers may differ by. */
const JITTER: number = 1 / 30;
/**
 * Less than any renewal is early: only a wrong clock asks for a new one before. Authorities issue few for the same names (Let's
 * Encrypt 5 a week).
 */
const LEAST_AGE: number = 1 / 3;
/** Timers of Node end at 24 days, and clocks are put right: it is looked again. */
const LONGEST_WAIT_MS: number = HOUR_MS;

/** One certificate, kept. */
export class AcmeKeeper {
  /** File with key and certificates: `tls.certFile` and `tls.keyFile`. */
  readonly bundlePath: string;
  /** Answers challenges, on port 80 of the names. */
  readonly challenge: Handler;
  readonly #options: AcmeOptions;
  readonly #challenges: AcmeChallenges;
  readonly #folder: string;
  #bundle: Bundle;
  #failures: number;
  /** By the wall clock. */
  #dueMs: number;
  /** By time that only grows: nothing is ordered before. */
  #notBeforeMs: number;
  #isStarted: boolean;
  #cancel: () => void;

  private constructor(options: AcmeOptions, folder: string, bundlePath: string, bundle: Bundle) {
    this.bundlePath = bundlePath;
    this.#options = options;
    this.#folder = folder;
    this.#challenges = new AcmeChallenges(folder);
    this.challenge = this.#challenges.answer;
    this.#bundle = bundle;
    this.#failures = 0;
    this.#dueMs = this.#renewalOf(bundle);
    this.#notBeforeMs = -Infinity;
    this.#isStarted = false;
    this.#cancel = () => {};
  }

  /** Reads what is stored, or puts a placeholder there. */
  static async open(options: AcmeOptions): Promise<AcmeKeeper> {
    // Certificates of a staging authority are not to be taken for true ones, nor its accounts
    const folder = join(options.folder, new URL(options.directoryUrl).host.replaceAll(":", "_"));
    const bundlePath = join(folder, `${options.domains[0] ?? ""}.pem`);
    const found = await readBundle(bundlePath);
    // One that lacks a name is better than a placeholder, until there is another
    if (found !== null) return new AcmeKeeper(options, folder, bundlePath, found);
    const placeholder = await issuePlaceholder(options.domains, options.time.nowMs());
    await writeBundle(bundlePath, placeholder);
    return new AcmeKeeper(options, folder, bundlePath, bundleOf(placeholder));
  }

  /** Whether an authority has issued what is there. */
  get isTrue(): boolean {
    return !isPlaceholder(this.#bundle);
  }

  /** When the next one will be ordered, milliseconds since 1970. */
  get dueMs(): number {
    return this.#options.time.nowMs() + this.#leftMs();
  }

  /** Begins to keep. Nothing is thrown from here on, but said. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#wait();
  }

  /** Nothing is ordered any more; what is under way comes to its end. */
  stop(): void {
    this.#isStarted = false;
    this.#cancel();
  }

  /** Until the next order; 0 or less: it is time. */
  #leftMs(): number {
    const { time } = this.#options;
    return Math.max(this.#dueMs - time.nowMs(), this.#notBeforeMs - time.elapsedMs());
  }

  #wait(): void {
    const waitMs = Math.min(Math.max(this.#leftMs(), 0), LONGEST_WAIT_MS);
    this.#cancel = this.#options.time.after(waitMs, () => void this.#wake());
  }

  async #wake(): Promise<void> {
    if (this.#leftMs() <= 0) await this.#renew();
    if (this.#isStarted) this.#wait();
  }

  /** Never rejects. */
  async #renew(): Promise<void> {
    const { domains, mail, directoryUrl, order, time, say, warn = say } = this.#options;
    const names = domains.join(", ");
    try {
      const challenges = this.#challenges;
      const issued = await order({ directoryUrl, mail, domains, folder: this.#folder, challenges });
      const bundle = bundleOf(issued);
      if (!isFor(bundle.leaf, domains)) throw new Error("the authority issued a certificate for other names");
      await writeBundle(this.bundlePath, issued);
      this.#bundle = bundle;
      this.#failures = 0;
      this.#dueMs = this.#renewalOf(bundle);
      this.#notBeforeMs = time.elapsedMs() + (bundle.untilMs - bundle.fromMs) * LEAST_AGE;
      this.#options.onObtained();
      say(`certificate for ${names} obtained, valid until ${dayOf(bundle.untilMs)}`);
      if (this.#dueMs > time.nowMs()) return;
      warn(`by this machine's clock, ${dayOf(time.nowMs())}, it is due for renewal already: is the clock right?`);
    } catch (error) {
      const waitMs = this.#retryMs();
      this.#failures++;
      this.#notBeforeMs = time.elapsedMs() + waitMs;
      warn(`no certificate for ${names}: ${reasonOf(error)}; next try in ${Math.round(waitMs / MINUTE_MS)} minutes`);
    }
  }

  /** Doubled each time, and up to a quarter more. */
  #retryMs(): number {
    const waitMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    return waitMs * (1 + this.#options.random() / 4);
  }

  #renewalOf(bundle: Bundle): number {
    if (isPlaceholder(bundle) || !isFor(bundle.leaf, this.#options.domains)) return 0;
    const lifetimeMs = bundle.untilMs - bundle.fromMs;
    return bundle.untilMs - lifetimeMs * (LEFT_AT_RENEWAL + this.#options.random() * JITTER);
  }
}

/** Issued by itself. */
function isPlaceholder({ leaf }: Bundle): boolean {
  return leaf.issuer === leaf.subject && leaf.verify(leaf.publicKey);
}

/** `2026-11-21`, in UTC. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function bundleOf({ certPem, keyPem }: Issued): Bundle {
  const bundle = parseBundle(`${certPem}\n${keyPem}`);
  if (bundle === null) throw new Error("the authority issued what is no certificate for our key");
  return bundle;
}

/** On one line: what an authority says may have several, and control characters. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/[\s\x00-\x1f\x7f-\x9f]+/g, " ").slice(0, 500);
}
