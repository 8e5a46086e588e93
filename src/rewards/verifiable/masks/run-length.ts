import type { RunLengthMask } from '../../../core/index.ts'

/** Longest side of a mask [pixels]. */
const longestSide = 32_768

/**
 * Run lengths of a mask, also of COCO's compressed string: pixels in turn outside and inside, column by column, beginning
 * outside. What the last run leaves is outside. undefined when they are none: more pixels than the mask has, sides beyond
 * 32,768, or a string that ends within a number.
 */
export function runLengths({ size: [height, width], counts }: RunLengthMask): readonly number[] | undefined {
  const isSide = (side: number) => Number.isInteger(side) && side >= 1 && side <= longestSide
  if (!isSide(height) || !isSide(width)) return undefined
  const runs = typeof counts === 'string' ? expandedCounts(counts) : counts
  let pixels = 0
  for (const run of runs ?? []) {
    if (!Number.isInteger(run) || run < 0) return undefined
    pixels += run
  }
  return pixels > height * width ? undefined : runs
}

/**
 * COCO's compressed string of run lengths: from the fourth on each is written as its difference to the one two before, in
 * groups of five bits from the lowest, each a character from `0` on; 32 says that more follow, 16 in the last that it is
 * negative.
 */
export function compressedCounts(runs: readonly number[]): string {
  let text = ''
  for (const [index, run] of runs.entries()) {
    let rest = index > 2 ? run - runs[index - 2]! : run
    for (;;) {
      const bits = rest & 31
      rest >>= 5
      const isLast = bits & 16 ? rest === -1 : rest === 0
      text += String.fromCharCode(48 + (isLast ? bits : bits | 32))
      if (isLast) break
    }
  }
  return text
}

function expandedCounts(text: string): number[] | undefined {
  const runs: number[] = []
  let [value, shift] = [0, 0]
  for (let index = 0; index < text.length; index++) {
    const bits = text.charCodeAt(index) - 48
    if (bits < 0 || bits > 63 || shift > 30) return undefined
    value |= (bits & 31) << shift
    shift += 5
    if (bits & 32) continue
    if (bits & 16 && shift < 32) value |= -1 << shift
    runs.push(runs.length > 2 ? value + runs.at(-2)! : value)
    value = 0
    shift = 0
  }
  return shift === 0 ? runs : undefined
}
