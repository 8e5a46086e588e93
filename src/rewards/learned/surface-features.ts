import { tokenise } from '../verifiable/text/tokens.ts'

// What can be seen of a text without understanding it: its form, and which words and pairs of words stand in it.

/** How a text looks, whatever it says. */
export function formFeatures(text: string): Readonly<Record<string, number>> {
  const words = text.match(/\p{L}+/gu) ?? []
  const count = (pattern: RegExp) => (text.match(pattern) ?? []).length
  const share = (found: number) => found / Math.max(1, text.length)
  return {
    length: Math.log1p(text.length),
    'length of words': words.reduce((sum, word) => sum + word.length, 0) / Math.max(1, words.length),
    sentences: Math.log1p(count(/[.!?](?:\s|$)/g)),
    paragraphs: Math.log1p(count(/\n\s*\n/g)),
    'list items': Math.log1p(count(/^\s*(?:[-*•]|\d+[.)])\s/gm)),
    markup: Math.log1p(count(/\*\*|^#+\s|```|`|\|/gm)),
    capitals: share(count(/\p{Lu}/gu)),
    'capital at the beginning': Number(/^\s*\p{Lu}/u.test(text)),
    punctuation: share(count(/[.,;:]/g)),
    exclamations: Math.log1p(count(/!/g)),
    questions: Math.log1p(count(/\?/g)),
    digits: share(count(/\p{N}/gu)),
    'ends with a mark': Number(/[.!?)"'’”]\s*$/.test(text)),
  }
}

/** Words and pairs of words, each with how often it stands in the text. */
export function ngramCounts(text: string, longest = 2): Map<string, number> {
  const words = tokenise(text, 'unicode', true)
  const counts = new Map<string, number>()
  for (let size = 1; size <= longest; size++)
    for (let at = 0; at + size <= words.length; at++) {
      const name = words.slice(at, at + size).join(' ')
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  return counts
}

/**
 * Form, and log(1 + count) of the n-grams listed: features of different size, to be scaled each by its deviation. What is
 * not listed counts for nothing.
 */
export function surfaceFeatures(text: string, places: ReadonlyMap<string, number>): Float32Array {
  const form = Object.values(formFeatures(text))
  const features = new Float32Array(form.length + places.size)
  features.set(form)
  for (const [name, count] of ngramCounts(text)) {
    const place = places.get(name)
    if (place !== undefined) features[form.length + place] = Math.log1p(count)
  }
  return features
}

/** Number of features of form, which stand first. */
export const formCount = Object.keys(formFeatures('')).length
