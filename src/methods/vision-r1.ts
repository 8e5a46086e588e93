import { z } from 'zod'
import {
  defineReward,
  isObject,
  type Json,
  type Reward,
  type Sample,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import { constant, type Schedule, stepAt } from '../rewards/combine/schedule.ts'
import { raisedAfter, squash, type Threshold } from '../rewards/combine/threshold.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { type LabelledBox, pictureSizes, readBoxList, withBox } from '../rewards/verifiable/boxes/box-list.ts'
import { isProper, scaleBox, truncateBox } from '../rewards/verifiable/boxes/boxes.ts'
import { boxEvidence, matchDetections, overlapShare } from '../rewards/verifiable/boxes/detection.ts'
import { goldBoxes } from '../rewards/verifiable/boxes/detection-reward.ts'
import { extractJson } from '../rewards/verifiable/extract/extract-json.ts'
import { defineMethod } from './method.ts'

/** Thresholds of the three squashings. */
interface Strictness {
  /** Of each pair's GIoU, for precision. */
  readonly precision: Schedule<Threshold>
  /** Of each pair's GIoU, for recall: a hard cut. */
  readonly found: Schedule<number>
  /** Of recall itself. */
  readonly recall: Threshold
}

/** Progressive rule refinement raises the thresholds after half of the training. */
const strictness: Readonly<Record<'fixed' | 'adaptive', Strictness>> = {
  fixed: { precision: constant<Threshold>([0, 1]), found: constant(0.5), recall: [0, 1] },
  adaptive: {
    precision: raisedAfter(1500, [0.5, 0.75], [0.75, 0.9]),
    found: stepAt(1500, 0.5, 0.75),
    recall: [0.5, 0.75],
  },
}

const rules: Readonly<
  Record<Variant, { denominator: 'matched' | 'predicted'; labels: 'ignore' | 'void'; guarded: boolean }>
> = {
  released: { denominator: 'matched', labels: 'ignore', guarded: false },
  paper: { denominator: 'predicted', labels: 'ignore', guarded: false },
  guarded: { denominator: 'predicted', labels: 'void', guarded: true },
}

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: precision over the matched pairs, so surplus boxes and wrong labels are free; paper: over the predictions (unverified); guarded: also, items without a proper box count as predictions, a wrong label makes its pair void, the format is a list of labelled boxes, and where nothing is to be found only a stated empty list is right.',
    ),
  adaptive: z
    .boolean()
    .default(false)
    .describe('Thresholds on precision and recall that rise at step 1500; needs the training step.'),
})

/**
 * Precision + recall + format, in [0, 3], of a list of {bbox_2d, label}. Boxes are paired by Hungarian matching on
 * their distance in pixels and scored by GIoU. The reference is a list of [label, box] or {box, label} in image
 * pixels; predictions are cut to integers and, where the row gives `width`, `height`, `input_width` and
 * `input_height`, rescaled from the model's input.
 *
 * @source Vision-R1 (vision-guided), arXiv 2503.18013
 */
function visionR1Reward(settings: z.input<typeof options> = {}): Reward {
  const chosen = options.parse(settings)
  const { variant, adaptive } = chosen
  const { denominator, labels, guarded } = rules[variant]
  const levels = strictness[adaptive ? 'adaptive' : 'fixed']
  return defineReward({
    name: 'vision-r1',
    range: [0, 3],
    needs: ['reference', ...(adaptive ? (['step'] as const) : [])],
    params: chosen,
    judge: (sample, { step }) => {
      if (adaptive && step === undefined)
        return unscored('bad-input', 'adaptive thresholds need the training step, and the context has none')
      const gold = goldBoxes(sample.reference)
      if (typeof gold === 'string') return unscored('bad-input', gold)
      const text = textOf(sample.output)
      const written = writtenBoxes(text)
      const predicted = inImagePixels(written.boxes, sample)
      const json = unfenced(text, written)
      const format = guarded ? strictFormat(json, gold.length) : dualFormat(json, gold.length)
      if (gold.length === 0 || predicted.length === 0) {
        const right = gold.length === 0 && predicted.length === 0 && (!guarded || written.isEmptyList) ? 1 : 0
        return {
          value: 2 * right + format,
          parts: { precision: right, recall: right, format },
          evidence: boxEvidence(predicted, gold, nothing),
        }
      }
      const pairs = matchDetections(predicted, gold, {
        overlap: 'giou',
        order: 'hungarian',
        cost: 'box-prior',
        labels,
      })
      const match = guarded ? { ...pairs, predicted: written.items } : pairs
      const found = levels.found(step ?? 0)
      const precision = overlapShare(match, { denominator, threshold: levels.precision(step ?? 0) })
      const recall = squash(
        overlapShare(match, { denominator: 'gold', threshold: [found, found] }),
        levels.recall,
      )
      return {
        value: precision + recall + format,
        parts: { precision, recall, format },
        evidence: boxEvidence(predicted, gold, pairs),
      }
    },
  })
}

const nothing = { pairs: [], predicted: 0, gold: 0 }

interface WrittenBoxes {
  readonly boxes: readonly LabelledBox[]
  /** How many items the list has, with a proper box or without. */
  readonly items: number
  readonly isEmptyList: boolean
  /** The text that was read as JSON, and what it holds. */
  readonly source: string
  readonly json: Json | undefined
}

/** The proper boxes of a JSON list, cut to integers; where there are none, of the complete items in the text. */
function writtenBoxes(text: string): WrittenBoxes {
  const source = listText(text)
  const json = extractJson(source, { from: 'whole' }).value
  const items = Array.isArray(json) ? json : []
  const read = readBoxList(items.filter(isObject) as Json[], 'xyxy', {
    box: ['bbox_2d'],
    label: ['label'],
  })!.boxes
  const boxes = read.map((item) => withBox(item, truncateBox(item.box))).filter(({ box }) => isProper(box))
  if (boxes.length > 0) return { boxes, items: items.length, isEmptyList: false, source, json }
  const complete = completeItems(text)
  return {
    boxes: complete.filter(({ box }) => isProper(box)),
    items: Math.max(items.length, complete.length),
    isEmptyList: Array.isArray(json) && items.length === 0,
    source,
    json,
  }
}

/** What stands before the next fence, after an opening line of ```json if there is one. */
function listText(text: string): string {
  const trimmed = text.trim()
  const firstLine = trimmed.indexOf('\n')
  const body = !trimmed.startsWith('```json') ? trimmed : firstLine < 0 ? '' : trimmed.slice(firstLine + 1)
  const fence = body.indexOf('```')
  return (fence < 0 ? body : body.slice(0, fence)).trim()
}

const completeItem =
  /\{"bbox_2d": \[(\d{1,3}|1000), (\d{1,3}|1000), (\d{1,3}|1000), (\d{1,3}|1000)\], "label": "([^"]+)"\}/g

function completeItems(text: string): LabelledBox[] {
  return [...text.matchAll(completeItem)].map(([, x1, y1, x2, y2, label]) => ({
    box: [Number(x1), Number(y1), Number(x2), Number(y2)] as const,
    label,
  }))
}

function inImagePixels(boxes: readonly LabelledBox[], { meta }: Sample): readonly LabelledBox[] {
  const sizes = pictureSizes(meta)
  return sizes ? boxes.map((item) => withBox(item, scaleBox(item.box, sizes.input, sizes.image))) : boxes
}

/**
 * As released: 1 for anything that parses as JSON, save a list in which an object with both keys has no list of four
 * as its box. Where nothing is to be found it is turned round, and pays for what does not parse.
 */
function dualFormat(json: Json | undefined, goldCount: number): number {
  const isBadBox = (item: Json) =>
    isObject(item) &&
    'bbox_2d' in item &&
    'label' in item &&
    !(Array.isArray(item.bbox_2d) && item.bbox_2d.length === 4)
  const right = json !== undefined && !(Array.isArray(json) && json.some(isBadBox))
  return Number(right === goldCount > 0)
}

/** A list in which every item has a label and a box; an empty one exactly where nothing is to be found. */
function strictFormat(json: Json | undefined, goldCount: number): number {
  if (!Array.isArray(json) || (json.length === 0) !== (goldCount === 0)) return 0
  const list = readBoxList(json, 'xyxy', { box: ['bbox_2d'], label: ['label'] })
  return list?.broken === 0 && list.boxes.every(({ label }) => label !== undefined) ? 1 : 0
}

/** The entire text without its json fences, as JSON: most often what was read before. */
function unfenced(text: string, { source, json }: WrittenBoxes): Json | undefined {
  const whole = text.replace(/```json\n|\n```/g, '').trim()
  return whole === source ? json : extractJson(whole, { from: 'whole' }).value
}

const circle = { bbox_2d: [10, 10, 50, 50], label: 'circle' }
const square = { bbox_2d: [60, 10, 100, 50], label: 'square' }
const sample = (boxes: Json, reference: Json): Sample => ({
  id: 'vision-r1',
  prompt: 'Detect all shapes.',
  output: `\`\`\`json\n${JSON.stringify(boxes)}\n\`\`\``,
  reference,
  meta: {},
})
const gold = [
  ['circle', circle.bbox_2d],
  ['square', square.bbox_2d],
]

export const visionR1 = defineRewardType({
  name: 'vision-r1',
  summary:
    'Detection by precision and recall of GIoU under thresholds that tighten during training, plus format.',
  source: 'Vision-R1 (vision-guided), arXiv 2503.18013',
  options,
  create: visionR1Reward,
  examples: [
    { sample: sample([circle, square], gold), value: 3 },
    { sample: sample([circle, square, circle, square], gold), value: 2.5 },
    { sample: sample([circle, square, circle, square], gold), options: { variant: 'released' }, value: 3 },
    {
      sample: sample([{ ...circle, bbox_2d: [10, 10, 50, 34] }, square], gold),
      options: { adaptive: true },
      value: 2.8,
    },
    { sample: sample([], []), value: 3 },
    { sample: sample([circle], 'nothing'), value: null },
  ],
})

export const visionR1Method = defineMethod({ id: 'vision-r1', rewards: [visionR1] })
