/** A distribution over contexts with each context's preference: weights are normalised here. */
export interface ContextPreferences {
  /** Not negative; of each context. */
  readonly weights: readonly number[]
  /** Probability that the first output is better in each context. */
  readonly preferences: readonly number[]
}

/** `sum p(z) p(a better | z)`: probabilities are averaged, not rewards. Null where all weights are 0. */
export function marginalPreference({ weights, preferences }: ContextPreferences): number | null {
  const total = sum(weights)
  return total > 0 ? sum(weights.map((weight, z) => (weight / total) * preferences[z]!)) : null
}

/**
 * How wrong a marginal preference is, and the two terms that bound it: `|truth - model| <= sum |p - q| b + sum p |a - b|`,
 * with contexts p and preferences a of the truth, q and b of the model. (Our derivation; the paper's form is unverified.)
 */
export function preferenceErrorBound(truth: ContextPreferences, model: ContextPreferences) {
  const [p, q] = [normalised(truth.weights), normalised(model.weights)]
  const [a, b] = [truth.preferences, model.preferences]
  const contextError = sum(p.map((share, z) => Math.abs(share - q[z]!) * b[z]!))
  const preferenceError = sum(p.map((share, z) => share * Math.abs(a[z]! - b[z]!)))
  const marginal = (shares: readonly number[], values: readonly number[]) =>
    sum(shares.map((share, z) => share * values[z]!))
  return {
    error: Math.abs(marginal(p, a) - marginal(q, b)),
    contextError,
    preferenceError,
    bound: contextError + preferenceError,
  }
}

/**
 * Alternatives over several contexts, from utilities of each context (rows) and alternative (columns). `borda`: the
 * weighted number of alternatives that each beats, a tie counting half; `utility`: the mean. Borda's weights count as they
 * stand (all 1 by default), those of the mean are normalised.
 */
export function aggregateContexts(
  utilities: readonly (readonly number[])[],
  rule: 'borda' | 'utility',
  weights: readonly number[] = utilities.map(() => 1),
): number[] {
  const alternatives = [...(utilities[0]?.keys() ?? [])]
  if (rule === 'utility') {
    const shares = normalised(weights)
    return alternatives.map((at) => sum(utilities.map((row, z) => shares[z]! * row[at]!)))
  }
  const points = (row: readonly number[], at: number) =>
    sum(row.map((other, index) => (index === at ? 0 : row[at]! > other ? 1 : row[at] === other ? 0.5 : 0)))
  return alternatives.map((at) => sum(utilities.map((row, z) => weights[z]! * points(row, at))))
}

/** Rewards of the two outputs of a row in its two contexts: a is the better one in x, b in y. */
export interface ContextRowRewards {
  readonly xa: number
  readonly xb: number
  readonly ya: number
  readonly yb: number
}

/**
 * Shares of (context, pair) tuples and of whole rows that are right; ties count half in tuples and nothing in rows. A
 * judge that does not read the context has a tuple accuracy of 0.5 and a row accuracy of 0. Null without rows.
 */
export function contextAccuracy(
  rows: readonly ContextRowRewards[],
): { readonly tuples: number; readonly rows: number } | null {
  if (rows.length === 0) return null
  const points = (lead: number) => (lead > 0 ? 1 : lead === 0 ? 0.5 : 0)
  const leads = rows.map(({ xa, xb, ya, yb }) => [xa - xb, yb - ya] as const)
  return {
    tuples: sum(leads.flat().map(points)) / (2 * rows.length),
    rows: leads.filter(([x, y]) => x > 0 && y > 0).length / rows.length,
  }
}

function normalised(weights: readonly number[]): number[] {
  const total = sum(weights)
  return weights.map((weight) => weight / total)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
