/**
 * A histogram of prom-client whose counts are kept elsewhere: it reads them when it is rendered or aggregated.
 *
 * prom-client counts for itself only one value at a time, with its labels; for what the hot path has counted there is no other
 * door than the one through which a registry reads.
 */

import { Histogram, type Registry } from "prom-client";
import type { Buckets } from "./http-tally.ts";
import type { MetricRow } from "./metric-table.ts";

/** Counts with the labels that they stand for. */
export interface LabelledBuckets {
  readonly labels: Readonly<Record<string, string>>;
  readonly buckets: Buckets;
}

type Exported = Awaited<ReturnType<Histogram["get"]>>;

/** Reads its values anew each time. */
export class TalliedHistogram extends Histogram {
  readonly #row: MetricRow;
  /** Says what kind of metric this is, in prom-client's own terms; it counts nothing. */
  readonly #frame: Histogram;
  readonly #read: () => Iterable<LabelledBuckets>;

  constructor(row: MetricRow, bounds: readonly number[], registry: Registry, read: () => Iterable<LabelledBuckets>) {
    const { name, help, labels } = row;
    const configuration = { name, help, labelNames: [...labels], buckets: [...bounds] };
    super({ ...configuration, registers: [registry] });
    this.#frame = new Histogram({ ...configuration, registers: [] });
    this.#row = row;
    this.#read = read;
  }

  /** For registries that gather the metrics of several processes. */
  override async get(): Promise<Exported> {
    return this.getForPromString();
  }

  /** For the text. */
  async getForPromString(): Promise<Exported> {
    const { name } = this.#row;
    const data = await this.#frame.get();
    const values: Exported["values"] = [];
    for (const { labels, buckets } of this.#read()) {
      let count = 0;
      for (const [i, inRange] of buckets.counts.entries()) {
        count += inRange;
        const le = buckets.bounds[i] ?? "+Inf";
        values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: count });
      }
      values.push({ metricName: `${name}_sum`, labels, value: buckets.sum });
      values.push({ metricName: `${name}_count`, labels, value: count });
    }
    return { ...data, values };
  }
}
