import { requirePaired } from './numbers.ts'
import { midRanks } from './ranks.ts'

/** Pearson's r in [-1, 1]; null when a list is constant or n < 2. */
export function pearson(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  requirePaired(a, b)
  const n = a.length
  if (n < 2 || isConstant(a) || isConstant(b)) return null
  let [sumA, sumB] = [0, 0]
  for (let i = 0; i < n; i++) {
    sumA += a[i]!
    sumB += b[i]!
  }
  const [meanA, meanB] = [sumA / n, sumB / n]
  let [squaresA, squaresB, products] = [0, 0, 0]
  for (let i = 0; i < n; i++) {
    const [left, right] = [a[i]! - meanA, b[i]! - meanB]
    squaresA += left * left
    squaresB += right * right
    products += left * right
  }
  const scale = Math.sqrt(squaresA) * Math.sqrt(squaresB)
  return scale > 0 ? Math.max(-1, Math.min(1, products / scale)) : null
}

/** Spearman's rho: Pearson's r of mid-ranks, so ties share their mean rank. Null when a list is constant or n < 2. */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number | null {
  requirePaired(a, b)
  return pearson(midRanks(a), midRanks(b))
}

/**
 * Pearson's r of a and b after their linear dependence on `control` is taken out of both: does a reward still agree
 * with people once length is accounted for? Null when it is not defined (a constant list, or a or b a linear
 * function of the control).
 */
export function partialPearson(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  control: ArrayLike<number>,
): number | null {
  const ab = pearson(a, b)
  const ac = pearson(a, control)
  const bc = pearson(b, control)
  if (ab === null || ac === null || bc === null) return null
  const scale = (1 - ac * ac) * (1 - bc * bc)
  return scale <= 1e-14 ? null : Math.max(-1, Math.min(1, (ab - ac * bc) / Math.sqrt(scale)))
}

function isConstant(list: ArrayLike<number>): boolean {
  for (let i = 1; i < list.length; i++) if (list[i] !== list[0]) return false
  return true
}
