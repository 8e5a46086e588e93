import { type Colour, colours, numberWords, typeName } from './attributes.ts'
import { numberText, parseCaption, placeText } from './caption-parser.ts'
import { type Claim, isTrue } from './claims.ts'
import { holds, isClear, placeOf, type Relation, relations } from './graph.ts'
import { countOf, listText, matching, type Noun, nounText, readNoun, withArticle } from './noun.ts'
import type { Scene, SceneObject } from './scene.ts'
import { joinedWords, WordReader, wordsOf } from './words.ts'

/** What a question asks. */
export type Query =
  /** "is there a red circle in the image?", "is the circle red?", "are there two stars?": yes or no. */
  | { readonly ask: 'whether'; readonly claim: Exclude<Claim, { readonly kind: 'opinion' | 'absence' }> }
  /** "how many red circles are there?": a number word. */
  | { readonly ask: 'how many'; readonly noun: Noun }
  /** "what colour is the circle?", and so on: the word for it. */
  | { readonly ask: 'colour' | 'shape' | 'size' | 'place'; readonly noun: Noun }
  /** "what is left of the red circle?": shape and colour of the only object that is. */
  | { readonly ask: 'what is'; readonly relation: Relation; readonly anchor: Noun }
  /** "are there more red shapes than stars?": yes or no. */
  | { readonly ask: 'more' | 'fewer'; readonly noun: Noun; readonly than: Noun }
  /** "which colours are there?": colour words with commas, in any order; "none". */
  | { readonly ask: 'colours' }
  /** "what colour is the background?" */
  | { readonly ask: 'background' }

export function queryText(query: Query): string {
  switch (query.ask) {
    case 'whether':
      return `${whetherText(query.claim)}?`
    case 'how many':
      return `how many ${nounText(query.noun, true)} are there?`
    case 'colour':
    case 'shape':
    case 'size':
      return `what ${query.ask} is the ${nounText(query.noun)}?`
    case 'place':
      return `where is the ${nounText(query.noun)}?`
    case 'what is':
      return `what is ${query.relation} the ${nounText(query.anchor)}?`
    case 'more':
    case 'fewer':
      return `are there ${query.ask} ${nounText(query.noun, true)} than ${nounText(query.than, true)}?`
    case 'colours':
      return 'which colours are there?'
    case 'background':
      return 'what colour is the background?'
  }
}

function whetherText(claim: Extract<Query, { readonly ask: 'whether' }>['claim']): string {
  switch (claim.kind) {
    case 'object':
      return `is there ${withArticle(nounText(claim.noun))} ${claim.place === undefined ? 'in the image' : placeText(claim.place)}`
    case 'count':
      return `${claim.count === 1 ? 'is' : 'are'} there ${numberText(claim.count)} ${nounText(claim.noun, claim.count !== 1)}`
    case 'attribute':
      return `is the ${nounText(claim.noun)} ${valueText(claim)}`
    case 'relation':
      return `is the ${nounText(claim.subject)} ${claim.relation} the ${nounText(claim.object)}`
    case 'colours':
      return `are the colours ${listText(claim.colours)}`
    case 'background':
      return `is the background ${claim.background}`
  }
}

/** What "the circle is" goes on with: "red", "small", "at the top", "a red star". */
export function valueText({ value, place }: Extract<Claim, { readonly kind: 'attribute' }>): string {
  if (place !== undefined) return placeText(place)
  return value.shape === undefined ? (value.colour ?? value.size ?? '') : withArticle(nounText(value))
}

/** Words. All eight colours in one question make 19. */
const longestQuery = 32

/** Reads a question of this world, "in the image" optional; undefined when it is none. */
export function parseQuery(text: string): Query | undefined {
  const words = wordsOf(text)
  if (words.at(-1)?.text !== '?' || words.length > longestQuery) return undefined
  const reader = new WordReader(words.slice(0, -1))
  const query = readQuery(reader)
  return reader.atEnd ? query : undefined
}

function readQuery(reader: WordReader): Query | undefined {
  if (reader.takePhrase('which colours are there')) return { ask: 'colours' }
  if (reader.takePhrase('what colour is the background')) return { ask: 'background' }
  if (reader.takePhrase('how many')) {
    const noun = readNoun(reader)?.noun
    return noun && reader.takePhrase('are there') ? { ask: 'how many', noun } : undefined
  }
  for (const ask of ['colour', 'shape', 'size'] as const) {
    if (reader.takePhrase(`what ${ask} is the`)) return aboutOne(ask, reader)
  }
  if (reader.takePhrase('where is the')) return aboutOne('place', reader)
  if (reader.takePhrase('what is')) {
    const relation = reader.takeLongest(relations)
    if (relation === undefined || !reader.takePhrase('the')) return undefined
    const anchor = readNoun(reader)?.noun
    return anchor && { ask: 'what is', relation, anchor }
  }
  for (const ask of ['more', 'fewer'] as const) {
    if (!reader.takePhrase(`are there ${ask}`)) continue
    const noun = readNoun(reader)?.noun
    const than = reader.takePhrase('than') ? readNoun(reader)?.noun : undefined
    return noun && than && { ask, noun, than }
  }
  return readWhether(reader)
}

function aboutOne(ask: 'colour' | 'shape' | 'size' | 'place', reader: WordReader): Query | undefined {
  const noun = readNoun(reader)?.noun
  return noun && { ask, noun }
}

/** "is there X" and "is the X Y" turned into the sentences "there is X" and "the X is Y". */
function readWhether(reader: WordReader): Query | undefined {
  const verb = reader.take()
  if (verb !== 'is' && verb !== 'are') return undefined
  const rest = reader.words.slice(1).map((word) => word.text)
  reader.position = reader.words.length
  if (rest.slice(-3).join(' ') === 'in the image') rest.length -= 3
  // The verb goes behind "there", or behind a noun of one to three words with its article.
  const places = rest[0] === 'there' ? [1] : [2, 3, 4]
  for (const place of places) {
    const sentence = joinedWords([...rest.slice(0, place), verb, ...rest.slice(place), '.'])
    const { claims, wellFormed } = parseCaption(sentence)
    const claim = claims[0]?.claim
    if (wellFormed && claims.length === 1 && claim && claim.kind !== 'opinion' && claim.kind !== 'absence')
      return { ask: 'whether', claim }
  }
  return undefined
}

/**
 * The exact answer, or undefined where the question has none: it names "the circle" and there is not exactly one,
 * a relation lies within its margin for every candidate, or several objects would do.
 */
export function answerTo(scene: Scene, query: Query): string | undefined {
  switch (query.ask) {
    case 'whether':
      return isWellPosed(scene, query.claim) ? yesNo(isTrue(scene, query.claim)!) : undefined
    case 'how many':
      return numberWords[countOf(scene, query.noun)]
    case 'colour':
    case 'shape':
    case 'size':
      return onlyOne(scene, query.noun)?.[query.ask]
    case 'place': {
      const object = onlyOne(scene, query.noun)
      return object && placeOf(object, scene)
    }
    case 'what is':
      return answerOfRelated(scene, query.relation, query.anchor)
    case 'more':
      return yesNo(countOf(scene, query.noun) > countOf(scene, query.than))
    case 'fewer':
      return yesNo(countOf(scene, query.noun) < countOf(scene, query.than))
    case 'colours':
      return coloursOf(scene).join(', ') || 'none'
    case 'background':
      return scene.background
  }
}

function yesNo(holdsTrue: boolean): string {
  return holdsTrue ? 'yes' : 'no'
}

function onlyOne(scene: Scene, noun: Noun): SceneObject | undefined {
  const found = matching(scene, noun)
  return found.length === 1 ? found[0] : undefined
}

/** "the" asks for exactly one; sides of a direction must be clear. */
function isWellPosed(scene: Scene, claim: Claim): boolean {
  if (claim.kind === 'attribute') return onlyOne(scene, claim.noun) !== undefined
  if (claim.kind !== 'relation') return true
  const a = onlyOne(scene, claim.subject)
  const b = onlyOne(scene, claim.object)
  return a !== undefined && b !== undefined && a !== b && isClear(scene, a, claim.relation, b)
}

function answerOfRelated(scene: Scene, relation: Relation, anchorNoun: Noun): string | undefined {
  const anchor = onlyOne(scene, anchorNoun)
  if (anchor === undefined) return undefined
  const others = scene.objects.filter((object) => object !== anchor)
  if (!others.every((object) => isClear(scene, object, relation, anchor))) return undefined
  const related = others.filter((object) => holds(scene, object, relation, anchor))
  return related.length === 1 ? typeName(related[0]!) : undefined
}

export function coloursOf(scene: Scene): Colour[] {
  return colours.filter((colour) => scene.objects.some((object) => object.colour === colour))
}
