import { Counter, collectDefaultMetrics, Gauge, Histogram, type LabelValues, Registry } from 'prom-client'

type Labels = LabelValues<string>

/** What a scrape of `/metrics` says. Names begin with `guerdon_`; asking twice for a name gives the same metric. */
export class Metrics {
  readonly registry = new Registry()

  /** `process`: also memory, event loop and garbage collection of this process. */
  constructor({ process = false }: { readonly process?: boolean } = {}) {
    if (process) collectDefaultMetrics({ register: this.registry })
  }

  /** A count that only grows. Keep what `labels(...)` gives where it is called for every sample. */
  counter(name: string, help: string, labelNames: readonly string[] = []): Counter<string> {
    return (
      this.#known<Counter<string>>(name) ??
      new Counter({ name, help, labelNames, registers: [this.registry] })
    )
  }

  histogram(
    name: string,
    help: string,
    labelNames: readonly string[] = [],
    buckets: readonly number[] = [
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
    ],
  ): Histogram<string> {
    return (
      this.#known<Histogram<string>>(name) ??
      new Histogram({ name, help, labelNames, buckets: [...buckets], registers: [this.registry] })
    )
  }

  /** A value that is read when it is asked for. */
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => Iterable<readonly [labels: Labels, value: number]>,
  ): Gauge<string> {
    return (
      this.#known<Gauge<string>>(name) ??
      new Gauge({
        name,
        help,
        labelNames,
        registers: [this.registry],
        collect() {
          this.reset()
          for (const [labels, value] of read()) this.set(labels, value)
        },
      })
    )
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics()
  }

  #known<Kind>(name: string): Kind | undefined {
    return this.registry.getSingleMetric(name) as Kind | undefined
  }
}
