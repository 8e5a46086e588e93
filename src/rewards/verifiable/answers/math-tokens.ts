/** A piece of a written answer. */
export interface Token {
  readonly kind: 'number' | 'letter' | 'word' | 'text' | 'command' | 'mark' | 'begin' | 'end' | 'row'
  /** Digits of a number; one letter; a word of several; the inside of `\text{}`; a command's or environment's name; a mark. */
  readonly text: string
  /** White space stands before it. */
  readonly spaced: boolean
}

/** Longest answer that is read [UTF-16 units]; an answer in a box is a line, not a page. */
export const maxAnswerLength = 4000

export interface TokenOptions {
  /** `1,234` is one number; otherwise two. @default true */
  readonly thousands?: boolean
}

const spacing = new Set([
  '!',
  ',',
  ';',
  ':',
  ' ',
  '>',
  'quad',
  'qquad',
  'left',
  'right',
  'displaystyle',
  'textstyle',
  'limits',
  'nolimits',
  'big',
  'Big',
  'bigg',
  'Bigg',
  'bigl',
  'bigr',
  'Bigl',
  'Bigr',
  'biggl',
  'biggr',
  'middle',
  '(',
  ')',
  '[',
  ']',
  '$',
  'thinspace',
  'enspace',
  'hspace',
  'bf',
  'rm',
  'it',
  'cal',
  'boldmath',
])
/** Commands whose argument is words. */
const textual = new Set([
  'text',
  'mbox',
  'textbf',
  'textrm',
  'textit',
  'texttt',
  'textsf',
  'textnormal',
  'hbox',
  'operatorname',
])
/** Commands that only change how their argument looks. */
const transparent = new Set([
  'mathbf',
  'mathit',
  'mathsf',
  'mathtt',
  'mathcal',
  'mathbb',
  'boldsymbol',
  'bm',
  'boxed',
  'fbox',
  'ensuremath',
  'cancel',
  'vec',
  'hat',
  'bar',
  'mathord',
  'mathop',
  'underline',
])
const sameCommand: Readonly<Record<string, string>> = {
  dfrac: 'frac',
  tfrac: 'frac',
  cfrac: 'frac',
  dbinom: 'binom',
  tbinom: 'binom',
  leq: 'le',
  geq: 'ge',
  leqslant: 'le',
  geqslant: 'ge',
  neq: 'ne',
  lvert: 'vert',
  rvert: 'vert',
  mid: 'vert',
  lbrace: '{',
  rbrace: '}',
  lbrack: 'lbrack',
  varphi: 'phi',
  varepsilon: 'epsilon',
  vartheta: 'theta',
  ast: 'times',
  cdot: 'times',
  div: 'div',
  land: 'and',
  lor: 'or',
  arcsin: 'asin',
  arccos: 'acos',
  arctan: 'atan',
  emptyset: 'varnothing',
  degree: 'circ',
  infin: 'infty',
}
const unicode: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '—': '-',
  '×': '*',
  '·': '*',
  '⋅': '*',
  '∗': '*',
  '÷': '/',
  '⁄': '/',
  '′': "'",
  '’': "'",
}
const unicodeCommands: Readonly<Record<string, string>> = {
  π: 'pi',
  '∞': 'infty',
  '√': 'sqrt',
  '°': 'circ',
  '≤': 'le',
  '≥': 'ge',
  '≠': 'ne',
  '±': 'pm',
  '∓': 'mp',
  '∪': 'cup',
  '∩': 'cap',
  '∈': 'in',
  '∅': 'varnothing',
  '⟨': 'langle',
  '⟩': 'rangle',
  '≈': 'approx',
  θ: 'theta',
  α: 'alpha',
  β: 'beta',
  λ: 'lambda',
  μ: 'mu',
  φ: 'phi',
  ω: 'omega',
  '⌊': 'lfloor',
  '⌋': 'rfloor',
  '⌈': 'lceil',
  '⌉': 'rceil',
}
const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const plainNumber = /\d+(?:\.\d+)?|\.\d+/y
const groupedNumber = /\d{1,3}(?:(?:(?:\\!)?,(?:\\!)?|\{,\}|\\,| )\d{3})+(?![\d])(?:\.\d+)?/y
const exponentPart = /[eE][-+]?\d{1,4}(?![\w.])/y
const commandName = /\\(?:[a-zA-Z]+|[^a-zA-Z])/y
const lettersRun = /[a-zA-Z]+/y

/** The tokens of LaTeX or plain mathematics; undefined when it holds a character that has no meaning there. */
export function mathTokens(written: string, { thousands = true }: TokenOptions = {}): Token[] | undefined {
  const source = /[¼-¾⅐-⅞]/.test(written) ? written.replace(/[¼-¾⅐-⅞]/g, vulgarFraction) : written
  const tokens: Token[] = []
  let spaced = false
  const push = (kind: Token['kind'], text: string) => {
    tokens.push({ kind, text, spaced })
    spaced = false
  }
  for (let i = 0; i < source.length; ) {
    const character = source[i]!
    const code = source.charCodeAt(i)
    if (code <= 32 || character === '~' || character === '\u00a0') {
      spaced = true
      i++
    } else if (character === '$') i++
    else if ((code >= 48 && code <= 57) || (character === '.' && isDigit(source.charCodeAt(i + 1)))) {
      groupedNumber.lastIndex = i
      const grouped = thousands && tokens.at(-1)?.text !== '.' ? groupedNumber.exec(source)?.[0] : undefined
      plainNumber.lastIndex = i
      let number = grouped ?? plainNumber.exec(source)![0]
      i += number.length
      if (grouped) number = grouped.replace(/[^\d.]/g, '')
      exponentPart.lastIndex = i
      const exponent = exponentPart.exec(source)
      if (exponent) {
        number += exponent[0]
        i += exponent[0].length
      } else if (
        source[i] === '.' &&
        !isDigit(source.charCodeAt(i + 1)) &&
        source.startsWith('\\overline', i + 1)
      ) {
        number += '.'
        i++
      }
      push('number', number)
    } else if (isLetter(code)) {
      lettersRun.lastIndex = i
      const run = lettersRun.exec(source)![0]
      push(run.length === 1 ? 'letter' : 'word', run)
      i += run.length
    } else if (character === '\\') {
      commandName.lastIndex = i
      const match = commandName.exec(source)
      if (!match) return undefined
      i += match[0].length
      const spelling = match[0].slice(1)
      const name = Object.hasOwn(sameCommand, spelling) ? sameCommand[spelling]! : spelling
      if (spacing.has(name)) {
        spaced ||= name !== 'left' && name !== 'right'
        if ((name === 'left' || name === 'right') && source[i] === '.') i++
      } else if (name === '\\' || name === 'cr') {
        push('row', '\\\\')
        if (source[i] === '[') {
          const end = source.indexOf(']', i)
          if (end >= 0 && /^\[[\d.\sa-z]*$/.test(source.slice(i, end))) i = end + 1
        }
      } else if (textual.has(name) || name === 'mathrm') {
        const group = braced(source, i)
        if (!group) continue
        i = group.next
        const inside = group.text.replace(/[\\~$]/g, ' ').trim()
        if (inside.length === 1 && name === 'mathrm') push('letter', inside)
        else if (name === 'operatorname') push('word', inside)
        else if (inside !== '') push('text', inside)
        spaced = true
      } else if (transparent.has(name)) continue
      else if (name === 'begin' || name === 'end') {
        const group = braced(source, i)
        if (!group) return undefined
        i = group.next
        push(name, group.text.trim())
        if (name === 'begin' && group.text.startsWith('array')) {
          const columns = braced(source, i)
          if (columns) i = columns.next
        }
      } else push('command', name)
    } else if (Object.hasOwn(unicode, character)) {
      push('mark', unicode[character]!)
      i++
    } else if (Object.hasOwn(unicodeCommands, character)) {
      push('command', unicodeCommands[character]!)
      i++
    } else if (superscripts.includes(character)) {
      push('mark', '^')
      push('mark', '{')
      let digits = ''
      while (i < source.length && superscripts.includes(source[i]!))
        digits += superscripts.indexOf(source[i++]!)
      push('number', digits)
      push('mark', '}')
    } else if ("+-*/^_=<>()[]{}|,;:!%&'.€£¥".includes(character)) {
      const pair = source.slice(i, i + 2)
      if (pair === '**') push('mark', '^')
      else if (pair === '<=' || pair === '>=' || pair === '!=')
        push('command', pair === '<=' ? 'le' : pair === '>=' ? 'ge' : 'ne')
      else if (pair === '==') push('mark', '=')
      else {
        push('mark', character)
        i--
      }
      i += 2
    } else return undefined
  }
  return tokens
}

/** `½` as `\frac{1}{2}`. */
function vulgarFraction(character: string): string {
  return character.normalize('NFKD').replace(/^(\d+)\u2044(\d+)$/, '\\frac{$1}{$2}')
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
}

/** The braced group that starts at `i` (white space before it allowed), with `next` after it. */
function braced(source: string, i: number): { text: string; next: number } | undefined {
  while (source[i] === ' ' || source[i] === '*') i++
  if (source[i] !== '{') return undefined
  let depth = 0
  for (let end = i; end < source.length; end++) {
    if (source[end] === '\\') end++
    else if (source[end] === '{') depth++
    else if (source[end] === '}' && --depth === 0) return { text: source.slice(i + 1, end), next: end + 1 }
  }
  return undefined
}
