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

/**
 * Form, and log(1 + count) of words and pairs of words, each hashed to one of `buckets` places. Features of different size:
 * scale each by its deviation.
 */
export function surfaceFeatures(text: string, buckets: number): Float32Array {
  const form = Object.values(formFeatures(text))
  const features = new Float32Array(form.length + buckets)
  const words = tokenise(text, 'unicode', true)
  words.forEach((word, at) => {
    features[form.length + bucketOf(word, buckets)]!++
    if (at > 0) features[form.length + bucketOf(`${words[at - 1]} ${word}`, buckets)]!++
  })
  for (let at = form.length; at < features.length; at++) features[at] = Math.log1p(features[at]!)
  features.set(form)
  return features
}

/** Number of features of form, which stand before the buckets. */
export const formCount = Object.keys(formFeatures('')).length

/** FNV-1a over UTF-16 code units. */
function bucketOf(text: string, buckets: number): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return ((hash ^ (hash >>> 13)) >>> 0) % buckets
}
