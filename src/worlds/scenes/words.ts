/** Half-open, in UTF-16 code units of the text. */
export interface Span {
  readonly start: number
  readonly end: number
}

export interface Word extends Span {
  /** Lower case, except single capital letters (the options of a multiple choice). */
  readonly text: string
}

const wordPattern = /<[^<>\s]+>|[A-Za-z]+|[0-9]+|[^\sA-Za-z0-9<]|</g

/** Words, tags in angle brackets and punctuation, with their places. */
export function wordsOf(text: string): Word[] {
  return Array.from(text.matchAll(wordPattern), ({ 0: word, index }) => ({
    text: /^[A-D]$/.test(word) && !isArticle(text, index) ? word : word.toLowerCase(),
    start: index,
    end: index + word.length,
  }))
}

/** "A" at the start of a sentence is the article. */
function isArticle(text: string, index: number): boolean {
  return (
    /(?:^|\.\s*)$/.test(text.slice(Math.max(0, index - 8), index)) &&
    /^A\s+[a-z]/.test(text.slice(index, index + 8))
  )
}

/** The text of words: spaces between them, none before punctuation or inside a box (`<box><4><10><16><22></box>`). */
export function joinedWords(words: readonly string[]): string {
  let text = ''
  let previous = ''
  for (const word of words) {
    const isClose = /^[.,?:]$/.test(word) || (isBoxPart(word) && isBoxPart(previous))
    text += text === '' || isClose ? word : ` ${word}`
    previous = word
  }
  return text
}

function isBoxPart(word: string): boolean {
  return /^<(?:\/?box|\d+)>$/.test(word)
}

/** Walks over words; a grammar's rules share one and set `position` back where they do not apply. */
export class WordReader {
  readonly words: readonly Word[]
  position = 0

  constructor(words: readonly Word[]) {
    this.words = words
  }

  get atEnd(): boolean {
    return this.position >= this.words.length
  }

  peek(): string | undefined {
    return this.words[this.position]?.text
  }

  take(): string | undefined {
    return this.words[this.position++]?.text
  }

  /** Consumes the words of `phrase` if they come next. */
  takePhrase(phrase: string): boolean {
    const wanted = phrase.split(' ')
    for (let i = 0; i < wanted.length; i++)
      if (this.words[this.position + i]?.text !== wanted[i]) return false
    this.position += wanted.length
    return true
  }

  /** Consumes the next word if it is one of these. */
  takeIn(words: ReadonlySet<string>): string | undefined {
    const next = this.peek()
    if (next === undefined || !words.has(next)) return undefined
    this.position++
    return next
  }

  /** Consumes the longest of these phrases that comes next. */
  takeLongest<Phrase extends string>(phrases: readonly Phrase[]): Phrase | undefined {
    let best: Phrase | undefined
    const start = this.position
    let end = start
    for (const phrase of phrases) {
      this.position = start
      if (this.takePhrase(phrase) && this.position > end) [best, end] = [phrase, this.position]
    }
    this.position = end
    return best
  }
}
