import {
  defineBatchReward,
  type Json,
  type Reward,
  rewardIdentity,
  type Sample,
  type Score,
} from '../../core/index.ts'
import { scoresOf } from '../../rewards/scores-of.ts'

export interface ContrastReferenceOptions {
  /** Other references to hold the same response against; at least two different ones. */
  readonly references: readonly Json[]
  /** How many of them are tried. @default 1 */
  readonly contrasts?: number
  /** Above it the judge accepts. @default the middle of the judge's range */
  readonly accept?: number
}

/**
 * A guarded verifier: a response counts only when the judge accepts it against its own reference *and* rejects it
 * against another question's. A key without content is accepted or rejected whatever the reference says, so it earns the
 * lowest score; a right answer is right against its own reference alone. Costs `contrasts` more judgements, and only
 * for what was accepted. References drawn depend on the sample's id; one equal to its own is passed over.
 */
export function contrastReference(judge: Reward, options: ContrastReferenceOptions): Reward {
  const { references, contrasts = 1, accept = (judge.range[0] + judge.range[1]) / 2 } = options
  const distinct = new Map(references.map((reference) => [JSON.stringify(reference), reference]))
  if (distinct.size < 2) throw new RangeError('a contrast needs two or more different references')
  if (!Number.isFinite(judge.range[0]) || !Number.isFinite(accept))
    throw new RangeError(`"${judge.name}" has no lowest score to fall to, or no middle: give accept a number`)
  const lowest = judge.range[0]
  const others = [...distinct]
  return defineBatchReward({
    name: `contrast(${judge.name})`,
    version: judge.version,
    range: judge.range,
    needs: [...new Set([...judge.needs, 'reference' as const])],
    params: { judge: rewardIdentity(judge), contrasts, accept, references: others.map(([text]) => text) },
    judgeAll: async (samples, context) => {
      const scores = [...(await scoresOf(judge, samples, context))]
      for (let contrast = 0; contrast < contrasts; contrast++) {
        const accepted = scores.flatMap((score, i) =>
          score.value !== null && score.value > accept ? [i] : [],
        )
        const held = await scoresOf(
          judge,
          accepted.map((i) => heldAgainst(samples[i]!, others, contrast)),
          context,
        )
        for (const [place, i] of accepted.entries()) scores[i] = combined(scores[i]!, held[place]!)
      }
      return scores
    },
  })

  function combined(own: Score, against: Score): Score {
    if (against.value === null || against.value <= accept) return own
    return {
      value: lowest,
      parts: { 'own reference': own.value, 'another reference': against.value },
      rationale:
        'accepted against the reference of another question too: the verdict does not depend on the answer',
    }
  }
}

function heldAgainst(sample: Sample, others: readonly (readonly [string, Json])[], contrast: number): Sample {
  const own = JSON.stringify(sample.reference)
  let start = contrast
  for (let i = 0; i < sample.id.length; i++) start = (start * 31 + sample.id.charCodeAt(i)) >>> 0
  for (let step = 0; step < others.length; step++) {
    const [text, reference] = others[(start + step) % others.length]!
    if (text !== own) return { ...sample, id: `${sample.id}~contrast${contrast}`, reference }
  }
  return sample
}
