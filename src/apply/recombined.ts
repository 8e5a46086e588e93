import { GuerdonError, nearest, type ScoredSample } from '../core/index.ts'
import { type CombinationOptions, type CombinationTerm, combination } from '../rewards/combine/combination.ts'
import type { NamedMeasure } from './measure.ts'

export interface Recombination extends CombinationOptions {
  /**
   * What to combine: rewards of the run by name, their parts as `reward.part`, and the parts of `from` by their bare
   * names (which come before rewards of the same name).
   */
  readonly terms: readonly CombinationTerm[]
  /** The reward whose parts may be named bare. @default none */
  readonly from?: string
  /** Training step, for weights that follow a schedule. */
  readonly step?: number
  /** @default 'recombined' */
  readonly name?: string
}

/**
 * A measure that combines stored scores and parts anew: other weights, terms or another mode, and nothing is judged
 * again. Null where a term that is needed was not judged. Throws a `GuerdonError` for terms and a mode that make no
 * sense, and, once all samples are read, for a term that none of them has.
 */
export function recombined(recombination: Recombination): NamedMeasure {
  const { terms, from, step, name = 'recombined' } = recombination
  const { total } = combination(terms, recombination)
  const missing = new Set(terms.map((term) => term.name))
  const known = new Set<string>()
  let samples = 0
  return {
    name,
    read(scored) {
      samples++
      const parts = partsOf(scored, from)
      if (missing.size > 0) {
        for (const part of Object.keys(parts)) {
          missing.delete(part)
          known.add(part)
        }
      }
      return total(parts, step).value
    },
    finish() {
      const [absent] = missing
      if (absent === undefined || samples === 0) return
      const close = nearest(absent, [...known])
      throw new GuerdonError('unknown-term', `no sample has a score or part "${absent}".`, {
        fix: close ? `Did you mean "${close}"?` : `There are ${[...known].join(', ') || 'none'}.`,
      })
    },
  }
}

function partsOf({ scores }: ScoredSample, from: string | undefined): Record<string, number | null> {
  const parts: Record<string, number | null> = {}
  for (const [name, score] of Object.entries(scores)) {
    parts[name] = score.value
    if (score.uncertainty !== undefined) parts[`${name}@uncertainty`] = score.uncertainty
    for (const [part, value] of Object.entries(score.parts ?? {})) parts[`${name}.${part}`] = value
  }
  return from === undefined ? parts : { ...parts, ...scores[from]?.parts }
}
