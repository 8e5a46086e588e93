import type { Box, Size } from '../../rewards/verifiable/boxes.ts'

/** A picture cut into `cells` by `cells` rectangles. */
export interface CellGrid {
  readonly size: Size
  readonly cells: number
}

/** Uint8[cells * cells], row by row: 1 where a cell's centre lies in one of the boxes (right and lower sides excluded). */
export function coveredCells(boxes: readonly Box[], { size, cells }: CellGrid): Uint8Array {
  const covered = new Uint8Array(cells * cells)
  // the first cell whose centre is at or beyond a coordinate
  const cellFrom = (coordinate: number, length: number) =>
    Math.min(cells, Math.max(0, Math.ceil((coordinate * cells) / length - 0.5)))
  for (const [x1, y1, x2, y2] of boxes) {
    const [left, right] = [cellFrom(x1, size.width), cellFrom(x2, size.width)]
    const bottom = cellFrom(y2, size.height)
    if (left < right)
      for (let row = cellFrom(y1, size.height); row < bottom; row++)
        covered.fill(1, row * cells + left, row * cells + right)
  }
  return covered
}

export interface Uncertainty {
  /** Uint8 of every cell: 1 = uncertain. */
  readonly cells: Uint8Array
  readonly maxVariance: number
  readonly meanVariance: number
}

/**
 * Where a group of answers disagrees: of each cell the variance p(1-p), p the share of the answers that cover it. A
 * cell is uncertain when its variance is positive and at least `tau` of the largest.
 */
export function occupancyUncertainty(answers: readonly Uint8Array[], tau: number): Uncertainty {
  const cellCount = answers[0]?.length ?? 0
  const variances = new Float64Array(cellCount)
  for (const answer of answers) for (let cell = 0; cell < cellCount; cell++) variances[cell]! += answer[cell]!
  let [most, sum] = [0, 0]
  for (let cell = 0; cell < cellCount; cell++) {
    const share = variances[cell]! / answers.length
    const variance = share * (1 - share)
    variances[cell] = variance
    most = Math.max(most, variance)
    sum += variance
  }
  const cells = new Uint8Array(cellCount)
  for (let cell = 0; cell < cellCount; cell++)
    if (variances[cell]! > 0 && variances[cell]! >= tau * most) cells[cell] = 1
  return { cells, maxVariance: most, meanVariance: cellCount === 0 ? 0 : sum / cellCount }
}

/** Cells in both over cells in either; where nothing is uncertain, 1 for looking nowhere and 0 for looking. */
export function lookReward(looked: Uint8Array, uncertain: Uint8Array): number {
  let [both, either] = [0, 0]
  for (let cell = 0; cell < looked.length; cell++) {
    both += looked[cell]! & uncertain[cell]!
    either += looked[cell]! | uncertain[cell]!
  }
  return either === 0 ? 1 : both / either
}
