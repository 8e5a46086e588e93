import { z } from 'zod'
import { defineReward, type Json, type Sample, type Turns, unscored } from '../../../core/index.ts'
import { defineRewardType } from '../../reward-type.ts'
import { answerJson, jsonInText } from '../extract/answer-json.ts'
import { type BoxList, imageSize, type LabelledBox, readBoxList, withBox } from './box-list.ts'
import { type BoxFormat, boxFormats, isProper, type Size, scaleBox } from './boxes.ts'
import { boxEvidence, type DetectionMatch, f1, matchDetections, overlapShare } from './detection.ts'
import { imageAveragePrecision } from './image-average-precision.ts'

const options = z.strictObject({
  score: z
    .enum(['f1', 'precision', 'recall', 'overlap', 'ap', 'ap50'])
    .default('f1')
    .describe(
      'f1, precision, recall of the pairs that reach the threshold; overlap: their summed overlap over the larger count; ap, ap50: average precision over IoU .50:.95 or at .50, ranked by stated confidence, equal ones taken together',
    ),
  overlap: z
    .enum(['iou', 'giou', 'pixelIou'])
    .default('iou')
    .describe('how two boxes are compared (not for ap)'),
  threshold: z.number().min(0).max(1).default(0.5).describe('least overlap of a pair (not for ap)'),
  order: z
    .enum(['global-greedy', 'confidence', 'hungarian'])
    .default('global-greedy')
    .describe('who chooses first: the best pair, the surest prediction, or the best sum (not for ap)'),
  labels: z
    .enum(['require', 'ignore'])
    .default('require')
    .describe('require: a box finds only an object of its label; a gold box without a label takes any'),
  format: z.enum(boxFormats).default('xyxy').describe('what the four numbers of a prediction are'),
  referenceFormat: z.enum(boxFormats).default('xyxy').describe('the same for the reference (COCO: xywh)'),
  units: z
    .enum(['same', 'thousandths', 'shares'])
    .default('same')
    .describe(
      "of the predictions: those of the reference, or thousandths or shares of the image, whose size is the row's width and height",
    ),
})

/**
 * How well boxes are found, in [0, 1]. The reference is a list of {box (or bbox_2d, bbox), label}, of plain boxes, or
 * either under `boxes`; the prediction is the same as a JSON part, in a code fence, in answer tags or as the whole
 * text. A prediction that cannot be read is worth 0; an item of it without a proper box counts as a wrong one. Where
 * nothing is to be found, a stated empty list is worth 1 and anything else 0.
 */
function boxesReward(settings: z.input<typeof options> = {}) {
  const chosen = options.parse(settings)
  const { score, overlap, threshold, order, labels, format, referenceFormat, units } = chosen
  return defineReward({
    name: 'boxes',
    needs: ['reference'],
    params: chosen,
    judge: (sample) => {
      const gold = goldBoxes(sample.reference, referenceFormat)
      if (typeof gold === 'string') return unscored('bad-input', gold)
      const size = units === 'same' ? undefined : imageSize(sample.meta)
      if (units !== 'same' && !size)
        return unscored('bad-input', `boxes in ${units} need the image's width and height in the row`)
      const read = predictedBoxes(sample.output, format)
      if (!read) return { value: 0, rationale: 'no boxes could be read from the output' }

      const kept = read.boxes.filter(({ box }) => isProper(box))
      const predicted = size
        ? kept.map((item) => withBox(item, scaleBox(item.box, whole[units], size)))
        : kept
      const wrong = read.broken + read.boxes.length - kept.length
      const pairs = matchDetections(predicted, gold, { overlap, threshold, order, labels })
      const found = { ...pairs, predicted: predicted.length + wrong }
      return {
        value: worth(score, found, () => rankedPrecision(predicted, gold, found, labels, score)),
        parts: { predicted: found.predicted, gold: gold.length, matched: found.pairs.length },
        evidence: boxEvidence(predicted, gold, pairs),
      }
    },
  })
}

/** The image in units of its own. */
const whole: Record<'same' | 'thousandths' | 'shares', Size> = {
  same: { width: 1, height: 1 },
  thousandths: { width: 1000, height: 1000 },
  shares: { width: 1, height: 1 },
}

type ScoreName = z.output<typeof options>['score']

function worth(score: ScoreName, found: DetectionMatch, averagePrecision: () => number): number {
  if (found.gold === 0) return found.predicted === 0 ? 1 : 0
  switch (score) {
    case 'f1':
      return f1(found)
    case 'precision':
      return found.predicted === 0 ? 0 : found.pairs.length / found.predicted
    case 'recall':
      return found.pairs.length / found.gold
    case 'overlap':
      return overlapShare(found, { denominator: 'larger' })
    case 'ap':
    case 'ap50':
      return averagePrecision()
  }
}

/** Predictions that can find nothing (no box, or no gold object's label) cost their share of all predictions. */
function rankedPrecision(
  predicted: readonly LabelledBox[],
  gold: readonly LabelledBox[],
  found: DetectionMatch,
  labels: 'require' | 'ignore',
  score: ScoreName,
): number {
  const ignored = labels === 'ignore' || gold.every(({ label }) => label === undefined)
  const key = ({ label }: LabelledBox) => (ignored ? '' : (label?.trim().toLowerCase() ?? ''))
  return guardedAveragePrecision(
    predicted.map((item) => ({ ...item, label: key(item) })),
    gold.map((item) => ({ ...item, label: key(item) })),
    found.predicted,
    score === 'ap50' ? [0.5] : undefined,
  )
}

/**
 * Average precision of one image that cannot be gamed by the order of writing or by labels of no object: predictions
 * of equal confidence count as one block, and the result is multiplied by the share of predictions with a gold label.
 *
 * @param written  how many predictions there were, readable or not; at least `predicted.length`
 */
export function guardedAveragePrecision(
  predicted: readonly LabelledBox[],
  gold: readonly LabelledBox[],
  written: number,
  iouThresholds?: readonly number[],
): number {
  if (written === 0) return 0
  const known = predicted.filter(({ label }) => gold.some((object) => object.label === label)).length
  const thresholds = iouThresholds ? { iouThresholds } : {}
  return (
    ((imageAveragePrecision(predicted, gold, { ties: 'together', ...thresholds }) ?? 0) * known) / written
  )
}

/** The gold boxes of a reference, or what is wrong with it. Text is read as JSON, also in a fence or answer tags. */
export function goldBoxes(
  reference: Json | undefined,
  format: BoxFormat = 'xyxy',
): readonly LabelledBox[] | string {
  const list = readBoxList(typeof reference === 'string' ? jsonInText(reference) : reference, format)
  if (!list)
    return 'the reference holds no list of boxes, such as [{"box": [x1, y1, x2, y2], "label": "cat"}]'
  return list.broken > 0
    ? `${list.broken} of the reference's items hold no box of four finite numbers`
    : list.boxes
}

/** The boxes of an output: its JSON part, or JSON in its text. undefined when there is no list to read. */
export function predictedBoxes(output: Turns, format: BoxFormat = 'xyxy'): BoxList | undefined {
  return readBoxList(answerJson(output), format)
}

const example = (output: Sample['output'], reference: Json, meta: Sample['meta'] = {}): Sample => ({
  id: 'boxes',
  prompt: 'Where are the circle and the square? Answer with a JSON list of boxes.',
  output,
  reference,
  meta,
})
const scene = [
  { box: [10, 10, 50, 50], label: 'circle' },
  { box: [60, 10, 100, 50], label: 'square' },
]
const fenced = (json: Json) => `\`\`\`json\n${JSON.stringify(json)}\n\`\`\``

export const boxes = defineRewardType({
  name: 'boxes',
  summary:
    'Boxes found: F1, precision, recall, overlap or average precision of predicted against gold boxes.',
  options,
  create: boxesReward,
  examples: [
    { sample: example(fenced(scene), scene), value: 1 },
    { sample: example([{ type: 'json', json: [scene[0]!] }], { boxes: scene }), value: 2 / 3 },
    {
      sample: example([{ type: 'json', json: [scene[0]!] }], scene),
      options: { score: 'precision' },
      value: 1,
    },
    { sample: example(fenced([...scene, ...scene]), scene), options: { score: 'ap' }, value: 0.5 },
    {
      sample: example(
        '<answer>[{"bbox_2d": [100, 100, 500, 500], "label": "Circle"}]</answer>',
        [scene[0]!],
        {
          width: 100,
          height: 100,
        },
      ),
      options: { units: 'thousandths', score: 'overlap' },
      value: 1,
    },
    { sample: example('There is nothing.', []), value: 0 },
    { sample: example('[]', []), value: 1 },
    { sample: example('[]', { boxes: [{ label: 'circle' }] }), value: null },
  ],
})
