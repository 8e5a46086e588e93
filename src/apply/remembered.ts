import {
  type Comparator,
  type Comparison,
  groupOf,
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
 * Of a reward of groups, whose scores depend on each other, a whole group is one judgement. Failures that may pass are
 * not kept; evidence is not kept.
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
  const ask = async <What, Said extends Judged | readonly Judged[]>(
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
        [answer].flat().some(mayPass)
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
  if (judge.needs.includes('group'))
    return {
      ...judge,
      score: async (samples: readonly Sample[], context: ScoreContext = {}) => {
        const places = [...Map.groupBy(samples.keys(), (index) => groupOf(samples[index]!)).values()]
        const groups = places.map((members) => members.map((index) => samples[index]!))
        const said = await ask(groups, context, async (fresh) => {
          const scores = [...(await judge.score(fresh.flat(), context))]
          return fresh.map((group) => scores.splice(0, group.length))
        })
        const scores = new Array<Score>(samples.length)
        places.forEach((members, at) => {
          members.forEach((index, member) => {
            scores[index] = said[at]![member]!
          })
        })
        return scores
      },
    }
  return {
    ...judge,
    score: (samples: readonly Sample[], context: ScoreContext = {}) =>
      ask(samples, context, (fresh) => judge.score(fresh, context)),
  }
}

type Judged = Score | Comparison

/** There is no judgement, and asking again may give one. */
function mayPass(answer: Judged): boolean {
  return answer.value === null && retryableCodes.has(answer.code)
}

/** Without evidence, which may hold pictures. */
function kept(answer: Judged | readonly Judged[]): Json {
  if (Array.isArray(answer)) return answer.map(kept)
  const { evidence: _, ...rest } = answer as Score
  return rest as unknown as JsonObject
}
