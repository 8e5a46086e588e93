import {
  groupOf,
  identityOf,
  type Json,
  type Need,
  type Reward,
  type Sample,
  type Score,
  type ScoreContext,
  type Turns,
  unscored,
} from '../../core/index.ts'
import { mean, standardDeviation } from '../../stats/moments.ts'
import { quantile } from '../../stats/quantiles.ts'
import { normalQuantile } from '../../stats/special.ts'
import { scoresOf } from '../scores-of.ts'

/**
 * What reward a par answer to each prompt has, in the units of the reward that it is a reference for. It is per
 * prompt: one constant for all makes hard prompts look bad and easy ones good (arXiv 2402.00742).
 */
export interface ReferenceProvider {
  readonly params: Json
  readonly needs?: readonly Need[]
  /** One reference per sample, as that sample's prompt has it; unscored where there is none. */
  references(reward: Reward, samples: readonly Sample[], context: ScoreContext): Promise<readonly Score[]>
}

/**
 * Where the base policy's rewards for a prompt stand: in a field of every sample's `meta`, or in a table by group
 * (`groupOf`: the sample's `group`, else its prompt).
 */
export type PerPrompt<T> = { readonly meta: string } | { readonly table: Readonly<Record<string, T>> }

/** Mean and standard deviation of the base policy's rewards for a prompt, as measured or as a regression predicts. */
export interface RewardMoments {
  readonly mean: number
  readonly standardDeviation: number
}

/** The reward that a share `q` of the base policy's samples stay below; linear between order statistics. */
export function quantileReference(rewards: PerPrompt<readonly number[]>, q = 0.85): ReferenceProvider {
  return perPrompt('quantile', rewards, { q }, (found) => {
    if (!isNumbers(found)) return 'a list of numbers with at least one'
    return quantile(found, q)!
  })
}

/**
 * The same quantile of a normal distribution, `mean + z_q * standardDeviation`, from moments or from samples (their
 * population standard deviation). The value 0.85 is read from a third-party implementation.
 */
export function gaussianReference(
  rewards: PerPrompt<RewardMoments | readonly number[]>,
  q = 0.85,
): ReferenceProvider {
  return perPrompt('gaussian', rewards, { q }, (found) => {
    const moments = momentsOf(found)
    if (moments === undefined) return 'numbers "mean" and "standardDeviation", or a list of numbers'
    return gaussianQuantile(moments.mean, moments.standardDeviation, q)
  })
}

export function gaussianQuantile(mean: number, standardDeviation: number, q: number): number {
  return mean + normalQuantile(q) * standardDeviation
}

/**
 * The same reward's value for one fixed answer to the prompt, such as a canned refusal where harmlessness is judged
 * (as recalled from the paper; unverified). Each prompt is judged once per batch.
 */
export function fixedResponse(output: Turns): ReferenceProvider {
  return {
    params: { fixedResponse: identityOf(output) },
    references: async (reward, samples, context) => {
      const first = new Map<string, Sample>()
      for (const sample of samples) {
        const key = promptKey(sample)
        if (!first.has(key)) first.set(key, { ...sample, output })
      }
      const keys = [...first.keys()]
      const scores = await scoresOf(reward, [...first.values()], context)
      const byPrompt = new Map(keys.map((key, index) => [key, scores[index]!]))
      return samples.map((sample) => byPrompt.get(promptKey(sample))!)
    },
  }
}

/** One reference for every prompt. Right only where the reward is already centred per prompt (then 0). */
export function constantReference(value: number): ReferenceProvider {
  const score = { value }
  return { params: { constant: value }, references: async (_, samples) => samples.map(() => score) }
}

/** What a reference answer's reward may depend on, besides the answer. */
function promptKey(sample: Sample): string {
  const { prompt, reference, meta } = sample
  return identityOf({ prompt, reference, meta })
}

function perPrompt<T>(
  name: string,
  source: PerPrompt<T>,
  options: { readonly [key: string]: Json },
  /** The reference, or in words what should have stood there. */
  read: (found: unknown) => number | string,
): ReferenceProvider {
  const meta = 'meta' in source ? source.meta : undefined
  const table = 'table' in source ? new Map(Object.entries(source.table)) : undefined
  const referenceOf = (sample: Sample): Score => {
    const found = meta !== undefined ? sample.meta[meta] : table!.get(groupOf(sample))
    const where = meta !== undefined ? `its meta field "${meta}"` : `the table under its group`
    if (found === undefined)
      return unscored('bad-input', `the sample has no reference reward: ${where} is absent`)
    const value = read(found)
    if (typeof value === 'number' && Number.isFinite(value)) return { value }
    return unscored('bad-input', `no reference reward can be read from ${where}: it should hold ${value}`)
  }
  return {
    params: { [name]: { ...options, ...(meta !== undefined ? { meta } : { table: identityOf(source) }) } },
    references: async (_, samples) => samples.map(referenceOf),
  }
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every(Number.isFinite)
}

function momentsOf(found: unknown): RewardMoments | undefined {
  if (isNumbers(found))
    return { mean: mean(found)!, standardDeviation: standardDeviation(found, { ddof: 0 })! }
  const moments = found as Partial<RewardMoments> | null
  return Number.isFinite(moments?.mean) && (moments?.standardDeviation ?? -1) >= 0
    ? (moments as RewardMoments)
    : undefined
}
