import { GuerdonError, type Rng } from '../../core/index.ts'
import { colours, numberWords, objectTypes, sizes, typeName } from './attributes.ts'
import { type PlacedClaim, parseCaption, placeText } from './caption-parser.ts'
import { type Claim, contradictThemselves, isTrue } from './claims.ts'
import { directions, places, type Relation } from './graph.ts'
import {
  articleFor,
  colourWords,
  type Noun,
  nounText,
  numberOfWord,
  pluralOf,
  shapeWords,
  sizeWords,
  withArticle,
} from './noun.ts'
import type { Scene } from './scene.ts'
import { joinedWords, type Span, wordsOf } from './words.ts'

/**
 * - `object`: an object that is there becomes one that is not (or an absence denies one that is there)
 * - `addition`: an object that is not there joins a list
 * - `colour`, `size`, `count`, `relation`, `place`: that word changes
 * - `swap`: two objects of a list or a relation exchange their colours
 */
export const corruptionTypes = [
  'object',
  'addition',
  'colour',
  'size',
  'count',
  'relation',
  'place',
  'swap',
] as const
export type CorruptionType = (typeof corruptionTypes)[number]

export interface Corruption {
  readonly type: CorruptionType
  /** The caption with one error. */
  readonly text: string
  /** From the first to the last changed word in `text`; words that change for grammar only ("a" to "an") are left out. */
  readonly span: Span
  /** What stood in the place of `span` ("" of an addition). */
  readonly truth: string
  /** The whole phrase or sentence that was changed, before and after. */
  readonly originalPhrase: string
  readonly changedPhrase: string
}

const comparisons: readonly Relation[] = ['larger than', 'smaller than']

interface Edit {
  /** Index of the first word replaced. */
  readonly at: number
  readonly remove: number
  readonly insert: readonly string[]
}

/**
 * Makes one claim of a true caption false and leaves all others true (both halves of a `swap` become false). The
 * result is a caption of the grammar: nothing but the image tells what is wrong. undefined when the caption has
 * nothing of that type to change.
 *
 * Throws a `GuerdonError` when the caption is outside the grammar or already false somewhere.
 */
export function corruptCaption(
  scene: Scene,
  caption: string,
  type: CorruptionType,
  rng: Rng,
): Corruption | undefined {
  const text = joinedWords(wordsOf(caption).map((word) => word.text))
  const { claims, wellFormed } = parseCaption(text)
  if (!wellFormed || claims.some(({ claim }) => isTrue(scene, claim) === false))
    throw new GuerdonError('caption-not-true', `"${caption}" is not a true caption of the scene.`, {
      fix: 'Corrupt captions that the oracle finds well-formed and true.',
    })
  const words = wordsOf(text)
  const edits = claims.flatMap((placed, index) =>
    editsOf[type]({
      scene,
      rng,
      claims,
      index,
      words: words.map((word) => word.text),
      at: wordRange(words, placed),
    }),
  )
  for (const changes of rng.shuffled(edits)) {
    const corruption = applied(scene, text, type, claims, changes)
    if (corruption !== undefined) return corruption
  }
  return undefined
}

function wordRange(words: readonly Span[], span: Span): readonly [first: number, end: number] {
  return [
    words.findIndex(({ start }) => start >= span.start),
    words.findLastIndex(({ end }) => end <= span.end) + 1,
  ]
}

// --- what may change

interface Place {
  readonly scene: Scene
  readonly rng: Rng
  readonly claims: readonly PlacedClaim[]
  readonly index: number
  readonly words: readonly string[]
  /** The words of this claim. */
  readonly at: readonly [first: number, end: number]
}

const editsOf: Readonly<Record<CorruptionType, (place: Place) => Edit[][]>> = {
  object: otherObjects,
  addition: additions,
  colour: (place) => (isKind(place, 'absence') ? [] : wordEdits(place, colourWords, colours)),
  size: (place) => (isKind(place, 'absence') ? [] : wordEdits(place, sizeWords, sizes)),
  count: counts,
  relation: (place) =>
    isKind(place, 'relation') ? [...phraseEdits(place, directions), ...phraseEdits(place, comparisons)] : [],
  place: (place) => phraseEdits(place, places.map(placeText)),
  swap: swaps,
}

function isKind({ claims, index }: Place, ...kinds: readonly Claim['kind'][]): boolean {
  return kinds.includes(claims[index]!.claim.kind)
}

/** Each word of `from` in the claim replaced by another of `to`. */
function wordEdits(
  { words, at: [first, end] }: Place,
  from: ReadonlySet<string>,
  to: readonly string[],
): Edit[][] {
  return words
    .slice(first, end)
    .flatMap((word, offset) =>
      from.has(word)
        ? to
            .filter((other) => other !== word)
            .map((other) => [{ at: first + offset, remove: 1, insert: [other] }])
        : [],
    )
}

/** Each phrase of a list in the claim replaced by another of the list. */
function phraseEdits({ words, at: [first, end] }: Place, phrases: readonly string[]): Edit[][] {
  const split = phrases.map((phrase) => phrase.split(' '))
  for (let at = first; at < end; at++) {
    const found = split
      .filter((phrase) => phrase.every((word, offset) => words[at + offset] === word))
      .sort((a, b) => b.length - a.length)[0]
    if (found !== undefined)
      return split
        .filter((phrase) => phrase !== found)
        .map((insert) => [{ at, remove: found.length, insert }])
  }
  return []
}

/** The number, or the article of an object without a place, becomes another number. */
function counts({ claims, index, words, at: [first] }: Place): Edit[][] {
  const { claim } = claims[index]!
  if (claim.kind !== 'count' && !(claim.kind === 'object' && claim.place === undefined)) return []
  const current = claim.kind === 'count' ? claim.count : 1
  const at = numberOfWord.has(words[first]!) || claim.kind === 'object' ? first : -1
  if (at < 0) return []
  return [current - 2, current - 1, current + 1, current + 2]
    .filter((count) => count >= 1 && count < numberWords.length)
    .map((count) => [{ at, remove: 1, insert: [numberWords[count]!] }])
}

/** The colour and shape words replaced by those of a type that makes the claim false. */
function otherObjects({ scene, claims, index, words, at: [first, end] }: Place): Edit[][] {
  const { claim } = claims[index]!
  if (claim.kind !== 'object' && claim.kind !== 'count' && claim.kind !== 'absence') return []
  if (!isTyped(claim.noun)) return []
  const shapeAt = words.findIndex((word, at) => at >= first && at < end && shapeWords.has(word))
  const { plural } = shapeWords.get(words[shapeAt]!)!
  const isThere = new Set(scene.objects.map(typeName))
  return objectTypes
    .filter(
      (type) => type.shape !== claim.noun.shape && isThere.has(typeName(type)) === (claim.kind === 'absence'),
    )
    .map(({ colour, shape }) => [
      { at: shapeAt - 1, remove: 2, insert: [colour, plural ? pluralOf(shape) : shape] },
    ])
}

/**
 * An absent object in the form of this one (with a size and a place if it has them): ", a green star" after an item
 * that is not the last, " and a green star" after the only one, a sentence of its own after a "there is".
 */
function additions({ scene, rng, claims, index, words, at: [first, end] }: Place): Edit[][] {
  const { claim } = claims[index]!
  if ((claim.kind !== 'object' && claim.kind !== 'count') || !isTyped(claim.noun)) return []
  const isLast = words[end] === '.'
  const starts = first === 0 || words[first - 1] === '.'
  const after = words[first - 2] === 'there'
  if (isLast && !starts && !after) return []
  const isThere = new Set(scene.objects.map(typeName))
  return objectTypes
    .filter((type) => !isThere.has(typeName(type)))
    .map((type) => {
      const noun = nounText({ ...type, ...(claim.noun.size === undefined ? {} : { size: rng.pick(sizes) }) })
      const place = claim.kind === 'object' && claim.place !== undefined ? [placeText(rng.pick(places))] : []
      const item = [withArticle(noun), ...place].join(' ').split(' ')
      if (isLast && after) return [{ at: end, remove: 0, insert: ['.', 'there', 'is', ...item] }]
      return [{ at: end, remove: 0, insert: [isLast ? 'and' : ',', ...item] }]
    })
}

function isTyped(noun: Noun): boolean {
  return noun.colour !== undefined && noun.shape !== undefined
}

/** The colours of this claim and of the next one exchanged, or those of a relation's two objects. */
function swaps({ claims, index, words, at: [first, end] }: Place): Edit[][] {
  const { claim } = claims[index]!
  const at = (from: number, to: number) =>
    words.flatMap((word, position) =>
      position >= from && position < to && colourWords.has(word) ? [position] : [],
    )
  let found: number[] = []
  if (claim.kind === 'relation') found = at(first, end)
  else if (claim.kind === 'object' || claim.kind === 'count') {
    const stop = words.indexOf('.', end)
    found = [...at(first, end).slice(0, 1), ...at(end, stop)].slice(0, 2)
  }
  const [a, b] = found
  if (a === undefined || b === undefined || words[a] === words[b]) return []
  return [
    [
      { at: a, remove: 1, insert: [words[b]!] },
      { at: b, remove: 1, insert: [words[a]!] },
    ],
  ]
}

// --- making the change

/** Words that only join what is inserted. */
const connecting: ReadonlySet<string> = new Set([',', '.', 'and', 'there', 'is'])

function applied(
  scene: Scene,
  original: string,
  type: CorruptionType,
  before: readonly PlacedClaim[],
  edits: readonly Edit[],
): Corruption | undefined {
  const words = wordsOf(original)
  const changed: { text: string; isNew: boolean }[] = words.map(({ text }) => ({ text, isNew: false }))
  for (const { at, remove, insert } of [...edits].sort((a, b) => b.at - a.at)) {
    const fresh = insert.map((text) => ({ text, isNew: !connecting.has(text) }))
    changed.splice(at, remove, ...fresh)
  }
  agree(changed)
  const text = joinedWords(changed.map((word) => word.text))
  const places = wordsOf(text)
  const fresh = places.filter((_, index) => changed[index]!.isNew)
  const span = { start: fresh[0]!.start, end: fresh.at(-1)!.end }
  const { claims, wellFormed } = parseCaption(text)
  if (!wellFormed || contradictThemselves(claims.map(({ claim }) => claim))) return undefined
  const wrong = claims.filter(({ claim }) => isTrue(scene, claim) === false)
  const touches = ({ start, end }: Span) => fresh.some((word) => word.start < end && start < word.end)
  // Exactly what was changed is false: one claim, or both halves of a swap.
  const touched = claims.filter(touches)
  if (touched.length === 0 || wrong.length !== touched.length || !wrong.every(touches)) return undefined
  if (type !== 'swap' && touched.length > 1) return undefined
  const [firstEdit, lastEdit] = [edits[0]!, edits.at(-1)!]
  const truth =
    type === 'addition'
      ? ''
      : original.slice(words[firstEdit.at]!.start, words[lastEdit.at + lastEdit.remove - 1]!.end)
  const phrase = { start: touched[0]!.start, end: touched.at(-1)!.end }
  const first = claims.indexOf(touched[0]!)
  const replaced = before[first]!
  const lastReplaced = before[first + touched.length - 1]!
  return {
    type,
    text,
    span,
    truth,
    originalPhrase: type === 'addition' ? '' : original.slice(replaced.start, lastReplaced.end),
    changedPhrase: text.slice(phrase.start, phrase.end),
  }
}

/** Articles, plurals and "there is" after a change, in place. */
function agree(words: { text: string; isNew: boolean }[]): void {
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    const next = words[i + 1]?.text ?? ''
    if (word.text === 'a' || word.text === 'an') word.text = articleFor(next)
    const count = numberOfWord.get(word.text)
    if (count === undefined) continue
    const noun = words.slice(i + 1, i + 4).find(({ text }) => shapeWords.has(text))
    if (noun !== undefined && shapeWords.get(noun.text)!.plural !== (count !== 1))
      noun.text = count === 1 ? singularOf(noun.text) : pluralOf(noun.text)
    if (words[i - 2]?.text === 'there') words[i - 1]!.text = count === 1 ? 'is' : 'are'
  }
}

function singularOf(plural: string): string {
  for (const word of shapeWords.keys()) if (pluralOf(word) === plural) return word
  return plural
}
