/**
 * A balancer as a Service of Kubernetes is one: each connection goes to a pod that was ready when last asked, and stays there
 * until one of the two ends it. It must never answer, retry or hide anything itself.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Of an answer to GET; 0 if there is none. */
export const statusOf = (port: number, path: string): Promise<number> =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } }).then(
    async (answer) => (await answer.arrayBuffer(), answer.status),
    () => 0,
  );

export class Balancer {
  /** Ports by whether they are ready. */
  readonly pods: Map<number, boolean> = new Map();
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#forward(client));
  readonly #asking = setInterval(() => void this.#ask(), 500).unref();
  #turn = 0;

  async listen(): Promise<number> {
    await once(this.#server.unref().listen(0, "127.0.0.1"), "listening");
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    clearInterval(this.#asking);
    this.#server.close();
  }

  async #ask(): Promise<void> {
    for (const port of this.pods.keys()) {
      const isReady = (await statusOf(port, "/readyz")) === 200;
      if (this.pods.has(port)) this.pods.set(port, isReady);
    }
  }

  #forward(client: Socket): void {
    const ready = [...this.pods].filter(([, isReady]) => isReady).map(([port]) => port);
    const pod = connect({ port: ready[this.#turn++ % ready.length] ?? 1, host: "127.0.0.1", allowHalfOpen: true });
    for (const [from, to] of [
      [client, pod],
      [pod, client],
    ] as const)
      from.on("error", () => to.destroy()).pipe(to);
  }
}
