import { type Background, backgrounds, type Colour, numberWords, type SizeName } from './attributes.ts'
import type { Claim } from './claims.ts'
import { type Place, places, relations } from './graph.ts'
import { articleFor, colourWords, numberOfWord, readNoun, sizeWords } from './noun.ts'
import { type Span, type Word, WordReader, wordsOf } from './words.ts'

/** What a caption's sentence can end its "it looks" with. */
export const moods = ['calm', 'busy'] as const

export interface PlacedClaim extends Span {
  readonly claim: Claim
}

export interface Caption {
  /** Everything that the text claims, in order, with the phrase or sentence that does. */
  readonly claims: readonly PlacedClaim[]
  /** Sentences outside the grammar. */
  readonly unreadable: readonly Span[]
  /** Sentences, readable or not. */
  readonly sentences: readonly Span[]
  /** At least one sentence, and the grammar covers them all, each ended by a full stop. */
  readonly wellFormed: boolean
}

export function placeText(place: Place): string {
  return place === 'middle' ? 'in the middle' : `at the ${place}`
}

const placeOfText: ReadonlyMap<string, Place> = new Map(places.map((place) => [placeText(place), place]))
const placeTexts = [...placeOfText.keys()]

/**
 * Reads a caption by the published grammar (docs/scenes-grammar.md). Sentences are read one by one, so that one
 * unreadable sentence hides nothing else; the claims of a sentence count only when all of it was read.
 */
export function parseCaption(text: string): Caption {
  const claims: PlacedClaim[] = []
  const unreadable: Span[] = []
  const sentences: Span[] = []
  let stopped = true
  for (const { words, ended } of sentencesOf(wordsOf(text))) {
    const span = spanOf(words)
    sentences.push(span)
    stopped = ended
    const read = readSentence(new WordReader(words))
    if (read === undefined) unreadable.push(span)
    else claims.push(...read)
  }
  return {
    claims,
    unreadable,
    sentences,
    wellFormed: sentences.length > 0 && unreadable.length === 0 && stopped,
  }
}

const articles: ReadonlySet<string> = new Set(['a', 'an'])

function sentencesOf(words: readonly Word[]): { words: Word[]; ended: boolean }[] {
  const sentences: { words: Word[]; ended: boolean }[] = []
  let current: Word[] = []
  for (const word of words) {
    if (word.text !== '.') current.push(word)
    else {
      if (current.length > 0) sentences.push({ words: current, ended: true })
      current = []
    }
  }
  if (current.length > 0) sentences.push({ words: current, ended: false })
  return sentences
}

function spanOf(words: readonly Word[]): Span {
  return { start: words[0]!.start, end: words[words.length - 1]!.end }
}

function readSentence(reader: WordReader): PlacedClaim[] | undefined {
  const { words } = reader
  const whole = (claim: Claim | undefined) =>
    claim !== undefined && reader.atEnd ? [{ claim, ...spanOf(words) }] : undefined
  if (reader.takePhrase('it looks')) {
    const mood = reader.takeIn(new Set(moods))
    return whole(mood === undefined ? undefined : { kind: 'opinion', mood })
  }
  if (reader.takePhrase('the background is')) {
    const background = reader.takeIn(new Set<string>(backgrounds)) as Background | undefined
    return whole(background && { kind: 'background', background })
  }
  if (reader.takePhrase('the colours are')) {
    const colours = readColours(reader)
    return whole(colours && { kind: 'colours', colours })
  }
  if (reader.takePhrase('the')) return whole(readStatement(reader))
  const verb = reader.takePhrase('there is') ? 'is' : reader.takePhrase('there are') ? 'are' : undefined
  return readList(reader, verb)
}

/** COLOUR { "," COLOUR } [ [","] "and" COLOUR ] */
function readColours(reader: WordReader): Colour[] | undefined {
  const colours: Colour[] = []
  for (let last = false; ; ) {
    const colour = reader.takeIn(colourWords) as Colour | undefined
    if (colour === undefined) return undefined
    colours.push(colour)
    if (reader.atEnd) return colours
    const comma = reader.takePhrase(',')
    if (last) return undefined
    last = reader.takePhrase('and')
    if (!last && !comma) return undefined
  }
}

/** the NOUN is RELATION the NOUN | the NOUN is COLOUR, SIZE, PLACE or (a | an) NOUN */
function readStatement(reader: WordReader): Claim | undefined {
  const subject = readNoun(reader)
  if (subject === undefined || subject.plural || !reader.takePhrase('is')) return undefined
  const relation = reader.takeLongest(relations)
  if (relation !== undefined) {
    if (!reader.takePhrase('the')) return undefined
    const object = readNoun(reader)
    return object === undefined || object.plural
      ? undefined
      : { kind: 'relation', subject: subject.noun, relation, object: object.noun }
  }
  const place = readPlace(reader)
  if (place !== undefined) return { kind: 'attribute', noun: subject.noun, value: {}, place }
  const article = reader.takeIn(articles)
  if (article !== undefined) {
    const fits = article === articleFor(reader.peek() ?? '')
    const value = readNoun(reader)
    return value === undefined || value.plural || !fits
      ? undefined
      : { kind: 'attribute', noun: subject.noun, value: value.noun }
  }
  const colour = reader.takeIn(colourWords) as Colour | undefined
  if (colour !== undefined) return { kind: 'attribute', noun: subject.noun, value: { colour } }
  const size = reader.takeIn(sizeWords) as SizeName | undefined
  return size === undefined ? undefined : { kind: 'attribute', noun: subject.noun, value: { size } }
}

/** ITEM { "," ITEM } [ [","] "and" ITEM ]; an absence stands alone. */
function readList(reader: WordReader, verb: 'is' | 'are' | undefined): PlacedClaim[] | undefined {
  const claims: PlacedClaim[] = []
  for (let last = false; ; ) {
    const start = reader.position
    const item = readItem(reader)
    if (item === undefined) return undefined
    // "there is" or "there are" agrees with the first item.
    if (claims.length === 0 && verb !== undefined && item.plural !== (verb === 'are')) return undefined
    claims.push({ claim: item.claim, ...spanOf(reader.words.slice(start, reader.position)) })
    if (reader.atEnd) return item.claim.kind === 'absence' && claims.length > 1 ? undefined : claims
    const comma = reader.takePhrase(',')
    if (last || item.claim.kind === 'absence') return undefined
    last = reader.takePhrase('and')
    if (!last && !comma) return undefined
  }
}

/** (a | an | NUMBER | no) NOUN [PLACE] */
function readItem(reader: WordReader): { claim: Claim; plural: boolean } | undefined {
  const quantity = reader.take()
  const nounStart = reader.peek()
  const read = readNoun(reader)
  if (quantity === undefined || read === undefined) return undefined
  const { noun, plural } = read
  if (quantity === 'a' || quantity === 'an') {
    if (plural || quantity !== articleFor(nounStart!)) return undefined
    const place = readPlace(reader)
    return { claim: { kind: 'object', noun, ...(place === undefined ? {} : { place }) }, plural }
  }
  if (quantity === 'no') return { claim: { kind: 'absence', noun }, plural }
  const count = numberOfWord.get(quantity)
  if (count === undefined || plural !== (count !== 1)) return undefined
  return { claim: { kind: 'count', noun, count }, plural }
}

function readPlace(reader: WordReader): Place | undefined {
  if (reader.peek() !== 'at' && reader.peek() !== 'in') return undefined
  const phrase = reader.takeLongest(placeTexts)
  return phrase === undefined ? undefined : placeOfText.get(phrase)
}

/** The word for a number up to sixteen. */
export function numberText(count: number): string {
  const word = numberWords[count]
  if (word === undefined) throw new RangeError(`there is no word for ${count}`)
  return word
}
