import { GuerdonError } from '../../../core/index.ts'
import { type Box, isBox } from './boxes.ts'
import {
  BoxColumns,
  ImageCase,
  type InterpolatedPrecision,
  interpolatedPrecision,
  recallPoints,
} from './coco-matching.ts'

/** The ten IoU thresholds of COCO, .50:.05:.95, to the last bit as the official evaluation has them. */
export const cocoThresholds: readonly number[] = [
  0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95,
]

/** COCO's size classes by the object's area in square pixels, both ends included. */
export const cocoAreas = { small: [0, 32 ** 2], medium: [32 ** 2, 96 ** 2], large: [96 ** 2, 1e10] } as const

/** Areas that count at all: a detection outside that matches nothing is left out, not wrong. */
const anyArea = [0, 1e10] as const

/** An object that is really there. */
export interface GoldObject {
  readonly image: string | number
  readonly label: string | number
  readonly box: Box
  /** Square pixels, for the size classes; COCO gives the area of the object's outline. @default that of the box */
  readonly area?: number
  /**
   * A region full of objects that were not drawn singly: any number of detections may lie in it, measured by the share
   * of their own area, and none of them counts for or against. @default false
   */
  readonly crowd?: boolean
  /** An object that need not be found; the one detection that finds it does not count. @default false */
  readonly ignore?: boolean
}

export interface Detection {
  readonly image: string | number
  readonly label: string | number
  readonly box: Box
  /** Confidence on any scale; only the order matters, and equal ones go in the order given. */
  readonly score: number
}

export interface AveragePrecisionOptions {
  /** @default cocoThresholds */
  readonly iouThresholds?: readonly number[]
  /** Size classes by name: [smallest, largest] area in square pixels. @default cocoAreas */
  readonly areas?: Readonly<Record<string, readonly [smallest: number, largest: number]>>
  /** How many detections count in one image for one label, ascending; AP uses the last. @default [1, 10, 100] */
  readonly maxDetections?: readonly number[]
  /** What the four numbers of a box are: two corners, or corner and size as in COCO's files. @default 'xyxy' */
  readonly boxes?: 'xyxy' | 'xywh'
  /** Also return each label's precision-recall curves. @default false */
  readonly curves?: boolean
}

/** Means over labels and thresholds, each in [0, 1]; null where no gold object counts. */
export interface AveragePrecision {
  readonly ap: number | null
  /** At IoU 0.5 and 0.75 alone; null also when that threshold was not asked for. */
  readonly ap50: number | null
  readonly ap75: number | null
  /** Highest recall by the number of detections allowed: `ar[100]`. */
  readonly ar: Readonly<Record<number, number | null>>
  /** By size class: `areas.small.ap`. */
  readonly areas: Readonly<Record<string, { readonly ap: number | null; readonly ar: number | null }>>
  /** The labels that have gold objects, in their order of appearance. */
  readonly labels: readonly LabelPrecision[]
}

export interface LabelPrecision {
  readonly label: string | number
  readonly ap: number | null
  readonly ap50: number | null
  /** Gold objects that count (neither crowd nor ignored). */
  readonly gold: number
  readonly detections: number
  /** Float64[thresholds * 101]: precision at recall 0, .01, ..., 1, threshold by threshold. */
  readonly curves?: Float64Array
}

/**
 * Average precision and recall of detections over a set of images, as COCO defines them: 101 recall points, ten IoU
 * thresholds, size classes, limits on detections per image, crowd regions. Equal to pycocotools to rounding, with one
 * difference: a gold box without area is found by a detection of exactly the same box (there it can only be missed).
 * Detections of a label without gold objects do not enter, as there.
 *
 * @throws GuerdonError  `bad-box` when a coordinate or score is not a finite number
 */
export function averagePrecision(
  gold: readonly GoldObject[],
  detections: readonly Detection[],
  options: AveragePrecisionOptions = {},
): AveragePrecision {
  const { iouThresholds = cocoThresholds, areas = cocoAreas, maxDetections = [1, 10, 100] } = options
  const { boxes = 'xyxy', curves = false } = options
  if (maxDetections.length === 0 || maxDetections.some((limit, m) => !(limit > (maxDetections[m - 1] ?? 0))))
    throw new RangeError(`maxDetections must be positive and ascend, and are [${maxDetections}]`)
  const labels = new Map<string | number, number>()
  for (const { label } of gold) if (!labels.has(label)) labels.set(label, labels.size)
  const images = imageNumbers(gold, detections)
  const theirs = tableOf('gold', gold, labels, images, boxes)
  const mine = tableOf('detections', detections, labels, images, boxes)

  const ranges = [anyArea, ...Object.values(areas)]
  const grid = new Grid(labels.size, ranges.length, maxDetections.length, iouThresholds.length)
  const perLabel: LabelPrecision[] = []
  const at50 = iouThresholds.indexOf(0.5)
  const cursor: Cursor = { detection: 0, gold: 0 }
  const image = new ImageCase()
  for (const [label, k] of labels) {
    const kept = labelOutcomes(mine, theirs, k, cursor, image, ranges, iouThresholds, maxDetections.at(-1)!)
    const labelCurves = curves ? new Float64Array(iouThresholds.length * recallPoints) : undefined
    tallyLabel(kept, k, grid, maxDetections, labelCurves)
    perLabel.push({
      label,
      ap: grid.meanPrecision(0, { label: k }),
      ap50: at50 < 0 ? null : grid.meanPrecision(0, { label: k, threshold: at50 }),
      gold: kept.positives[0]!,
      detections: kept.detections,
      ...(labelCurves ? { curves: labelCurves } : {}),
    })
  }

  const apAt = (iou: number) => {
    const threshold = iouThresholds.indexOf(iou)
    return threshold < 0 ? null : grid.meanPrecision(0, { threshold })
  }
  return {
    ap: grid.meanPrecision(0),
    ap50: apAt(0.5),
    ap75: apAt(0.75),
    ar: Object.fromEntries(maxDetections.map((limit, m) => [limit, grid.meanRecall(0, m)])),
    areas: Object.fromEntries(
      Object.keys(areas).map((name, index) => [
        name,
        { ap: grid.meanPrecision(index + 1), ar: grid.meanRecall(index + 1, maxDetections.length - 1) },
      ]),
    ),
    labels: perLabel,
  }
}

/** Precision and recall by label, size class, limit and threshold; NaN where no gold object counts. */
class Grid {
  readonly labels: number
  readonly areas: number
  readonly limits: number
  readonly thresholds: number
  /** [label, area, threshold], at the last limit. */
  readonly precision: Float64Array
  /** [label, area, limit, threshold] */
  readonly recall: Float64Array

  constructor(labels: number, areas: number, limits: number, thresholds: number) {
    this.labels = labels
    this.areas = areas
    this.limits = limits
    this.thresholds = thresholds
    this.precision = new Float64Array(labels * areas * thresholds).fill(Number.NaN)
    this.recall = new Float64Array(labels * areas * limits * thresholds).fill(Number.NaN)
  }

  set(k: number, a: number, m: number, t: number, { precision, recall }: InterpolatedPrecision): void {
    this.recall[((k * this.areas + a) * this.limits + m) * this.thresholds + t] = recall
    if (m === this.limits - 1) this.precision[(k * this.areas + a) * this.thresholds + t] = precision
  }

  /** Over all thresholds and labels, or one of either. */
  meanPrecision(area: number, only: { label?: number; threshold?: number } = {}): number | null {
    const values: number[] = []
    for (let k = only.label ?? 0; k <= (only.label ?? this.labels - 1); k++)
      for (let t = only.threshold ?? 0; t <= (only.threshold ?? this.thresholds - 1); t++)
        values.push(this.precision[(k * this.areas + area) * this.thresholds + t]!)
    return meanDefined(values)
  }

  meanRecall(area: number, limit: number): number | null {
    const values: number[] = []
    for (let k = 0; k < this.labels; k++) {
      const at = ((k * this.areas + area) * this.limits + limit) * this.thresholds
      values.push(...this.recall.subarray(at, at + this.thresholds))
    }
    return meanDefined(values)
  }
}

function meanDefined(values: readonly number[]): number | null {
  const defined = values.filter((value) => !Number.isNaN(value))
  return defined.length === 0 ? null : defined.reduce((sum, value) => sum + value, 0) / defined.length
}

/** How far the two tables have been read. */
interface Cursor {
  detection: number
  gold: number
}

/** The detections of one label that count, image by image. */
interface LabelOutcomes {
  /** Of every size class and threshold, [area][threshold]: what became of each. */
  readonly outcomes: readonly (readonly Uint8Array[])[]
  readonly scores: Float64Array
  /** Place among the detections of its image, from 0. */
  readonly places: Uint32Array
  readonly kept: number
  /** By size class: gold objects to be found. */
  readonly positives: Uint32Array
  /** Before the limit per image. */
  readonly detections: number
}

/** Walks one label's rows of both tables, image by image, and moves the cursor behind them. */
function labelOutcomes(
  mine: Table,
  theirs: Table,
  label: number,
  cursor: Cursor,
  image: ImageCase,
  ranges: readonly (readonly [number, number])[],
  thresholds: readonly number[],
  limit: number,
): LabelOutcomes {
  const detectionEnd = runEnd(mine.label, mine.order, cursor.detection, label)
  const goldEnd = runEnd(theirs.label, theirs.order, cursor.gold, label)
  const detections = detectionEnd - cursor.detection
  const outcomes = ranges.map(() => thresholds.map(() => new Uint8Array(detections)))
  const scores = new Float64Array(detections)
  const places = new Uint32Array(detections)
  const positives = new Uint32Array(ranges.length)
  let kept = 0
  while (cursor.detection < detectionEnd || cursor.gold < goldEnd) {
    const here = Math.min(
      cursor.detection < detectionEnd ? mine.image[mine.order[cursor.detection]!]! : Number.POSITIVE_INFINITY,
      cursor.gold < goldEnd ? theirs.image[theirs.order[cursor.gold]!]! : Number.POSITIVE_INFINITY,
    )
    const { detection, gold } = cursor
    cursor.detection = Math.min(detectionEnd, runEnd(mine.image, mine.order, detection, here))
    cursor.gold = Math.min(goldEnd, runEnd(theirs.image, theirs.order, gold, here))
    const own = mine.order.subarray(detection, Math.min(cursor.detection, detection + limit))
    const other = theirs.order.subarray(gold, cursor.gold)
    image.load(mine.boxes, own, theirs.boxes, other, theirs.crowd)
    own.forEach((index, place) => {
      scores[kept + place] = mine.score[index]!
      places[kept + place] = place
    })
    ranges.forEach(([smallest, largest], a) => {
      const within = (area: number) => area >= smallest && area <= largest
      image.restrictTo(
        (j) => theirs.counts[other[j]!] === 1 && within(theirs.size[other[j]!]!),
        (i) => !within(mine.size[own[i]!]!),
      )
      positives[a]! += image.counted
      thresholds.forEach((threshold, t) => {
        image.writeOutcomes(threshold, outcomes[a]![t]!, kept)
      })
    })
    kept += own.length
  }
  return { outcomes, scores, places, kept, positives, detections }
}

/** Ranks one label's detections over all images and enters precision and recall in the grid. */
function tallyLabel(
  { outcomes, scores, places, kept, positives }: LabelOutcomes,
  label: number,
  grid: Grid,
  limits: readonly number[],
  curves: Float64Array | undefined,
): void {
  const order = Int32Array.from({ length: kept }, (_, index) => index)
  order.sort((a, b) => scores[b]! - scores[a]! || a - b)
  outcomes.forEach((byThreshold, a) => {
    if (positives[a] === 0) return
    byThreshold.forEach((outcome, t) => {
      limits.forEach((limit, m) => {
        const curve = a === 0 && m === limits.length - 1 ? curves?.subarray(t * recallPoints) : undefined
        const ranking = { order, places, limit }
        grid.set(label, a, m, t, interpolatedPrecision(outcome, kept, positives[a]!, ranking, curve))
      })
    })
  })
}

/** The end of the run of `value` that starts at `from` (which is the end when no such run starts there). */
function runEnd(values: Int32Array, order: Int32Array, from: number, value: number): number {
  let end = from
  while (end < order.length && values[order[end]!] === value) end++
  return end
}

/** Rows in columns, and the order in which they are evaluated: by label, image, falling score, place in the input. */
interface Table {
  readonly boxes: BoxColumns
  readonly label: Int32Array
  readonly image: Int32Array
  readonly score: Float64Array
  /** Square pixels, for the size classes. */
  readonly size: Float64Array
  readonly crowd: Uint8Array
  readonly counts: Uint8Array
  readonly order: Int32Array
}

function tableOf(
  name: string,
  rows: readonly (GoldObject | Detection)[],
  labels: ReadonlyMap<string | number, number>,
  images: ReadonlyMap<string | number, number>,
  format: 'xyxy' | 'xywh',
): Table {
  const n = rows.length
  const boxes = new BoxColumns(n)
  const [label, image, order] = [new Int32Array(n), new Int32Array(n), new Int32Array(n)]
  const [score, size] = [new Float64Array(n), new Float64Array(n)]
  const [crowd, counts] = [new Uint8Array(n), new Uint8Array(n)]
  let evaluated = 0
  rows.forEach((row: Partial<GoldObject & Detection> & Pick<GoldObject, 'image' | 'label' | 'box'>, i) => {
    if (!isBox(row.box) || !Number.isFinite(row.score ?? 0) || !Number.isFinite(row.area ?? 0))
      throw new GuerdonError(
        'bad-box',
        `${name}[${i}] has a coordinate, score or area that is not a finite number.`,
        {
          fix: 'Give four finite numbers in `box`, and a finite `score` or `area`.',
        },
      )
    boxes.set(i, row.box, format)
    label[i] = labels.get(row.label) ?? -1
    image[i] = images.get(row.image)!
    score[i] = row.score ?? 0
    size[i] = row.area ?? boxes.areas[i]!
    crowd[i] = row.crowd ? 1 : 0
    counts[i] = row.crowd || row.ignore ? 0 : 1
    if (label[i]! >= 0) order[evaluated++] = i
  })
  const sorted = order
    .subarray(0, evaluated)
    .sort((a, b) => label[a]! - label[b]! || image[a]! - image[b]! || score[b]! - score[a]! || a - b)
  return { boxes, label, image, score, size, crowd, counts, order: sorted }
}

/** Images numbered as pycocotools orders them, which decides ties between images: by id where ids are numbers. */
function imageNumbers(
  ...tables: readonly (readonly { readonly image: string | number }[])[]
): Map<string | number, number> {
  const ids = [...new Set(tables.flatMap((rows) => rows.map(({ image }) => image)))]
  if (ids.every((id) => typeof id === 'number')) ids.sort((a, b) => a - b)
  return new Map(ids.map((id, index) => [id, index]))
}
