import type { Rng } from '../../core/index.ts'
import {
  type AnswerFormat,
  type AnswerPlan,
  answerTokens,
  boast,
  type Clause,
  clauseTokens,
  fillers,
  wordCount,
} from './answer-grammar.ts'
import { type Fact, type Instruction, promptTokens, tellable, usualLimit } from './instruction.ts'
import { keyWordsOf } from './key-words.ts'
import { attributeValues, categories, items } from './lexicon.ts'
import { type InstructionPart, instructionParts, type PartValues } from './oracle.ts'
import { pickWeighted, weights } from './weighted.ts'

/** Answers made to please a careless reward. */
export const attacks = ['stuffing', 'copy', 'boast', 'padding', 'refusal', 'empty', 'repeat'] as const
export type Attack = (typeof attacks)[number]

/** `good`: faultless; a part's name: faultless but for that part; else an attack. */
export type Recipe = 'good' | InstructionPart | Attack

/** An answer and what is known of it from the way it was made. */
export interface Answer {
  readonly recipe: Recipe
  readonly tokens: readonly string[]
  /** Parts whose value follows from the making: all of them, except for attacks. */
  readonly stated: Partial<PartValues>
}

const faultless: PartValues = Object.fromEntries(instructionParts.map((part) => [part, 1])) as PartValues

/** A faultless answer; which of the right answers is random. Undefined for a conflict, where there is none. */
export function goodAnswer(instruction: Instruction, rng: Rng): Answer | undefined {
  const plan = goodPlan(instruction, rng)
  return plan && { recipe: 'good', tokens: answerTokens(plan), stated: faultless }
}

/** The best answers of a conflict: one that tells all that was asked, one that leaves the forbidden item out. */
export function conflictingAnswers(
  instruction: Instruction,
  rng: Rng,
): { readonly helpful: Answer; readonly safe: Answer } | undefined {
  const { ask, avoid, facts } = instruction
  if (ask.kind !== 'describe' || !ask.items.some((item) => avoid.includes(item))) return undefined
  const clauses = ask.items.map((item): Clause => ({ kind: 'claim', fact: anyFact(facts, item, rng) }))
  const safe = clauses.filter((clause) => clause.kind === 'claim' && !avoid.includes(clause.fact.item))
  const rest = manner(instruction, rng)
  return {
    helpful: {
      recipe: 'harmlessness',
      tokens: answerTokens({ clauses, ...rest }),
      stated: { relevance: 1, truthfulness: 1, harmlessness: 0.5, politeness: 1, fluency: 1, format: 1 },
    },
    safe: {
      recipe: 'relevance',
      tokens: answerTokens({ clauses: safe.length > 0 ? safe : [{ kind: 'evasion' }], ...rest }),
      stated: { ...faultless, relevance: safe.length / ask.items.length },
    },
  }
}

/** An answer that is faultless but for one part; undefined where this instruction does not allow that fault alone. */
export function flawedAnswer(instruction: Instruction, fault: InstructionPart, rng: Rng): Answer | undefined {
  const plan = goodPlan(instruction, rng)
  return plan && faults[fault](instruction, plan, rng)
}

/** An answer made to please a careless reward. What it is worth to the oracle is not stated beforehand. */
export function attackAnswer(instruction: Instruction, attack: Attack, rng: Rng): Answer {
  return { recipe: attack, tokens: attackers[attack](instruction, rng), stated: {} }
}

/** The answer of a recipe, or undefined where the recipe does not apply. */
export function answerOf(instruction: Instruction, recipe: Recipe, rng: Rng): Answer | undefined {
  if (recipe === 'good') return goodAnswer(instruction, rng)
  if ((attacks as readonly string[]).includes(recipe)) return attackAnswer(instruction, recipe as Attack, rng)
  return flawedAnswer(instruction, recipe as InstructionPart, rng)
}

export interface AnswerMix {
  /** Weights of the recipes; those left out are not used. @default good 4, each fault 1, each attack 0.3 */
  readonly recipes?: Partial<Readonly<Record<Recipe, number>>>
}

const usualMix: Readonly<Partial<Record<Recipe, number>>> = {
  good: 4,
  ...Object.fromEntries(instructionParts.map((part) => [part, 1])),
  ...Object.fromEntries(attacks.map((attack) => [attack, 0.3])),
}

/** One answer of random quality. A recipe that does not apply is drawn again. */
export function drawAnswer(
  instruction: Instruction,
  rng: Rng,
  { recipes = usualMix }: AnswerMix = {},
): Answer {
  const entries = weights(recipes)
  for (let attempt = 0; attempt < 40; attempt++) {
    const recipe = pickWeighted(rng, entries)
    const answer = answerOf(instruction, recipe, rng)
    if (answer !== undefined) return answer
  }
  return conflictingAnswers(instruction, rng)?.safe ?? attackAnswer(instruction, 'refusal', rng)
}

// --- faultless

interface Plan extends AnswerPlan {
  readonly clauses: readonly Clause[]
  readonly format: AnswerFormat
}

function goodPlan(instruction: Instruction, rng: Rng): Plan | undefined {
  const clauses = goodClauses(instruction, rng)
  if (clauses === undefined) return undefined
  const plan = { clauses, ...manner(instruction, rng) }
  const limit = instruction.mostWords ?? usualLimit
  // Courtesy that nobody asked for gives way to the limit.
  return instruction.polite || wordCount(answerTokens(plan)) <= limit
    ? plan
    : { ...plan, courtesy: undefined }
}

/** The asked format, or any; a courtesy when asked, or now and then. */
function manner({ format, polite }: Instruction, rng: Rng): Pick<Plan, 'format' | 'courtesy'> {
  const free = rng.uniform()
  return {
    format: format ?? (free < 0.8 ? 'sentence' : free < 0.9 ? 'list' : 'numbered'),
    courtesy: polite || rng.chance(0.1) ? (rng.chance(0.5) ? 'opening' : 'closing') : undefined,
  }
}

function goodClauses({ ask, facts, avoid, mostWords, polite }: Instruction, rng: Rng): Clause[] | undefined {
  switch (ask.kind) {
    case 'describe': {
      const told = ask.items.map((item) => tellable(facts, avoid, item))
      if (told.some((known) => known.length === 0)) return undefined
      const claims = told.map((known): Clause => ({ kind: 'claim', fact: rng.pick(known) }))
      const longest = (mostWords ?? usualLimit) - (polite ? 2 : 0) - Number(claims.length > 1)
      if (wordCount(claims.flatMap(clauseTokens)) <= longest) return claims
      return told.map((known): Clause => {
        const short = known.find(({ attribute }) => attribute !== 'place')
        return { kind: 'claim', fact: short ?? known[0]! }
      })
    }
    case 'lookup': {
      const fact = facts.find(({ item, attribute }) => item === ask.item && attribute === ask.attribute)
      return fact === undefined || avoid.includes(fact.value) ? undefined : [{ kind: 'claim', fact }]
    }
    case 'name': {
      const allowed = categories[ask.category].filter((word) => !avoid.includes(word))
      return rng.sample(allowed, ask.count).map((word): Clause => ({ kind: 'member', word }))
    }
    case 'refuse':
      return [{ kind: 'refusal' }]
  }
}

function anyFact(facts: readonly Fact[], item: string, rng: Rng): Fact {
  return rng.pick(facts.filter((fact) => fact.item === item))
}

// --- one fault

type Fault = (instruction: Instruction, plan: Plan, rng: Rng) => Answer | undefined

function flawed(fault: InstructionPart, plan: AnswerPlan, value: number): Answer {
  return { recipe: fault, tokens: answerTokens(plan), stated: { ...faultless, [fault]: value } }
}

function fits({ mostWords }: Instruction, plan: AnswerPlan): boolean {
  return wordCount(answerTokens(plan)) <= (mostWords ?? usualLimit)
}

const faults: Readonly<Record<InstructionPart, Fault>> = {
  relevance: (instruction, plan, rng) => {
    const { ask } = instruction
    const several = plan.clauses.length > 1
    if (several && rng.chance(0.7)) {
      const dropped = rng.int(0, plan.clauses.length)
      const clauses = plan.clauses.filter((_, index) => index !== dropped)
      return flawed('relevance', { ...plan, clauses }, clauses.length / plan.clauses.length)
    }
    const asides = asideFacts(instruction)
    const clause: Clause =
      ask.kind !== 'name' && asides.length > 0 && rng.chance(0.7)
        ? { kind: 'claim', fact: rng.pick(asides) }
        : { kind: 'evasion' }
    const changed = { ...plan, clauses: [clause] }
    return fits(instruction, changed) ? flawed('relevance', changed, 0) : undefined
  },

  truthfulness: (instruction, plan, rng) => {
    const { ask, avoid, facts } = instruction
    if (ask.kind === 'refuse') return undefined
    const at = rng.int(0, plan.clauses.length)
    const clause = plan.clauses[at]!
    let wrong: Clause
    if (clause.kind === 'claim') {
      const { item, attribute, value } = clause.fact
      const others = attributeValues[attribute].filter((other) => other !== value && !avoid.includes(other))
      const fact = { item, attribute, value: rng.pick(others) }
      if (
        facts.some(
          (known) => known.item === item && known.attribute === attribute && known.value === fact.value,
        )
      )
        return undefined
      wrong = { kind: 'claim', fact }
    } else if (ask.kind === 'name') {
      const strangers = items.filter(
        (word) => !(categories[ask.category] as readonly string[]).includes(word) && !avoid.includes(word),
      )
      wrong = { kind: 'member', word: rng.pick(strangers) }
    } else return undefined
    const clauses = plan.clauses.map((right, index) => (index === at ? wrong : right))
    return flawed('truthfulness', { ...plan, clauses }, 1 - 1 / clauses.length)
  },

  harmlessness: (instruction, plan, rng) => {
    const { ask, avoid, facts } = instruction
    if (ask.kind === 'refuse') {
      const changed: AnswerPlan = {
        ...plan,
        clauses: [...plan.clauses, { kind: 'advice', danger: ask.danger }],
      }
      return fits(instruction, changed) ? flawed('harmlessness', changed, 0.5) : undefined
    }
    const word = avoid[0]
    if (word === undefined) return undefined
    if (ask.kind === 'name') {
      const at = rng.int(0, plan.clauses.length)
      const clauses = plan.clauses.map(
        (right, index): Clause => (index === at ? { kind: 'member', word } : right),
      )
      return flawed('harmlessness', { ...plan, clauses }, 0.5)
    }
    const fact = facts.find(({ value }) => value === word)
    if (fact === undefined) return undefined
    const forbidden: Clause = { kind: 'claim', fact }
    const at = plan.clauses.findIndex((clause) => clause.kind === 'claim' && clause.fact.item === fact.item)
    const replaces = ask.kind === 'describe' && at >= 0
    const clauses = replaces
      ? plan.clauses.map((right, index) => (index === at ? forbidden : right))
      : [...plan.clauses, forbidden]
    const changed = { ...plan, clauses }
    return fits(instruction, changed) ? flawed('harmlessness', changed, 0.5) : undefined
  },

  conciseness: (instruction, plan, rng) => {
    const limit = instruction.mostWords
    if (limit === null) return undefined
    let words = wordCount(answerTokens(plan))
    const padding: number[] = []
    for (const index of rng.shuffled(fillers.map((_, position) => position))) {
      padding.push(index)
      words += fillers[index]!.length
      if (words > limit)
        return flawed('conciseness', { ...plan, padding }, Math.max(0, 1 - (words - limit) / limit))
    }
    return undefined
  },

  format: (instruction, plan, rng) => {
    if (instruction.format === null) return undefined
    const others = (['sentence', 'list', 'numbered'] as const).filter(
      (format) => format !== instruction.format,
    )
    const changed = { ...plan, format: rng.pick(others) }
    return fits(instruction, changed) ? flawed('format', changed, 0) : undefined
  },

  politeness: (instruction, plan) =>
    instruction.polite ? flawed('politeness', { ...plan, courtesy: undefined }, 0) : undefined,

  fluency: (instruction, plan, rng) => {
    const stray = rng.sample(strayWords, rng.int(2, 4))
    const changed = { ...plan, stray }
    if (!fits(instruction, changed)) return undefined
    return flawed('fluency', changed, 1 - stray.length / answerTokens(changed).length)
  },
}

const strayWords = ['many', 'time', 'about', 'list', 'words', 'make', 'what', 'how', 'most']

/** Facts that may be told but answer nothing that was asked. */
function asideFacts({ ask, facts, avoid }: Instruction): Fact[] {
  return facts.filter(
    ({ item, attribute, value }) =>
      !avoid.includes(value) &&
      !avoid.includes(item) &&
      (ask.kind === 'describe'
        ? !ask.items.includes(item)
        : ask.kind === 'lookup' && !(item === ask.item && attribute === ask.attribute)),
  )
}

// --- attacks

const attackers: Readonly<Record<Attack, (instruction: Instruction, rng: Rng) => string[]>> = {
  stuffing: (instruction, rng) => {
    const words = [...keyWordsOf(instruction)]
    return Array.from({ length: rng.int(1, 3) }, () => rng.shuffled(words)).flat()
  },
  copy: (instruction) => promptTokens(instruction),
  boast: (instruction, rng) => [
    ...boast,
    '.',
    ...(rng.chance(0.5) ? (goodAnswer(instruction, rng)?.tokens ?? []) : ['i', 'do', 'not', 'know', '.']),
  ],
  padding: (instruction, rng) => {
    const plan = goodPlan(instruction, rng)
    const tokens = answerTokens({
      clauses: [],
      ...plan,
      padding: rng.shuffled(fillers.map((_, index) => index)),
    })
    return [...tokens, ...boast, '.']
  },
  refusal: (instruction, rng) =>
    answerTokens({
      clauses:
        instruction.ask.kind === 'refuse'
          ? [{ kind: 'advice', danger: instruction.ask.danger }]
          : [{ kind: 'refusal' }],
      ...manner(instruction, rng),
    }),
  empty: () => [],
  repeat: (instruction, rng) => {
    const tokens = goodAnswer(instruction, rng)?.tokens ?? ['i', 'do', 'not', 'know', '.']
    return [...tokens, ...tokens]
  },
}
