import { GuerdonError } from '../core/index.ts'
import type { Tokenizer } from './tokenizer.ts'

/**
 * A byte-level sub-word vocabulary as data: first the marks, then the 256 bytes, then one token for each merge. It reads
 * any text, and decoding gives back the same text.
 */
export interface BytePairSpec {
  /** Tokens that are no text; text that looks like one is read as plain bytes. */
  readonly marks: readonly string[]
  /** Each joins two tokens, by id, into the next token; applied in this order. */
  readonly merges: readonly (readonly [number, number])[]
}

/** Merges stay inside of these pieces: a word, a number or signs with the space before it, or white space. */
const pieces = / ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+/gu

/** Pieces whose tokens are remembered. */
const remembered = 50_000

/** Throws a `GuerdonError` (`bad-config`) when a merge joins what there is not yet, or a mark stands twice. */
export function bytePairTokenizer({ marks, merges }: BytePairSpec): Tokenizer {
  const bytes: number[][] = [...marks.map(() => []), ...Array.from({ length: 256 }, (_, byte) => [byte])]
  const ranks = new Map<number, number>()
  for (const [left, right] of merges) {
    if (!(bytes[left]?.length && bytes[right]?.length))
      throw new GuerdonError('bad-config', `the merge [${left}, ${right}] joins a token that there is not.`)
    ranks.set(pairKey(left, right), bytes.length)
    bytes.push([...bytes[left], ...bytes[right]])
  }
  const markIds = new Map(marks.map((mark, index) => [mark, index]))
  if (markIds.size !== marks.length)
    throw new GuerdonError('bad-config', 'the vocabulary holds a mark twice.')
  const known = new Map<string, readonly number[]>()
  const encoder = new TextEncoder()
  const tokensOf = (piece: string): readonly number[] => {
    let found = known.get(piece)
    if (found === undefined) {
      found = merged(
        Array.from(encoder.encode(piece), (byte) => marks.length + byte),
        ranks,
      )
      if (known.size < remembered) known.set(piece, found)
    }
    return found
  }
  return {
    tokens: [
      ...marks,
      ...bytes.slice(marks.length).map((own) => new TextDecoder('latin1').decode(Uint8Array.from(own))),
    ],
    size: bytes.length,
    id(token) {
      const found = markIds.get(token)
      if (found === undefined)
        throw new GuerdonError('unknown-word', `${JSON.stringify(token)} is no mark of this vocabulary.`, {
          fix: `Its marks are ${marks.join(', ') || 'none'}.`,
        })
      return found
    },
    encode: (text) => (text.match(pieces) ?? []).flatMap(tokensOf),
    decode(given, { marks: keep = false } = {}) {
      const parts: Uint8Array[] = []
      for (const id of given) {
        const own = bytes[id]
        if (own === undefined) throw new RangeError(`${id} is not a token of a vocabulary of ${bytes.length}`)
        if (id >= marks.length) parts.push(Uint8Array.from(own))
        else if (keep) parts.push(encoder.encode(marks[id]!))
      }
      return Buffer.concat(parts).toString('utf8')
    },
  }
}

/**
 * Learns merges from texts: again and again the neighbours that occur together most often (at least `least` times) are
 * joined, until the vocabulary has `size` tokens or nothing occurs that often. Ties go to the smaller ids.
 */
export function trainedBytePairs(
  texts: Iterable<string>,
  {
    size,
    marks = [],
    least = 2,
  }: { readonly size: number; readonly marks?: readonly string[]; readonly least?: number },
): BytePairSpec {
  const counts = new Map<string, number>()
  for (const text of texts)
    for (const piece of text.match(pieces) ?? []) counts.set(piece, (counts.get(piece) ?? 0) + 1)
  const encoder = new TextEncoder()
  const words = [...counts].map(([piece, count]) => ({
    count,
    tokens: Array.from(encoder.encode(piece), (byte) => marks.length + byte),
  }))
  const pairs = new Map<number, { count: number; words: Set<number> }>()
  const change = (index: number, sign: 1 | -1) => {
    const { tokens, count } = words[index]!
    for (let at = 1; at < tokens.length; at++) {
      const key = pairKey(tokens[at - 1]!, tokens[at]!)
      const pair = pairs.get(key) ?? { count: 0, words: new Set<number>() }
      pair.count += sign * count
      if (sign > 0) pair.words.add(index)
      pairs.set(key, pair)
    }
  }
  words.forEach((_, index) => {
    change(index, 1)
  })
  const merges: [number, number][] = []
  while (marks.length + 256 + merges.length < size) {
    let best = -1
    let most = least - 1
    for (const [key, { count }] of pairs)
      if (count > most || (count === most && count >= least && key < best)) [best, most] = [key, count]
    if (best < 0) break
    const [left, right] = [Math.floor(best / keyBase), best % keyBase]
    const next = marks.length + 256 + merges.length
    merges.push([left, right])
    const { words: affected } = pairs.get(best)!
    for (const index of affected) {
      change(index, -1)
      words[index]!.tokens = joined(words[index]!.tokens, left, right, next)
      change(index, 1)
    }
    pairs.delete(best)
  }
  return { marks, merges }
}

const keyBase = 2 ** 26

function pairKey(left: number, right: number): number {
  return left * keyBase + right
}

function joined(tokens: readonly number[], left: number, right: number, into: number): number[] {
  const result: number[] = []
  for (let at = 0; at < tokens.length; at++)
    if (tokens[at] === left && tokens[at + 1] === right) {
      result.push(into)
      at++
    } else result.push(tokens[at]!)
  return result
}

/** The earliest merge that applies is applied everywhere, until none does. */
function merged(tokens: number[], ranks: ReadonlyMap<number, number>): number[] {
  for (;;) {
    let first = Number.POSITIVE_INFINITY
    let place = -1
    for (let at = 1; at < tokens.length; at++) {
      const rank = ranks.get(pairKey(tokens[at - 1]!, tokens[at]!))
      if (rank !== undefined && rank < first) [first, place] = [rank, at - 1]
    }
    if (place < 0) return tokens
    tokens = joined(tokens, tokens[place]!, tokens[place + 1]!, first)
  }
}
