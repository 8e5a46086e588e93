import { type Json, type Score, unscored } from '../../../core/index.ts'

/**
 * The texts that an answer may be compared with: the reference itself, or each of a list. Undefined for anything
 * else and for blank texts: an empty answer must not be right because the reference is empty too.
 */
export function textReferences(reference: Json | undefined): readonly string[] | undefined {
  const texts = typeof reference === 'string' ? [reference] : reference
  if (!Array.isArray(texts) || texts.length === 0) return undefined
  return texts.every((text) => typeof text === 'string' && text.trim() !== '') ? texts : undefined
}

export const noTextReference: Score = unscored(
  'bad-input',
  'the reference is neither a text nor a list of texts, or one of them is blank',
)

/** Symbols of the output times symbols of a reference beyond which a comparison is refused: about half a second. */
const largestTable = 4e9

export const tooLongToCompare: Score = unscored(
  'too-large',
  'the output and the reference are too long to compare',
)

export function isTooLongToCompare(output: string, references: readonly string[]): boolean {
  return references.some((reference) => reference.length * output.length > largestTable)
}
