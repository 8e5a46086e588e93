import {
  astral,
  characterPositions,
  characterSymbols,
  forEachBlock,
  type SymbolPair,
  sharedEnds,
} from './symbols.ts'

/**
 * Least number of insertions, deletions and substitutions of characters (code points) that turn `a` into `b`.
 *
 * Time O(|a| |b| / 32), memory O(longer): 100,000 by 100,000 characters take about a second.
 *
 * @source Levenshtein 1966; bit-parallel columns of Myers, J. ACM 46(3), 1999
 * @example levenshtein('kitten', 'sitting') // 3
 */
export function levenshtein(a: string, b: string): number {
  if (a === b) return 0
  if (isShort(a, b)) return a.length <= b.length ? shortDistance(a, b) : shortDistance(b, a)
  return editDistance(characterSymbols(a, b))
}

/**
 * 1 - distance / length of the longer text, in [0, 1]; 1 for two empty texts.
 *
 * @example levenshteinSimilarity('kitten', 'sitting') // 1 - 3/7
 */
export function levenshteinSimilarity(a: string, b: string): number {
  if (a === b) return 1
  if (isShort(a, b)) return 1 - levenshtein(a, b) / Math.max(a.length, b.length)
  const pair = characterSymbols(a, b)
  return 1 - editDistance(pair) / Math.max(pair.a.length, pair.b.length)
}

/**
 * The "ratio" of the Python package Levenshtein, 2 M / T: M is the length of the longest common subsequence, T the
 * length of both texts together. In [0, 1]; 1 for two empty texts. Not the same as `levenshteinSimilarity`: here a
 * substitution costs as much as a deletion and an insertion.
 *
 * @example levenshteinRatio('red circle', 'red square') // 0.6
 */
export function levenshteinRatio(a: string, b: string): number {
  if (a === b) return 1
  const pair = characterSymbols(a, b)
  return (2 * commonSubsequence(pair)) / (pair.a.length + pair.b.length)
}

/** Levenshtein distance of two sequences of symbols. */
export function editDistance(pair: SymbolPair): number {
  const { prefix, suffix } = sharedEnds(pair)
  const rowCount = pair.a.length - prefix - suffix
  const columnEnd = pair.b.length - suffix
  if (rowCount === 0 || columnEnd === prefix) return Math.max(rowCount, columnEnd - prefix)
  const columns = pair.b
  // What the row above a block does from column to column: +1 in the first row of the table.
  const steps = new Array<number>(columns.length).fill(1)
  forEachBlock(pair.a, prefix, prefix + rowCount, pair.alphabet, (positions, height) => {
    const last = height - 1
    let up = -1 // bits where the column grows by 1 downwards
    let down = 0 // bits where it falls by 1
    for (let j = prefix; j < columnEnd; j++) {
      const step = steps[j]!
      const equal = positions[columns[j]!]!
      const matched = step < 0 ? equal | 1 : equal
      const diagonal = (((matched & up) + up) ^ up) | matched
      let right = down | ~(diagonal | up)
      let left = up & diagonal
      steps[j] = ((right >>> last) & 1) - ((left >>> last) & 1)
      right <<= 1
      left <<= 1
      if (step < 0) left |= 1
      else if (step > 0) right |= 1
      const vertical = equal | down
      up = left | ~(vertical | right)
      down = right & vertical
    }
  })
  let distance = rowCount
  for (let j = prefix; j < columnEnd; j++) distance += steps[j]!
  return distance
}

/** One of the two fits into one block, and every code unit is a character. */
function isShort(a: string, b: string): boolean {
  return Math.min(a.length, b.length) <= 32 && !astral.test(a) && !astral.test(b)
}

/** The same recurrence for at most 32 rows, straight from the texts: most answers are a few words. */
function shortDistance(rows: string, columns: string): number {
  if (rows === '') return columns.length
  for (let row = 0; row < rows.length; row++) characterPositions[rows.charCodeAt(row)]! |= 1 << row
  const last = rows.length - 1
  let distance = rows.length
  let up = -1
  let down = 0
  for (let j = 0; j < columns.length; j++) {
    const equal = characterPositions[columns.charCodeAt(j)]!
    const diagonal = (((equal & up) + up) ^ up) | equal
    const right = down | ~(diagonal | up)
    const left = up & diagonal
    distance += ((right >>> last) & 1) - ((left >>> last) & 1)
    const vertical = equal | down
    const grown = (right << 1) | 1
    up = (left << 1) | ~(vertical | grown)
    down = grown & vertical
  }
  for (let row = 0; row < rows.length; row++) characterPositions[rows.charCodeAt(row)] = 0
  return distance
}

/**
 * Length of the longest common subsequence of two sequences of symbols.
 *
 * @source bit-vector recurrence of Hyyrö, AWOCA 2004
 */
export function commonSubsequence(pair: SymbolPair): number {
  const { prefix, suffix } = sharedEnds(pair)
  const rowCount = pair.a.length - prefix - suffix
  const columnEnd = pair.b.length - suffix
  let length = prefix + suffix
  if (rowCount === 0 || columnEnd === prefix) return length
  const columns = pair.b
  const carries = new Array<number>(columns.length).fill(0)
  forEachBlock(pair.a, prefix, prefix + rowCount, pair.alphabet, (positions, height) => {
    let open = -1 // bits of rows not yet matched
    for (let j = prefix; j < columnEnd; j++) {
      const matched = open & positions[columns[j]!]!
      const sum = (open >>> 0) + (matched >>> 0) + carries[j]!
      carries[j] = sum > 0xffffffff ? 1 : 0
      open = sum | 0 | (open & ~matched)
    }
    length += bitCount(~open & (height === 32 ? -1 : (1 << height) - 1))
  })
  return length
}

function bitCount(bits: number): number {
  let v = bits - ((bits >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
