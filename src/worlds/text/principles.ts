import { Rng } from '../../core/index.ts'
import { isHeldOut } from './held-out.ts'
import type { Instruction } from './instruction.ts'
import { qualitiesOf, type StylePart, styleParts } from './oracle.ts'
import { type AnswerStyle, drawOpenInstruction, styledAnswer, styleFor } from './styles.ts'

/** What a principle asks for: more, or less, of one measure. */
export type PrincipleTerm = { readonly quality: StylePart; readonly more: boolean; readonly weight: number }

/** A sentence about what makes an answer better. Plain JSON. */
export type Principle = {
  readonly terms: readonly PrincipleTerm[]
  /** `weights`: the weighted mean decides. `priority`: the first term decides, the next only where it is (nearly) equal. */
  readonly by: 'weights' | 'priority'
}

/** Each measure in a word or three, for more of it and for less. */
const wordings: Readonly<Record<StylePart, readonly [more: string, less: string]>> = {
  short: ['short', 'long'],
  list: ['list', 'not list'],
  numbers: ['numbers', 'not numbers'],
  courteous: ['polite', 'not polite'],
  colours: ['colours', 'not colours'],
  places: ['where', 'not where'],
  owners: ['who', 'not who'],
  ordered: ['as asked', 'not as asked'],
}

/** Share of the principles of two terms or more, and of the negated ones, that are `unseen`. */
const unseenShare = 0.3

export function drawPrinciple(
  rng: Rng,
  { mostTerms = 3, split }: { mostTerms?: number; split?: 'train' | 'unseen' } = {},
): Principle {
  for (;;) {
    const qualities = rng.sample(styleParts, rng.int(1, mostTerms + 1))
    const by = qualities.length > 1 && rng.chance(0.5) ? 'priority' : 'weights'
    const terms = qualities.map((quality) => ({
      quality,
      more: rng.chance(0.6),
      weight: by === 'weights' && qualities.length > 1 ? rng.int(1, 4) : 1,
    }))
    const principle: Principle = { terms, by }
    if (split === undefined || splitOfPrinciple(principle) === split) return principle
  }
}

/** Depends on the measures and their directions alone; a single wish for more of something is always `train`. */
export function splitOfPrinciple({ terms }: Principle): 'train' | 'unseen' {
  if (terms.length === 1 && terms[0]!.more) return 'train'
  const key = terms.map(({ quality, more }) => `${more ? '' : 'not '}${quality}`).sort()
  return isHeldOut(`principle/${key.join('+')}`, unseenShare) ? 'unseen' : 'train'
}

/** "prefer short .", "prefer 2 times list , 1 times polite .", "prefer first list , then not polite ." */
export function principleTokens({ terms, by }: Principle): string[] {
  const tokens = ['prefer']
  terms.forEach(({ quality, more, weight }, index) => {
    if (index > 0) tokens.push(',')
    if (terms.length > 1)
      tokens.push(...(by === 'weights' ? [String(weight), 'times'] : [index === 0 ? 'first' : 'then']))
    tokens.push(...wordings[quality][more ? 0 : 1].split(' '))
  })
  return [...tokens, '.']
}

/** The same principle with every wish turned round. */
export function negated(principle: Principle): Principle {
  return { ...principle, terms: principle.terms.map((term) => ({ ...term, more: !term.more })) }
}

/** How well an answer meets a principle, from 1 to 5. A negated principle gives 6 minus that. */
export function principleScore(
  principle: Principle,
  instruction: Instruction,
  tokens: readonly string[],
): number {
  const measured = qualitiesOf(instruction, tokens)
  let [sum, total] = [0, 0]
  principle.terms.forEach(({ quality, more, weight }, index) => {
    const share = principle.by === 'priority' ? 0.2 ** index : weight
    sum += share * (more ? measured[quality] : 1 - measured[quality])
    total += share
  })
  return 1 + (4 * sum) / total
}

/** One instruction, several answers in different manners, and the gold score of each under a principle. */
export type PrincipleList = {
  readonly instruction: Instruction
  readonly principle: Principle
  readonly answers: readonly (readonly string[])[]
  readonly scores: readonly number[]
}

/** List number `index` of a seed, of 4 to 6 answers with at least two different scores. */
export function principleList(
  seed: string | number,
  index: number,
  options: { mostTerms?: number; split?: 'train' | 'unseen' } = {},
): PrincipleList {
  const rng = new Rng(`principles/${seed}/${index}`)
  for (;;) {
    const instruction = drawOpenInstruction(rng)
    const principle = drawPrinciple(rng, options)
    const answers = Array.from({ length: rng.int(4, 7) }, () => {
      const { quality } = rng.pick(principle.terms)
      const style: AnswerStyle = styleFor(quality, rng.chance(0.5))
      return styledAnswer(instruction, style, rng)
    })
    const scores = answers.map((tokens) => principleScore(principle, instruction, tokens))
    if (Math.max(...scores) - Math.min(...scores) > 0.5) return { instruction, principle, answers, scores }
  }
}
