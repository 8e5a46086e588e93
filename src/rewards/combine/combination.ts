import {
  GuerdonError,
  type Json,
  type Range,
  type Score,
  type UnscoredCode,
  unscored,
} from '../../core/index.ts'
import { intoRange, type Mode, type ModeName, modes, type Operands, type TermShape } from './modes.ts'
import { constant, type Schedule } from './schedule.ts'

/** A term as far as its stored parts go: everything about it but the reward. */
export interface CombinationTerm {
  /** The name of a part; unique among the terms. A part of a nested combination is `term.part`. */
  readonly name: string
  /** @default 1 */
  readonly weight?: number | Schedule<number>
  /** Subtract the part `name@reference` before combining. @default false */
  readonly centred?: boolean
  /** What to take as its uncertainty where it states none (0: it is exact). Without it such a sample is unscored. */
  readonly uncertainty?: number
  /** Never skipped, even where unscored terms are. @default false */
  readonly required?: boolean
  /** @default [-Infinity, Infinity] */
  readonly range?: Range
}

export interface CombinationOptions {
  /** A name for a mode with its defaults, or a mode such as `product({ floor: 0.01 })`. */
  readonly mode: ModeName | Mode
  /**
   * What to do when a term is unscored. `unscored`: so is the total. `skip`: the others share its weight, and the
   * score's `meta.skipped` names it. A term of weight 0 is a part without a say: it matters in neither case.
   * @default 'unscored'
   */
  readonly onUnscored?: 'unscored' | 'skip'
}

/** Terms and a mode, checked: a pure function from parts to the total, with what it takes and gives. */
export interface Combination {
  readonly range: Range
  readonly params: Json
  readonly needsStep: boolean
  /** How many of the first terms may settle the total alone (gates). */
  readonly leading: number
  readonly weighsUncertainty: boolean
  total(parts: Parts, step?: number): Total
}

export type Parts = Readonly<Record<string, number | null>>

/** The total, with the terms that were left out; or which terms keep it from being one, and why in words. */
export type Total =
  | { readonly value: number; readonly skipped?: readonly string[] }
  | {
      readonly value: null
      readonly missing: readonly string[]
      /** Of the combination itself, where no term is to blame. */
      readonly code: UnscoredCode
      readonly reason: string
    }

/**
 * Checks terms and mode and returns how they combine. Throws a `GuerdonError` for an empty list (nothing to judge
 * is not a perfect score), two terms of one name, a weight that is not a number, or a mode that makes no sense of
 * the terms.
 */
export function combination(
  terms: readonly CombinationTerm[],
  { mode: modeOrName, onUnscored = 'unscored' }: CombinationOptions,
): Combination {
  const mode = modeOf(modeOrName)
  const skips = onUnscored === 'skip'
  const { weights, shapes } = checkTerms(terms, mode, skips)
  const needsStep = weights.some(({ extremes }) => extremes.length > 1)
  const range = mode.range(shapes, skips)
  const leading = Math.min(mode.leading ?? 0, terms.length)
  const referenceKeys = terms.map(({ name }) => `${name}@reference`)
  const uncertaintyKeys = terms.map(({ name }) => `${name}@uncertainty`)

  const operands = { values: [], weights: [], uncertainties: [], rescaling: 1 } as {
    -readonly [Key in keyof Operands]: Operands[Key] extends number ? number : number[]
  }
  const total = (parts: Parts, step?: number): Total => {
    if (needsStep && step === undefined)
      return nothing([], 'its weights follow a schedule and the training step is unknown')
    let missing: string[] | undefined
    let [allWeight, scoredWeight] = [0, 0]
    operands.values.length = operands.weights.length = operands.uncertainties.length = 0
    for (let i = 0; i < terms.length; i++) {
      const term = terms[i]!
      const weight = weights[i]!(step ?? 0)
      if (i >= leading) allWeight += Math.abs(weight)
      if (i === leading && leading > 0 && missing === undefined) {
        const settled = mode.settled?.(operands.values)
        if (settled !== undefined) return { value: settled }
      }
      const value = parts[term.name]
      const reference = term.centred ? parts[referenceKeys[i]!] : 0
      const uncertainty = mode.weighsUncertainty ? (parts[uncertaintyKeys[i]!] ?? term.uncertainty) : 0
      if (value == null || reference == null || uncertainty == null) {
        if (weight === 0 && i >= leading && !term.required) continue // only kept as a part
        if (!skips || i < leading || term.required) return nothing([term.name], whyMissing(term, parts))
        missing ??= []
        missing.push(term.name)
        continue
      }
      operands.values.push(value - reference)
      operands.weights.push(weight)
      if (mode.weighsUncertainty) operands.uncertainties.push(uncertainty)
      if (i >= leading) scoredWeight += Math.abs(weight)
    }
    if (operands.values.length <= (leading < terms.length ? leading : 0))
      return nothing(missing ?? [], 'no term that counts could be judged', 'not-applicable')
    operands.rescaling = missing === undefined || scoredWeight === 0 ? 1 : allWeight / scoredWeight
    const combined = mode.total(operands)
    if (combined === undefined || (missing !== undefined && scoredWeight === 0 && allWeight > 0))
      return nothing(missing ?? [], 'every term that was judged has the weight 0', 'not-applicable')
    if (!Number.isFinite(combined)) return nothing([], `the terms combine to ${combined}`, 'too-large')
    const value = intoRange(combined, range)
    return missing === undefined ? { value } : { value, skipped: missing }
  }

  const params: Json = {
    mode: mode.name,
    ...(mode.params as { [key: string]: Json } | undefined),
    onUnscored,
    terms: terms.map((term, index) => ({
      name: term.name,
      weight: weights[index]!.params,
      ...(term.uncertainty === undefined ? {} : { uncertainty: term.uncertainty }),
      ...(term.required ? { required: true } : {}),
    })),
  }
  return { range, params, needsStep, leading, weighsUncertainty: mode.weighsUncertainty ?? false, total }
}

/**
 * The score of stored parts under other terms, weights or another mode: nothing is judged again. Terms may name any
 * part, nested ones (`term.part`) included. For many rows call `combination` once and its `total` for each.
 */
export function recombine(
  parts: Parts,
  terms: readonly CombinationTerm[],
  options: CombinationOptions,
  step?: number,
): Score {
  const total = combination(terms, options).total(parts, step)
  if (total.value === null) return unscored(total.code, total.reason, { parts })
  return { value: total.value, parts, ...(total.skipped ? { meta: { skipped: total.skipped } } : {}) }
}

function checkTerms(terms: readonly CombinationTerm[], mode: Mode, skips: boolean) {
  if (terms.length === 0)
    throw new GuerdonError('no-terms', 'there are no rewards to combine.', {
      fix: 'Name at least one; an empty list is not a perfect score.',
    })
  const seen = new Set<string>()
  for (const { name } of terms) {
    if (seen.has(name))
      throw new GuerdonError('duplicate-term', `two terms are named "${name}".`, {
        fix: 'Give one of them a name of its own.',
      })
    seen.add(name)
  }
  const weights = terms.map(({ weight = 1 }) => constant(weight))
  const shapes = terms.map((term, index): TermShape => {
    const { extremes } = weights[index]!
    if (!extremes.every(Number.isFinite))
      throw new GuerdonError('bad-weight', `the weight of "${term.name}" is ${extremes.join(' to ')}.`, {
        fix: 'Give a finite number or a schedule of finite numbers.',
      })
    return {
      name: term.name,
      range: term.centred ? [-Infinity, Infinity] : (term.range ?? [-Infinity, Infinity]),
      weights: [Math.min(...extremes), Math.max(...extremes)],
      centred: term.centred ?? false,
    }
  })
  mode.check?.(shapes, skips)
  return { weights, shapes }
}

function modeOf(mode: ModeName | Mode): Mode {
  if (typeof mode !== 'string') return mode
  if (!Object.hasOwn(modes, mode))
    throw new GuerdonError('unknown-mode', `there is no mode "${mode}".`, {
      fix: `Choose one of ${Object.keys(modes).join(', ')}.`,
    })
  return modes[mode]()
}

function nothing(missing: readonly string[], reason: string, code: UnscoredCode = 'bad-input'): Total {
  return { value: null, missing, code, reason }
}

function whyMissing({ name, centred, uncertainty }: CombinationTerm, parts: Parts): string {
  if (parts[name] === null) return `the term "${name}" could not be judged`
  if (parts[name] === undefined)
    return `there is no part "${name}" (only ${Object.keys(parts).join(', ') || 'none'})`
  if (centred && parts[`${name}@reference`] == null) return `the reference of "${name}" could not be judged`
  return uncertainty === undefined ? `"${name}" does not say how uncertain it is` : `"${name}" is missing`
}
