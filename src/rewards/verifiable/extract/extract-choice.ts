import { type Extraction, missing, trimmedSpan } from './extraction.ts'

export interface YesNoOptions {
  /**
   * Where the verdict must stand: `leading` = the first word; `only` = nothing else but punctuation; `anywhere` =
   * as a stand-alone word, `yes` when both occur (negation is not understood). A verdict and its opposite side by
   * side ("yes. no.", "yes or no") are no verdict. @default 'leading'
   */
  readonly position?: 'leading' | 'only' | 'anywhere'
}

/** A further verdict right behind the first, with nothing but punctuation behind it or another conjunction. */
const contradiction =
  /^[^\p{L}\p{N}]*(?:(?:and|or)[^\p{L}\p{N}]+)?(yes|no|true|false|correct|incorrect)(?=[^\p{L}\p{N}\s]|\s*$|\s+(?:yes|no|true|false)\b)/iu
const verdictWord = /\b(?:(yes|true|correct)|(no|false|incorrect))\b/i

/** A verdict in words: yes, true, correct or no, false, incorrect, in any case. */
export function extractYesNo(
  text: string,
  { position = 'leading' }: YesNoOptions = {},
): Extraction<'yes' | 'no'> {
  const found = (value: 'yes' | 'no', start: number, length: number) => ({
    value,
    span: { start, end: start + length },
  })
  if (position === 'anywhere') {
    const yes = /\b(?:yes|true|correct)\b/i.exec(text)
    if (yes) return found('yes', yes.index, yes[0].length)
    const no = /\b(?:no|false|incorrect)\b/i.exec(text)
    return no ? found('no', no.index, no[0].length) : missing(text.trim() === '' ? 'empty' : 'absent')
  }
  const word = verdictWord.exec(text.slice(0, 1000))
  if (!word) return missing(text.trim() === '' ? 'empty' : 'absent')
  const before = text.slice(0, word.index)
  const after = text.slice(word.index + word[0].length)
  if (/[\p{L}\p{N}]/u.test(before)) return missing('absent')
  const opposite = word[1] === undefined ? /yes|true|correct/i : /no|false|incorrect/i
  const next = contradiction.exec(after)?.[1]
  if (next !== undefined && opposite.test(next) && next.length > 1) return missing('ambiguous')
  if (position === 'only' && /[\p{L}\p{N}]/u.test(after)) return missing('absent')
  return found(word[1] === undefined ? 'no' : 'yes', word.index, word[0].length)
}

export interface OptionLetterOptions {
  /** The letters that are options, in capitals. @default 'ABCDEFGHIJ' */
  readonly letters?: string
}

/**
 * The one option that an answer chooses: `B`, `(B)`, `B.`, `B) two dogs`, `**B**`, `\text{B}`, `Answer: B`, `the
 * answer is (B)`. A capital that may be an article ("A cat") or a pronoun is not a choice; several different
 * letters are `ambiguous`.
 */
export function extractOptionLetter(text: string, options: OptionLetterOptions = {}): Extraction<string> {
  const { value, span, error } = extractOptionLetters(text, options)
  if (value === undefined) return missing(error ?? 'absent')
  return value.length === 1 && span ? { value: value[0]!, span } : missing('ambiguous')
}

/** Every option that an answer chooses, in alphabetical order without repeats: as one letter, or `A, C`, `A and C`. */
export function extractOptionLetters(
  text: string,
  { letters = 'ABCDEFGHIJ' }: OptionLetterOptions = {},
): Extraction<readonly string[]> {
  const whole = trimmedSpan(text)
  if (whole.start === whole.end) return missing('empty')
  const { alone, leading, announced } = optionPatterns(letters)
  const start = text.slice(whole.start, Math.min(whole.end, whole.start + 200))
  if (whole.end - whole.start < 200 && alone.test(start)) return lettersIn(start, whole.start, letters)
  const first = leading.exec(start)
  if (first) return lettersIn(first[0], whole.start, letters)
  // A conclusion stands near the end: what stands before is not read.
  const endAt = Math.max(whole.start, whole.end - 4000)
  let last: RegExpExecArray | undefined
  for (const match of text.slice(endAt, whole.end).matchAll(announced)) last = match
  if (!last) return missing('absent')
  return lettersIn(last[1]!, endAt + last.index + last[0].indexOf(last[1]!), letters)
}

function lettersIn(text: string, offset: number, letters: string): Extraction<readonly string[]> {
  const found = new Set<string>()
  let start = -1
  let end = 0
  for (const match of text.matchAll(/(?<![a-z\\])[a-z](?![a-z])/gi)) {
    const letter = match[0].toUpperCase()
    if (!letters.includes(letter)) continue
    found.add(letter)
    if (start < 0) start = match.index
    end = match.index + 1
  }
  if (start < 0) return missing('absent')
  return { value: [...found].sort(), span: { start: offset + start, end: offset + end } }
}

const patternsByLetters = new Map<string, { alone: RegExp; leading: RegExp; announced: RegExp }>()

function optionPatterns(letters: string) {
  let patterns = patternsByLetters.get(letters)
  if (!patterns) {
    const upper = `[${letters}]`
    const either = `[${letters}${letters.toLowerCase()}]`
    const dressed = `[*_\`"'$]{0,3}(?:\\\\(?:text|mathrm|mathbf|textbf)\\{)?[(\\[]?`
    const undressed = `[)\\]]?\\}?[*_\`"'$]{0,3}`
    const one = `${dressed}\\s?${either}\\s?${undressed}`
    const list = `${one}(?:\\s?(?:,|;|&|\\band\\b|,\\s?and\\b)\\s?${one}){0,25}`
    const listOfUpper = list.replaceAll(either, upper)
    patterns = {
      // nothing but letters: either case
      alone: new RegExp(`^(?:(?:option|choice|answer)s?[\\s:]{1,3})?${list}[.:)]?$`, 'i'),
      // a label in front of the option's text
      leading: new RegExp(
        `^[*_]{0,3}(?:\\(\\s?${either}\\s?\\)|\\[${upper}\\]|${upper}\\s?[).:](?!\\w)|${upper}[*_]{2,3}(?=\\s|$))`,
      ),
      // announced: what follows must not read as the sentence's next word
      announced: new RegExp(
        `\\b(?:[aA]nswers?|[oO]ptions?|[cC]hoices?|ANSWER)[*_]{0,3}(?:\\s?:|\\s(?:is|are|would be|must be))?\\s?:?[*_]{0,3}\\s?(${listOfUpper})(?=$|[.,;:!?)*\\n\\r]|\\s(?:because|since|as)\\b)`,
        'g',
      ),
    }
    patternsByLetters.set(letters, patterns)
  }
  return patterns
}
