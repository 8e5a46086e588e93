import type { Rng } from '../../core/index.ts'
import { type AnswerFormat, answerTokens, type Clause } from './answer-grammar.ts'
import { type Ask, drawInstruction, type Instruction, tellable } from './instruction.ts'
import { type Attribute, attributes } from './lexicon.ts'
import type { StylePart } from './oracle.ts'

/** The manner of an answer; whatever is left out is random. */
export interface AnswerStyle {
  readonly format?: AnswerFormat
  readonly courteous?: boolean
  /** Phrases that say nothing: 0 to 4. */
  readonly padding?: 0 | 1 | 2 | 3 | 4
  /** Facts of this attribute are told before others. */
  readonly attribute?: Attribute
  /** In the order of the question, or in the opposite one. */
  readonly ordered?: boolean
}

/** An instruction that leaves the manner open and knows several facts of each of two things. */
export function drawOpenInstruction(
  rng: Rng,
): Instruction & { readonly ask: Extract<Ask, { kind: 'describe' }> } {
  for (;;) {
    const instruction = drawInstruction(rng, {
      asks: { describe: 1 },
      constraints: [0, 0],
      mostItems: 2,
      factsPerItem: 3,
    })
    const { ask } = instruction
    if (ask.kind === 'describe' && ask.items.length === 2) return { ...instruction, ask }
  }
}

/** A true and complete answer in a style: one fact for each asked item. */
export function styledAnswer(
  instruction: Instruction & { readonly ask: Extract<Ask, { kind: 'describe' }> },
  style: AnswerStyle,
  rng: Rng,
): string[] {
  const {
    format = rng.pick(['sentence', 'list', 'numbered'] as const),
    courteous = rng.chance(0.5),
    padding = rng.int(0, 3),
    attribute = rng.pick(attributes),
    ordered = rng.chance(0.5),
  } = style
  const { ask, facts, avoid } = instruction
  const asked = ordered ? ask.items : [...ask.items].reverse()
  const clauses = asked.map((item): Clause => {
    const known = tellable(facts, avoid, item)
    return { kind: 'claim', fact: known.find((fact) => fact.attribute === attribute) ?? rng.pick(known) }
  })
  return answerTokens({
    clauses,
    format,
    courtesy: courteous ? rng.pick(['opening', 'closing'] as const) : undefined,
    padding: rng.sample([0, 1, 2, 3], padding),
  })
}

/** The style that has much, or little, of one measure. */
export function styleFor(part: StylePart, much: boolean): AnswerStyle {
  switch (part) {
    case 'short':
      return { padding: much ? 0 : 3 }
    case 'list':
      return { format: much ? 'list' : 'sentence' }
    case 'numbers':
      return { format: much ? 'numbered' : 'sentence' }
    case 'courteous':
      return { courteous: much }
    case 'colours':
      return { attribute: much ? 'colour' : 'place' }
    case 'places':
      return { attribute: much ? 'place' : 'owner' }
    case 'owners':
      return { attribute: much ? 'owner' : 'colour' }
    case 'ordered':
      return { ordered: much }
  }
}
