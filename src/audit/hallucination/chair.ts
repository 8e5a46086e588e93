import { cocoLexicon, type ObjectLexicon } from '../../rewards/verifiable/text/object-lexicon.ts'
import { extractObjects } from '../../rewards/verifiable/text/object-mentions.ts'
import { harmonicMean, ratio } from './binary-record.ts'

/** CHAIR of a corpus. Ratios are in [0, 1] (papers print them times 100), null where there is nothing to divide by. */
export interface Chair {
  /** Hallucinated mentions / mentions, pooled over the corpus, repeats counted. */
  readonly chairI: number | null
  /** Captions with a hallucinated mention / captions. */
  readonly chairS: number | null
  /** Different objects named rightly / objects in the truth. */
  readonly recall: number | null
  /** Different objects named rightly / different objects named. */
  readonly precision: number | null
  readonly f1: number | null
  /** Mean number of tokens of a caption: shorter captions lower CHAIR for free. */
  readonly meanTokens: number | null
  readonly mentions: number
  readonly hallucinated: number
  /** Per caption: the objects mentioned, in order, repeats kept. */
  readonly mentioned: readonly (readonly string[])[]
}

/**
 * Caption Hallucination Assessment with Image Relevance.
 *
 * @param truths  per caption the names of the objects in the image: annotated ones together with those in reference
 *                captions (`knownObjects`); with annotations alone, recall is what AMBER calls Cover
 * @source Rohrbach et al. 2018, arXiv 1809.02156
 */
export function chair(
  captions: readonly string[],
  truths: readonly ReadonlySet<string>[],
  lexicon: ObjectLexicon = cocoLexicon,
): Chair {
  if (captions.length !== truths.length)
    throw new RangeError(`${captions.length} captions for ${truths.length} truths`)
  let [mentions, hallucinated, faulty, found, named, known, tokens] = [0, 0, 0, 0, 0, 0, 0]
  const mentioned = captions.map((caption, index) => {
    const truth = truths[index]!
    const extracted = extractObjects(caption, lexicon)
    const objects = extracted.mentions.map(({ object }) => object)
    const wrong = objects.filter((object) => !truth.has(object)).length
    const different = new Set(objects)
    mentions += objects.length
    hallucinated += wrong
    if (wrong > 0) faulty++
    named += different.size
    for (const object of different) if (truth.has(object)) found++
    known += truth.size
    tokens += extracted.tokens
    return objects
  })
  const precision = ratio(found, named)
  const recall = ratio(found, known)
  return {
    chairI: ratio(hallucinated, mentions),
    chairS: ratio(faulty, captions.length),
    recall,
    precision,
    f1: harmonicMean(precision, recall),
    meanTokens: ratio(tokens, captions.length),
    mentions,
    hallucinated,
    mentioned,
  }
}
