/**
 * All places that one server listens at, opened together: all of them, or none.
 *
 * Besides the ones that serve there may be one that only sends plain HTTP on to HTTPS.
 */

import type { SocketAddress } from "../http/exchange.ts";
import type { Connections } from "./connections.ts";
import type { ListenTarget } from "./life-options.ts";
import { Listener } from "./listener.ts";
import { urlOf } from "./server-url.ts";
import type { ResolvedRedirect } from "./tls-options.ts";

/** Where a server listens, and what comes in there. */
export interface ListenersConfig {
  /** At least one. */
  readonly targets: readonly ListenTarget[];
  readonly redirectFrom: ResolvedRedirect | null;
  readonly isEncrypted: boolean;
}

/** Of one server. */
export class Listeners {
  readonly #config: ListenersConfig;
  readonly #serving: Listener[] = [];
  #redirect: Listener | null = null;
  #isHolding = true;

  constructor(config: ListenersConfig) {
    this.#config = config;
  }

  /**
   * Listens at all places.
   *
   * @throws ServerError ERR_LISTEN_IN_USE, ERR_LISTEN_PERMISSION, ERR_LISTEN_ADDRESS or ERR_LISTEN; then at none
   */
  async open(connections: Connections): Promise<void> {
    const { targets, redirectFrom } = this.#config;
    try {
      for (const target of targets) this.#serving.push(await Listener.open(target, connections));
      if (redirectFrom !== null) this.#redirect = await openRedirect(redirectFrom, targets, connections);
    } catch (error) {
      this.close();
      throw error;
    }
    if (!this.#isHolding) this.unref();
  }

  /** As the system says, in order. */
  get addresses(): SocketAddress[] {
    return this.#serving.map(({ address }) => address);
  }

  /** For a browser on this machine, in order. New objects. */
  get urls(): URL[] {
    return this.#serving.map(({ address }, index) => {
      const target = this.#config.targets[index];
      return urlOf(address, target?.kind === "tcp" ? target.hostname : "", this.#config.isEncrypted);
    });
  }

  /** Of the one that sends on, 0 if there is none. */
  get redirectPort(): number {
    return this.#redirect === null ? 0 : this.#redirect.address.port;
  }

  /** Of the same for a browser on this machine, null if there is none. A new object. */
  get redirectUrl(): URL | null {
    const { redirectFrom } = this.#config;
    if (this.#redirect === null || redirectFrom === null) return null;
    return urlOf(this.#redirect.address, redirectFrom.hostname, false);
  }

  /** Stops accepting everywhere. */
  close(): void {
    for (const listener of this.#all()) listener.close();
  }

  ref(): void {
    this.#isHolding = true;
    for (const listener of this.#all()) listener.ref();
  }

  unref(): void {
    this.#isHolding = false;
    for (const listener of this.#all()) listener.unref();
  }

  #all(): readonly Listener[] {
    return this.#redirect === null ? this.#serving : [...this.#serving, this.#redirect];
  }
}

function openRedirect(
  { hostname, port }: ResolvedRedirect,
  targets: readonly ListenTarget[],
  connections: Connections,
): Promise<Listener> {
  const backlog = (targets[0] as ListenTarget).backlog;
  return Listener.open(
    { kind: "tcp", hostname, port, backlog },
    {
      onSocket: (socket) => connections.onRedirectSocket(socket),
      onAcceptError: (error) => connections.onAcceptError(error),
    },
  );
}
