import { messageOf } from './errors.ts'
import { identityOf } from './identity.ts'
import type { Json } from './json.ts'
import type { Rng } from './rng.ts'
import { groupOf, type Sample } from './sample.ts'
import { type Score, unscored } from './score.ts'

/** Lowest and highest value, both attainable or infinite. */
export type Range = readonly [low: number, high: number]

/** What a reward cannot work without. Everything not named here it does without. */
export type Need = 'reference' | 'images' | 'group' | 'chat' | 'logprobs' | 'embeddings' | 'step'

/**
 * How a published reward behaves: as its released code does, as its paper says, or guarded against the nonsense
 * that either pays for. The differences are the attack suite.
 */
export type Variant = 'released' | 'paper' | 'guarded'

export interface ScoreContext {
  /** Aborted when the result is no longer wanted. */
  readonly signal?: AbortSignal
  /** Root of all randomness; a reward forks it by sample id, so that batching and order change nothing. */
  readonly rng?: Rng
  /** Training step, for rewards with a schedule. */
  readonly step?: number
}

/** A number for each sample. Batch first; one score per sample, in order; never rejects for what a sample holds. */
export interface Reward {
  readonly name: string
  /** Changes whenever a score may change. */
  readonly version: string
  readonly range: Range
  readonly needs: readonly Need[]
  /** Everything that sets this reward apart from others of its name: options, variant, nested rewards' identities. */
  readonly params: Json
  readonly description?: string
  score(samples: readonly Sample[], context?: ScoreContext): Promise<Score[]>
}

/** Name, version and parameters: the key under which the store keeps this reward's scores. */
export function rewardIdentity({
  name,
  version,
  params,
}: Pick<Reward, 'name' | 'version' | 'params'>): string {
  return identityOf({ name, version, params })
}

interface RewardHead {
  readonly name: string
  /** @default '1' */
  readonly version?: string
  /** @default [0, 1] */
  readonly range?: Range
  /** @default [] */
  readonly needs?: readonly Need[]
  /** @default {} */
  readonly params?: Json
  readonly description?: string
}

/** What a judging function may return: a score, or just a number. */
export type Judgement = Score | number

/**
 * A reward from a function of one sample:
 *
 * @example
 * const polite = defineReward({
 *   name: 'polite',
 *   judge: (sample) => (/\bplease\b/i.test(textOf(sample.output)) ? 1 : 0),
 * })
 *
 * Whatever the function does, the contract holds: a throw, NaN or a value outside the range becomes an unscored
 * sample that says so; a missing reference (`needs: ['reference']`) is unscored without calling it; the other
 * samples of the batch are not touched.
 */
export function defineReward(
  definition: RewardHead & {
    judge(sample: Sample, context: ScoreContext): Judgement | Promise<Judgement>
  },
): Reward {
  const { head, check } = contract(definition)
  const needsReference = head.needs.includes('reference')
  const one = (sample: Sample, context: ScoreContext): Score | Promise<Score> => {
    if (needsReference && sample.reference === undefined) return missingReference
    try {
      const judged = definition.judge(sample, context)
      return judged instanceof Promise ? judged.then(check, crashed) : check(judged)
    } catch (error) {
      return crashed(error)
    }
  }
  return {
    ...head,
    score: async (samples, context = {}) => {
      const scores = new Array<Score>(samples.length)
      let waiting: Promise<void>[] | undefined
      for (let i = 0; i < samples.length; i++) {
        if (context.signal?.aborted) {
          scores[i] = unscored('cancelled', 'cancelled before this sample was judged')
          continue
        }
        const score = one(samples[i]!, context)
        if (score instanceof Promise) {
          waiting ??= []
          waiting.push(
            score.then((value) => {
              scores[i] = value
            }),
          )
        } else scores[i] = score
      }
      if (waiting) await Promise.all(waiting)
      return scores
    },
  }
}

/**
 * A reward from a function of many samples at once (a model with batches, a renderer, a remote service). Same
 * contract as `defineReward`; a throw makes the whole batch unscored.
 */
export function defineBatchReward(
  definition: RewardHead & {
    judgeAll(samples: readonly Sample[], context: ScoreContext): Promise<readonly Judgement[]>
  },
): Reward {
  const { head, check } = contract(definition)
  const needsReference = head.needs.includes('reference')
  return {
    ...head,
    score: async (samples, context = {}) => {
      const judged = needsReference ? samples.filter((sample) => sample.reference !== undefined) : samples
      let results: readonly Judgement[]
      try {
        results = judged.length === 0 ? [] : await definition.judgeAll(judged, context)
        if (results.length !== judged.length)
          throw new Error(`returned ${results.length} scores for ${judged.length} samples`)
      } catch (error) {
        results = judged.map(() => crashed(error))
      }
      let next = 0
      return samples.map((sample) =>
        needsReference && sample.reference === undefined ? missingReference : check(results[next++]!),
      )
    },
  }
}

/**
 * A reward that compares the samples of one prompt with each other. `score` sees whole groups only: whoever calls
 * it must not split one (the run engine keeps groups together for a reward that needs `group`).
 */
export function defineGroupReward(
  definition: RewardHead & {
    judgeGroup(
      samples: readonly Sample[],
      context: ScoreContext,
    ): readonly Judgement[] | Promise<readonly Judgement[]>
  },
): Reward {
  const needs = new Set<Need>(['group', ...(definition.needs ?? [])])
  const { head, check } = contract({ ...definition, needs: [...needs] })
  return {
    ...head,
    score: async (samples, context = {}) => {
      const groups = new Map<string, number[]>()
      samples.forEach((sample, index) => {
        const key = groupOf(sample)
        const members = groups.get(key)
        if (members) members.push(index)
        else groups.set(key, [index])
      })
      const scores = new Array<Score>(samples.length)
      for (const members of groups.values()) {
        try {
          const group = members.map((index) => samples[index]!)
          const judged = await definition.judgeGroup(group, context)
          if (judged.length !== group.length)
            throw new Error(`returned ${judged.length} scores for a group of ${group.length}`)
          members.forEach((index, position) => {
            scores[index] = check(judged[position]!)
          })
        } catch (error) {
          for (const index of members) scores[index] = crashed(error)
        }
      }
      return scores
    },
  }
}

const missingReference = unscored('bad-input', 'this reward needs a reference and the sample has none')

function crashed(error: unknown): Score {
  return unscored('crashed', `the reward failed: ${messageOf(error)}`)
}

function contract(definition: RewardHead) {
  const { name, version = '1', range = [0, 1], needs = [], params = {}, description } = definition
  const [low, high] = range
  if (!(low <= high)) throw new RangeError(`reward "${name}": range [${low}, ${high}] is empty`)
  const inRange = (value: number) => value >= low && value <= high // false for NaN
  const check = (judged: Judgement): Score => {
    const value = typeof judged === 'number' ? judged : judged.value
    if (value === null || (inRange(value) && Number.isFinite(value)))
      return typeof judged === 'number' ? { value: judged } : judged
    return unscored('crashed', `the reward returned ${value}, which is not a number in [${low}, ${high}]`)
  }
  const head = { name, version, range, needs, params, ...(description === undefined ? {} : { description }) }
  return { head, check }
}
