import { type Interval, wilsonInterval } from './intervals.ts'
import { requirePaired } from './numbers.ts'
import { quantiles } from './quantiles.ts'

/** One bin of a reliability diagram: predictions in (low, high], the first bin from its lower edge on. */
export interface ReliabilityBin {
  readonly low: number
  readonly high: number
  readonly count: number
  /** Null for an empty bin. */
  readonly meanProbability: number | null
  /** Share of outcomes that were 1, with Wilson's interval. */
  readonly frequency: Interval | null
}

export interface Calibration {
  readonly n: number
  readonly bins: readonly ReliabilityBin[]
  /** Mean |frequency - mean probability| over bins, weighted by count (expected calibration error). */
  readonly expectedError: number
  /** The largest of those differences. */
  readonly largestError: number
  /** Mean squared difference of probability and outcome. */
  readonly brier: number
}

/** How far probabilities in [0, 1] match outcomes 0 or 1. Null for no predictions. */
export function calibration(
  probabilities: readonly number[],
  outcomes: readonly number[],
  options: {
    /** @default 10 */
    readonly bins?: number
    /** Bins of equal width, or of equal count (edges by quantiles; equal edges fall together). @default 'width' */
    readonly binning?: 'width' | 'count'
  } = {},
): Calibration | null {
  requirePaired(probabilities, outcomes)
  const { bins: size = 10, binning = 'width' } = options
  if (!(Number.isSafeInteger(size) && size > 0)) throw new RangeError(`a reliability diagram of ${size} bins`)
  for (let i = 0; i < probabilities.length; i++) {
    if (!(probabilities[i]! >= 0 && probabilities[i]! <= 1))
      throw new RangeError(`probability ${probabilities[i]} is not in [0, 1]`)
    if (outcomes[i] !== 0 && outcomes[i] !== 1) throw new RangeError(`outcome ${outcomes[i]} is not 0 or 1`)
  }
  const n = probabilities.length
  if (n === 0) return null
  const fractions = Array.from({ length: size + 1 }, (_, i) => i / size)
  const edges =
    binning === 'width' ? fractions : [...new Set(quantiles(probabilities, fractions).map((edge) => edge!))]
  if (edges.length === 1) edges.push(edges[0]!)
  const counts = new Array<number>(edges.length - 1).fill(0)
  const sums = counts.slice()
  const ones = counts.slice()
  let brier = 0
  for (let i = 0; i < n; i++) {
    const probability = probabilities[i]!
    let bin = 0
    while (bin < counts.length - 1 && probability > edges[bin + 1]!) bin++
    counts[bin]!++
    sums[bin]! += probability
    ones[bin]! += outcomes[i]!
    brier += (probability - outcomes[i]!) ** 2
  }
  let [expectedError, largestError] = [0, 0]
  const bins = counts.map((count, bin): ReliabilityBin => {
    const meanProbability = count === 0 ? null : sums[bin]! / count
    const frequency = wilsonInterval(ones[bin]!, count)
    if (meanProbability !== null && frequency !== null) {
      const error = Math.abs(frequency.estimate - meanProbability)
      expectedError += (error * count) / n
      largestError = Math.max(largestError, error)
    }
    return { low: edges[bin]!, high: edges[bin + 1]!, count, meanProbability, frequency }
  })
  return { n, bins, expectedError, largestError, brier: brier / n }
}
