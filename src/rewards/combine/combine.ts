import {
  type Evidence,
  type Json,
  type Need,
  type Reward,
  retryableCodes,
  rewardIdentity,
  type Sample,
  type Score,
  type ScoreContext,
  type Unscored,
  type Usage,
  unscored,
} from '../../core/index.ts'
import { scoresOf } from '../scores-of.ts'
import { type CombinationOptions, combination } from './combination.ts'
import type { ReferenceProvider } from './reference.ts'
import type { Schedule } from './schedule.ts'

/** One reward of a combination. */
export interface Term {
  readonly reward: Reward
  /** The name of its part. @default the reward's name */
  readonly name?: string
  /** How much it counts; what that means is the mode's to say. @default 1 */
  readonly weight?: number | Schedule<number>
  /** Subtracted per prompt before combining, in every mode. */
  readonly reference?: ReferenceProvider
  /** For `uncertaintyWeighted`: its uncertainty where the reward states none (0: it is exact). */
  readonly uncertainty?: number
  /** Never skipped, even where unscored terms are. @default false */
  readonly required?: boolean
}

export interface CombineOptions extends CombinationOptions {
  /** @default the mode's name */
  readonly name?: string
  /**
   * Of a gate: do not judge the guarded terms where the gate is closed (their parts are null there). Terms that
   * compare the samples of a group are judged regardless.
   * @default false
   */
  readonly lazy?: boolean
}

/**
 * Several rewards as one. Every score carries all terms before weighting in its `parts` (nested ones as
 * `term.part`, the references as `term@reference`, stated uncertainties as `term@uncertainty`), so that
 * `recombine` can change weights and mode later without judging again. An unscored term never counts as 0: the
 * total is unscored too, or the term is skipped and named. Throws a `GuerdonError` for an empty list of terms and
 * for a mode that makes no sense of them.
 *
 * @example
 * combine([{ reward: math }, { reward: format, weight: linear({ from: 1, to: 0.2, end: 500 }) }], { mode: 'sum' })
 */
export function combine(terms: readonly Term[], options: CombineOptions): Reward {
  const named = terms.map((term) => ({ ...term, name: term.name ?? term.reward.name }))
  const combined = combination(
    named.map(({ reward, reference, ...term }) => ({
      ...term,
      range: reward.range,
      centred: reference !== undefined,
    })),
    options,
  )
  const needs = new Set<Need>(
    named.flatMap(({ reward, reference }) => [...reward.needs, ...(reference?.needs ?? [])]),
  )
  if (combined.needsStep) needs.add('step')
  const { terms: shapes, ...mode } = combined.params as { terms: { name: string }[] } & Record<string, Json>

  const columnOf = async (
    { reward, reference, name }: (typeof named)[number],
    samples: readonly Sample[],
    context: ScoreContext,
  ): Promise<Column> => {
    const own = context.rng === undefined ? context : { ...context, rng: context.rng.fork(name) }
    const [scores, references] = await Promise.all([
      scoresOf(reward, samples, own),
      reference?.references(reward, samples, own),
    ])
    return { ...keysOf(name), scores, ...(references ? { references } : {}) }
  }

  const score = async (samples: readonly Sample[], context: ScoreContext = {}): Promise<Score[]> => {
    if (samples.length === 0) return []
    const lazy = options.lazy === true && combined.leading < named.length
    const early = lazy
      ? named.map(({ reward }, index) => index < combined.leading || reward.needs.includes('group'))
      : named.map(() => true)
    const columns: Column[] = await Promise.all(
      named.map((term, index) =>
        early[index] ? columnOf(term, samples, context) : { ...keysOf(term.name), scores: [] },
      ),
    )
    if (lazy && early.includes(false)) {
      const open = samples.flatMap((_, row) =>
        combined.total(partsOf(columns.slice(0, combined.leading), row, false), context.step).value === null
          ? [row]
          : [],
      )
      await Promise.all(
        named.map(async (term, index) => {
          if (early[index]) return
          const judged = await columnOf(
            term,
            open.map((row) => samples[row]!),
            context,
          )
          columns[index] = spread(judged, open, samples.length)
        }),
      )
    }
    return samples.map((_, row) => {
      const parts = partsOf(columns, row, combined.weighsUncertainty)
      const total = combined.total(parts, context.step)
      const details = detailsOf(columns, row, parts, total.value === null ? undefined : total.skipped)
      if (total.value !== null) return { ...details, value: total.value }
      const cause = causeOf(columns, row, total.missing)
      if (cause === undefined) return unscored(total.code, total.reason, details)
      const { name, failure } = cause
      return {
        ...unscored(failure.code, `the term "${name}" could not be judged: ${failure.reason}`, details),
        ...(failure.abstained ? { abstained: true } : {}),
      }
    })
  }
  return {
    name: options.name ?? String(mode.mode),
    version: '1',
    range: combined.range,
    needs: [...needs],
    params: {
      ...mode,
      ...(options.lazy ? { lazy: true } : {}),
      terms: shapes.map((shape, index) => ({
        ...shape,
        reward: rewardIdentity(named[index]!.reward),
        ...(named[index]!.reference ? { reference: named[index]!.reference.params } : {}),
      })),
    },
    score,
  }
}

/** One term's scores of a batch. */
interface Column extends ReturnType<typeof keysOf> {
  readonly scores: readonly Score[]
  readonly references?: readonly Score[]
}

/** Under what names a term's numbers stand among the parts. */
function keysOf(name: string) {
  return { name, reference: `${name}@reference`, uncertainty: `${name}@uncertainty` }
}

const behindGate = unscored('not-applicable', 'not judged, because the gate before it is closed')

/** The scores of some rows as a column of all rows. */
function spread({ scores, references, ...keys }: Column, rows: readonly number[], length: number): Column {
  const whole = (some: readonly Score[]) => {
    const all = new Array<Score>(length).fill(behindGate)
    rows.forEach((row, index) => {
      all[row] = some[index]!
    })
    return all
  }
  return { ...keys, scores: whole(scores), ...(references ? { references: whole(references) } : {}) }
}

function partsOf(columns: readonly Column[], row: number, withUncertainty: boolean) {
  const parts: Record<string, number | null> = {}
  for (const { name, reference, uncertainty, scores, references } of columns) {
    const score = scores[row]!
    parts[name] = score.value
    for (const key in score.parts) parts[`${name}.${key}`] = score.parts[key]!
    if (references !== undefined) parts[reference] = references[row]!.value
    if (withUncertainty && score.uncertainty !== undefined) parts[uncertainty] = score.uncertainty
  }
  return parts
}

/** Why the total is unscored: the failure among the missing terms that trying again will not mend, else the first. */
function causeOf(columns: readonly Column[], row: number, missing: readonly string[]) {
  const failures = columns.flatMap(({ name, scores, references }) => {
    if (!missing.includes(name)) return []
    return [scores[row]!, references?.[row]]
      .filter((score): score is Unscored => score?.value === null)
      .map((failure) => ({ name, failure }))
  })
  return failures.find(({ failure }) => !retryableCodes.has(failure.code)) ?? failures[0]
}

function detailsOf(
  columns: readonly Column[],
  row: number,
  parts: Record<string, number | null>,
  skipped: readonly string[] | undefined,
) {
  let evidence: Evidence[] | undefined
  let rationale: string[] | undefined
  let usage: { -readonly [Key in keyof Usage]: number } | undefined
  let meta: Record<string, Json | undefined> | undefined
  let failed: Record<string, string> | undefined
  for (const { name, scores } of columns) {
    const score = scores[row]!
    if (score.evidence) evidence = [...(evidence ?? []), ...score.evidence]
    if (score.rationale) rationale = [...(rationale ?? []), `${name}: ${score.rationale}`]
    if (score.meta) meta = { ...meta, [name]: score.meta }
    if (score.value === null) failed = { ...failed, [name]: `${score.code}: ${score.reason}` }
    if (score.usage) {
      usage ??= {}
      for (const [key, value] of Object.entries(score.usage) as [keyof Usage, number | undefined][])
        usage[key] = (usage[key] ?? 0) + (value ?? 0)
    }
  }
  if (skipped) meta = { ...meta, skipped }
  if (failed) meta = { ...meta, unscored: failed }
  return {
    parts,
    ...(evidence && { evidence }),
    ...(rationale && { rationale: rationale.join('\n') }),
    ...(usage && { usage }),
    ...(meta && { meta }),
  }
}
