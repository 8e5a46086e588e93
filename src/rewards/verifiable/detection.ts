import type { Evidence } from '../../core/index.ts'
import { squash, type Threshold } from '../combine/threshold.ts'
import type { LabelledBox } from './box-list.ts'
import { l1Distance, type Overlap, overlaps } from './boxes.ts'
import { type MatchOptions, match } from './match.ts'

export interface DetectionOptions {
  /** How two boxes are compared. @default 'iou' */
  readonly overlap?: Overlap
  /** Who chooses first, see `match`. @default 'global-greedy' */
  readonly order?: MatchOptions<LabelledBox, LabelledBox>['order']
  /** Least overlap of a pair. @default none */
  readonly threshold?: number
  /** The overlap must exceed the threshold. @default false */
  readonly strict?: boolean
  /**
   * `ignore`: labels are not read. `require`: only boxes of one label pair. `void`: boxes of different labels may pair,
   * and then the pair's overlap counts 0. Labels are compared without regard to case and outer white space; a gold box
   * without a label goes with any. @default 'require'
   */
  readonly labels?: 'ignore' | 'require' | 'void'
  /**
   * Of the order `hungarian`: minus the overlap, or the box prior of Vision-R1, L1 distance in the boxes' own units
   * minus GIoU minus [same label]. @default 'overlap'
   */
  readonly cost?: 'overlap' | 'box-prior'
}

/** The pairs of predicted and gold boxes, and how many there were. */
export interface DetectionMatch {
  readonly pairs: readonly DetectionPair[]
  readonly predicted: number
  readonly gold: number
}

export interface DetectionPair {
  readonly predicted: number
  readonly gold: number
  /** 0 for a pair whose labels make it void. */
  readonly overlap: number
}

/** One-to-one pairs of predicted and gold boxes. */
export function matchDetections(
  predicted: readonly LabelledBox[],
  gold: readonly LabelledBox[],
  options: DetectionOptions = {},
): DetectionMatch {
  const { overlap = 'iou', order = 'global-greedy', labels = 'require', cost = 'overlap' } = options
  const measure = overlaps[overlap]
  const requires = labels === 'require'
  const pairs = match(predicted, gold, {
    // A pair of two labels is put below every other, and dropped.
    affinity: (mine, theirs) => (requires && !sameLabel(mine, theirs) ? -2 : measure(mine.box, theirs.box)),
    order,
    threshold: options.threshold ?? -1,
    strict: options.strict ?? false,
    confidence: ({ confidence }) => confidence ?? 0,
    ...(cost === 'box-prior' ? { cost: boxPrior } : {}),
  })
  return {
    pairs: pairs.map(({ predicted: i, gold: j, affinity }) => ({
      predicted: i,
      gold: j,
      overlap: labels === 'void' && !sameLabel(predicted[i]!, gold[j]!) ? 0 : affinity,
    })),
    predicted: predicted.length,
    gold: gold.length,
  }
}

/** Cost of Vision-R1's BoxPriorMatcher. In pixels the distance outweighs the label almost always. */
function boxPrior(mine: LabelledBox, theirs: LabelledBox): number {
  return (
    l1Distance(mine.box, theirs.box) - (sameLabel(mine, theirs) ? 1 : 0) - overlaps.giou(mine.box, theirs.box)
  )
}

function sameLabel({ label: mine }: LabelledBox, { label: theirs }: LabelledBox): boolean {
  if (theirs === undefined || mine === theirs) return true
  return mine !== undefined && mine.trim().toLowerCase() === theirs.trim().toLowerCase()
}

export interface OverlapShareOptions {
  /**
   * What the sum of the pairs' overlaps is divided by: the pairs (then surplus predictions are free), the predictions
   * (precision), the gold boxes (recall), or the larger of the two.
   */
  readonly denominator: 'matched' | 'predicted' | 'gold' | 'larger'
  /** Each overlap is squashed first; `[0, 0]` counts pairs of a positive overlap. @default as it is */
  readonly threshold?: Threshold
}

/**
 * Sum of the pairs' overlaps over a count, in [-1, 1]; 0 when the count is 0. What an image without gold boxes is worth is
 * the caller's to say.
 */
export function overlapShare(
  { pairs, predicted, gold }: DetectionMatch,
  { denominator, threshold }: OverlapShareOptions,
): number {
  const count = { matched: pairs.length, predicted, gold, larger: Math.max(predicted, gold) }[denominator]
  if (count === 0) return 0
  let sum = 0
  for (const { overlap } of pairs) sum += threshold ? squash(overlap, threshold) : overlap
  return sum / count
}

/** 1 - (missed gold / gold + unmatched predictions / predictions) / 2: VLM-R1's completeness. Both counts positive. */
export function completeness({ pairs, predicted, gold }: DetectionMatch): number {
  return 1 - ((gold - pairs.length) / gold + (predicted - pairs.length) / predicted) / 2
}

/** Harmonic mean of precision and recall, 2 pairs / (predictions + gold); 1 when there is neither. */
export function f1({ pairs, predicted, gold }: DetectionMatch): number {
  return predicted + gold === 0 ? 1 : (2 * pairs.length) / (predicted + gold)
}

/**
 * How well stated confidences tell right from wrong: mean of c over the predictions that found something and of 1 - c
 * over the others. Missed gold objects do not enter unless the sum is divided by the larger of both counts.
 *
 * @source Visual-RFT, arXiv 2503.01785
 */
export function confidenceAgreement(
  predictions: readonly LabelledBox[],
  { pairs, predicted, gold }: DetectionMatch,
  denominator: 'predicted' | 'larger' = 'predicted',
): number {
  const found = new Set(pairs.map((pair) => pair.predicted))
  const count = denominator === 'larger' ? Math.max(predicted, gold) : predicted
  if (count === 0) return 0
  let sum = 0
  predictions.forEach(({ confidence = 0 }, index) => {
    sum += found.has(index) ? confidence : 1 - confidence
  })
  return sum / count
}

/** Every box for drawing: the gold ones, and the predicted ones marked by whether they found something. */
export function boxEvidence(
  predicted: readonly LabelledBox[],
  gold: readonly LabelledBox[],
  { pairs }: DetectionMatch,
): Evidence[] {
  const found = new Map(pairs.filter(({ overlap }) => overlap > 0).map((pair) => [pair.predicted, pair.gold]))
  const hit = new Set(found.values())
  const evidence = (item: LabelledBox, role: 'predicted' | 'reference', good: boolean): Evidence => ({
    kind: 'box',
    image: 0,
    box: item.box,
    role,
    good,
    ...(item.label === undefined ? {} : { label: item.label }),
  })
  return [
    ...gold.map((item, index) => evidence(item, 'reference', hit.has(index))),
    ...predicted.map((item, index) => evidence(item, 'predicted', found.has(index))),
  ]
}
