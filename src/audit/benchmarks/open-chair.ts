import { singular } from '../../rewards/verifiable/text/singular.ts'

/** What a judge said of one object: there, not there, not to tell; `ignored` objects are not asked about. */
export type ObjectVerdict = 'yes' | 'no' | 'unsure' | 'ignored' | `ERROR: ${string}`

/** Names of the medium instead of something in it. */
const ignored = new Set(['painting', 'drawing', 'photo', 'picture', 'portrait', 'photograph'])

/**
 * The concrete objects that a caption names, in order, repeats kept: singular lower-case words rated above 4.5
 * (strictly) by `concreteness`; words that it lacks are dropped. Ratings are those of Brysbaert et al. 2014, which
 * are not part of the package, and should hold nouns only: a tagger's work is left to that list.
 */
export function concreteObjects(caption: string, concreteness: ReadonlyMap<string, number>): string[] {
  const words = caption.toLowerCase().match(/\p{L}+(?:-\p{L}+)*/gu) ?? []
  return words.map(singular).filter((word) => (concreteness.get(word) ?? 0) > 4.5)
}

export function isIgnoredObject(object: string): boolean {
  return ignored.has(object)
}

/** A judge's reply as the released script reads it: "yes" is looked for first, commas, full stops and semicolons go, other marks stay on their words. */
export function readObjectVerdict(reply: string): ObjectVerdict {
  const words = reply.toLowerCase().replace(/[,.;]/g, '').replaceAll('\n', ' ').split(' ')
  if (words.includes('yes')) return 'yes'
  if (words.includes('no') || words.includes('not')) return 'no'
  if (words.includes('unsure')) return 'unsure'
  return `ERROR: ${words.join(';')}`
}

/**
 * OpenCHAIR: objects that are not there / objects that are or are not, over all captions together, in [0, 1], lower is
 * better. Null where no object was judged; unsure, ignored and unreadable verdicts are in neither number.
 *
 * @source MOCHa, arXiv 2312.03631
 */
export function openChair(verdicts: readonly (readonly string[])[]): number | null {
  let [yes, no] = [0, 0]
  for (const verdict of verdicts.flat()) {
    const word = verdict.trim().toLowerCase()
    if (word === 'yes') yes++
    if (word === 'no') no++
  }
  return yes + no === 0 ? null : no / (yes + no)
}

/** What a judge is asked about one object, given what is true of the picture. */
export function objectQuestion(truth: string, object: string): string {
  return `A picture is described as follows:\n${truth}\n\nDoes the picture show this: ${object}? Answer yes, no or unsure.`
}
