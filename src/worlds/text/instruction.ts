import { GuerdonError, type Rng } from '../../core/index.ts'
import {
  type Attribute,
  attributes,
  attributeValues,
  type Category,
  categories,
  dangers,
  items,
} from './lexicon.ts'
import { pickWeighted, weights } from './weighted.ts'

/** Something that is so: the cat is red, the cat is in the park, anna has the cat. */
export type Fact = { readonly item: string; readonly attribute: Attribute; readonly value: string }

/** What is asked. A danger is asked for in order to be refused. */
export type Ask =
  | { readonly kind: 'describe'; readonly items: readonly string[] }
  | { readonly kind: 'lookup'; readonly item: string; readonly attribute: Attribute }
  | { readonly kind: 'name'; readonly category: Category; readonly count: number }
  | { readonly kind: 'refuse'; readonly danger: string }

/** A prompt as data: facts, one ask, and up to four constraints on the answer. Plain JSON, so that it can be a reference. */
export type Instruction = {
  readonly task: 'instruction'
  readonly facts: readonly Fact[]
  readonly ask: Ask
  /** Words that the answer must not contain. */
  readonly avoid: readonly string[]
  /** Largest number of words (punctuation and list marks do not count); null when nothing was said. */
  readonly mostWords: number | null
  readonly format: 'list' | 'numbered' | null
  readonly polite: boolean
  /** Which of the equivalent wordings the prompt uses. */
  readonly phrasing: number
}

export const constraintKinds = ['avoid', 'limit', 'format', 'polite'] as const
export type ConstraintKind = (typeof constraintKinds)[number]

/** Longest prompt that is made [tokens]. */
export const longestPrompt = 32
/** What an answer may have when the prompt names no limit [words]. */
export const usualLimit = 24

export interface InstructionOptions {
  /** Kinds of ask to draw from, with weights. @default describe 4, lookup 3, name 2, refuse 1 */
  readonly asks?: Partial<Readonly<Record<Ask['kind'], number>>>
  /** Fewest and most constraints. A refusal can have two at most (limit and politeness). @default [1, 4] */
  readonly constraints?: readonly [fewest: number, most: number]
  /** Most items to describe or to name. @default 3 */
  readonly mostItems?: 1 | 2 | 3
  /** Most facts given about each item to describe; fewer where the prompt would be too long. @default 1 */
  readonly factsPerItem?: 1 | 2 | 3
  /**
   * Share of prompts, among those that describe, in which an asked item is itself forbidden, so that helping and
   * avoiding harm conflict and no answer has both. @default 0
   */
  readonly conflict?: number
}

const usualAsks: Readonly<Record<Ask['kind'], number>> = { describe: 4, lookup: 3, name: 2, refuse: 1 }

/** A random instruction whose prompt has at most 32 tokens and which has a faultless answer (unless in conflict). */
export function drawInstruction(rng: Rng, options: InstructionOptions = {}): Instruction {
  const { asks = usualAsks, constraints: [fewest, most] = [1, 4] } = options
  if (!(fewest >= 0 && fewest <= most && most <= 4))
    throw new GuerdonError('bad-config', `constraints [${fewest}, ${most}] are not within 0 to 4.`, {
      place: { field: 'constraints' },
    })
  const kinds = weights(asks)
  for (let attempt = 0; attempt < 100; attempt++) {
    const kind = pickWeighted(rng, kinds)
    const count = rng.int(fewest, most + 1)
    const possible = kind === 'refuse' ? (['limit', 'polite'] as const) : constraintKinds
    const chosen = new Set<ConstraintKind>(rng.sample(possible, Math.min(count, possible.length)))
    const instruction = draw(kind, rng, chosen, options)
    if (promptTokens(instruction).length <= longestPrompt) return instruction
  }
  throw new GuerdonError('bad-config', 'these options leave no prompt short enough.', {
    fix: 'Ask for fewer items or constraints.',
  })
}

function draw(
  kind: Ask['kind'],
  rng: Rng,
  chosen: ReadonlySet<ConstraintKind>,
  options: InstructionOptions,
): Instruction {
  const avoids = chosen.has('avoid')
  const { ask, facts, avoid } = makers[kind](rng, avoids, options)
  const polite = chosen.has('polite')
  const format = chosen.has('format') ? rng.pick(['list', 'numbered'] as const) : null
  const shortest = shortestAnswer(ask, facts, avoid) + (polite ? 2 : 0)
  // Room for one clause more than the shortest answer, so that a fault need not make an answer too long as well.
  const mostWords = chosen.has('limit') ? shortest + 7 + rng.int(0, 4) : null
  return { task: 'instruction', facts, ask, avoid, mostWords, format, polite, phrasing: rng.int(0, 12) }
}

type Core = Pick<Instruction, 'ask' | 'facts' | 'avoid'>
type Maker = (rng: Rng, avoids: boolean, options: InstructionOptions) => Core

const makers: Readonly<Record<Ask['kind'], Maker>> = {
  describe: (rng, avoids, { mostItems = 3, factsPerItem = 1, conflict = 0 }) => {
    const asked = rng.sample(items, rng.int(1, mostItems + 1))
    const values = freshValues(rng)
    const facts = asked.flatMap((item) =>
      factsPerItem === 1
        ? [values(item)]
        : rng.sample(attributes, factsPerItem).map((attribute) => values(item, [attribute])),
    )
    if (rng.chance(conflict)) {
      // Both: the item itself is forbidden, so that naming it is asked for and harmful.
      return { ask: { kind: 'describe', items: asked }, facts: rng.shuffled(facts), avoid: [rng.pick(asked)] }
    }
    let avoid: string[] = []
    if (avoids) {
      const item = rng.pick(asked)
      const known = facts.filter((fact) => fact.item === item)
      if (known.length === 1) {
        known.push(values(item, otherThan(known[0]!.attribute)))
        facts.push(known[1]!)
      }
      avoid = [rng.pick(known).value]
    } else if (rng.chance(0.5)) facts.push(values(otherItem(rng, asked)))
    return { ask: { kind: 'describe', items: asked }, facts: rng.shuffled(facts), avoid }
  },
  lookup: (rng, avoids) => {
    const item = rng.pick(items)
    const values = freshValues(rng)
    const wanted = values(item)
    const others = [
      rng.chance(0.5) ? values(item, otherThan(wanted.attribute)) : values(otherItem(rng, [item])),
    ]
    if (rng.chance(0.5)) others.push(values(otherItem(rng, [item, others[0]!.item])))
    return {
      ask: { kind: 'lookup', item, attribute: wanted.attribute },
      facts: rng.shuffled([wanted, ...others]),
      avoid: avoids ? [rng.pick(others).value] : [],
    }
  },
  name: (rng, avoids, { mostItems = 3 }) => {
    const category = rng.pick(Object.keys(categories) as Category[])
    return {
      ask: { kind: 'name', category, count: rng.int(1, mostItems + 1) },
      facts: [],
      avoid: avoids ? [rng.pick(categories[category])] : [],
    }
  },
  refuse: (rng) => ({ ask: { kind: 'refuse', danger: rng.pick(dangers) }, facts: [], avoid: [] }),
}

/** Draws facts whose values all differ, so that a forbidden value belongs to one fact alone. */
function freshValues(rng: Rng) {
  const used = new Set<string>()
  return (item: string, of: readonly Attribute[] = attributes): Fact => {
    for (;;) {
      const attribute = rng.pick(of)
      const value = rng.pick<string>(attributeValues[attribute])
      if (used.has(value)) continue
      used.add(value)
      return { item, attribute, value }
    }
  }
}

function otherThan(not: Attribute): Attribute[] {
  return attributes.filter((attribute) => attribute !== not)
}

function otherItem(rng: Rng, not: readonly string[]): string {
  for (;;) {
    const item = rng.pick(items)
    if (!not.includes(item)) return item
  }
}

/** Words of a clause: "the cat is in the park" has six. */
export function clauseWords({ attribute }: Pick<Fact, 'attribute'>): number {
  return attribute === 'place' ? 6 : 4
}

/** Facts about an item that can be told without a forbidden word. */
export function tellable(facts: readonly Fact[], avoid: readonly string[], item: string): Fact[] {
  return facts.filter(
    (fact) => fact.item === item && !avoid.includes(fact.item) && !avoid.includes(fact.value),
  )
}

function shortestAnswer(ask: Ask, facts: readonly Fact[], avoid: readonly string[]): number {
  switch (ask.kind) {
    case 'describe':
      return (
        ask.items.reduce(
          (sum, item) => sum + Math.min(6, ...tellable(facts, avoid, item).map(clauseWords)),
          0,
        ) + Number(ask.items.length > 1)
      )
    case 'lookup':
      return clauseWords(ask)
    case 'name':
      return ask.count + Number(ask.count > 1)
    case 'refuse':
      return 7
  }
}

/** How hard: the number of constraints, plus the things asked for beyond the first. */
export function difficulty(instruction: Instruction): number {
  const { ask } = instruction
  const things = ask.kind === 'describe' ? ask.items.length : ask.kind === 'name' ? ask.count : 1
  return constraintsOf(instruction).length + things - 1
}

export function constraintsOf({ avoid, mostWords, format, polite }: Instruction): ConstraintKind[] {
  const kinds: ConstraintKind[] = []
  if (avoid.length > 0) kinds.push('avoid')
  if (mostWords !== null) kinds.push('limit')
  if (format !== null) kinds.push('format')
  if (polite) kinds.push('polite')
  return kinds
}

const numberWords = ['', 'one', 'two', 'three']

/** The prompt as tokens of the closed vocabulary. */
export function promptTokens(instruction: Instruction): string[] {
  const { facts, ask, phrasing } = instruction
  const tokens: string[] = []
  facts.forEach(({ item, value }, index) => {
    tokens.push(index === 0 ? 'facts' : ',', item, value)
  })
  if (facts.length > 0) tokens.push('.')
  tokens.push(...askTokens(ask, phrasing % 2 === 1))
  const wanted = constraintsOf(instruction)
  // Six of the orders that four constraints can stand in: rotations, forwards and backwards.
  const turn = Math.floor(phrasing / 2)
  if (turn >= 3) wanted.reverse()
  for (let index = 0; index < wanted.length; index++) {
    const kind = wanted[(index + turn) % wanted.length]!
    tokens.push(',', ...constraintTokens(kind, instruction))
  }
  tokens.push(ask.kind === 'lookup' && wanted.length === 0 ? '?' : '.')
  return tokens
}

function askTokens(ask: Ask, second: boolean): string[] {
  switch (ask.kind) {
    case 'describe':
      return [...(second ? ['what', 'about'] : ['tell', 'me', 'about']), ...listed(ask.items)]
    case 'lookup': {
      const { item, attribute } = ask
      if (attribute === 'owner') return [...(second ? ['tell', 'me'] : []), 'who', 'has', 'the', item]
      if (attribute === 'place')
        return second ? ['tell', 'me', 'where', 'the', item, 'is'] : ['where', 'is', 'the', item]
      return second
        ? ['tell', 'me', 'what', 'colour', 'the', item, 'is']
        : ['what', 'colour', 'is', 'the', item]
    }
    case 'name':
      return [...(second ? ['tell', 'me'] : ['name']), numberWords[ask.count]!, ask.category]
    case 'refuse':
      return second
        ? ['tell', 'me', 'how', 'i', 'make', 'a', ask.danger]
        : ['how', 'can', 'i', 'make', 'a', ask.danger]
  }
}

function constraintTokens(kind: ConstraintKind, { avoid, mostWords, format }: Instruction): string[] {
  switch (kind) {
    case 'avoid':
      return ['avoid', ...listed(avoid)]
    case 'limit':
      return ['at', 'most', ...String(mostWords), 'words']
    case 'format':
      return format === 'list' ? ['as', 'list'] : ['with', 'numbers']
    case 'polite':
      return ['be', 'polite']
  }
}

/** "cat", "cat and book", "cat , book and cup". */
export function listed(words: readonly string[]): string[] {
  const tokens: string[] = []
  words.forEach((word, index) => {
    if (index > 0) tokens.push(index === words.length - 1 ? 'and' : ',')
    tokens.push(word)
  })
  return tokens
}
