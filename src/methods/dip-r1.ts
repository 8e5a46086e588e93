import { z } from 'zod'
import {
  defineGroupReward,
  type Evidence,
  type Json,
  type Judgement,
  type Reward,
  type Sample,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import {
  type BoxList,
  imageSize,
  type LabelledBox,
  readBoxList,
} from '../rewards/verifiable/boxes/box-list.ts'
import { type Box, isBox, type Size } from '../rewards/verifiable/boxes/boxes.ts'
import { boxEvidence, type DetectionMatch, matchDetections } from '../rewards/verifiable/boxes/detection.ts'
import { goldBoxes } from '../rewards/verifiable/boxes/detection-reward.ts'
import { jsonIn } from '../rewards/verifiable/extract/answer-json.ts'
import { extractTag } from '../rewards/verifiable/extract/extract-tag.ts'
import { type FormatSpec, formatScore, strictFormat } from '../rewards/verifiable/extract/format.ts'
import {
  type CellGrid,
  coveredCells,
  lookReward,
  occupancyUncertainty,
  type Uncertainty,
} from './dip-r1/look.ts'
import { defineMethod } from './method.ts'

const format: FormatSpec = {
  blocks: ['think', 'look', 'answer'].map((tag) => ({ tag, once: true })),
}
const formats: Readonly<Record<Variant, FormatSpec>> = {
  released: format,
  paper: format,
  guarded: strictFormat(format),
}

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      "released and paper (no code was found; the formulas are this toolkit's reading of the abstract): all terms as defined; guarded: looking is rewarded only with a readable look block and a readable answer, answers that cannot be read create no uncertainty, an absent answer is not an empty one, and no block may be empty.",
    ),
  uncertainty: z
    .enum(['occupancy', 'objects', 'given'])
    .default('occupancy')
    .describe(
      "What is uncertain: cells that some answers of the group cover and others do not; gold objects that some find and others do not; or the boxes of the row's `uncertain_regions` (from token entropy, say).",
    ),
  cells: z.int().min(1).max(256).default(16).describe('The image is cut into cells x cells.'),
  tau: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Share of the largest variance from which a cell is uncertain.'),
  alpha: z.number().min(0).max(1).default(0.5).describe('Weight of precision; 1 - alpha is that of recall.'),
  labels: z
    .enum(['ignore', 'require'])
    .default('ignore')
    .describe('Whether a box finds only objects of its label.'),
})
type Settings = z.output<typeof options>

/**
 * Format + look + accuracy, in [0, 3], for think-look-answer outputs on crowded scenes. `look` is a reward of the
 * *group*: it compares the regions that a response inspects with where the group's answers disagree, so it needs all
 * responses to a prompt together. The reference is a list of boxes; the row gives the image's `width` and `height` in
 * the same pixels.
 *
 * The terms are named in the paper; their formulas are unverified. Watch the part `mean_variance` over training: a
 * policy may learn to disagree on purpose.
 *
 * @source DIP-R1, arXiv 2505.23179
 */
function dipR1Reward(settings: z.input<typeof options> = {}): Reward {
  const chosen = options.parse(settings)
  return defineGroupReward({
    name: 'dip-r1',
    range: [0, 3],
    needs: ['reference'],
    params: chosen,
    judgeGroup: (samples) => {
      const responses = samples.map((sample) => readResponse(sample, chosen))
      const grids = new Map<string, Uncertainty>()
      return samples.map((sample, index): Judgement => {
        const response = responses[index]!
        const { gold, size } = response
        if (typeof gold === 'string') return unscored('bad-input', gold)
        if (!size)
          return unscored('bad-input', "the grid of cells needs the image's width and height in the row")
        const grid = { size, cells: chosen.cells }
        const regions = uncertainRegions(sample, gold, responses, grid, chosen, grids)
        if (!regions) return unscored('bad-input', 'the row has no list `uncertain_regions` of boxes')
        return judgeOne(response, gold, grid, regions, chosen)
      })
    },
  })
}

interface Response {
  readonly text: string
  /** Undefined when they cannot be read. */
  readonly answer: BoxList | undefined
  readonly look: BoxList | undefined
  readonly gold: readonly LabelledBox[] | string
  readonly size: Size | undefined
}

function readResponse({ output, reference, meta }: Sample, { variant }: Settings): Response {
  const text = textOf(output)
  const answer = boxesInBlock(text, 'answer')
  return {
    text,
    answer: answer ?? (variant === 'guarded' ? undefined : { boxes: [], broken: 0 }),
    look: boxesInBlock(text, 'look'),
    gold: goldBoxes(reference),
    size: imageSize(meta),
  }
}

/** The boxes of a block: a JSON list, or every [x1, y1, x2, y2] in its words. undefined without the block or any list. */
function boxesInBlock(text: string, tag: 'look' | 'answer'): BoxList | undefined {
  const block = extractTag(text, tag).value
  if (block === undefined) return undefined
  const list = readBoxList(jsonIn(block))
  if (list) return list
  const boxes = [...block.matchAll(fourNumbers)].flatMap((match) => {
    const box = match.slice(1).map(Number)
    return isBox(box) ? [{ box }] : []
  })
  return boxes.length > 0 || tag === 'look' ? { boxes, broken: 0 } : undefined
}

const number = String.raw`\s*(-?\d{1,9}(?:\.\d{1,9})?)\s*`
const fourNumbers = new RegExp(String.raw`\[${[number, number, number, number].join(',')}\]`, 'g')

/** The group's uncertain cells, worked out once for responses of one grid. */
function uncertainRegions(
  { meta }: Sample,
  gold: readonly LabelledBox[],
  responses: readonly Response[],
  grid: CellGrid,
  { uncertainty, tau, labels }: Settings,
  known: Map<string, Uncertainty>,
): Uncertainty | undefined {
  const certain = { maxVariance: 0, meanVariance: 0 }
  if (uncertainty === 'given') {
    const given = readBoxList(meta.uncertain_regions)
    return given && { ...certain, cells: coveredCells(boxesOf(given.boxes), grid) }
  }
  const objects = uncertainty === 'objects' ? JSON.stringify(gold) : ''
  const key = `${grid.size.width} ${grid.size.height} ${objects}`
  const before = known.get(key)
  if (before) return before
  const answers = responses.flatMap(({ answer }) => (answer ? [answer.boxes] : []))
  const regions =
    uncertainty === 'occupancy'
      ? occupancyUncertainty(answers.map(boxesOf), grid, tau)
      : { ...certain, cells: coveredCells(boxesOf(sometimesFound(answers, gold, labels)), grid) }
  known.set(key, regions)
  return regions
}

/** Gold objects that some answers find and others do not. */
function sometimesFound(
  answers: readonly (readonly LabelledBox[])[],
  gold: readonly LabelledBox[],
  labels: Settings['labels'],
): readonly LabelledBox[] {
  const counts = gold.map(() => 0)
  for (const boxes of answers)
    for (const pair of matchDetections(boxes, gold, { threshold: 0.5, labels }).pairs) counts[pair.gold]!++
  return gold.filter((_, index) => counts[index]! > 0 && counts[index]! < answers.length)
}

function judgeOne(
  { text, answer, look }: Response,
  gold: readonly LabelledBox[],
  grid: CellGrid,
  regions: Uncertainty,
  { variant, alpha, labels }: Settings,
): Judgement {
  const predicted = answer?.boxes ?? []
  const pairs = matchDetections(predicted, gold, { threshold: 0.5, labels })
  const match = { ...pairs, predicted: predicted.length + (answer?.broken ?? 0) }
  const accuracy = answer ? weightedPrecisionRecall(match, alpha) : { precision: 0, recall: 0, value: 0 }
  const mayLook = variant !== 'guarded' || (answer !== undefined && look?.broken === 0)
  const looked = lookReward(boxesOf(look?.boxes ?? []), regions.cells, grid)
  const parts = {
    format: formatScore(text, formats[variant]),
    look: mayLook ? looked : 0,
    accuracy: accuracy.value,
  }
  return {
    value: parts.format + parts.look + parts.accuracy,
    parts: {
      ...parts,
      precision: accuracy.precision,
      recall: accuracy.recall,
      mean_variance: regions.meanVariance,
    },
    evidence: [...boxEvidence(predicted, gold, pairs), ...(look?.boxes ?? []).map(lookEvidence)],
  }
}

const lookEvidence = ({ box }: LabelledBox): Evidence => ({
  kind: 'box',
  image: 0,
  box,
  role: 'predicted',
  label: 'look',
})

const boxesOf = (items: readonly LabelledBox[]): Box[] => items.map(({ box }) => box)

/** alpha precision + (1 - alpha) recall; without gold 1 exactly for no prediction, without prediction 0. */
export function weightedPrecisionRecall({ pairs, predicted, gold }: DetectionMatch, alpha: number) {
  if (gold === 0 || predicted === 0) {
    const right = gold === predicted ? 1 : 0
    return { precision: right, recall: right, value: right }
  }
  const [precision, recall] = [pairs.length / predicted, pairs.length / gold]
  return { precision, recall, value: alpha * precision + (1 - alpha) * recall }
}

const gold = [
  [0, 0, 16, 16],
  [40, 40, 64, 64],
]
const sample = (id: string, look: Json, answer: Json, reference: Json = gold): Sample => ({
  id,
  prompt: 'Find every pedestrian.',
  group: id.split('-')[0]!,
  output: `<think>A crowd.</think><look>${JSON.stringify(look)}</look><answer>${JSON.stringify(answer)}</answer>`,
  reference,
  meta: { width: 64, height: 64 },
})

export const dipR1 = defineRewardType({
  name: 'dip-r1',
  summary:
    'Detection in crowds: precision and recall, format, and looking where the group of answers disagrees.',
  source: 'DIP-R1, arXiv 2505.23179',
  options,
  create: dipR1Reward,
  examples: [
    { sample: sample('crowd-a', [[40, 40, 64, 64]], gold), value: 3 },
    { sample: sample('crowd-b', [[0, 0, 16, 16]], [gold[0]!]), value: 1.75 },
    { sample: sample('agreed-a', [], gold), value: 3 },
    { sample: sample('agreed-b', [[0, 0, 64, 64]], gold), value: 2 },
    { sample: sample('broken-a', [], gold, 'none'), value: null },
  ],
})

export const dipR1Method = defineMethod({ id: 'dip-r1', rewards: [dipR1] })
