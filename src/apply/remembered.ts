import {
  type Comparator,
  type Comparison,
  identityOf,
  type Json,
  type JsonObject,
  type Reward,
  retryableCodes,
  rewardIdentity,
  type Sample,
  type Score,
  type ScoreContext,
} from '../core/index.ts'
import type { Store } from '../store/index.ts'

/**
 * A reward or comparator that keeps every judgement in the store and never asks twice: work that was killed is begun
 * again and soon is where it was. A judgement is known by the judge's identity, everything that the sample holds
 * (images by their place, not their bytes), seed and step. What is asked again within one piece of work, as a test of
 * repeatability does, is asked again indeed: the n-th time has a place of its own, so the work must ask in one order.
 * Failures that may pass are not kept; evidence is not kept. Not for rewards of groups, whose scores depend on each other.
 */
export function remembered<Judge extends Reward | Comparator>(judge: Judge, store: Store): Judge {
  const identity = rewardIdentity(judge)
  const times = new Map<string, number>()
  const keyOf = (what: unknown, { rng, step }: ScoreContext) => {
    const base = identityOf({ judge: identity, what, seed: rng?.seed, step })
    const time = times.get(base) ?? 0
    times.set(base, time + 1)
    return time === 0 ? base : `${base}/${time}`
  }
  const ask = async <What, Said extends Score | Comparison>(
    what: readonly What[],
    context: ScoreContext,
    judged: (fresh: readonly What[]) => Promise<readonly Said[]>,
  ): Promise<Said[]> => {
    const keys = what.map((one) => keyOf(one, context))
    const known = await store.calls.find(keys)
    const fresh = what.flatMap((_, index) => (known.has(keys[index]!) ? [] : [index]))
    const said = fresh.length === 0 ? [] : await judged(fresh.map((index) => what[index]!))
    if (said.length !== fresh.length)
      throw new Error(`it returned ${said.length} judgements for ${fresh.length} questions`)
    const answers = new Map(fresh.map((index, place) => [index, said[place]!]))
    await store.calls.keep(
      [...answers].flatMap(([index, answer]) =>
        answer.value === null && retryableCodes.has(answer.code)
          ? []
          : [{ key: keys[index]!, model: `judgement:${judge.name}`, answer: kept(answer) }],
      ),
    )
    return what.map(
      (_, index) => (answers.get(index) ?? (known.get(keys[index]!)!.answer as unknown)) as Said,
    )
  }
  if ('compare' in judge)
    return {
      ...judge,
      compare: (pairs: Parameters<Comparator['compare']>[0], context: ScoreContext = {}) =>
        ask(pairs, context, (fresh) => judge.compare(fresh, context)),
    }
  if (judge.needs.includes('group')) return judge
  return {
    ...judge,
    score: (samples: readonly Sample[], context: ScoreContext = {}) =>
      ask(samples, context, (fresh) => judge.score(fresh, context)),
  }
}

/** Without evidence, which may hold pictures. */
function kept(answer: Score | Comparison): Json {
  const { evidence: _, ...rest } = answer as Score
  return rest as unknown as JsonObject
}
