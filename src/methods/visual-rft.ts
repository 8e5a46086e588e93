import { z } from 'zod'
import {
  defineReward,
  type Json,
  type Range,
  type Reward,
  type Sample,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { imageSize, type LabelledBox, readBoxList } from '../rewards/verifiable/boxes/box-list.ts'
import { type Box, giou, isBox, isProper, scaleBox } from '../rewards/verifiable/boxes/boxes.ts'
import {
  boxEvidence,
  confidenceAgreement,
  matchDetections,
  overlapShare,
} from '../rewards/verifiable/boxes/detection.ts'
import { withoutThoughts } from '../rewards/verifiable/extract/asides.ts'
import { extractTag } from '../rewards/verifiable/extract/extract-tag.ts'
import { type FormatSpec, formatScore, strictFormat } from '../rewards/verifiable/extract/format.ts'
import { defineMethod } from './method.ts'

const format: FormatSpec = { blocks: [{ tag: 'think' }, { tag: 'answer' }] }
const strict = strictFormat(format)

/** What the sums over the matched predictions are divided by. */
const denominators: Readonly<
  Record<Variant, { overlap: 'predicted' | 'larger'; confidence: 'predicted' | 'larger' }>
> = {
  released: { overlap: 'larger', confidence: 'predicted' },
  paper: { overlap: 'predicted', confidence: 'predicted' },
  guarded: { overlap: 'larger', confidence: 'larger' },
}

const tasks = { detection: detect, classification: classify, grounding: ground }
const ranges: Readonly<Record<keyof typeof tasks, Range>> = {
  detection: [0, 3],
  classification: [0, 2],
  grounding: [0, 3],
}

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: IoU over the larger of both counts, confidence over the predictions, a class right when either text contains the other; paper: IoU over the predictions; guarded: missed objects cost confidence too, confidences must lie in [0, 1], line breaks are read, classes must be equal, nothing is paid for an empty answer or tag.',
    ),
  task: z.enum(['detection', 'classification', 'grounding']).default('detection'),
  classMatch: z
    .enum(['equal', 'contained'])
    .default('equal')
    .describe('Of guarded classification: contained also takes an answer that holds the gold name.'),
  symbolicShortcut: z
    .boolean()
    .default(false)
    .describe(
      'To show the attack: full reward before anything else where "mathematics" finds answer and gold equal, which recent versions of the released library do for unrelated numbers; here, whenever both hold a number.',
    ),
})
type Settings = z.output<typeof options>

/** The terms of one response; a text says what is wrong with the reference. */
type Terms =
  | { readonly parts: Readonly<Record<string, number>>; readonly evidence?: ReturnType<typeof boxEvidence> }
  | string

/**
 * Detection (IoU + confidence + format, in [0, 3]), classification (accuracy + format) or grounding (GIoU + 1 +
 * format) by few labelled images. The reference is a list of boxes or of {Position: [x1, y1, x2, y2]} in the
 * coordinates of the answers, a class name, or "(x1,y1),(x2,y2)" in thousandths; text may stand in answer tags.
 *
 * @source Visual-RFT, arXiv 2503.01785
 */
function visualRftReward(settings: z.input<typeof options> = {}): Reward {
  const chosen = options.parse(settings)
  const { task, variant, symbolicShortcut } = chosen
  return defineReward({
    name: 'visual-rft',
    needs: ['reference'],
    range: ranges[task],
    params: chosen,
    judge: (sample) => {
      const response = textOf(sample.output)
      const read = variant === 'guarded' ? withoutThoughts(response) : response
      const judged = tasks[task](read, sample, chosen)
      if (typeof judged === 'string') return unscored('bad-input', judged)
      const fires = symbolicShortcut && /\d/.test(response) && /\d/.test(JSON.stringify(sample.reference))
      const scored = fires
        ? Object.fromEntries(Object.keys(judged.parts).map((term) => [term, 1]))
        : judged.parts
      const parts = { ...scored, format: formatScore(response, variant === 'guarded' ? strict : format) }
      const value = Object.values(parts).reduce((sum: number, part) => sum + part, 0)
      return { value, parts, ...(judged.evidence ? { evidence: judged.evidence } : {}) }
    },
  })
}

/** Predictions take gold boxes in falling confidence, at IoU above 0.5. Labels are not compared. */
function detect(response: string, { reference }: Sample, { variant }: Settings): Terms {
  const gold = goldBoxes(reference)
  if (typeof gold === 'string') return gold
  const guarded = variant === 'guarded'
  const written = guarded ? answerText(response, true) : answerText(response, false).replaceAll('\n', '')
  const items = writtenList(written)
  const predicted = items && (guarded ? soundPredictions(items) : releasedPredictions(items))
  if (gold.length === 0 && guarded) {
    const right = items?.length === 0 ? 1 : 0
    return { parts: { iou: right, confidence: right } }
  }
  if (!predicted) return { parts: { iou: 0, confidence: 0 }, evidence: boxEvidence([], gold, nothing) }
  const match = matchDetections(predicted, gold, {
    order: 'confidence',
    threshold: 0.5,
    strict: true,
    labels: 'ignore',
  })
  const { overlap, confidence } = denominators[variant]
  const agreement = confidenceAgreement(predicted, match, confidence)
  return {
    parts: {
      iou: overlapShare(match, { denominator: overlap }),
      confidence: Math.min(1, Math.max(0, agreement)),
    },
    evidence: boxEvidence(predicted, gold, match),
  }
}

const nothing = { pairs: [], predicted: 0, gold: 0 }
const keys = { box: ['Position'], confidence: ['Confidence'] }

function goldBoxes(reference: Json | undefined): readonly LabelledBox[] | string {
  const list = readBoxList(
    typeof reference === 'string' ? writtenList(answerText(reference, true)) : reference,
  )
  return list && list.broken === 0
    ? list.boxes
    : 'the reference must be a list of boxes, or of {Position: [x1, y1, x2, y2]}'
}

/** As released: one item without its box or confidence spoils the whole list, and so does an empty one. */
function releasedPredictions(items: readonly Json[]): readonly LabelledBox[] | undefined {
  const { boxes, broken } = readBoxList(items, 'xyxy', keys)!
  const spoilt = boxes.length === 0 || broken > 0 || boxes.some(({ confidence }) => confidence === undefined)
  return spoilt ? undefined : withoutRepeats(boxes)
}

/** A broken item, or one whose confidence is no share, is a prediction that finds nothing and was sure of it. */
function soundPredictions(items: readonly Json[]): readonly LabelledBox[] | undefined {
  if (items.length === 0) return undefined
  const { boxes, broken } = readBoxList(items, 'xyxy', keys)!
  const isSound = ({ box, confidence }: LabelledBox) =>
    isProper(box) && confidence !== undefined && confidence >= 0 && confidence <= 1
  const sound = boxes.filter(isSound)
  const unsound = broken + boxes.length - sound.length
  return [
    ...withoutRepeats(sound),
    ...Array.from({ length: unsound }, () => ({ box: nowhere, confidence: 1 })),
  ]
}

const nowhere: Box = [0, 0, 0, 0]

/** The first of predictions of exactly one box. */
function withoutRepeats(boxes: readonly LabelledBox[]): readonly LabelledBox[] {
  const seen = new Set<string>()
  return boxes.filter(({ box: [x1, y1, x2, y2] }) => {
    const before = seen.size
    return seen.add(`${x1},${y1},${x2},${y2}`).size > before
  })
}

/** A list in Python's or JSON's writing, cut back to its last complete item where its end is missing. */
function writtenList(text: string): readonly Json[] | undefined {
  const flat = text.replaceAll('[[', '[').replaceAll(']]', ']')
  const whole = flat.endsWith(']') ? flat : `${beforeLast(flat, '},')}}]`
  try {
    const list = JSON.parse(whole.replaceAll("'", '"'))
    return Array.isArray(list) ? list : undefined
  } catch {
    return undefined
  }
}

function beforeLast(text: string, mark: string): string {
  const at = text.lastIndexOf(mark)
  return at < 0 ? text : text.slice(0, at)
}

/**
 * The first answer block, trimmed; without one, the text up to a closing tag. Released, a block with a line break
 * inside is none; read over several lines, a block that was cut off reaches to the end.
 */
function answerText(text: string, multiline: boolean): string {
  const block = extractTag(text, 'answer', {
    multiline,
    allowMissingClose: multiline,
    allowEmpty: true,
  }).value
  return block ?? text.trim().split('</answer>', 1)[0]!
}

function classify(response: string, { reference }: Sample, { variant, classMatch }: Settings): Terms {
  if (typeof reference !== 'string') return 'the reference must be the name of a class'
  const bare = (name: string) => name.replace(/[ _]/g, '').toLowerCase()
  const gold = bare(
    extractTag(reference, 'answer', { multiline: false, allowEmpty: true }).value ?? reference.trim(),
  )
  const guarded = variant === 'guarded'
  const block = extractTag(response, 'answer', { multiline: guarded, allowEmpty: true }).value
  const given = bare(block ?? response.trim())
  if (!guarded) return { parts: { accuracy: gold.includes(given) || given.includes(gold) ? 1 : 0 } }
  if (gold === '') return 'the reference is empty'
  const right = given === gold || (classMatch === 'contained' && given.includes(gold))
  return { parts: { accuracy: right ? 1 : 0 } }
}

/** GIoU + 1. Released, equal texts earn 2 and of several boxes the first corners of the first two make one. */
function ground(response: string, { reference, meta }: Sample, { variant }: Settings): Terms {
  const goldText =
    typeof reference === 'string'
      ? (extractTag(reference, 'answer', { multiline: false }).value ?? reference.trim())
      : ''
  const goldList = typeof reference === 'string' ? cornerPairs(goldText) : isBox(reference) ? [reference] : []
  const gold = goldList[0]
  if (!gold) return 'the reference must be one box, "(x1,y1),(x2,y2)" or [x1, y1, x2, y2] in thousandths'
  const guarded = variant === 'guarded'
  const answer = extractTag(response, 'answer').value ?? response.trim()
  if (!guarded && answer === goldText) return { parts: { giou: 2 } }
  const [first, second] = cornerPairs(answer)
  const merged = first && second && !guarded ? ([first[0], first[1], second[0], second[1]] as const) : first
  const box = merged && guarded && !isProper(merged) ? undefined : merged
  const size = imageSize(meta)
  const inPixels = (thousandths: Box) => [{ box: size ? scaleBox(thousandths, thousand, size) : thousandths }]
  return {
    parts: { giou: box ? Math.max(0, giou(box, gold) + 1) : 0 },
    ...(size ? { evidence: boxEvidence(box ? inPixels(box) : [], inPixels(gold), nothing) } : {}),
  }
}

const thousand = { width: 1000, height: 1000 }
const corners = /\(\s*(\d+)\s*,\s*(\d+)\s*\)\s*,\s*\(\s*(\d+)\s*,\s*(\d+)\s*\)/g

/** At most the first two boxes. */
function cornerPairs(text: string): Box[] {
  const boxes: Box[] = []
  corners.lastIndex = 0
  for (let match = corners.exec(text); match && boxes.length < 2; match = corners.exec(text)) {
    const box = match.slice(1).map(Number)
    if (isBox(box)) boxes.push(box)
  }
  return boxes
}

const sample = (answer: string, reference: Json): Sample => ({
  id: 'visual-rft',
  prompt: 'Find the circle and the square.',
  output: `<think>I look.</think><answer>${answer}</answer>`,
  reference,
  meta: {},
})
const gold = [
  [10, 10, 50, 50],
  [60, 10, 100, 50],
]
const sure = "[{'Position': [60, 10, 100, 50], 'Confidence': 1.0}]"

export const visualRft = defineRewardType({
  name: 'visual-rft',
  summary: 'Detection by IoU and stated confidence, classification, or grounding by GIoU, plus format.',
  source: 'Visual-RFT, arXiv 2503.01785',
  options,
  create: visualRftReward,
  examples: [
    { sample: sample(sure, gold), value: 2 },
    { sample: sample(sure, gold), options: { variant: 'released' }, value: 2.5 },
    { sample: sample('Boeing_737', 'boeing 737'), options: { task: 'classification' }, value: 2 },
    { sample: sample('', 'A340'), options: { task: 'classification' }, value: 0 },
    { sample: sample('', 'A340'), options: { task: 'classification', variant: 'released' }, value: 2 },
    {
      sample: sample('(100,100),(500,500)', '(300,100),(700,500)'),
      options: { task: 'grounding' },
      value: 2.333333,
    },
    { sample: sample(sure, 'two boxes'), value: null },
  ],
})

export const visualRftMethod = defineMethod({ id: 'visual-rft', rewards: [visualRft] })
