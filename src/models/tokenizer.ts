import { GuerdonError } from '../core/index.ts'

/** Text to token ids and back. */
export interface Tokenizer {
  readonly tokens: readonly string[]
  readonly size: number
  /** Throws a `GuerdonError` (`unknown-word`) for a token that the vocabulary lacks. */
  id(token: string): number
  /** Throws as `id` does, unless the vocabulary has a token for unknown words. */
  encode(text: string): number[]
  /** Marks (padding, beginning, end) are left out unless asked for. */
  decode(ids: Iterable<number>, options?: { readonly marks?: boolean }): string
}

/**
 * A closed vocabulary of whole words as data, so that it can be stored with weights: one space stands between two
 * tokens unless a rule says that they touch.
 */
export interface WordTokenizerSpec {
  readonly tokens: readonly string[]
  /** Tokens that are no text, such as `<pad>`; decoding leaves them out. */
  readonly marks: readonly string[]
  /** Tokens that touch both neighbours, such as a line break. */
  readonly glued?: readonly string[]
  /** Tokens that touch what stands before them, such as a full stop. */
  readonly leaning?: readonly string[]
  /** Groups of tokens that touch each other, such as the digits of a number. */
  readonly touching?: readonly (readonly string[])[]
  /** What unknown words become. @default they are an error */
  readonly unknown?: string
}

/** Throws a `GuerdonError` (`bad-config`) when a token stands twice or a rule names a token that there is not. */
export function wordTokenizer(spec: WordTokenizerSpec): Tokenizer {
  const { tokens, marks, glued = [], leaning = [], touching = [], unknown } = spec
  const ids = new Map(tokens.map((token, index) => [token, index]))
  const ruled = [
    ...marks,
    ...glued,
    ...leaning,
    ...touching.flat(),
    ...(unknown === undefined ? [] : [unknown]),
  ]
  const stray = ruled.find((token) => !ids.has(token))
  if (ids.size !== tokens.length || stray !== undefined)
    throw new GuerdonError(
      'bad-config',
      stray === undefined
        ? 'the vocabulary holds a token twice.'
        : `the rules name ${JSON.stringify(stray)}, which is not in the vocabulary.`,
    )
  const isMark = flags(tokens, marks)
  const isGlued = flags(tokens, glued)
  const leans = flags(tokens, leaning)
  const groups = touching.map((group) => flags(tokens, group))
  const byStart = new Map<string, string[]>()
  for (const token of [...tokens].sort((a, b) => b.length - a.length))
    byStart.set(token[0]!, [...(byStart.get(token[0]!) ?? []), token])
  const gluedTokens = new Set(glued)

  const id = (token: string): number => {
    const found = ids.get(token)
    if (found === undefined)
      throw new GuerdonError('unknown-word', `${JSON.stringify(token)} is not in the vocabulary.`, {
        fix: `The model knows ${tokens.length} words only, such as ${tokens.slice(-3).join(', ')}.`,
      })
    return found
  }

  /** The longest token at a place; a word may not end inside a longer one. */
  const tokenAt = (text: string, at: number): string | undefined =>
    byStart
      .get(text[at]!)
      ?.find(
        (token) =>
          text.startsWith(token, at) &&
          (gluedTokens.has(token) || !isLetter(token.at(-1)) || !isLetter(text[at + token.length])),
      )

  return {
    tokens,
    size: tokens.length,
    id,
    encode(text) {
      const found: number[] = []
      for (let at = 0; at < text.length; ) {
        const token = tokenAt(text, at)
        if (token !== undefined) {
          found.push(ids.get(token)!)
          at += token.length
        } else if (/\s/.test(text[at]!)) at++
        else {
          const word = /^(?:\p{L}+|.)/su.exec(text.slice(at))![0]
          found.push(ids.get(word.toLowerCase()) ?? id(unknown ?? word))
          at += word.length
        }
      }
      return found
    },
    decode(given, { marks: keep = false } = {}) {
      let text = ''
      let last = -1
      for (const next of given) {
        const token = tokens[next]
        if (token === undefined)
          throw new RangeError(`${next} is not a token of a vocabulary of ${tokens.length}`)
        if (isMark[next] && !keep) continue
        const touches =
          last < 0 ||
          isGlued[last] ||
          isGlued[next] ||
          leans[next] ||
          groups.some((group) => group[last] && group[next])
        text += touches ? token : ` ${token}`
        last = next
      }
      return text
    },
  }
}

function flags(tokens: readonly string[], chosen: readonly string[]): readonly boolean[] {
  const set = new Set(chosen)
  return tokens.map((token) => set.has(token))
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /\p{L}/u.test(character)
}
