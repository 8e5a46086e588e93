import { Counter, collectDefaultMetrics, Gauge, type LabelValues, type Metric, Registry } from 'prom-client'

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

  /** How values are spread, over buckets that go up to each bound. */
  histogram(
    name: string,
    help: string,
    labelNames: readonly string[] = [],
    bounds: readonly number[] = [
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
    ],
  ): Distributions {
    const known = this.#known<Distributions>(name)
    if (known !== undefined) return known
    const made = new Distributions(name, help, labelNames, bounds)
    this.registry.registerMetric(made as unknown as Metric)
    return made
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

/** One histogram: adding to it is a few additions, since every request does it. */
class Distribution {
  readonly counts: number[]
  sum = 0
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.sum += value
  }
}

/** Histograms of one name, by their labels; written by prom-client's registry. */
class Distributions {
  readonly name: string
  readonly help: string
  readonly #labelNames: readonly string[]
  readonly #bounds: readonly number[]
  readonly #children = new Map<string, { labels: Labels; distribution: Distribution }>()

  constructor(name: string, help: string, labelNames: readonly string[], bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#labelNames = labelNames
    this.#bounds = bounds
  }

  labels(...values: readonly string[]): Distribution {
    const key = JSON.stringify(values)
    let child = this.#children.get(key)
    if (child === undefined) {
      const labels = Object.fromEntries(this.#labelNames.map((name, index) => [name, values[index]!]))
      child = { labels, distribution: new Distribution(this.#bounds) }
      this.#children.set(key, child)
    }
    return child.distribution
  }

  async get() {
    const values = [...this.#children.values()].flatMap(({ labels, distribution: { counts, sum } }) => {
      let total = 0
      const buckets = counts.map((count, bucket) => {
        total += count
        return {
          labels: { ...labels, le: this.#bounds[bucket] ?? '+Inf' },
          value: total,
          metricName: `${this.name}_bucket`,
        }
      })
      return [
        ...buckets,
        { labels, value: sum, metricName: `${this.name}_sum` },
        { labels, value: total, metricName: `${this.name}_count` },
      ]
    })
    return { name: this.name, help: this.help, type: 'histogram', values, aggregator: 'sum' }
  }

  /** As the registry asks of its metrics. */
  reset(): void {
    this.#children.clear()
  }
}
