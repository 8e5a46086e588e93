import { sentences } from '../../rewards/verifiable/text/sentences.ts'

/** The first sentence of a text, which a line break ends too (a heading or an opener on a line of its own is one). */
export function firstSentence(text: string): string {
  const [line = ''] = text.trimStart().split(/\r?\n|\u2028|\u2029/)
  return sentences(line)[0] ?? ''
}
