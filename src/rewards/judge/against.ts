import {
  type Comparator,
  defineBatchReward,
  isObject,
  type Json,
  type Need,
  type Part,
  type Reward,
  type Score,
  type Turns,
  unscored,
} from '../../core/index.ts'
import { imageSourceFrom } from '../../data/image-source.ts'
import { rewardFromComparator } from '../convert.ts'
import { anchorReward } from './anchors.ts'
import { pairOf } from './pair-judge.ts'

/**
 * What an output is compared with to give it a score: the output that its reference holds, the other outputs of its
 * prompt, or a few of those (`anchorReward`).
 */
export const opponents = ['reference', 'group', 'anchors'] as const
export type Opponent = (typeof opponents)[number]

/**
 * A pair judge as a reward in [0, 1] under the judge's name. Against the `reference`, how likely the output is better
 * than the one that the sample's reference holds (text, or `{text, image, images}`); against the `group`, the mean
 * probability of beating another output of the prompt (Bradley-Terry over all pairs); against `anchors`, that of beating
 * three of them, for large groups. What was said of each order is in `parts`.
 */
export function rewardAgainst(
  comparator: Comparator,
  { against, needs = ['chat'] }: { readonly against: Opponent; readonly needs?: readonly Need[] },
): Reward {
  if (against !== 'reference') {
    const base =
      against === 'group'
        ? rewardFromComparator(comparator, { output: 'winProbability' })
        : anchorReward(comparator)
    return { ...base, name: comparator.name, needs: [...base.needs, ...needs] }
  }
  return defineBatchReward({
    name: comparator.name,
    version: comparator.version,
    needs: ['reference', ...needs],
    params: { comparator: comparator.params, against },
    judgeAll: async (samples, context) => {
      const opponents = samples.map(({ reference }) => outputOf(reference!))
      const judged = samples.flatMap((sample, index) => {
        const opponent = opponents[index]
        if (opponent === undefined) return []
        const { reference: _, ...challenger } = sample
        return [
          pairOf(challenger, { ...challenger, id: `${sample.id}/reference`, output: opponent }, sample.id),
        ]
      })
      const comparisons = await comparator.compare(judged, context)
      let next = 0
      return opponents.map((opponent): Score => {
        if (opponent === undefined)
          return unscored(
            'bad-input',
            'the reference must be the output to compare with: text, or an object with text, image or images (against=group compares with the other outputs of the prompt)',
          )
        const comparison = comparisons[next++]!
        if (comparison.value === null) return comparison
        const { value, orders, parts, rationale, usage } = comparison
        return {
          value,
          parts: { ...parts, ...(orders ? { aFirst: orders[0], bFirst: orders[1] } : {}) },
          ...(rationale === undefined ? {} : { rationale }),
          ...(usage === undefined ? {} : { usage }),
        }
      })
    },
  })
}

/** An output as a reference holds it; undefined where it holds none. */
function outputOf(reference: Json): Turns | undefined {
  if (typeof reference === 'string') return reference
  if (!isObject(reference)) return undefined
  const { text, image, images } = reference
  const sources = [...(image === undefined ? [] : [image]), ...(Array.isArray(images) ? images : [])].map(
    imageSourceFrom,
  )
  if (sources.some((source) => source === undefined)) return undefined
  const parts: Part[] = [
    ...sources.map((source) => ({ type: 'image' as const, image: source! })),
    ...(typeof text === 'string' ? [{ type: 'text' as const, text }] : []),
  ]
  return parts.length === 0 ? undefined : parts
}
