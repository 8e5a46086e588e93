/**
 * Two sequences over one alphabet, each symbol an integer in [0, alphabet). What the symbols stand for (characters,
 * words) does not matter to the algorithms on them.
 */
export interface SymbolPair {
  readonly a: readonly number[]
  readonly b: readonly number[]
  readonly alphabet: number
}

/** Two texts as Unicode code points (a lone surrogate is a symbol of its own). */
export function characterSymbols(a: string, b: string): SymbolPair {
  if (!astral.test(a) && !astral.test(b)) return { a: codeUnits(a), b: codeUnits(b), alphabet: 0x10000 }
  return itemSymbols([...a], [...b])
}

/** Half of a character that UTF-16 writes as two code units. */
export const astral = /[\ud800-\udfff]/

/** Two lists of strings, one symbol for each different string. */
export function itemSymbols(a: readonly string[], b: readonly string[]): SymbolPair {
  const numbers = new Map<string, number>()
  const encode = (items: readonly string[]) => {
    const symbols = new Array<number>(items.length)
    for (let i = 0; i < items.length; i++) {
      let symbol = numbers.get(items[i]!)
      if (symbol === undefined) {
        symbol = numbers.size
        numbers.set(items[i]!, symbol)
      }
      symbols[i] = symbol
    }
    return symbols
  }
  const pair = { a: encode(a), b: encode(b) }
  return { ...pair, alphabet: numbers.size }
}

// A plain array: a typed one of this size is allocated outside the heap, which costs more than a short comparison.
function codeUnits(text: string): number[] {
  const units = new Array<number>(text.length)
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i)
  return units
}

/** How many symbols the two sequences share at their start and, of what is left, at their end. */
export function sharedEnds({ a, b }: SymbolPair): { readonly prefix: number; readonly suffix: number } {
  const shorter = Math.min(a.length, b.length)
  let prefix = 0
  while (prefix < shorter && a[prefix] === b[prefix]) prefix++
  let suffix = 0
  while (suffix < shorter - prefix && a[a.length - 1 - suffix] === b[b.length - 1 - suffix]) suffix++
  return { prefix, suffix }
}

/**
 * Runs a bit-parallel algorithm over `rows[start..end)` block by block: for each run of up to 32 symbols `block`
 * receives where a symbol stands in the run as bits (`positions[symbol]`), and how many symbols the run has.
 */
export function forEachBlock(
  rows: readonly number[],
  start: number,
  end: number,
  alphabet: number,
  block: (positions: Int32Array, height: number) => void,
): void {
  const positions = alphabet <= characterPositions.length ? characterPositions : new Int32Array(alphabet)
  for (let from = start; from < end; from += 32) {
    const height = Math.min(32, end - from)
    for (let row = 0; row < height; row++) positions[rows[from + row]!]! |= 1 << row
    block(positions, height)
    for (let row = 0; row < height; row++) positions[rows[from + row]!] = 0
  }
}

/**
 * Scratch table, a number for each UTF-16 code unit. Whoever writes into it makes it zero again before returning:
 * clearing what was set is far cheaper than a new table for each pair.
 */
export const characterPositions = new Int32Array(0x10000)
