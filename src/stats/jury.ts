import { cohenKappa, krippendorffAlpha } from './agreement.ts'
import { pearson } from './correlation.ts'
import { paired } from './numbers.ts'

/** Verdicts of several judges on the same pairs: above 0 says the first is better, 0 a tie, null no verdict. */
export type Verdicts = Readonly<Record<string, readonly (number | null)[]>>

/** How a jury's verdict comes about. `weighted` weighs each judge's sign by the log-odds of its accuracy. */
export type JuryRule = 'majority' | 'mean' | 'weighted'

/**
 * The verdict of a jury on every pair; null where no juror has one. `mean` averages margins (judges must use one
 * scale), `majority` signs; `weighted` needs each judge's accuracy (an accuracy below a half counts against it).
 */
export function juryVerdicts(
  verdicts: Verdicts,
  rule: JuryRule = 'majority',
  accuracies: Readonly<Record<string, number>> = {},
): (number | null)[] {
  const jurors = Object.entries(verdicts)
  const n = jurors[0]?.[1].length ?? 0
  const weights = jurors.map(([name, list]) => {
    if (list.length !== n)
      throw new RangeError(`juror "${name}" has ${list.length} verdicts, the first has ${n}`)
    if (rule !== 'weighted') return 1
    const accuracy = accuracies[name]
    if (accuracy === undefined) throw new RangeError(`the accuracy of juror "${name}" is not given`)
    const inside = Math.min(0.999, Math.max(0.001, accuracy))
    return Math.log(inside / (1 - inside))
  })
  return Array.from({ length: n }, (_, pair) => {
    let [sum, judged] = [0, 0]
    jurors.forEach(([, list], juror) => {
      const verdict = list[pair]!
      if (verdict === null) return
      judged++
      sum += weights[juror]! * (rule === 'mean' ? verdict : Math.sign(verdict))
    })
    return judged === 0 ? null : sum / judged
  })
}

export interface JuryAgreement {
  /** Cohen's kappa of every two judges over the pairs that both judged; null where it is not defined. */
  readonly between: readonly {
    readonly first: string
    readonly second: string
    readonly pairs: number
    readonly kappa: number | null
  }[]
  /** Krippendorff's alpha of all of them (nominal: first, tie, second). */
  readonly alpha: number | null
  /**
   * How many independent judges the jury is worth, from the mean correlation r of the judges' errors:
   * m / (1 + (m - 1) r). Null without labels or fewer than two judges with errors.
   */
  readonly effectiveJurors: number | null
}

/** How far judges agree with each other, and whether they err together. */
export function juryAgreement(verdicts: Verdicts, labels?: readonly number[]): JuryAgreement {
  const jurors = Object.entries(verdicts).map(
    ([name, list]) => [name, list.map((verdict) => (verdict === null ? null : Math.sign(verdict)))] as const,
  )
  const between = jurors.flatMap(([first, left], i) =>
    jurors.slice(i + 1).map(([second, right]) => {
      const both = left.flatMap((verdict, pair) =>
        verdict === null || right[pair] == null ? [] : [[verdict, right[pair]] as const],
      )
      return {
        first,
        second,
        pairs: both.length,
        kappa:
          cohenKappa(
            both.map(([a]) => a),
            both.map(([, b]) => b),
          )?.kappa ?? null,
      }
    }),
  )
  const n = jurors[0]?.[1].length ?? 0
  return {
    between,
    alpha: krippendorffAlpha(
      Array.from({ length: n }, (_, pair) => jurors.map(([, list]) => list[pair]!)),
      'nominal',
    ),
    effectiveJurors:
      labels === undefined
        ? null
        : effectiveJurors(
            jurors.map(([, list]) => list),
            labels,
          ),
  }
}

function effectiveJurors(
  lists: readonly (readonly (number | null)[])[],
  labels: readonly number[],
): number | null {
  const errors = lists.map((list) => {
    return list.map((verdict, pair) =>
      verdict === null || labels[pair] === 0 ? null : Number(verdict !== Math.sign(labels[pair]!)),
    )
  })
  const correlations: number[] = []
  for (let i = 0; i < errors.length; i++)
    for (let j = i + 1; j < errors.length; j++) {
      const both = paired(errors[i]!, errors[j]!)
      const r = pearson(both.a, both.b)
      if (r !== null) correlations.push(r)
    }
  if (correlations.length === 0) return null
  const mean = correlations.reduce((sum, r) => sum + r, 0) / correlations.length
  const m = lists.length
  return Math.min(m, m / Math.max(1 / m, 1 + (m - 1) * mean))
}
