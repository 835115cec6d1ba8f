/**
 * What handlers do with a connection that they have upgraded: read at once, slowly, late or not at all, echo, end, destroy.
 *
 * Of a stream of octets as the wire gives it, and of the pair of web streams over one. All that is read is noted, so that the
 * judge can compare it with what was sent; a reader that has paused must be told nothing.
 */

import type { ByteSink, ByteStream } from "../../src/http/exchange.ts";
import type { Tunnel } from "../../src/web/tunnel.ts";
import { type Seen, type Stage, viewOf } from "./observed.ts";
import type { Act } from "./script.ts";

type UpgradeAct = Extract<Act, { act: "upgrade" }>;

/** Does it with a stream of octets. */
export function playTunnel(seen: Seen, stage: Stage, tunnel: ByteStream, act: UpgradeAct): void {
  seen.hasTunnel = true;
  const { after, ms = 0 } = act;
  if (after === "destroy") tunnel.destroy();
  else if (after === "end") tunnel.end();
  if (after === "ignore" || after === "destroy") return;
  const reader = new TunnelReader(seen, stage, tunnel, act);
  if (after !== "late") return tunnel.start(reader);
  stage.isAsync = true;
  void stage.after(ms).then(() => tunnel.start(reader));
}

/** Reads, and notes what it is told and should not have been. */
class TunnelReader implements ByteSink {
  readonly #seen: Seen;
  readonly #stage: Stage;
  readonly #tunnel: ByteStream;
  readonly #act: UpgradeAct;
  #isPaused = false;

  constructor(seen: Seen, stage: Stage, tunnel: ByteStream, act: UpgradeAct) {
    this.#seen = seen;
    this.#stage = stage;
    this.#tunnel = tunnel;
    this.#act = act;
    seen.isTunnelRead = true;
  }

  chunk(bytes: Uint8Array): void {
    this.#judge("octets");
    if (bytes.length === 0) this.#stage.faults.push("gives the reader of a tunnel nothing");
    if (this.#seen.hasTunnelEnd) this.#stage.faults.push("gives the reader of a tunnel octets behind their end");
    this.#seen.tunnelled.push(viewOf(bytes));
    const { after, ms = 0 } = this.#act;
    if (after === "slow") this.#pauseFor(ms);
    else if (after !== "end" && !this.#tunnel.write(bytes)) this.#pause();
  }

  end(): void {
    this.#judge("an end");
    if (this.#seen.hasTunnelEnd) this.#stage.faults.push("tells the reader of a tunnel of two ends");
    this.#seen.hasTunnelEnd = true;
    this.#tunnel.end();
  }

  drain(): void {
    if (this.#seen.isTunnelClosed) this.#stage.faults.push("calls a tunnel that is gone");
    if (this.#act.after !== "slow") this.#resume();
  }

  close(): void {
    if (this.#seen.isTunnelClosed) this.#stage.faults.push("calls a tunnel that is gone");
    this.#seen.isTunnelClosed = true;
  }

  #judge(what: string): void {
    if (this.#seen.isTunnelClosed) this.#stage.faults.push("calls a tunnel that is gone");
    if (this.#isPaused) this.#stage.faults.push(`gives a reader ${what} that has paused its tunnel`);
  }

  #pause(): void {
    this.#isPaused = true;
    this.#tunnel.pause();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#tunnel.resume();
  }

  #pauseFor(ms: number): void {
    this.#pause();
    this.#stage.isAsync = true;
    void this.#stage.after(ms).then(() => this.#resume());
  }
}

/** Does it with web streams. */
export function playWebTunnel(seen: Seen, stage: Stage, tunnel: Tunnel, { after, ms = 0 }: UpgradeAct): void {
  seen.hasTunnel = true;
  stage.isAsync = true;
  if (after === "end") tunnel.close();
  else if (after === "destroy") tunnel.destroy();
  else if (after === "echo") void echo(tunnel);
  else if (after === "slow") void readSlowly(seen, stage, tunnel, ms);
  else if (after === "late") void stage.after(ms).then(() => echo(tunnel));
}

function echo({ readable, writable }: Tunnel): Promise<void> {
  return readable.pipeTo(writable).catch(() => {});
}

async function readSlowly(seen: Seen, stage: Stage, tunnel: Tunnel, ms: number): Promise<void> {
  seen.isTunnelRead = true;
  const closed = (): void => void (seen.isTunnelClosed = true);
  tunnel.closed.then(closed, closed);
  const reader = tunnel.readable.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      seen.tunnelled.push(viewOf(value));
      await stage.after(ms);
    }
    seen.hasTunnelEnd = true;
    tunnel.close();
  } catch {
    // The connection broke
  }
}
