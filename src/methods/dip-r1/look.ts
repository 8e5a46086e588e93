import type { Box, Size } from '../../rewards/verifiable/boxes/boxes.ts'

/** A picture cut into `cells` by `cells` rectangles. */
export interface CellGrid {
  readonly size: Size
  readonly cells: number
}

/**
 * Uint8[cells * cells], row by row: 1 where a cell's centre lies in one of the boxes (right and lower sides excluded).
 * Written to `covered` when given.
 */
export function coveredCells(
  boxes: readonly Box[],
  { size, cells }: CellGrid,
  covered = new Uint8Array(cells * cells),
): Uint8Array {
  covered.fill(0, 0, cells * cells)
  for (const box of boxes) {
    const left = cellFrom(box[0], size.width, cells)
    const right = cellFrom(box[2], size.width, cells)
    const bottom = cellFrom(box[3], size.height, cells)
    if (left >= right) continue
    for (let row = cellFrom(box[1], size.height, cells); row < bottom; row++)
      covered.fill(1, row * cells + left, row * cells + right)
  }
  return covered
}

/** The first cell whose centre is at or beyond a coordinate. */
function cellFrom(coordinate: number, length: number, cells: number): number {
  return Math.min(cells, Math.max(0, Math.ceil((coordinate * cells) / length - 0.5)))
}

let scratch = new Uint8Array(0)

/** The cells that boxes cover, good until the next call. */
function coveredForNow(boxes: readonly Box[], grid: CellGrid): Uint8Array {
  if (scratch.length < grid.cells ** 2) scratch = new Uint8Array(grid.cells ** 2)
  return coveredCells(boxes, grid, scratch)
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
export function occupancyUncertainty(
  answers: readonly (readonly Box[])[],
  grid: CellGrid,
  tau: number,
): Uncertainty {
  const cellCount = grid.cells ** 2
  const variances = new Float64Array(cellCount)
  for (const boxes of answers) {
    const covered = coveredForNow(boxes, grid)
    for (let cell = 0; cell < cellCount; cell++) variances[cell]! += covered[cell]!
  }
  let [most, sum] = [0, 0]
  for (let cell = 0; cell < cellCount; cell++) {
    const share = variances[cell]! / Math.max(1, answers.length)
    const variance = share * (1 - share)
    variances[cell] = variance
    most = Math.max(most, variance)
    sum += variance
  }
  const cells = new Uint8Array(cellCount)
  for (let cell = 0; cell < cellCount; cell++)
    if (variances[cell]! > 0 && variances[cell]! >= tau * most) cells[cell] = 1
  return { cells, maxVariance: most, meanVariance: sum / cellCount }
}

/** Cells in both over cells in either; where nothing is uncertain, 1 for looking nowhere and 0 for looking. */
export function lookReward(look: readonly Box[], uncertain: Uint8Array, grid: CellGrid): number {
  const looked = coveredForNow(look, grid)
  let [both, either] = [0, 0]
  for (let cell = 0; cell < uncertain.length; cell++) {
    both += looked[cell]! & uncertain[cell]!
    either += looked[cell]! | uncertain[cell]!
  }
  return either === 0 ? 1 : both / either
}
