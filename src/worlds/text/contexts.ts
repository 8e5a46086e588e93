import { Rng } from '../../core/index.ts'
import type { Instruction } from './instruction.ts'
import { type Quality, qualitiesOf } from './oracle.ts'
import { type AnswerStyle, drawOpenInstruction, styledAnswer } from './styles.ts'
import type { UserProfile } from './users.ts'

/** What a context can make decisive. */
export const contextQualities = ['short', 'long', 'list', 'courteous', 'colours', 'places', 'owners'] as const
export type ContextQuality = (typeof contextQualities)[number]

interface Wording {
  readonly criterion: string
  /** Situations that imply the criterion without naming it; the last is kept for tests of unseen phrasing. */
  readonly scenarios: readonly [string, string, string]
}

const wordings: Readonly<Record<ContextQuality, Wording>> = {
  short: {
    criterion: 'prefer short',
    scenarios: ['no time , just the answer', 'i read this in a hurry', 'let me know in a hurry'],
  },
  long: {
    criterion: 'prefer long',
    scenarios: ['i need all you know', 'tell me all , i read a long time', 'let me read all you know'],
  },
  list: {
    criterion: 'prefer list',
    scenarios: ['i read this step by step', 'i solve this step by step', 'step by step helps me'],
  },
  courteous: {
    criterion: 'prefer polite',
    scenarios: ['this is for a dear friend', 'be calm with my friend', 'a friend helps with this'],
  },
  colours: {
    criterion: 'prefer colours',
    scenarios: ['i see colours first', 'colours helps me most', 'i know all by colours'],
  },
  places: {
    criterion: 'prefer where',
    scenarios: ['let me see where', 'i need where , not who', 'i know all by where'],
  },
  owners: {
    criterion: 'prefer who',
    scenarios: ['who has all this', 'i trust who has this', 'i know all by who'],
  },
}

/** A context as tokens: the criterion itself, its opposite, or a situation that implies it. */
export type ContextForm = 'criterion' | 'negated' | 'scenario' | 'unseen scenario'

/** @param form a `scenario` is one of the two that training may show */
export function contextTokens(quality: ContextQuality, form: ContextForm, rng: Rng): string[] {
  const { criterion, scenarios } = wordings[quality]
  const text =
    form === 'criterion'
      ? criterion
      : form === 'negated'
        ? criterion.replace('prefer', 'prefer not')
        : scenarios[form === 'scenario' ? rng.int(0, 2) : 2]!
  return [...text.split(' '), '.']
}

/** How well an answer does in a context, in [0, 1]; `negated` turns it round. */
export function contextScore(
  quality: ContextQuality,
  instruction: Instruction,
  tokens: readonly string[],
  negated = false,
): number {
  const measured = qualitiesOf(instruction, tokens)
  const score = quality === 'long' ? 1 - measured.short : measured[quality]
  return negated ? 1 - score : score
}

/**
 * Two answers of which `a` is better in context x and `b` in context y; without a context the question is open by
 * design. Both tuples of a row belong to the same side of any split.
 */
export type ContextRow = {
  readonly instruction: Instruction
  readonly a: readonly string[]
  readonly b: readonly string[]
  readonly x: ContextQuality
  readonly y: ContextQuality
}

const styleOf: Readonly<Record<ContextQuality, { much: AnswerStyle; little: AnswerStyle }>> = {
  short: { much: { padding: 0 }, little: { padding: 3 } },
  long: { much: { padding: 3 }, little: { padding: 0 } },
  list: { much: { format: 'list' }, little: { format: 'sentence' } },
  courteous: { much: { courteous: true }, little: { courteous: false } },
  colours: { much: { attribute: 'colour' }, little: {} },
  places: { much: { attribute: 'place' }, little: {} },
  owners: { much: { attribute: 'owner' }, little: {} },
}

/** Row number `index` of a seed; every context decides by at least 0.2 of its measure. */
export function contextRow(
  seed: string | number,
  index: number,
  { among = contextQualities }: { readonly among?: readonly ContextQuality[] } = {},
): ContextRow {
  const rng = new Rng(`contexts/${seed}/${index}`)
  for (;;) {
    const [x, y] = rng.sample(among, 2) as [ContextQuality, ContextQuality]
    const instruction = drawOpenInstruction(rng)
    const a = styledAnswer(instruction, { ...styleOf[y].little, ...styleOf[x].much }, rng)
    const b = styledAnswer(instruction, { ...styleOf[x].little, ...styleOf[y].much }, rng)
    const lead = (quality: ContextQuality) =>
      contextScore(quality, instruction, a) - contextScore(quality, instruction, b)
    if (lead(x) >= 0.2 && lead(y) <= -0.2) return { instruction, a, b, x, y }
  }
}

/** A person whose taste is a distribution over contexts: `shares` gives the probability of each. */
export interface ContextProfile {
  readonly shares: Readonly<Partial<Record<ContextQuality, number>>>
}

/** Probability that `a` is preferred when the context is drawn from `shares` and then decides for certain. */
export function marginalPreference({ instruction, a, b }: ContextRow, { shares }: ContextProfile): number {
  let [preferred, total] = [0, 0]
  for (const [quality, share] of Object.entries(shares) as [ContextQuality, number][]) {
    const lead = contextScore(quality, instruction, a) - contextScore(quality, instruction, b)
    preferred += share * (lead > 0 ? 1 : lead < 0 ? 0 : 0.5)
    total += share
  }
  return total === 0 ? 0.5 : preferred / total
}

/** A profile as tokens: its most frequent contexts, "i prefer short , then list ." */
export function profileTokens({ shares }: ContextProfile, most = 2): string[] {
  const first = (Object.entries(shares) as [ContextQuality, number][])
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([quality]) => wordings[quality].criterion.split(' ')[1]!)
  return ['i', 'prefer', ...first.flatMap((word, index) => (index === 0 ? [word] : [',', 'then', word])), '.']
}

/** The weights over measures of a profile, as a user has them. */
export function profileWeights({ shares }: ContextProfile): UserProfile['weights'] {
  const weights: Partial<Record<Quality, number>> = {}
  for (const [quality, share] of Object.entries(shares) as [ContextQuality, number][]) {
    const measure = quality === 'long' ? 'short' : quality
    weights[measure] = (weights[measure] ?? 0) + (quality === 'long' ? -share : share)
  }
  return weights
}
