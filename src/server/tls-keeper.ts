/**
 * Keeps the certificates of a running server fresh: loads them again when their files change or somebody asks, renews the
 * keys of session tickets, and says what an operator should know.
 *
 * New certificates are loaded and checked whole before the endpoint gets them; what is wrong with them changes nothing and is
 * said once. It never touches a connection.
 */

import { ServerError } from "../http/errors.ts";
import type { TimeSource } from "./clock.ts";
import { type CertificateProblem, loadAll } from "./tls-certificate.ts";
import { loadAuthorities, refusedByOpenssl, type ResolvedTls } from "./tls-options.ts";
import { TICKET_KEY_MS } from "./tls-settings.ts";
import { CertificateWatch } from "./tls-watch.ts";

/** Of one server. */
export class TlsKeeper {
  readonly #tls: ResolvedTls;
  readonly #time: TimeSource;
  #watch: CertificateWatch | null = null;
  #stopRenewing: (() => void) | null = null;
  #lastWarning = "";
  /** Whether the app has said which. */
  #hasTicketKeysOfApp: boolean;

  constructor(tls: ResolvedTls, time: TimeSource) {
    this.#tls = tls;
    this.#time = time;
    this.#hasTicketKeysOfApp = !tls.ownsTicketKeys;
  }

  /** Begins to watch; says what is doubtful about the certificates. */
  start(): void {
    this.#warn(this.#tls.warnings);
    const { files, filesLoaded, isWatching, ownsTicketKeys, endpoint } = this.#tls;
    if (isWatching && files.length > 0) {
      this.#watch = new CertificateWatch(files, filesLoaded, this.#time, () => this.#reloadQuietly());
    }
    if (ownsTicketKeys) {
      this.#stopRenewing = this.#time.every(TICKET_KEY_MS, () => endpoint.rotateTicketKeys());
    }
  }

  /** Ends all that. */
  stop(): void {
    this.#watch?.stop();
    this.#stopRenewing?.();
  }

  /**
   * Loads the certificates again.
   *
   * @throws ServerError ERR_CERTIFICATE with all that is wrong; then those from before stay
   */
  reload(): void {
    const problems: CertificateProblem[] = [];
    const { certificates, warnings } = loadAll(this.#tls.sources, this.#time.wallMs(), problems);
    const clientAuthorities = loadAuthorities(this.#tls.authorities, problems);
    if (problems.length > 0) throw new ServerError("ERR_CERTIFICATE", textOf(problems), { cause: problems });
    try {
      this.#tls.endpoint.replace(certificates, clientAuthorities);
    } catch (error) {
      throw new ServerError("ERR_CERTIFICATE", refusedByOpenssl(error), { cause: error });
    }
    this.#warn(warnings);
  }

  /** Locks session tickets with keys of the app, which are the app's to renew. */
  setTicketKeys(keys: Uint8Array): void {
    this.#hasTicketKeysOfApp = true;
    this.#useTicketKeys(keys);
  }

  /** The same with keys that several processes share, unless the app has its own. */
  offerTicketKeys(keys: Uint8Array): void {
    if (!this.#hasTicketKeysOfApp) this.#useTicketKeys(keys);
  }

  #useTicketKeys(keys: Uint8Array): void {
    // Keys that this process makes up are no other's: sessions could be resumed nowhere else
    this.#stopRenewing?.();
    this.#stopRenewing = null;
    this.#tls.endpoint.setTicketKeys(keys);
  }

  /** False: something is wrong, and was said. */
  #reloadQuietly(): boolean {
    try {
      this.reload();
      this.#lastWarning = "";
      return true;
    } catch (error) {
      const what = `${(error as Error).message}; the certificates from before stay in use`;
      if (what !== this.#lastWarning) process.emitWarning(what, { code: "FAIRLEAD_CERTIFICATE" });
      this.#lastWarning = what;
      return false;
    }
  }

  #warn(warnings: readonly CertificateProblem[]): void {
    if (warnings.length > 0) process.emitWarning(textOf(warnings), { code: "FAIRLEAD_CERTIFICATE" });
  }
}

function textOf(problems: readonly CertificateProblem[]): string {
  return problems.map(({ path, what }) => `${path}: ${what}`).join("\n");
}
