/**
 * Axis-parallel boxes: [x1, y1, x2, y2] in any one unit (pixels, thousandths, shares of the image). A box whose right
 * side is not right of its left side, or whose lower side is not below its upper side, is *degenerate*: its area is 0
 * and it overlaps nothing.
 */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number]

/** How four numbers name a box: two corners; corner and size (COCO); centre and size (YOLO). */
export type BoxFormat = 'xyxy' | 'xywh' | 'cxcywh'

export const boxFormats = ['xyxy', 'xywh', 'cxcywh'] as const satisfies readonly BoxFormat[]

export interface Size {
  readonly width: number
  readonly height: number
}

/** Beyond this a coordinate is taken for nonsense: areas and their sums stay finite below it. */
const largestCoordinate = 1e100

/** Four finite numbers. Says nothing of their order: see `isProper`. */
export function isBox(value: unknown): value is Box {
  if (!Array.isArray(value) || value.length !== 4) return false
  for (const coordinate of value)
    if (typeof coordinate !== 'number' || !(Math.abs(coordinate) <= largestCoordinate)) return false
  return true
}

/** True of a box with a positive width and height. */
export function isProper(box: Box): boolean {
  // Indices rather than patterns here and below: array patterns cost an iterator in the innermost loops.
  return box[0] < box[2] && box[1] < box[3]
}

/** The corners of a box given in another format. */
export function toCorners(numbers: Box, format: BoxFormat): Box {
  const [a, b, c, d] = numbers
  switch (format) {
    case 'xyxy':
      return numbers
    case 'xywh':
      return [a, b, a + c, b + d]
    case 'cxcywh':
      return [a - c / 2, b - d / 2, a + c / 2, b + d / 2]
  }
}

/** The four numbers of a box in another format: the inverse of `toCorners`. */
export function fromCorners(box: Box, format: BoxFormat): Box {
  const [x1, y1, x2, y2] = box
  switch (format) {
    case 'xyxy':
      return box
    case 'xywh':
      return [x1, y1, x2 - x1, y2 - y1]
    case 'cxcywh':
      return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]
  }
}

/**
 * From the coordinates of one picture size to those of another: model input to image pixels, or a normalised box to
 * pixels (`from` = 1 x 1, or 1000 x 1000 for thousandths). x goes by width, y by height.
 */
export function scaleBox(box: Box, from: Size, to: Size): Box {
  // Division first, as the published rewards do: the last bits agree with theirs.
  return [
    (box[0] / from.width) * to.width,
    (box[1] / from.height) * to.height,
    (box[2] / from.width) * to.width,
    (box[3] / from.height) * to.height,
  ]
}

/** Coordinates cut to integers towards 0. */
export function truncateBox([x1, y1, x2, y2]: Box): Box {
  return [Math.trunc(x1), Math.trunc(y1), Math.trunc(x2), Math.trunc(y2)]
}

/** Square units; 0 for a degenerate box. */
export function area(box: Box): number {
  return isProper(box) ? (box[2] - box[0]) * (box[3] - box[1]) : 0
}

/** Area common to two boxes. */
export function intersection(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0])
  if (!(width > 0)) return 0
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  return height > 0 ? width * height : 0
}

/** Intersection over union, in [0, 1]; 0 when either box is degenerate. */
export function iou(a: Box, b: Box): number {
  const common = intersection(a, b)
  if (common === 0 || !isProper(a) || !isProper(b)) return 0
  return common / (area(a) + area(b) - common)
}

/**
 * Intersection over union as VLM-R1 computes it, for whole pixels: an overlap of at most one pixel in either
 * direction counts 0, and so does everything in normalised coordinates, even a box with itself. Like the original, a
 * negative area enters the union as it is.
 *
 * @source VLM-R1, arXiv 2504.07615, released `iou`
 */
export function pixelIou(a: Box, b: Box): number {
  const x1 = Math.max(a[0], b[0])
  const y1 = Math.max(a[1], b[1])
  const x2 = Math.min(a[2] - 1, b[2] - 1)
  const y2 = Math.min(a[3] - 1, b[3] - 1)
  const common = x1 < x2 && y1 < y2 ? (x2 - x1 + 1) * (y2 - y1 + 1) : 0
  if (common === 0) return 0
  return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)
}

/**
 * Generalised IoU, in (-1, 1]: IoU - (C - U) / C with C the area of the smallest box around both. Falls on as the
 * boxes move apart, where IoU stays 0. Two boxes that enclose no area give 0.
 *
 * @source Rezatofighi et al. 2019, arXiv 1902.09630
 */
export function giou(a: Box, b: Box): number {
  const hull = (Math.max(a[2], b[2]) - Math.min(a[0], b[0])) * (Math.max(a[3], b[3]) - Math.min(a[1], b[1]))
  if (!(hull > 0)) return 0
  const common = isProper(a) && isProper(b) ? intersection(a, b) : 0
  const union = area(a) + area(b) - common
  return (common === 0 ? 0 : common / union) - (hull - union) / hull
}

/** Sum of the absolute differences of the four coordinates. */
export function l1Distance(a: Box, b: Box): number {
  return Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2]) + Math.abs(a[3] - b[3])
}

/** The measures of agreement of two boxes, by name. */
export const overlaps = { iou, giou, pixelIou } as const

export type Overlap = keyof typeof overlaps
