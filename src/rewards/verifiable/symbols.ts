/**
 * Two sequences over one alphabet, each symbol an integer in [0, alphabet). What the symbols stand for (characters,
 * words) does not matter to the algorithms on them.
 */
export interface SymbolPair {
  readonly a: Uint32Array
  readonly b: Uint32Array
  readonly alphabet: number
}

/** Two texts as Unicode code points (a lone surrogate is a symbol of its own). */
export function characterSymbols(a: string, b: string): SymbolPair {
  if (!astral.test(a) && !astral.test(b)) return { a: codeUnits(a), b: codeUnits(b), alphabet: 0x10000 }
  return itemSymbols([...a], [...b])
}

const astral = /[\ud800-\udfff]/

/** Two lists of strings, one symbol for each different string. */
export function itemSymbols(a: readonly string[], b: readonly string[]): SymbolPair {
  const numbers = new Map<string, number>()
  const encode = (items: readonly string[]) => {
    const symbols = new Uint32Array(items.length)
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

function codeUnits(text: string): Uint32Array {
  const units = new Uint32Array(text.length)
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
 * Runs a bit-parallel algorithm block by block: for each run of up to 32 symbols of `rows`, `block` receives where
 * that symbol stands in the run as bits (`positions[symbol]`), and how many symbols the run has.
 */
export function forEachBlock(
  rows: Uint32Array,
  alphabet: number,
  block: (positions: Int32Array, height: number) => void,
): void {
  const positions = alphabet <= scratch.length ? scratch : new Int32Array(alphabet)
  for (let start = 0; start < rows.length; start += 32) {
    const height = Math.min(32, rows.length - start)
    for (let row = 0; row < height; row++) positions[rows[start + row]!]! |= 1 << row
    block(positions, height)
    for (let row = 0; row < height; row++) positions[rows[start + row]!] = 0
  }
}

/** All zero between calls: clearing what was set is far cheaper than a new table for each pair. */
const scratch = new Int32Array(0x10000)
