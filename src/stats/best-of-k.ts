import { argsort } from './argsort.ts'
import { requirePaired } from './numbers.ts'

/**
 * Expected gold value of the best of k by reward, for every k = 1..n: draw k of the n samples without replacement,
 * keep the one of highest reward (of several, each with equal chance), read its gold value. Without `gold` the
 * reward itself is read. Unbiased for a fresh draw of k. Stops at `longest`; O(n * longest).
 *
 * A tie block of t samples with a samples below it holds the best with probability
 * (C(a + t, k) - C(a, k)) / C(n, k).
 */
export function bestOfKCurve(
  rewards: readonly number[],
  gold: readonly number[] = rewards,
  longest = rewards.length,
): number[] {
  requirePaired(rewards, gold)
  const n = rewards.length
  const blocks = tieBlocks(rewards, gold)
  // share[i] = C(end of block i, k) / C(n, k): the chance that all k stand in or below the block.
  const share = blocks.map(({ end }) => end / n)
  const curve: number[] = []
  for (let k = 1; k <= Math.min(n, longest); k++) {
    let expected = 0
    let below = 0
    for (let i = 0; i < blocks.length; i++) {
      expected += (share[i]! - below) * blocks[i]!.gold
      below = share[i]!
      share[i] = k < n ? (share[i]! * Math.max(0, blocks[i]!.end - k)) / (n - k) : 0
    }
    curve.push(expected)
  }
  return curve
}

/** One point of `bestOfKCurve`. Throws a `RangeError` unless 1 <= k <= n. */
export function expectedBestOfK(
  rewards: readonly number[],
  k: number,
  gold: readonly number[] = rewards,
): number {
  if (!(Number.isSafeInteger(k) && k >= 1 && k <= rewards.length))
    throw new RangeError(`best of ${k} needs at least as many samples, not ${rewards.length}`)
  return bestOfKCurve(rewards, gold, k)[k - 1]!
}

/**
 * Upper bound on the Kullback-Leibler divergence [nats] of the best-of-k policy from the policy sampled from:
 * log k - (k - 1) / k (exact when no two samples tie).
 */
export function bestOfKDivergence(k: number): number {
  return Math.log(k) - (k - 1) / k
}

/** Samples of equal reward, ascending: the mean gold value, and how many samples stand in or below the block. */
function tieBlocks(rewards: readonly number[], gold: readonly number[]): { gold: number; end: number }[] {
  const order = argsort(rewards)
  const blocks: { gold: number; end: number }[] = []
  let start = 0
  for (let i = 0; i < order.length; i++) {
    if (i + 1 < order.length && rewards[order[i + 1]!] === rewards[order[i]!]) continue
    let sum = 0
    for (let j = start; j <= i; j++) sum += gold[order[j]!]!
    blocks.push({ gold: sum / (i + 1 - start), end: i + 1 })
    start = i + 1
  }
  return blocks
}
