import type { ObjectLexicon } from './object-lexicon.ts'
import { singular } from './singular.ts'

export interface ObjectMention {
  /** The object's name in the lexicon. */
  readonly object: string
  /** UTF-16 offsets of the words that name it. */
  readonly start: number
  readonly end: number
}

/**
 * The objects that a text mentions, in order, repeats kept, and how many tokens it has (punctuation included, a pair
 * of words read as one counted once): steps 1 to 4 of CHAIR. "Seat" beside "toilet" is no chair. Negation is not
 * understood: "no dog" mentions a dog.
 *
 * @source Rohrbach et al. 2018, arXiv 1809.02156; plurals by rule (`singular`) instead of pattern.singularize
 */
export function extractObjects(
  text: string,
  lexicon: ObjectLexicon,
): { readonly mentions: readonly ObjectMention[]; readonly tokens: number } {
  const tokens = [...text.matchAll(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*|['’]\p{L}+|[^\s\p{L}\p{N}]/gu)].map(
    (match) => ({
      word: singular(match[0].toLowerCase()),
      start: match.index,
      end: match.index + match[0].length,
    }),
  )
  const read: { word: string; start: number; end: number }[] = []
  for (let i = 0; i < tokens.length; i++) {
    const [token, next] = [tokens[i]!, tokens[i + 1]]
    const compound = next && lexicon.compounds.get(`${token.word} ${next.word}`)
    if (compound !== undefined) {
      read.push({ word: compound, start: token.start, end: next!.end })
      i++
    } else read.push(token)
  }
  const hasToilet = read.some(({ word }) => word === 'toilet')
  const kept = hasToilet ? read.filter(({ word }) => word !== 'seat') : read
  const mentions = kept.flatMap(({ word, start, end }) => {
    const object = lexicon.objects.get(word)
    return object === undefined ? [] : [{ object, start, end }]
  })
  return { mentions, tokens: kept.length }
}

/** The names of the objects in given words and captions: CHAIR's ground truth is the union of both. */
export function knownObjects(
  {
    objects = [],
    captions = [],
  }: { readonly objects?: readonly string[]; readonly captions?: readonly string[] },
  lexicon: ObjectLexicon,
): ReadonlySet<string> {
  const known = new Set<string>()
  for (const word of objects) known.add(lexicon.objects.get(word) ?? word)
  for (const caption of captions)
    for (const { object } of extractObjects(caption, lexicon).mentions) known.add(object)
  return known
}
