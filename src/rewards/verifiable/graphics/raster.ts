import type { Raster } from '../../../models/embedder.ts'

/** Side of the square on which pictures are compared unless said otherwise [pixels]. */
const comparedPixels = 64

/**
 * A picture on a white square, for comparing: `size * size` values in [0, 1] of each of red, green, blue and luma
 * (Rec. 601), rows from the top.
 */
export interface Canvas {
  readonly size: number
  readonly channels: readonly [red: Float32Array, green: Float32Array, blue: Float32Array]
  readonly luma: Float32Array
}

/** The whole raster, scaled by area averaging to fit a white square of `size` pixels, centred. */
export function toCanvas({ width, height, data }: Raster, size: number): Canvas {
  const scale = size / Math.max(width, height)
  const columns = Math.max(1, Math.round(width * scale))
  const rows = Math.max(1, Math.round(height * scale))
  const left = (size - columns) >> 1
  const top = (size - rows) >> 1
  const channels = [0, 1, 2].map(() => new Float32Array(size * size).fill(1)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const luma = new Float32Array(size * size).fill(1)
  for (let row = 0; row < rows; row++) {
    const y0 = Math.floor((row * height) / rows)
    const y1 = Math.max(y0 + 1, Math.floor(((row + 1) * height) / rows))
    for (let column = 0; column < columns; column++) {
      const x0 = Math.floor((column * width) / columns)
      const x1 = Math.max(x0 + 1, Math.floor(((column + 1) * width) / columns))
      let red = 0
      let green = 0
      let blue = 0
      let missing = 0 // of opacity: where the white behind shows
      for (let y = y0; y < y1; y++) {
        const end = (y * width + x1) * 4
        for (let at = (y * width + x0) * 4; at < end; at += 4) {
          const alpha = data[at + 3]!
          red += data[at]! * alpha
          green += data[at + 1]! * alpha
          blue += data[at + 2]! * alpha
          missing += 255 - alpha
        }
      }
      const whole = (x1 - x0) * (y1 - y0) * 255 * 255
      const at = (top + row) * size + left + column
      const behind = missing * 255
      const r = (red + behind) / whole
      const g = (green + behind) / whole
      const b = (blue + behind) / whole
      channels[0][at] = r
      channels[1][at] = g
      channels[2][at] = b
      luma[at] = 0.299 * r + 0.587 * g + 0.114 * b
    }
  }
  return { size, channels, luma }
}

/** 1 - root of the mean squared difference of colours, in [0, 1]; 1 for equal pictures, 0 for white against black. */
export function colourSimilarity(a: Canvas, b: Canvas): number {
  let sum = 0
  for (let channel = 0; channel < 3; channel++) {
    const [x, y] = [a.channels[channel]!, b.channels[channel]!]
    for (let i = 0; i < x.length; i++) {
      const difference = x[i]! - y[i]!
      sum += difference * difference
    }
  }
  return 1 - Math.sqrt(sum / (3 * a.luma.length))
}

const window = 8
const stride = 4
const [c1, c2] = [0.01 ** 2, 0.03 ** 2]

/**
 * Structural similarity of the lumas: mean over square windows of 8 pixels, one every 4, uniform weights, population
 * variances, K1 = 0.01, K2 = 0.03; negative means are 0. In [0, 1]; 1 for equal pictures.
 *
 * @source Wang, Bovik, Sheikh, Simoncelli, IEEE Trans. Image Processing 13(4), 2004 (there: Gaussian windows of 11)
 */
export function structuralSimilarity({ size, luma: a }: Canvas, { luma: b }: Canvas): number {
  const side = Math.min(window, size)
  const count = side * side
  let total = 0
  let windows = 0
  for (let top = 0; top + side <= size; top += stride) {
    for (let left = 0; left + side <= size; left += stride) {
      let sumA = 0
      let sumB = 0
      let squaresA = 0
      let squaresB = 0
      let products = 0
      for (let y = top; y < top + side; y++) {
        for (let at = y * size + left; at < y * size + left + side; at++) {
          const p = a[at]!
          const q = b[at]!
          sumA += p
          sumB += q
          squaresA += p * p
          squaresB += q * q
          products += p * q
        }
      }
      const meanA = sumA / count
      const meanB = sumB / count
      const varianceA = squaresA / count - meanA * meanA
      const varianceB = squaresB / count - meanB * meanB
      const covariance = products / count - meanA * meanB
      total +=
        ((2 * meanA * meanB + c1) * (2 * covariance + c2)) /
        ((meanA * meanA + meanB * meanB + c1) * (varianceA + varianceB + c2))
      windows++
    }
  }
  return Math.min(1, Math.max(0, total / windows))
}

/**
 * How far edges fall on edges: sum of the smaller over sum of the larger of the two pictures' gradient magnitudes
 * (Sobel, then averaged over 3 by 3 pixels, so that a line next to a line counts in part). In [0, 1]; 1 for equal
 * pictures, also for two without any edge.
 */
export function edgeSimilarity(a: Canvas, b: Canvas): number {
  return overlap(edgesOf(a), edgesOf(b))
}

function overlap(a: Float32Array, b: Float32Array): number {
  let smaller = 0
  let larger = 0
  for (let i = 0; i < a.length; i++) {
    smaller += Math.min(a[i]!, b[i]!)
    larger += Math.max(a[i]!, b[i]!)
  }
  return larger === 0 ? 1 : smaller / larger
}

/** Gradient magnitudes, averaged over 3 by 3 pixels; 0 along the border. */
function edgesOf({ size, luma }: Canvas): Float32Array {
  const magnitude = new Float32Array(size * size)
  for (let y = 1; y < size - 1; y++) {
    for (let at = y * size + 1; at < (y + 1) * size - 1; at++) {
      const above = at - size
      const below = at + size
      const diagonal = luma[below + 1]! - luma[above - 1]!
      const counter = luma[above + 1]! - luma[below - 1]!
      const gx = diagonal + counter + 2 * (luma[at + 1]! - luma[at - 1]!)
      const gy = diagonal - counter + 2 * (luma[below]! - luma[above]!)
      const squared = gx * gx + gy * gy
      if (squared > 1e-6) magnitude[at] = Math.sqrt(squared) // less is rounding, no edge
    }
  }
  const rows = new Float32Array(size * size)
  for (let at = 1; at < size * size - 1; at++)
    rows[at] = magnitude[at - 1]! + magnitude[at]! + magnitude[at + 1]!
  const blurred = new Float32Array(size * size)
  for (let y = 1; y < size - 1; y++)
    for (let at = y * size + 1; at < (y + 1) * size - 1; at++)
      blurred[at] = (rows[at - size]! + rows[at]! + rows[at + size]!) / 9
  return blurred
}

export interface RasterSimilarity {
  /** Mean of the three, each measured from what an empty (white) picture reaches: empty = 0, equal = 1. */
  readonly similarity: number
  readonly colour: number
  readonly structure: number
  readonly edges: number
}

/** A picture ready to be compared with, and what an empty picture reaches against it. */
export interface RasterTarget {
  readonly canvas: Canvas
  readonly edges: Float32Array
  readonly empty: Terms
}

type Terms = Pick<RasterSimilarity, 'colour' | 'structure' | 'edges'>

/** A picture to compare others with; undefined when it is empty, because then nothing can be told from it. */
export function rasterTarget(picture: Raster, size = comparedPixels): RasterTarget | undefined {
  const canvas = toCanvas(picture, size)
  const edges = edgesOf(canvas)
  const white = toCanvas({ width: 1, height: 1, data: Uint8Array.of(255, 255, 255, 255) }, size)
  const empty = compare(white, { canvas, edges })
  return empty.colour > 1 - 1e-3 ? undefined : { canvas, edges, empty }
}

/**
 * How similar a picture is to the target: colours, structure and edges, each in [0, 1] and 0 for whatever does no
 * better than an empty picture. (Ours: plain pixel differences would pay an empty canvas most of the reward for any
 * line drawing.)
 */
export function rasterSimilarity(picture: Raster, target: RasterTarget): RasterSimilarity {
  const reached = compare(toCanvas(picture, target.canvas.size), target)
  const gain = (term: keyof Terms) => {
    const empty = target.empty[term]
    return empty >= 1 ? 1 : Math.max(0, (reached[term] - empty) / (1 - empty))
  }
  const [colour, structure, edges] = [gain('colour'), gain('structure'), gain('edges')]
  return { similarity: (colour + structure + edges) / 3, colour, structure, edges }
}

function compare(a: Canvas, { canvas, edges }: Pick<RasterTarget, 'canvas' | 'edges'>): Terms {
  return {
    colour: colourSimilarity(a, canvas),
    structure: structuralSimilarity(a, canvas),
    edges: overlap(edgesOf(a), edges),
  }
}

/** Whether nothing is drawn: every pixel is white or transparent. */
export function isEmptyPicture({ data }: Raster): boolean {
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] !== 0 && (data[at] !== 255 || data[at + 1] !== 255 || data[at + 2] !== 255)) return false
  return true
}

/** The part that holds everything that is drawn: without margins that are white or transparent. */
export function withoutMargins(picture: Raster): Raster {
  const { width, height, data } = picture
  let [left, right, top, bottom] = [width, -1, height, -1]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 4
      if (data[at + 3] === 0 || (data[at] === 255 && data[at + 1] === 255 && data[at + 2] === 255)) continue
      if (x < left) left = x
      if (x > right) right = x
      if (y < top) top = y
      bottom = y
    }
  }
  if (right < 0 || (left === 0 && top === 0 && right === width - 1 && bottom === height - 1)) return picture
  const columns = right - left + 1
  const cropped = new Uint8Array(columns * (bottom - top + 1) * 4)
  for (let y = top; y <= bottom; y++) {
    const from = (y * width + left) * 4
    cropped.set(data.subarray(from, from + columns * 4), (y - top) * columns * 4)
  }
  return { width: columns, height: bottom - top + 1, data: cropped }
}
