import type { Evidence } from '../../../core/index.ts'
import { squash, type Threshold } from '../../combine/threshold.ts'
import type { LabelledBox } from './box-list.ts'
import { l1Distance, type Overlap, overlaps } from './boxes.ts'
import { type MatchOptions, match, type Pair } from './match.ts'

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
  const affinity = requires
    ? // A pair of two labels is put below every other, and dropped.
      (mine: LabelledBox, theirs: LabelledBox) =>
        sameLabel(mine, theirs) ? measure(mine.box, theirs.box) : -2
    : (mine: LabelledBox, theirs: LabelledBox) => measure(mine.box, theirs.box)
  const { threshold = -1, strict = false } = options
  const pairs = match(predicted, gold, {
    affinity,
    order,
    threshold,
    strict,
    confidence: statedConfidence,
    cost: cost === 'box-prior' ? boxPrior : undefined,
  })
  const isVoid = ({ predicted: i, gold: j }: Pair) => labels === 'void' && !sameLabel(predicted[i]!, gold[j]!)
  return {
    pairs: pairs.map((pair) => ({
      predicted: pair.predicted,
      gold: pair.gold,
      overlap: isVoid(pair) ? 0 : pair.affinity,
    })),
    predicted: predicted.length,
    gold: gold.length,
  }
}

const statedConfidence = ({ confidence }: LabelledBox) => confidence ?? 0

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
  const [hits, finds]: [boolean[], boolean[]] = [[], []]
  for (const pair of pairs) {
    if (pair.overlap <= 0) continue
    hits[pair.gold] = true
    finds[pair.predicted] = true
  }
  const drawn: Evidence[] = []
  for (let j = 0; j < gold.length; j++) drawn.push(drawnBox(gold[j]!, 'reference', hits[j] === true))
  for (let i = 0; i < predicted.length; i++)
    drawn.push(drawnBox(predicted[i]!, 'predicted', finds[i] === true))
  return drawn
}

function drawnBox({ box, label }: LabelledBox, role: 'predicted' | 'reference', good: boolean): Evidence {
  return label === undefined
    ? { kind: 'box', image: 0, box, role, good }
    : { kind: 'box', image: 0, box, role, good, label }
}
