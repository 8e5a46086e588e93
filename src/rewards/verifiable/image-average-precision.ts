import { cocoThresholds } from './average-precision.ts'
import type { Box } from './boxes.ts'
import { BoxColumns, ImageCase, interpolatedPrecision } from './coco-matching.ts'

export interface LabelledBox {
  readonly box: Box
  readonly label: string
}

export interface ImageAveragePrecisionOptions {
  /** @default cocoThresholds */
  readonly iouThresholds?: readonly number[]
  /** How many predictions of one label count. @default 100 */
  readonly maxDetections?: number
}

/**
 * COCO average precision of one image whose predictions stand in falling confidence: what `averagePrecision` gives for
 * that image, without its set-up. A mean over the gold labels and the thresholds, in [0, 1]; predictions of other
 * labels do not enter. null when there is no gold box.
 *
 * Where confidences are unknown (every score equal) the *order of writing* decides: a false box after the last object
 * found costs nothing, before the first it costs most.
 */
export function imageAveragePrecision(
  predicted: readonly LabelledBox[],
  gold: readonly LabelledBox[],
  { iouThresholds = cocoThresholds, maxDetections = 100 }: ImageAveragePrecisionOptions = {},
): number | null {
  predicted.forEach(({ box }, index) => {
    mine.set(index, box)
  })
  gold.forEach(({ box }, index) => {
    theirs.set(index, box)
  })
  let [sum, labels] = [0, 0]
  for (let first = 0; first < gold.length; first++) {
    const { label } = gold[first]!
    if (gold.findIndex((other) => other.label === label) < first) continue
    indicesOf(predicted, label, own)
    indicesOf(gold, label, other)
    if (own.length > maxDetections) own.length = maxDetections
    image.load(mine, own, theirs, other)
    if (own.some((i) => !counts(mine.areas[i]!)) || other.some((j) => !counts(theirs.areas[j]!)))
      image.restrictTo(
        (j) => counts(theirs.areas[other[j]!]!),
        (i) => !counts(mine.areas[own[i]!]!),
      )
    if (image.counted === 0) continue
    if (outcomes.length < own.length) outcomes = new Uint8Array(2 * own.length)
    let [precision, from, upTo] = [0, 0, Number.NEGATIVE_INFINITY] // precision holds for thresholds in [from, upTo]
    for (const threshold of iouThresholds) {
      if (!(threshold >= from && threshold <= upTo)) {
        from = threshold
        upTo = image.writeOutcomes(threshold, outcomes, 0)
        precision = interpolatedPrecision(outcomes, own.length, image.counted).precision
      }
      sum += precision
    }
    labels++
  }
  return labels === 0 ? null : sum / (labels * iouThresholds.length)
}

/** COCO's widest size class; what lies outside counts neither way. */
const counts = (area: number) => area >= 0 && area <= 1e10

// Used anew by every call.
const mine = new BoxColumns(64)
const theirs = new BoxColumns(64)
const image = new ImageCase()
const own: number[] = []
const other: number[] = []
let outcomes = new Uint8Array(128)

function indicesOf(boxes: readonly LabelledBox[], label: string, indices: number[]): void {
  indices.length = 0
  for (let i = 0; i < boxes.length; i++) if (boxes[i]!.label === label) indices.push(i)
}
