import type { Mask, PolygonMask, RunLengthMask } from '../../../core/index.ts'
import { runLengths } from './run-length.ts'

/** The edge of a mask, to be drawn. */
export interface MaskOutline {
  /** The data of an SVG path: lines alone. */
  readonly path: string
  /** How its inside is told; parts of a polygon mask may overlap. */
  readonly fillRule: 'nonzero' | 'evenodd'
  /** In what the path is drawn: the pixels of a mask of run lengths, which covers the picture; null for image pixels. */
  readonly size: { readonly width: number; readonly height: number } | null
  /** Pixels inside, of the mask or of the image; of polygons, the sum of their areas. */
  readonly area: number
  /** True where detail was left out. */
  readonly isCoarse: boolean
}

/**
 * The edge of a mask. What is too intricate is drawn coarser: with every second, fourth, ... pixel, or every n-th corner.
 * undefined for run lengths that are none (`runLengths`).
 *
 * @param maxCorners of all lines together, @default 20,000
 */
export function maskOutline(mask: Mask, { maxCorners = 20_000 } = {}): MaskOutline | undefined {
  return 'polygons' in mask ? polygonOutline(mask, maxCorners) : runLengthOutline(mask, maxCorners)
}

function polygonOutline({ polygons }: PolygonMask, maxCorners: number): MaskOutline {
  const corners = polygons.reduce((sum, polygon) => sum + polygon.length / 2, 0)
  const every = Math.ceil(corners / maxCorners)
  const path = polygons.map((polygon) => {
    const points: string[] = []
    for (let at = 0; at < polygon.length; at += 2 * every)
      points.push(`${tidy(polygon[at]!)} ${tidy(polygon[at + 1]!)}`)
    return `M${points.join('L')}Z`
  })
  return {
    path: path.join(''),
    fillRule: 'nonzero',
    size: null,
    area: polygons.reduce((sum, polygon) => sum + polygonArea(polygon), 0),
    isCoarse: every > 1,
  }
}

const tidy = (value: number) => Math.round(Math.min(1e6, Math.max(-1e6, value)) * 100) / 100

/** Shoelace formula. */
function polygonArea(polygon: readonly number[]): number {
  let twice = 0
  for (let at = 0; at < polygon.length; at += 2) {
    const next = (at + 2) % polygon.length
    twice += polygon[at]! * polygon[next + 1]! - polygon[next]! * polygon[at + 1]!
  }
  return Math.abs(twice) / 2
}

function runLengthOutline(mask: RunLengthMask, maxCorners: number): MaskOutline | undefined {
  const runs = runLengths(mask)
  if (runs === undefined) return undefined
  const [height, width] = mask.size
  const columns = columnsOf(runs, height, width)
  for (let step = 1; ; step *= 2) {
    const { path, corners } = traced(coarser(columns, step, height), step, height, width)
    if (corners <= maxCorners || step >= Math.max(height, width))
      return {
        path,
        fillRule: 'evenodd',
        size: { width, height },
        area: runs.reduce((sum, run, index) => sum + (index % 2 ? run : 0), 0),
        isCoarse: step > 1,
      }
  }
}

/** Of each column where it is inside: from, to, from, to, ... */
type Columns = readonly (readonly number[])[]

function columnsOf(runs: readonly number[], height: number, width: number): Columns {
  const columns: number[][] = Array.from({ length: width }, () => [])
  let pixel = 0
  for (const [index, run] of runs.entries()) {
    const end = pixel + run
    if (index % 2 === 0) pixel = end
    while (pixel < end) {
      const column = Math.floor(pixel / height)
      const columnEnd = Math.min(end, (column + 1) * height)
      append(columns[column]!, pixel - column * height, columnEnd - column * height)
      pixel = columnEnd
    }
  }
  return columns
}

/** Runs that touch are one. */
function append(column: number[], from: number, to: number): void {
  if (from >= to) return
  if (column.at(-1) === from) column[column.length - 1] = to
  else column.push(from, to)
}

function coarser(columns: Columns, step: number, height: number): Columns {
  if (step === 1) return columns
  const most = Math.ceil(height / step)
  return Array.from({ length: Math.ceil(columns.length / step) }, (_, index) => {
    const source = columns[Math.min(columns.length - 1, index * step + (step >> 1))]!
    const column: number[] = []
    for (let at = 0; at < source.length; at += 2) {
      const from = Math.max(column.at(-1) ?? 0, Math.round(source[at]! / step))
      append(column, from, Math.min(most, Math.round(source[at + 1]! / step)))
    }
    return column
  })
}

/**
 * Loops around what is inside, which lies to the right of each edge (with y downwards). Every corner is entered as often as
 * it is left, so that a walk ends where it began, whichever way it goes where four edges meet.
 */
function traced(
  columns: Columns,
  step: number,
  height: number,
  width: number,
): { readonly path: string; readonly corners: number } {
  const rows = Math.ceil(height / step) + 1
  const edges = new Map<number, number[]>()
  const edge = (x1: number, y1: number, x2: number, y2: number) => {
    const from = x1 * rows + y1
    const ends = edges.get(from)
    if (ends === undefined) edges.set(from, [x2 * rows + y2])
    else ends.push(x2 * rows + y2)
  }
  for (let x = 0; x <= columns.length; x++) {
    const [left, right] = [columns[x - 1] ?? [], columns[x] ?? []]
    for (let at = 0; at < right.length; at += 2) {
      edge(x, right[at]!, x + 1, right[at]!)
      edge(x + 1, right[at + 1]!, x, right[at + 1]!)
    }
    // Down where only the left column is inside, up where only the right one is.
    for (let [i, j, y] = [0, 0, 0]; i < left.length || j < right.length; ) {
      const next = Math.min(left[i] ?? Infinity, right[j] ?? Infinity)
      if (next > y && i % 2 !== j % 2) i % 2 ? edge(x, y, x, next) : edge(x, next, x, y)
      if (left[i] === next) i++
      if (right[j] === next) j++
      y = next
    }
  }
  let [path, corners] = ['', 0]
  const at = (vertex: number) =>
    [Math.min(width, Math.floor(vertex / rows) * step), Math.min(height, (vertex % rows) * step)] as const
  for (const start of edges.keys())
    while (edges.get(start)!.length > 0) {
      let [x, y] = at(start)
      path += `M${x} ${y}`
      let command = ''
      let vertex = start
      do {
        vertex = edges.get(vertex)!.pop()!
        const [nextX, nextY] = at(vertex)
        // Edges in a row are one line: only its end is written.
        const next = nextY === y ? 'H' : 'V'
        if (command !== '' && command !== next) {
          path += command === 'H' ? `H${x}` : `V${y}`
          corners++
        }
        command = next
        ;[x, y] = [nextX, nextY]
      } while (vertex !== start)
      path += 'Z'
      corners++
    }
  return { path, corners }
}
