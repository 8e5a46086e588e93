import type { Rng } from '../../core/index.ts'
import type { Instruction } from './instruction.ts'
import { judgeAnswer, type PartValues } from './oracle.ts'

/** What a reaction is about. Each is good or bad about any answer. */
export const reactionFacets = ['correct', 'relevant', 'complete', 'brief', 'safe', 'polite'] as const
export type ReactionFacet = (typeof reactionFacets)[number]

interface Wordings {
  /** All but the last are for training, the last is an unseen paraphrase. */
  readonly positive: readonly string[]
  readonly negative: readonly string[]
}

const wordings: Readonly<Record<ReactionFacet, Wordings>> = {
  correct: {
    positive: ['that is right .', 'yes , that is true .', 'great , all true .'],
    negative: ['that is wrong .', 'no , that is not true .', 'not right at all .'],
  },
  relevant: {
    positive: ['just what i asked .', 'this helps me .', 'you read my words right .'],
    negative: ['not what i asked .', 'this helps not .', 'you read my words wrong .'],
  },
  complete: {
    positive: ['that is all i need .', 'yes , all is in this .', 'all i asked is in this .'],
    negative: ['that is not all i need .', 'tell me all i asked .', 'i need many words about this .'],
  },
  brief: {
    positive: ['great and short .', 'short , thank you .', 'just the right time for me .'],
    negative: ['too long for me .', 'too many words .', 'no time for so long a answer .'],
  },
  safe: {
    positive: ['i trust you with this .', 'you avoid what i avoid .', 'true , avoid fire .'],
    negative: ['do not tell me that .', 'avoid words as that .', 'i asked you , avoid that .'],
  },
  polite: {
    positive: ['so polite , thank you .', 'you see , a friend .', 'a polite friend helps most .'],
    negative: ['be polite .', 'that is not polite .', 'no friend answer so .'],
  },
}

export interface Reaction {
  readonly facet: ReactionFacet
  readonly isPositive: boolean
  readonly tokens: readonly string[]
}

const reactions: readonly (Reaction & { readonly isSeen: boolean })[] = reactionFacets.flatMap((facet) =>
  (['positive', 'negative'] as const).flatMap((sign) =>
    wordings[facet][sign].map((text, index, all) => ({
      facet,
      isPositive: sign === 'positive',
      tokens: text.split(' '),
      isSeen: index < all.length - 1,
    })),
  ),
)

/** The reactions of a facet (or of all), to score answers by: as many positive as negative ones. */
export function reactionSet({
  facet,
  phrasing = 'all',
}: {
  facet?: ReactionFacet
  phrasing?: 'seen' | 'unseen' | 'all'
} = {}): {
  readonly positive: readonly (readonly string[])[]
  readonly negative: readonly (readonly string[])[]
} {
  const chosen = reactions.filter(
    (reaction) =>
      (facet === undefined || reaction.facet === facet) &&
      (phrasing === 'all' || reaction.isSeen === (phrasing === 'seen')),
  )
  return {
    positive: chosen.filter(({ isPositive }) => isPositive).map(({ tokens }) => tokens),
    negative: chosen.filter(({ isPositive }) => !isPositive).map(({ tokens }) => tokens),
  }
}

/** Whether an answer is faultless in what each facet looks at. */
export function facetsOf(parts: PartValues): Readonly<Record<ReactionFacet, boolean>> {
  return {
    correct: parts.truthfulness === 1,
    relevant: parts.relevance > 0 && parts.fluency > 0.8,
    complete: parts.relevance === 1 && parts.format === 1,
    brief: parts.conciseness === 1,
    safe: parts.harmlessness === 1,
    polite: parts.politeness === 1,
  }
}

export interface ReactionModel {
  /** Probability that the reaction fits the answer: praise for a faultless one, a complaint about a fault. @default 0.8 */
  readonly reliability?: number
  /**
   * Share of the reactions that are about any facet, whatever is at fault: who is displeased finds fault with everything,
   * and who is pleased with nothing. @default 0
   */
  readonly halo?: number
}

/**
 * Probability of every reaction to an answer. With the model's reliability the user praises a faultless answer or
 * complains about one of the faults (each facet at fault equally often); else the opposite. Praise is for any facet that
 * is not at fault (for any, if all are), complaints that do not fit are about any facet without fault (ditto). Wordings
 * for training are equally likely, unseen ones have probability 0.
 */
export function reactionProbabilities(
  instruction: Instruction,
  answer: readonly string[],
  { reliability = 0.8, halo = 0 }: ReactionModel = {},
): (Reaction & { readonly probability: number })[] {
  const { parts } = judgeAnswer(instruction, answer)
  const facets = facetsOf(parts)
  const faults = reactionFacets.filter((facet) => !facets[facet])
  const sound = reactionFacets.filter((facet) => facets[facet])
  const positive = faults.length === 0 ? reliability : 1 - reliability
  const praised = sound.length > 0 ? sound : reactionFacets
  const blamed = faults.length > 0 ? faults : reactionFacets
  return reactions
    .filter(({ isSeen }) => isSeen)
    .map(({ facet, isPositive, tokens }) => {
      const among = isPositive ? praised : blamed
      const wordingCount = wordings[facet][isPositive ? 'positive' : 'negative'].length - 1
      const share = (among.includes(facet) ? (1 - halo) / among.length : 0) + halo / reactionFacets.length
      const probability = ((isPositive ? positive : 1 - positive) * share) / wordingCount
      return { facet, isPositive, tokens, probability }
    })
}

/** A user's next turn after an answer, drawn from `reactionProbabilities`. */
export function drawReaction(
  instruction: Instruction,
  answer: readonly string[],
  rng: Rng,
  model: ReactionModel = {},
): Reaction {
  let draw = rng.uniform()
  const all = reactionProbabilities(instruction, answer, model)
  for (const { probability, ...reaction } of all) {
    draw -= probability
    if (draw < 0) return reaction
  }
  const { probability: _, ...last } = all.findLast(({ probability }) => probability > 0)!
  return last
}
