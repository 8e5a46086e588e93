import { Rng } from '../../core/index.ts'
import { sigmoid } from '../../stats/logistic.ts'

export interface BanditOptions {
  readonly seed: string
  /** Of the exploration term; 0 is iterative DPO, below 0 the wrong sign. */
  readonly alpha: number
  /** Pairs that the ranker judges in an iteration. */
  readonly pairs: number
  /** @default 3 */
  readonly iterations?: number
  /** @default 0.1 */
  readonly beta?: number
}

const responses = 200
const features = 8
const steps = 60
const rate = 0.5
/** How much the first policy prefers what is worse. */
const lean = 2.5

/**
 * Expected gold reward after online preference learning in a log-linear bandit: logits base + features * theta, gold reward
 * linear in the features with deviation 1, a first policy that leans against it, a Bradley-Terry ranker, and a reference that
 * rolls on. What one response teaches is shared by those like it.
 */
export function banditReward({ seed, alpha, pairs, iterations = 3, beta = 0.1 }: BanditOptions): number {
  const world = new Rng(`selm/bandit/${seed}`)
  const table = Array.from({ length: responses }, () => vector(() => world.normal()))
  const direction = vector(() => world.normal())
  const length = Math.sqrt(dot(direction, direction))
  const gold = table.map((row) => dot(row, direction) / length)
  const base = gold.map((value) => world.normal() - lean * value)
  const draws = world.fork('draws')

  let theta = vector(() => 0)
  for (let iteration = 0; iteration < iterations; iteration++) {
    const reference = theta
    const probabilities = softmax(base.map((logit, index) => logit + dot(table[index]!, reference)))
    const data = Array.from({ length: pairs }, () => {
      const [first, second] = [drawn(draws, probabilities), drawn(draws, probabilities)]
      const won = draws.chance(sigmoid(gold[first]! - gold[second]!))
      const [chosen, rejected] = won ? [first, second] : [second, first]
      return {
        apart: table[chosen]!.map((value, at) => value - table[rejected]![at]!),
        explored: table[first]!,
      }
    })
    for (let step = 0; step < steps; step++) {
      const now = softmax(base.map((logit, index) => logit + dot(table[index]!, theta)))
      const expected = vector((at) => now.reduce((sum, p, index) => sum + p * table[index]![at]!, 0))
      const moved = theta.map((value, at) => value - reference[at]!)
      const gradient = vector(() => 0)
      for (const { apart, explored } of data) {
        const pull = -beta * sigmoid(-beta * dot(moved, apart))
        for (let at = 0; at < features; at++)
          gradient[at]! += (pull * apart[at]! + alpha * beta * (explored[at]! - expected[at]!)) / pairs
      }
      theta = theta.map((value, at) => value - rate * gradient[at]!)
    }
  }
  const final = softmax(base.map((logit, index) => logit + dot(table[index]!, theta)))
  return dot(final, gold)
}

function vector(of: (at: number) => number): number[] {
  return Array.from({ length: features }, (_, at) => of(at))
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * b[at]!, 0)
}

function softmax(logits: readonly number[]): number[] {
  const highest = Math.max(...logits)
  const weights = logits.map((logit) => Math.exp(logit - highest))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map((weight) => weight / sum)
}

function drawn(rng: Rng, probabilities: readonly number[]): number {
  let left = rng.uniform()
  return Math.max(
    0,
    probabilities.findIndex((probability) => {
      left -= probability
      return left < 0
    }),
  )
}
