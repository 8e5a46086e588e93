import { cocoThresholds } from './average-precision.ts'
import type { LabelledBox } from './box-list.ts'
import { type Box, iou } from './boxes.ts'
import { BoxColumns, blockPrecision, ImageCase, interpolatedPrecision } from './coco-matching.ts'

export interface ImageAveragePrecisionOptions {
  /** @default cocoThresholds */
  readonly iouThresholds?: readonly number[]
  /** How many predictions of one label count. @default 100 */
  readonly maxDetections?: number
  /**
   * `in-order`: the predictions stand in falling confidence, as COCO takes them. `together`: they are ranked by their
   * `confidence` (none stated = 0), and those of equal confidence enter as one block, so that the order of writing
   * makes no difference. @default 'in-order'
   */
  readonly ties?: 'in-order' | 'together'
}

/**
 * COCO average precision of the predictions for one image: what `averagePrecision` gives for it, without the set-up. A
 * mean over the gold labels and the thresholds, in [0, 1]; predictions of other labels do not enter. null when there
 * is no gold box.
 *
 * Where no confidences are known the *order of writing* decides, unless ties are taken together: a false box after the
 * last object found costs nothing, before the first it costs most.
 */
export function imageAveragePrecision(
  predicted: readonly LabelledBox[],
  gold: readonly LabelledBox[],
  {
    iouThresholds = cocoThresholds,
    maxDetections = 100,
    ties = 'in-order',
  }: ImageAveragePrecisionOptions = {},
): number | null {
  for (let i = 0; i < predicted.length; i++) mine.set(i, predicted[i]!.box)
  for (let j = 0; j < gold.length; j++) theirs.set(j, gold[j]!.box)
  let [sum, labels] = [0, 0]
  for (let first = 0; first < gold.length; first++) {
    const { label } = gold[first]!
    if (indicesOf(gold, label, other) < first) continue
    indicesOf(predicted, label, own)
    const blocks = ties === 'together' ? rankTogether(predicted, gold, maxDetections) : undefined
    own.length = Math.min(own.length, maxDetections)
    image.load(mine, own, theirs, other)
    if (ties === 'in-order' && (hasOddSize(mine, own) || hasOddSize(theirs, other)))
      image.restrictTo(
        (j) => counts(theirs.areas[other[j]!]!),
        (i) => !counts(mine.areas[own[i]!]!),
      )
    if (image.counted === 0) continue
    if (outcomes.length < own.length) outcomes = new Uint8Array(2 * own.length)
    let [precision, from, upTo] = [0, 0, Number.NEGATIVE_INFINITY] // precision holds for thresholds in [from, upTo]
    for (let t = 0; t < iouThresholds.length; t++) {
      const threshold = iouThresholds[t]!
      if (!(threshold >= from && threshold <= upTo)) {
        from = threshold
        upTo = image.writeOutcomes(threshold, outcomes, 0)
        precision = blocks
          ? blockPrecision(outcomes, blocks, image.counted).precision
          : interpolatedPrecision(outcomes, own.length, image.counted).precision
      }
      sum += precision
    }
    labels++
  }
  return labels === 0 ? null : sum / (labels * iouThresholds.length)
}

/** COCO's widest size class; what lies outside, as a box turned inside out, counts neither way there. */
const counts = (area: number) => area >= 0 && area <= 1e10

// Used anew by every call.
const mine = new BoxColumns(64)
const theirs = new BoxColumns(64)
const image = new ImageCase()
const own: number[] = []
const other: number[] = []
let outcomes = new Uint8Array(128)

/** Fills `indices` with the places of a label, and returns the first. */
function indicesOf(boxes: readonly LabelledBox[], label: string | undefined, indices: number[]): number {
  indices.length = 0
  for (let i = 0; i < boxes.length; i++) if (boxes[i]!.label === label) indices.push(i)
  return indices[0] ?? -1
}

function hasOddSize(boxes: BoxColumns, indices: readonly number[]): boolean {
  for (let i = 0; i < indices.length; i++) if (!counts(boxes.areas[indices[i]!]!)) return true
  return false
}

const none: readonly number[] = []
const one: readonly number[] = [1]

/**
 * Sorts `own` by confidence, then by best overlap with a gold box of the label (`other`) and by the corners, so that
 * the order of writing never decides, and returns where each block of equal confidence ends.
 */
function rankTogether(
  predicted: readonly LabelledBox[],
  gold: readonly LabelledBox[],
  limit: number,
): readonly number[] {
  if (own.length < 2) return own.length === 0 ? none : one
  const confidence = (index: number) => predicted[index]!.confidence ?? 0
  const best = new Map<number, number>()
  for (const i of own)
    best.set(
      i,
      other.reduce((most, j) => Math.max(most, iou(predicted[i]!.box, gold[j]!.box)), 0),
    )
  own.sort(
    (a, b) =>
      confidence(b) - confidence(a) ||
      best.get(b)! - best.get(a)! ||
      byCorners(predicted[a]!.box, predicted[b]!.box),
  )
  own.length = Math.min(own.length, limit)
  return own.flatMap((i, place) =>
    place + 1 < own.length && confidence(own[place + 1]!) === confidence(i) ? [] : [place + 1],
  )
}

function byCorners(a: Box, b: Box): number {
  for (let corner = 0; corner < 4; corner++) if (a[corner] !== b[corner]) return a[corner]! - b[corner]!
  return 0
}
