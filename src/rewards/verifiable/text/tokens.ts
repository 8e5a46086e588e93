import { words } from './words.ts'

/**
 * How text is cut into tokens for overlap measures:
 * - `unicode`: runs of letters, marks and digits of any script; each Chinese or Japanese character by itself.
 * - `ascii`: runs of a-z and 0-9, as the Python package rouge-score cuts (without its optional stemmer).
 * - `whitespace`: what stands between white space.
 * - `13a`: punctuation apart from words, as mteval-v13a and sacreBLEU's default cut.
 */
export type Tokenisation = 'unicode' | 'ascii' | 'whitespace' | '13a'

/** The tokens of a text. `lowercase` folds case first (`ascii` always does). */
export function tokenise(text: string, kind: Tokenisation, lowercase: boolean): string[] {
  const folded = lowercase || kind === 'ascii' ? text.toLowerCase() : text
  switch (kind) {
    case 'unicode':
      return folded.match(unicodeToken) ?? []
    case 'ascii':
      return folded.match(/[a-z0-9]+/g) ?? []
    case 'whitespace':
      return words(folded)
    case '13a':
      return words(separated(folded))
  }
}

const eastAsian = '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}'
const unicodeToken = new RegExp(`[${eastAsian}]|[[\\p{L}\\p{M}\\p{N}]--[${eastAsian}]]+`, 'gv')

/** The separations of mteval-v13a: symbols stand alone, and so do full stops and commas except between digits. */
function separated(text: string): string {
  const plain = text
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
  return ` ${plain} `
    .replace(/[{-~[-` -&(-+:-@/]/g, ' $& ')
    .replace(/([^0-9])([.,])/g, '$1 $2 ')
    .replace(/([.,])([^0-9])/g, ' $1 $2')
    .replace(/([0-9])(-)/g, '$1 $2 ')
}
