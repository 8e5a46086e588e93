import { argsort } from './argsort.ts'
import { logSigmoid, sigmoid } from './logistic.ts'
import { requirePaired } from './numbers.ts'

/** Turns a judge's probability into one that matches how often it was right. Plain data: it can be stored. */
export type Recalibration =
  /** sigmoid(logit(p) / temperature): 0.5 stays 0.5, order stays. */
  | { readonly kind: 'temperature'; readonly temperature: number }
  /** sigmoid(slope * logit(p) + offset). */
  | { readonly kind: 'platt'; readonly slope: number; readonly offset: number }
  /** A step function that never falls, between its points linear: `at` ascending, `to` the probability there. */
  | { readonly kind: 'isotonic'; readonly at: readonly number[]; readonly to: readonly number[] }

/** Probabilities are held this far from 0 and 1, where the log-odds would be infinite. */
const edge = 1e-6

function logit(p: number): number {
  const inside = Math.min(1 - edge, Math.max(edge, p))
  return Math.log(inside / (1 - inside))
}

/**
 * Fits a recalibration to outcomes (0 or 1) of held-out judgements. `temperature` and `platt` minimise the log loss;
 * Platt's targets are smoothed as in his paper (1999), so that a clean separation stays finite. `isotonic` pools
 * adjacent violators; it needs some hundreds of judgements. Null without judgements, and for `platt` and
 * `temperature` where all judgements say the same and no direction can be found.
 */
export function fitRecalibration(
  kind: Recalibration['kind'],
  probabilities: readonly number[],
  outcomes: readonly number[],
): Recalibration | null {
  requirePaired(probabilities, outcomes)
  if (probabilities.length === 0) return null
  for (const p of probabilities)
    if (!(p >= 0 && p <= 1)) throw new RangeError(`probability ${p} is not in [0, 1]`)
  for (const y of outcomes) if (y !== 0 && y !== 1) throw new RangeError(`outcome ${y} is not 0 or 1`)
  if (kind === 'isotonic') return isotonic(probabilities, outcomes)
  const x = probabilities.map(logit)
  if (kind === 'temperature') return temperatureOf(x, outcomes)
  if (x.every((value) => value === x[0])) return null
  return platt(x, outcomes)
}

/** The recalibrated probability. */
export function recalibrated(recalibration: Recalibration, probability: number): number {
  switch (recalibration.kind) {
    case 'temperature':
      return sigmoid(logit(probability) / recalibration.temperature)
    case 'platt':
      return sigmoid(recalibration.slope * logit(probability) + recalibration.offset)
    case 'isotonic':
      return interpolated(recalibration.at, recalibration.to, probability)
  }
}

/** The log loss is convex in 1 / temperature: golden section on it, between a hundredfold and none of the sharpness. */
function temperatureOf(x: readonly number[], outcomes: readonly number[]): Recalibration | null {
  if (x.every((value) => value === 0)) return null
  const loss = (sharpness: number) => {
    let sum = 0
    for (let i = 0; i < x.length; i++) sum -= logSigmoid((outcomes[i] === 1 ? 1 : -1) * sharpness * x[i]!)
    return sum
  }
  const golden = (Math.sqrt(5) - 1) / 2
  let [low, high] = [0.01, 100]
  for (let step = 0; step < 80; step++) {
    const [left, right] = [high - golden * (high - low), low + golden * (high - low)]
    if (loss(left) <= loss(right)) high = right
    else low = left
  }
  return { kind: 'temperature', temperature: 2 / (low + high) }
}

function platt(x: readonly number[], outcomes: readonly number[]): Recalibration {
  const positives = outcomes.filter((y) => y === 1).length
  const negatives = outcomes.length - positives
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (negatives + 2)]
  const targets = outcomes.map((y) => (y === 1 ? high : low))
  let [slope, offset] = [1, 0]
  const loss = (a: number, c: number) => {
    let sum = 0
    for (let i = 0; i < x.length; i++) {
      const z = a * x[i]! + c
      sum -= targets[i]! * logSigmoid(z) + (1 - targets[i]!) * logSigmoid(-z)
    }
    return sum
  }
  for (let iteration = 0; iteration < 100; iteration++) {
    let [g0, g1, h00, h01, h11] = [0, 0, 1e-12, 0, 1e-12]
    for (let i = 0; i < x.length; i++) {
      const p = sigmoid(slope * x[i]! + offset)
      const bend = p * (1 - p)
      g0 += (p - targets[i]!) * x[i]!
      g1 += p - targets[i]!
      h00 += bend * x[i]! * x[i]!
      h01 += bend * x[i]!
      h11 += bend
    }
    const determinant = h00 * h11 - h01 * h01
    const [d0, d1] = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant]
    const before = loss(slope, offset)
    let share = 1
    while (share > 1e-8 && !(loss(slope - share * d0, offset - share * d1) <= before + 1e-12)) share /= 2
    slope -= share * d0
    offset -= share * d1
    if (Math.abs(share * d0) + Math.abs(share * d1) < 1e-10) break
  }
  return { kind: 'platt', slope, offset }
}

function isotonic(probabilities: readonly number[], outcomes: readonly number[]): Recalibration {
  const blocks: { low: number; high: number; sum: number; count: number }[] = []
  for (const i of argsort(probabilities)) {
    const p = probabilities[i]!
    const last = blocks.at(-1)
    if (last !== undefined && last.high === p) {
      last.sum += outcomes[i]!
      last.count++
    } else blocks.push({ low: p, high: p, sum: outcomes[i]!, count: 1 })
  }
  const pooled: typeof blocks = []
  for (const block of blocks) {
    let current = block
    for (;;) {
      const before = pooled.at(-1)
      if (before === undefined || before.sum / before.count < current.sum / current.count) break
      pooled.pop()
      current = {
        low: before.low,
        high: current.high,
        sum: before.sum + current.sum,
        count: before.count + current.count,
      }
    }
    pooled.push(current)
  }
  const points = pooled.flatMap(({ low, high, sum, count }) =>
    low === high
      ? [[low, sum / count]]
      : [
          [low, sum / count],
          [high, sum / count],
        ],
  )
  return { kind: 'isotonic', at: points.map(([at]) => at!), to: points.map(([, to]) => to!) }
}

function interpolated(at: readonly number[], to: readonly number[], p: number): number {
  if (p <= at[0]!) return to[0]!
  for (let i = 1; i < at.length; i++) {
    if (p > at[i]!) continue
    const share = (p - at[i - 1]!) / (at[i]! - at[i - 1]!)
    return to[i - 1]! + share * (to[i]! - to[i - 1]!)
  }
  return to.at(-1)!
}
