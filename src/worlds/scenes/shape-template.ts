import type { Shape } from './attributes.ts'

/** A shape's pixels at one diameter, without margins: row spans [y, first x, last x + 1], relative to its box. */
export interface ShapeTemplate {
  readonly width: number
  readonly height: number
  /** Three numbers a span. */
  readonly spans: Int16Array
  /** Number of pixels. */
  readonly area: number
}

const cache = new Map<Shape, ShapeTemplate[]>()

/** The pixels of a shape drawn into a square of `diameter` pixels. Cached. */
export function shapeTemplate(shape: Shape, diameter: number): ShapeTemplate {
  let known = cache.get(shape)
  if (known === undefined) {
    known = []
    cache.set(shape, known)
  }
  known[diameter] ??= makeTemplate(shape, diameter)
  return known[diameter]
}

/** Whether (x, y), each in [-1, 1] with y downwards, lies in the shape. */
const inside: Readonly<Record<Shape, (x: number, y: number) => boolean>> = {
  circle: (x, y) => x * x + y * y <= 1,
  square: () => true,
  triangle: (x, y) => Math.abs(x) <= (y + 1) / 2,
  diamond: (x, y) => Math.abs(x) + Math.abs(y) <= 1,
  star: isInStar,
  cross: (x, y) => Math.abs(x) <= 0.34 || Math.abs(y) <= 0.34,
}

const samplesPerPixel = 4

/** A pixel belongs to the shape when at least half of its 16 sample points do. */
function makeTemplate(shape: Shape, diameter: number): ShapeTemplate {
  const isIn = inside[shape]
  const spans: number[] = []
  let [left, right, top, bottom, area] = [diameter, 0, diameter, 0, 0]
  for (let row = 0; row < diameter; row++) {
    let start = -1
    for (let column = 0; column <= diameter; column++) {
      const filled = column < diameter && isCovered(isIn, row, column, diameter)
      if (filled && start < 0) start = column
      if (!filled && start >= 0) {
        spans.push(row, start, column)
        left = Math.min(left, start)
        right = Math.max(right, column)
        top = Math.min(top, row)
        bottom = row + 1
        area += column - start
        start = -1
      }
    }
  }
  return {
    width: right - left,
    height: bottom - top,
    spans: Int16Array.from(spans, (value, index) => value - (index % 3 === 0 ? top : left)),
    area,
  }
}

function isCovered(
  isIn: (x: number, y: number) => boolean,
  row: number,
  column: number,
  diameter: number,
): boolean {
  let hits = 0
  for (let i = 0; i < samplesPerPixel; i++)
    for (let j = 0; j < samplesPerPixel; j++) {
      const x = (2 * (column + (j + 0.5) / samplesPerPixel)) / diameter - 1
      const y = (2 * (row + (i + 0.5) / samplesPerPixel)) / diameter - 1
      if (isIn(x, y)) hits++
    }
  return hits * 2 >= samplesPerPixel * samplesPerPixel
}

/** Five points, the first upwards; the inner corners at 0.42 of the outer radius. */
const starCorners = Array.from({ length: 10 }, (_, index) => {
  const angle = (index * Math.PI) / 5 - Math.PI / 2
  const radius = index % 2 === 0 ? 1.08 : 0.45
  return [radius * Math.cos(angle), radius * Math.sin(angle) + 0.08] as const
})

/** Even-odd rule. */
function isInStar(x: number, y: number): boolean {
  let isIn = false
  for (let i = 0, j = starCorners.length - 1; i < starCorners.length; j = i++) {
    const [xi, yi] = starCorners[i]!
    const [xj, yj] = starCorners[j]!
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) isIn = !isIn
  }
  return isIn
}
