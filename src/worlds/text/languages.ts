import { GuerdonError, Rng } from '../../core/index.ts'
import type { Vocabulary } from './tokenizer.ts'
import { textVocabulary } from './vocabulary.ts'

/**
 * How a clause's words are ordered: as in the base language; the other way round; or the first word last. Clauses end
 * at punctuation, list marks, "and", numbers, tags and line breaks, which keep their places.
 */
export type WordOrder = 'base' | 'reversed' | 'first-last'
export const scripts = ['latin', 'greek', 'cyrillic'] as const
export type Script = (typeof scripts)[number]

/** A surface of the world: the same facts and clauses in other words, in another order. */
export interface Language {
  readonly name: string
  readonly order: WordOrder
  readonly script: Script
  /** Word of the base language to word of this one; one to one. Empty for the base language itself. */
  readonly lexicon: ReadonlyMap<string, string>
  readonly back: ReadonlyMap<string, string>
}

export const baseLanguage: Language = {
  name: 'base',
  order: 'base',
  script: 'latin',
  lexicon: new Map(),
  back: new Map(),
}

/** Words of the base language: what is translated. Marks, tags, digits, signs and pieces of JSON are shared. */
export const translatedWords: readonly string[] = textVocabulary.tokens.filter((token) =>
  /^[a-z]+$/.test(token),
)

const syllables: Readonly<Record<Script, { readonly consonants: string; readonly vowels: string }>> = {
  latin: { consonants: 'bdfgklmnprstvz', vowels: 'aeiou' },
  greek: { consonants: 'βγδζκλμνπρστφχ', vowels: 'αεηιου' },
  cyrillic: { consonants: 'бвгджзклмнпрст', vowels: 'аеиоу' },
}
const orders: readonly WordOrder[] = ['reversed', 'first-last', 'base']

/**
 * Language number `index` (1, 2, ...; 0 is the base language). Languages 1 and 2 differ in order and script from the
 * base and from each other; further ones run through scripts and orders. Every language has words of its own: no word
 * is shared with another language, so that the language of a word is known.
 */
export function language(index: number): Language {
  if (!(Number.isInteger(index) && index >= 0 && index < 100))
    throw new GuerdonError('bad-config', `there is no language ${index}; languages are numbered 0 to 99.`)
  if (index === 0) return baseLanguage
  const script = scripts[index % scripts.length]!
  const order = orders[(index + 2) % orders.length]!
  const { consonants, vowels } = syllables[script]
  const rng = new Rng(`language/${index}`)
  // The last syllable names the language within its script, so that no two languages share a word.
  const family = Math.floor(index / scripts.length)
  const ending =
    consonants[family % consonants.length]! + vowels[Math.floor(family / consonants.length) % vowels.length]!
  const used = new Set<string>()
  const lexicon = new Map<string, string>()
  for (const word of translatedWords) {
    let other: string
    do {
      other = ''
      for (let syllable = 0; syllable < 2; syllable++)
        other += rng.pick([...consonants]) + rng.pick([...vowels])
      other += ending
    } while (used.has(other) || textVocabulary.has(other))
    used.add(other)
    lexicon.set(word, other)
  }
  return {
    name: `language-${index}`,
    order,
    script,
    lexicon,
    back: new Map([...lexicon].map(([word, other]) => [other, word])),
  }
}

/** The closed vocabulary with the words of further languages after its own; ids of the base words stay as they are. */
export function vocabularyOf(languages: readonly Language[]): Vocabulary {
  return textVocabulary.extended(languages.flatMap(({ lexicon }) => [...lexicon.values()]))
}

/** From the base language into another. Exact for any tokens: `untranslate` gives them back. */
export function translate(tokens: readonly string[], { lexicon, order }: Language): string[] {
  return reordered(tokens, order, true).map((token) => lexicon.get(token) ?? token)
}

/** From another language back into the base language. Words of neither are kept. */
export function untranslate(tokens: readonly string[], { back, order }: Language): string[] {
  return reordered(
    tokens.map((token) => back.get(token) ?? token),
    order,
    false,
  )
}

/** As `translate`, of text. White space comes out normalised. */
export function translateText(text: string, to: Language): string {
  return textVocabulary.join(translate(textVocabulary.split(text), to))
}

export function untranslateText(text: string, from: Language): string {
  return textVocabulary.join(untranslate(textVocabulary.split(text), from))
}

function reordered(tokens: readonly string[], order: WordOrder, forwards: boolean): string[] {
  if (order === 'base') return [...tokens]
  const result: string[] = []
  let clause: string[] = []
  const flush = () => {
    if (order === 'reversed') clause.reverse()
    else if (clause.length > 1) {
      if (forwards) clause.push(clause.shift()!)
      else clause.unshift(clause.pop()!)
    }
    result.push(...clause)
    clause = []
  }
  for (const token of tokens) {
    // Words are reordered in the base language in both directions, so "and" is always this word here.
    if (isLetter(token) && token !== 'and') clause.push(token)
    else {
      flush()
      result.push(token)
    }
  }
  flush()
  return result
}

function isLetter(token: string): boolean {
  return /^\p{L}/u.test(token)
}

/**
 * Some clauses in the other language, each with probability `share`; clause boundaries are those of `translate`.
 * `untranslate` does not undo this where orders differ: what language a clause is in shows in its words, and
 * `uncodeSwitch` reads it there.
 */
export function codeSwitch(tokens: readonly string[], to: Language, share: number, rng: Rng): string[] {
  return byClause(tokens, (clause) => (rng.chance(share) ? translate(clause, to) : clause))
}

/** Turns code-switched tokens back: a clause whose words are of the other language is translated back. */
export function uncodeSwitch(tokens: readonly string[], from: Language): string[] {
  return byClause(tokens, (clause) =>
    clause.some((word) => from.back.has(word)) ? untranslate(clause, from) : clause,
  )
}

function byClause(tokens: readonly string[], change: (clause: string[]) => string[]): string[] {
  const result: string[] = []
  let clause: string[] = []
  for (const token of tokens) {
    if (isLetter(token) && token !== 'and') clause.push(token)
    else {
      result.push(...change(clause), token)
      clause = []
    }
  }
  return [...result, ...change(clause)]
}

/** A bad translator: each word is replaced, with probability `noise`, by another word of the same language. */
export function noisyTranslation(tokens: readonly string[], to: Language, noise: number, rng: Rng): string[] {
  const words = [...to.lexicon.values()]
  return translate(tokens, to).map((token) =>
    to.back.has(token) && rng.chance(noise) ? rng.pick(words) : token,
  )
}
