import type { Score } from '../../core/index.ts'

/** Scores of the beginning that later ones are compared with, and scores in each comparison. */
const referenceSize = 1000
const recentSize = 1000
const minuteMs = 60_000
const minutesKept = 180
const bins = 10

/** One minute of one component. */
export interface DriftPoint {
  /** Milliseconds since 1970 at which the minute began. */
  readonly minute: number
  readonly count: number
  readonly mean: number
  /** Population standard deviation. */
  readonly deviation: number
}

/** Shares of the scores below, between and above `edges`: one more than there are edges. */
export interface DriftHistogram {
  readonly edges: readonly number[]
  readonly shares: readonly number[]
}

/** One component of one reward: its value, or a part. */
export interface ComponentDrift {
  readonly reward: string
  /** `value`, or the name of a part. */
  readonly component: string
  /** Since the server began. */
  readonly count: number
  readonly mean: number
  /** Population standard deviation. */
  readonly deviation: number
  readonly minimum: number
  readonly maximum: number
  /** The first 1,000 scores and the latest 1,000 to 2,000, over the same edges; null before there are as many. */
  readonly reference: DriftHistogram | null
  readonly recent: DriftHistogram | null
  readonly recentMean: number | null
  /**
   * Population stability index of the recent scores against the reference: the sum over bins of
   * (p - q) ln(p / q). By convention below 0.1 is stable, above 0.25 a shift. Null before both are full.
   */
  readonly stabilityIndex: number | null
  /** The last three hours, oldest first; minutes without scores are left out. */
  readonly minutes: readonly DriftPoint[]
}

class Moments {
  count = 0
  mean = 0
  /** Sum of squared deviations from the mean. */
  squares = 0

  add(value: number): void {
    this.count++
    const delta = value - this.mean
    this.mean += delta / this.count
    this.squares += delta * (value - this.mean)
  }

  get deviation(): number {
    return this.count === 0 ? 0 : Math.sqrt(this.squares / this.count)
  }
}

class Component {
  readonly all = new Moments()
  minimum = Number.POSITIVE_INFINITY
  maximum = Number.NEGATIVE_INFINITY
  readonly #minutes: { minute: number; moments: Moments }[] = []
  readonly #first: number[] = []
  #edges: number[] | undefined
  #reference: number[] = []
  /** Counts of the window before this one, and of this one. */
  #previous: { counts: number[]; moments: Moments } | undefined
  #current: { counts: number[]; moments: Moments } | undefined

  add(value: number, minute: number): void {
    this.all.add(value)
    if (value < this.minimum) this.minimum = value
    if (value > this.maximum) this.maximum = value
    let point = this.#minutes.at(-1)
    if (point === undefined || point.minute !== minute) {
      point = { minute, moments: new Moments() }
      this.#minutes.push(point)
      if (this.#minutes.length > minutesKept) this.#minutes.shift()
    }
    point.moments.add(value)
    if (this.#edges === undefined) {
      this.#first.push(value)
      if (this.#first.length === referenceSize) this.#fixReference()
      return
    }
    this.#current!.counts[binOf(value, this.#edges)]!++
    this.#current!.moments.add(value)
    if (this.#current!.moments.count < recentSize) return
    this.#previous = this.#current
    this.#current = this.#window()
  }

  #fixReference(): void {
    this.#first.sort((a, b) => a - b)
    const deciles = Array.from(
      { length: bins - 1 },
      (_, index) => this.#first[((index + 1) * referenceSize) / bins]!,
    )
    this.#edges = [...new Set(deciles)]
    this.#reference = new Array(this.#edges.length + 1).fill(0)
    for (const value of this.#first) this.#reference[binOf(value, this.#edges)]!++
    this.#first.length = 0
    this.#current = this.#window()
  }

  #window() {
    return { counts: new Array<number>(this.#edges!.length + 1).fill(0), moments: new Moments() }
  }

  report(reward: string, component: string): ComponentDrift {
    const edges = this.#edges
    const previous = this.#previous
    const recent = previous?.counts.map((count, index) => count + this.#current!.counts[index]!)
    const recentCount = previous ? previous.moments.count + this.#current!.moments.count : 0
    const recentMean = previous
      ? (previous.moments.mean * previous.moments.count +
          this.#current!.moments.mean * this.#current!.moments.count) /
        recentCount
      : null
    return {
      reward,
      component,
      count: this.all.count,
      mean: this.all.mean,
      deviation: this.all.deviation,
      minimum: this.minimum,
      maximum: this.maximum,
      reference: edges ? histogram(edges, this.#reference) : null,
      recent: edges && recent ? histogram(edges, recent) : null,
      recentMean,
      stabilityIndex: recent ? stabilityIndex(this.#reference, recent) : null,
      minutes: this.#minutes.map(({ minute, moments }) => ({
        minute: minute * minuteMs,
        count: moments.count,
        mean: moments.mean,
        deviation: moments.deviation,
      })),
    }
  }
}

/** The bin of a value: how many edges are at or below it. */
function binOf(value: number, edges: readonly number[]): number {
  let bin = 0
  while (bin < edges.length && value >= edges[bin]!) bin++
  return bin
}

function histogram(edges: readonly number[], counts: readonly number[]): DriftHistogram {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return { edges, shares: counts.map((count) => count / total) }
}

/** Population stability index of counts over the same bins; half a count is added to each, so that empty bins stay finite. */
export function stabilityIndex(reference: readonly number[], recent: readonly number[]): number {
  const share = (counts: readonly number[]) => {
    const total = counts.reduce((sum, count) => sum + count + 0.5, 0)
    return counts.map((count) => (count + 0.5) / total)
  }
  const [q, p] = [share(reference), share(recent)]
  return p.reduce((sum, each, bin) => sum + (each - q[bin]!) * Math.log(each / q[bin]!), 0)
}

/** Follows what a reward says over time, each part by itself, in memory that does not grow. */
export class Drift {
  readonly reward: string
  readonly #value = new Component()
  readonly #parts = new Map<string, Component>()
  readonly #unscored = new Map<string, number>()
  readonly #now: () => number

  constructor(reward: string, now: () => number = Date.now) {
    this.reward = reward
    this.#now = now
  }

  add(scores: readonly Score[]): void {
    const minute = Math.floor(this.#now() / minuteMs)
    for (const score of scores) {
      if (score.value === null) this.#unscored.set(score.code, (this.#unscored.get(score.code) ?? 0) + 1)
      else this.#value.add(score.value, minute)
      for (const name in score.parts) {
        const value = score.parts[name]
        if (typeof value === 'number' && Number.isFinite(value)) this.#partNamed(name)?.add(value, minute)
      }
    }
  }

  /** Undefined for the parts of a reward that invents ever new names. */
  #partNamed(name: string): Component | undefined {
    let part = this.#parts.get(name)
    if (part === undefined && this.#parts.size < 256) {
      part = new Component()
      this.#parts.set(name, part)
    }
    return part
  }

  /** How many samples could not be judged, by code. */
  get unscored(): ReadonlyMap<string, number> {
    return this.#unscored
  }

  /** Names of parts that a score has had, in the order in which they came. */
  get parts(): readonly string[] {
    return [...this.#parts.keys()]
  }

  /** The value first, then the parts; a component without scores is left out. */
  report(): ComponentDrift[] {
    return [['value', this.#value] as const, ...this.#parts].flatMap(([name, component]) =>
      component.all.count === 0 ? [] : [component.report(this.reward, name)],
    )
  }
}
