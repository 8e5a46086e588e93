import type { Variant } from '../../../core/index.ts'
import { answerAt } from '../answers/answer.ts'
import { extractBoxed, extractJson, withoutThoughts } from '../extract/extract.ts'
import { words } from './words.ts'

/**
 * The words of the changed phrase that differ: without the longest common beginning and then the longest common end
 * of the two phrases, in lower case. Empty when words were only deleted.
 */
export function changedSegment(original: string, changed: string): readonly string[] {
  const before = words(original.toLowerCase())
  const after = words(changed.toLowerCase())
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++
  return after.slice(start, after.length - end)
}

export interface NamesSegmentOptions {
  /** @default 'guarded' */
  readonly variant?: Variant
  /** @default 6 */
  readonly extraWords?: number
  /** The changed caption; words around the span must be copied from it (not released). */
  readonly caption?: string
}

/** Whether a response names the changed segment. */
export function namesSegment(
  response: string,
  segment: readonly string[],
  { variant = 'guarded', extraWords = 6, caption }: NamesSegmentOptions = {},
): boolean {
  if (segment.length === 0) return false
  const guarded = variant === 'guarded'
  const box = extractBoxed(guarded ? withoutThoughts(response) : response, { which: 'first' }).value
  if (variant === 'released') {
    const prediction = box ?? answerAt(response, 'last-line').value ?? ''
    return prediction.toLowerCase().includes(segment[0]!)
  }
  const prediction = plainWords(
    guarded ? onlyItem(box ?? '') : (box ?? answerAt(response, 'last-line').value ?? ''),
  )
  const wanted = segment.flatMap(plainWords)
  if (wanted.length === 0 || !holdsInOrder(prediction, wanted)) return false
  if (guarded && prediction.length > wanted.length + extraWords) return false
  return caption === undefined || holdsInOrder(plainWords(caption), prediction)
}

/** The text of a list of one item, or of no list; '' where several are named: guesses are not an answer. */
function onlyItem(box: string): string {
  const json = extractJson(box, { from: 'whole' }).value
  if (!Array.isArray(json)) return box
  return json.length === 1 && typeof json[0] === 'string' ? json[0] : ''
}

/** Words without LaTeX's text commands, quotes, brackets and punctuation, in lower case. */
function plainWords(text: string): string[] {
  const plain = text
    .toLowerCase()
    .replace(/\\(?:text|textbf|textit|mathrm)\{/g, ' ')
    .replace(/[^\p{L}\p{N}'’-]+/gu, ' ')
  return words(plain.replace(/’/g, "'")).filter((word) => /[\p{L}\p{N}]/u.test(word))
}

/** Whether `part` stands in `list` without a gap. */
function holdsInOrder(list: readonly string[], part: readonly string[]): boolean {
  return ` ${list.join(' ')} `.includes(` ${part.join(' ')} `)
}
