/**
 * Unbiased estimate of pass@k, the chance that at least one of `k` samples is right, from `n` samples of which
 * `correct` are right: 1 - C(n - correct, k) / C(n, k). In [0, 1]. Throws a `RangeError` unless
 * 0 <= correct <= n and 1 <= k <= n.
 *
 * @source Chen et al. 2021, arXiv 2107.03374, eq. 1
 * @example passAtK({ n: 4, correct: 1, k: 2 }) // 0.5
 */
export function passAtK({
  n,
  correct,
  k,
}: {
  readonly n: number
  readonly correct: number
  readonly k: number
}): number {
  requireCounts(n, correct, k)
  if (n - correct < k) return 1
  let allWrong = 1
  for (let i = n - correct + 1; i <= n; i++) allWrong *= 1 - k / i
  return 1 - allWrong
}

/**
 * Unbiased estimate of pass^k, the chance that all of `k` samples are right: C(correct, k) / C(n, k).
 *
 * @source tau-bench, arXiv 2406.12045
 */
export function passHatK({
  n,
  correct,
  k,
}: {
  readonly n: number
  readonly correct: number
  readonly k: number
}): number {
  requireCounts(n, correct, k)
  let allRight = 1
  for (let i = 0; i < k; i++) allRight *= Math.max(0, correct - i) / (n - i)
  return allRight
}

function requireCounts(n: number, correct: number, k: number): void {
  if (![n, correct, k].every(Number.isInteger) || !(correct >= 0 && correct <= n && k >= 1 && k <= n))
    throw new RangeError(`pass@k of n = ${n}, correct = ${correct}, k = ${k} is not defined`)
}
