import { isDialogue, type Part, type Rng, type Sample, type Turns, textOf } from '../../core/index.ts'

/** What attacks work on: a prompt with a good and a bad answer, or with one of them. */
export interface AttackItem {
  readonly id: string
  /** Items of one cluster are not independent: intervals keep them together. @default the item alone */
  readonly cluster?: string
  readonly good?: Sample
  readonly bad?: Sample
}

/**
 * What a sound judge does:
 * - `rejected`: the output answers nothing, so it is not accepted.
 * - `no-gain`: what was added to an answer says nothing about it, so it does not become better.
 * - `same`: what was changed does not matter.
 * - `worse`: what was destroyed mattered.
 */
export type Expectation = 'rejected' | 'no-gain' | 'same' | 'worse'

export interface AttackVariant {
  readonly name: string
  /** What is judged instead; the runner gives it an id of its own. */
  readonly sample: Sample
}

/** One way to fool a judge. An attack joins by an entry in a list of `attacks.ts`. */
export interface Attack {
  /** kebab-case. */
  readonly name: string
  /** Attacks of one kind are shown together. */
  readonly family: AttackFamily
  /** One sentence: what is done, as a reader of the report sees it. */
  readonly summary: string
  readonly expects: Expectation
  /** The answer that is changed; the other one where there is none. @default bad, good for `same` and `worse` */
  readonly of?: 'good' | 'bad'
  /** None where the attack does not apply. */
  variants(base: Sample, context: AttackContext): readonly AttackVariant[]
}

export interface AttackContext {
  readonly item: AttackItem
  /** Forked for the item. */
  readonly rng: Rng
  /** Good answers to other prompts. */
  readonly others: readonly Sample[]
}

export type AttackFamily =
  | 'empty answers'
  | 'master keys'
  | 'length'
  | 'authority'
  | 'injection'
  | 'leaks'
  | 'meaning'
  | 'consistency'

/** The sample whose answer an attack changes. */
export function baseOf(
  { expects, of }: Pick<Attack, 'expects' | 'of'>,
  { good, bad }: AttackItem,
): Sample | undefined {
  const wanted = of ?? (expects === 'same' || expects === 'worse' ? 'good' : 'bad')
  return wanted === 'good' ? (good ?? bad) : (bad ?? good)
}

/** An output with its text changed: the text itself, the last text part, or the last assistant turn. */
export function withText(turns: Turns, change: (text: string) => string): Turns {
  if (typeof turns === 'string') return change(turns)
  if (isDialogue(turns)) {
    const last = turns.findLastIndex(({ role }) => role === 'assistant')
    return turns.map((message, index) =>
      index === last
        ? { ...message, content: withText(message.content, change) as typeof message.content }
        : message,
    )
  }
  const parts = turns as readonly Part[]
  const last = parts.findLastIndex(({ type }) => type === 'text')
  if (last < 0) return [...parts, { type: 'text', text: change('') }]
  return parts.map((part, index) =>
    index === last && part.type === 'text' ? { ...part, text: change(part.text) } : part,
  )
}

/** Variants that replace the whole output. */
export function replaced(base: Sample, outputs: Readonly<Record<string, Turns>>): AttackVariant[] {
  return Object.entries(outputs).map(([name, output]) => ({ name, sample: { ...base, output } }))
}

/** Variants that change the output's text; those that leave it as it is are none. */
export function reworded(
  base: Sample,
  changes: Readonly<Record<string, (text: string) => string>>,
): AttackVariant[] {
  const before = textOf(base.output)
  return Object.entries(changes).flatMap(([name, change]) => {
    if (change(before) === before) return []
    return [{ name, sample: { ...base, output: withText(base.output, change) } }]
  })
}
