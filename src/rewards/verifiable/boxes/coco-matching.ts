import type { Box } from './boxes.ts'

// The inner loops of COCO's evaluation: who finds what in one image, and the precision that follows. They work on
// columns of numbers and on buffers that are used again, so that nothing is allocated per image.

/** Recall 0, .01, ..., 1. */
export const recallPoints = 101

/** What became of a detection. */
export const Outcome = {
  wrong: 0,
  right: 1,
  /** Counts neither way: it found an object that does not count, or found nothing and lies outside the size class. */
  leftOut: 2,
} as const

/** Boxes as columns, which grow as they are filled. */
export class BoxColumns {
  /** Float64[4 * n]: x1, y1, x2, y2. */
  corners: Float64Array
  /** Float64[n]: width times height; negative where exactly one of them is. */
  areas: Float64Array

  constructor(capacity: number) {
    this.corners = new Float64Array(4 * capacity)
    this.areas = new Float64Array(capacity)
  }

  set(index: number, [a, b, c, d]: Box, format: 'xyxy' | 'xywh' = 'xyxy'): void {
    if (index >= this.areas.length) {
      this.corners = grown(this.corners, 4 * index + 4)
      this.areas = grown(this.areas, index + 1)
    }
    // As COCO: x + w for the corner, w * h for the area. A difference in the last bit can flip a match.
    const sized = format === 'xywh'
    this.corners[4 * index] = a
    this.corners[4 * index + 1] = b
    this.corners[4 * index + 2] = sized ? a + c : c
    this.corners[4 * index + 3] = sized ? b + d : d
    this.areas[index] = sized ? c * d : (c - a) * (d - b)
  }
}

/**
 * IoU of detection `i` and gold object `j`; of a crowd region, the share of the detection that lies in it. Equal boxes
 * overlap fully even without area.
 */
function overlapOf(mine: BoxColumns, i: number, theirs: BoxColumns, j: number, crowd: boolean): number {
  const [a, b] = [mine.corners, theirs.corners]
  const [p, q] = [4 * i, 4 * j]
  const width = Math.min(a[p + 2]!, b[q + 2]!) - Math.max(a[p]!, b[q]!)
  const height = Math.min(a[p + 3]!, b[q + 3]!) - Math.max(a[p + 1]!, b[q + 1]!)
  if (width > 0 && height > 0) {
    const common = width * height
    return common / (crowd ? mine.areas[i]! : mine.areas[i]! + theirs.areas[j]! - common)
  }
  for (let corner = 0; corner < 4; corner++) if (a[p + corner] !== b[q + corner]) return 0
  return 1
}

/** One label in one image. Filled anew for each, and read by `writeOutcomes`. */
export class ImageCase {
  detections = 0
  gold = 0
  /** How many gold objects count; they come first in `order`. */
  counted = 0
  #overlaps = new Float64Array(64)
  #order = new Int32Array(16)
  #crowd = new Uint8Array(16)
  #outside = new Uint8Array(16)
  #taken = new Uint8Array(16)

  /**
   * Reads the rows named by `own` (in falling score) and `other`, all of them counting; `restrictTo` tells otherwise.
   */
  load(
    mine: BoxColumns,
    own: ArrayLike<number>,
    theirs: BoxColumns,
    other: ArrayLike<number>,
    crowd?: Uint8Array,
  ): void {
    const [detections, gold] = [own.length, other.length]
    this.detections = detections
    this.gold = gold
    this.counted = gold
    this.#overlaps = grown(this.#overlaps, detections * gold)
    this.#order = grown(this.#order, gold)
    this.#crowd = grown(this.#crowd, gold)
    this.#taken = grown(this.#taken, gold)
    this.#outside = grown(this.#outside, detections)
    this.#outside.fill(0, 0, detections)
    for (let j = 0; j < gold; j++) {
      this.#order[j] = j
      this.#crowd[j] = crowd ? crowd[other[j]!]! : 0
    }
    for (let i = 0; i < detections; i++)
      for (let j = 0; j < gold; j++)
        this.#overlaps[i * gold + j] = overlapOf(mine, own[i]!, theirs, other[j]!, this.#crowd[j] === 1)
  }

  /** Says which gold objects count and which detections lie outside, both by their place in what was loaded. */
  restrictTo(goldCounts: (j: number) => boolean, detectionOutside: (i: number) => boolean): void {
    let place = 0
    for (let j = 0; j < this.gold; j++) if (goldCounts(j)) this.#order[place++] = j
    this.counted = place
    for (let j = 0; j < this.gold; j++) if (!goldCounts(j)) this.#order[place++] = j
    for (let i = 0; i < this.detections; i++) this.#outside[i] = detectionOutside(i) ? 1 : 0
  }

  /**
   * Each detection in turn takes the free gold object that it overlaps most, if that reaches the threshold (of equal
   * overlaps the last one); an object that counts is preferred to any that does not. Writes the outcome of each to
   * `outcomes`, from `at` on, and returns the least overlap of a match: up to that threshold the outcomes are the same.
   */
  writeOutcomes(threshold: number, outcomes: Uint8Array, at: number): number {
    const { detections, gold, counted } = this
    const [overlaps, order, taken] = [this.#overlaps, this.#order, this.#taken]
    const enough = Math.min(threshold, 1 - 1e-10)
    taken.fill(0, 0, gold)
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < detections; i++) {
      let best = -1
      let most = enough
      for (let place = 0; place < gold; place++) {
        if (place === counted && best >= 0) break
        const j = order[place]!
        if (taken[j] === 1 && this.#crowd[j] === 0) continue
        const overlap = overlaps[i * gold + j]!
        if (!(overlap >= most)) continue
        most = overlap
        best = place
      }
      if (best < 0) outcomes[at + i] = this.#outside[i] === 1 ? Outcome.leftOut : Outcome.wrong
      else {
        taken[order[best]!] = 1
        outcomes[at + i] = best < counted ? Outcome.right : Outcome.leftOut
        if (most < least) least = most
      }
    }
    return least
  }
}

/** Which of the detections enter, in which order; without it all of them as they stand. */
export interface Ranking {
  /** Int32: indices in falling score. */
  readonly order: Int32Array
  /** Uint32: each detection's place in its own image, from 0. */
  readonly places: Uint32Array
  /** Only detections whose place is below this. */
  readonly limit: number
}

export interface InterpolatedPrecision {
  /** Mean over the 101 recall points. */
  precision: number
  /** Recall reached. */
  recall: number
}

let precisions = new Float64Array(256)

/**
 * Precision at recall r is the best precision at any recall of at least r, and 0 beyond the recall reached.
 *
 * @param outcomes   Uint8[count], in falling score where no `ranking` says otherwise
 * @param positives  gold objects to be found, at least 1
 * @param curve      Float64[101], filled with the precisions when given
 */
export function interpolatedPrecision(
  outcomes: Uint8Array,
  count: number,
  positives: number,
  ranking?: Ranking,
  curve?: Float64Array,
): InterpolatedPrecision {
  precisions = grown(precisions, count)
  let [found, seen] = [0, 0]
  for (let position = 0; position < count; position++) {
    const index = ranking ? ranking.order[position]! : position
    if (ranking && ranking.places[index]! >= ranking.limit) continue
    const outcome = outcomes[index]!
    if (outcome === Outcome.leftOut) continue
    seen++
    if (outcome === Outcome.right) {
      found++
      precisions[found - 1] = found / seen
    }
  }
  return interpolated(found, positives, curve)
}

/**
 * The same for detections that come in blocks of equal score: each block enters as a whole, so that the order within
 * it makes no difference.
 *
 * @param blocks  the end of each block, ascending
 */
export function blockPrecision(
  outcomes: Uint8Array,
  blocks: readonly number[],
  positives: number,
): InterpolatedPrecision {
  precisions = grown(precisions, blocks.at(-1) ?? 0)
  let [found, seen, position] = [0, 0, 0]
  for (const end of blocks) {
    const before = found
    for (; position < end; position++) {
      if (outcomes[position] === Outcome.right) found++
      if (outcomes[position] !== Outcome.leftOut) seen++
    }
    precisions.fill(found / seen, before, found)
  }
  return interpolated(found, positives)
}

/** Of the first `found` of `precisions`, which are those at each further object found. */
function interpolated(found: number, positives: number, curve?: Float64Array): InterpolatedPrecision {
  for (let j = found - 2; j >= 0; j--)
    if (precisions[j + 1]! > precisions[j]!) precisions[j] = precisions[j + 1]!
  let [sum, reached] = [0, 0] // recall points passed so far
  for (let j = 0; j < found; j++) {
    const points = pointsUpTo((j + 1) / positives)
    sum += (points - reached) * precisions[j]!
    curve?.fill(precisions[j]!, reached, points)
    reached = points
  }
  return { precision: sum / recallPoints, recall: found / positives }
}

/** How many recall points are at most `recall`. */
function pointsUpTo(recall: number): number {
  // The points are multiples of the float 0.01, as in the original; rounding is put right by comparing with them.
  let last = Math.floor(recall * 100)
  if ((last + 1) * 0.01 <= recall) last++
  else if (last * 0.01 > recall) last--
  return Math.min(last + 1, recallPoints)
}

/** The buffer, or a larger one with the same content. */
function grown<Buffer extends Float64Array | Int32Array | Uint8Array>(
  buffer: Buffer,
  needed: number,
): Buffer {
  if (buffer.length >= needed) return buffer
  const larger = new (buffer.constructor as new (length: number) => Buffer)(2 * needed)
  larger.set(buffer as never)
  return larger
}
