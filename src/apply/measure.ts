import { GuerdonError, isObject, type Json, nearest, type ScoredSample } from '../core/index.ts'

/**
 * Where a number about a sample comes from: the name of a reward of the run; else `reward.part`, `meta.field` or
 * `reference` (numbers, booleans as 1 and 0, and text that is a number; anything else counts as no number); or a
 * function with a name.
 */
export type Measure = string | NamedMeasure

export interface NamedMeasure {
  readonly name: string
  /** Null where the sample has no such number. */
  readonly read: (scored: ScoredSample) => number | null
  /** Called after all samples were read; may throw when none of them had what is asked for. */
  readonly finish?: () => void
}

/** Samples as a run gives them back. */
export type ScoredSamples = Iterable<ScoredSample> | AsyncIterable<ScoredSample>

export interface MeasureReader {
  readonly name: string
  /** Null where the sample has no such number. */
  read(scored: ScoredSample): number | null
  /**
   * After all samples were read: throws a `GuerdonError` when samples were read and none of them had such a field
   * or reward. A misspelt name must not look like data without scores.
   */
  finish(): void
}

export function measureReader(measure: Measure): MeasureReader {
  if (typeof measure !== 'string') return { finish: () => {}, ...measure }
  let samples = 0
  let met = false
  const rewards = new Set<string>()
  return {
    name: measure,
    read(scored) {
      samples++
      const found = lookUp(scored, measure)
      if (found !== undefined) met = true
      else if (!met) for (const name of Object.keys(scored.scores)) rewards.add(name)
      return numberOf(found)
    },
    finish() {
      if (met || samples === 0) return
      const close = nearest(measure, [...rewards])
      throw new GuerdonError('unknown-measure', `no sample has a reward or field "${measure}".`, {
        fix: close
          ? `Did you mean "${close}"?`
          : `There are ${[...rewards].join(', ') || 'no rewards'}; a field is named meta.FIELD, a part REWARD.PART.`,
      })
    },
  }
}

function lookUp({ sample, scores }: ScoredSample, name: string): Json | undefined {
  if (Object.hasOwn(scores, name)) return scores[name]!.value
  if (name === 'reference') return sample.reference
  if (name.startsWith('meta.')) {
    let value: Json | undefined = sample.meta
    for (const key of name.slice('meta.'.length).split('.'))
      value = isObject(value) && Object.hasOwn(value, key) ? (value[key] as Json) : undefined
    return value ?? sample.meta[name.slice('meta.'.length)]
  }
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const [reward, part] = [name.slice(0, dot), name.slice(dot + 1)]
    const parts = Object.hasOwn(scores, reward) ? scores[reward]!.parts : undefined
    if (parts && Object.hasOwn(parts, part)) return parts[part]
  }
  return undefined
}

function numberOf(value: Json | undefined): number | null {
  if (typeof value === 'boolean') return Number(value)
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}
