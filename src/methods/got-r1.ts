import { z } from 'zod'
import {
  defineReward,
  type JsonObject,
  type Reward,
  type Sample,
  textOf,
  unscored,
  type Variant,
} from '../core/index.ts'
import { combine, type Term } from '../rewards/combine/combine.ts'
import { product } from '../rewards/combine/modes.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { imageSize, type LabelledBox, readBoxList, withBox } from '../rewards/verifiable/boxes/box-list.ts'
import { area, type Box, iou, isBox, type Size, scaleBox } from '../rewards/verifiable/boxes/boxes.ts'
import {
  boxEvidence,
  type DetectionMatch,
  matchDetections,
  overlapShare,
} from '../rewards/verifiable/boxes/detection.ts'
import { isBlank, withoutThoughts } from '../rewards/verifiable/extract/asides.ts'
import { defineMethod } from './method.ts'

/** The terms that only a judge can give, each in [0, 1]. By default the row's own values of these names. */
export interface GotR1Judges {
  /** R_PI: how well the image shows the prompt. */
  readonly promptImage: Reward
  /** R_sem: the plan's words against the prompt, its boxes taken out. */
  readonly semantic: Reward
  /** R_spa: the drawn layout against the prompt's relations. */
  readonly spatial: Reward
  /** HPS v2.1, of the conference version. */
  readonly aesthetic: Reward
}

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released and paper: every planned object counts; guarded: an object planned twice in one place counts once, one without a name or only thought of does not, and grounded boxes in order must be one per planned object.',
    ),
  composition: z
    .enum(['v1', 'conference'])
    .default('v1')
    .describe(
      'v1: R_PI (R_sem + R_spa) R_RI, in [0, 2]; conference: R_PI (R_sem + R_spa) / 2 R_RI R_HPS (from a secondary source, unverified).',
    ),
  floor: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Least value of every factor, so that one zero does not silence the others.'),
  spatialOptional: z
    .boolean()
    .default(false)
    .describe('Where R_spa is unscored, as for prompts without a relation, R_sem takes its place.'),
  groundedUnits: z
    .enum(['thousandths', 'shares', 'pixels'])
    .default('thousandths')
    .describe("Of the row's grounded boxes; pixels need the row's width and height."),
})

/**
 * A plan (text with boxes) and the image made from it, rewarded together: a product of judged terms and of how well
 * the image obeys the plan. The output is the plan; the row's `grounded` holds where each planned object was found in
 * the image: a box or null per planned object, in order, or a list of {name, box}.
 *
 * Rewards for obedience alone teach plans that are easy to obey: watch the part `reasoning_image.plan_area`.
 *
 * @source GoT-R1, arXiv 2505.17022
 */
function gotR1Reward(settings: z.input<typeof options> = {}, judges: Partial<GotR1Judges> = {}): Reward {
  const { variant, composition, floor, spatialOptional, groundedUnits } = options.parse(settings)
  const plan = combine(
    [
      { reward: judges.semantic ?? valueInRow('semantic'), name: 'semantic' },
      { reward: judges.spatial ?? valueInRow('spatial'), name: 'spatial' },
    ],
    { mode: composition === 'v1' ? 'sum' : 'mean', onUnscored: spatialOptional ? 'skip' : 'unscored' },
  )
  const factors: Term[] = [
    { reward: judges.promptImage ?? valueInRow('prompt_image'), name: 'prompt_image' },
    { reward: plan, name: 'plan' },
    { reward: reasoningImage(variant, groundedUnits), name: 'reasoning_image' },
  ]
  if (composition === 'conference')
    factors.push({ reward: judges.aesthetic ?? valueInRow('aesthetic'), name: 'aesthetic' })
  return combine(factors, { name: 'got-r1', mode: product(floor > 0 ? { floor } : {}) })
}

/** A judged value that the row brings with it. */
function valueInRow(field: string): Reward {
  return defineReward({
    name: field,
    judge: ({ meta }) => {
      const value = meta[field]
      return typeof value === 'number' && value >= 0 && value <= 1
        ? value
        : unscored('bad-input', `the row has no number ${field} in [0, 1]`)
    },
  })
}

/** R_RI: mean IoU of planned and grounded boxes over the planned objects. */
function reasoningImage(variant: Variant, units: 'thousandths' | 'shares' | 'pixels'): Reward {
  return defineReward({
    name: 'reasoning_image',
    params: { variant, units },
    judge: ({ output, meta }) => {
      const from = units === 'pixels' ? imageSize(meta) : sizes[units]
      if (!from) return unscored('bad-input', "grounded boxes in pixels need the row's width and height")
      const guarded = variant === 'guarded'
      const written = parsePlan(guarded ? withoutThoughts(textOf(output)) : textOf(output))
      const kept = guarded ? counted(written) : written.map((_, index) => index)
      const planned = kept.map((index) => written[index]!)
      const grounded = readGrounded(meta, from)
      if (!grounded)
        return unscored('bad-input', 'the row has no list `grounded` of boxes, nulls or {name, box}')
      if (planned.length === 0)
        return { value: 0, parts: { plan_area: 0 }, rationale: 'no object is planned' }
      if (guarded && grounded.inOrder && grounded.inOrder.length !== written.length)
        return unscored('bad-input', '`grounded` must have one box or null for each planned object')
      const match = grounded.inOrder
        ? {
            pairs: pairsInOrder(
              planned,
              kept.map((index) => grounded.inOrder![index] ?? null),
            ),
            predicted: planned.length,
            gold: planned.length,
          }
        : matchDetections(planned, grounded.named, { threshold: 0 })
      const size = imageSize(meta)
      const drawn = (items: readonly LabelledBox[]) =>
        items.map((item) => withBox(item, scaleBox(item.box, sizes.shares, size!)))
      return {
        value: reasoningImageReward(match),
        parts: { plan_area: planned.reduce((sum, { box }) => sum + area(box), 0) / planned.length },
        ...(size ? { evidence: boxEvidence(drawn(planned), drawn(grounded.named), match) } : {}),
      }
    },
  })
}

const sizes: Readonly<Record<'thousandths' | 'shares', Size>> = {
  thousandths: { width: 1000, height: 1000 },
  shares: { width: 1, height: 1 },
}

/** What was not grounded, or lies elsewhere, is 0 and lowers the mean; it does not void the rest. */
export function reasoningImageReward(match: DetectionMatch): number {
  return overlapShare(match, { denominator: 'predicted' })
}

/** Pairs of the planned object and the box found for it. */
export function pairsInOrder(
  planned: readonly LabelledBox[],
  grounded: readonly (Box | null)[],
): DetectionMatch['pairs'] {
  return planned.flatMap(({ box }, index) => {
    const found = grounded[index]
    return found ? [{ predicted: index, gold: index, overlap: iou(box, found) }] : []
  })
}

interface Grounded {
  /** One per planned object, when the row gives them so. */
  readonly inOrder?: readonly (Box | null)[]
  readonly named: readonly LabelledBox[]
}

/** In shares of the image. */
function readGrounded({ grounded }: JsonObject, from: Size): Grounded | undefined {
  if (!Array.isArray(grounded)) return undefined
  const toShares = (box: Box) => scaleBox(box, from, sizes.shares)
  if (grounded.every((item) => item === null || isBox(item))) {
    const inOrder = grounded.map((item) => (isBox(item) ? toShares(item) : null))
    return { inOrder, named: inOrder.map((box) => ({ box: box ?? [0, 0, 0, 0] })) }
  }
  const list = readBoxList(grounded)
  return list && list.broken === 0
    ? { named: list.boxes.map((item) => withBox(item, toShares(item.box))) }
    : undefined
}

const plannedObject =
  /<\|obj_start\|>([^<]*)<\|obj_end\|>\s*<\|box_start\|>\((\d{1,4}),(\d{1,4})\),\((\d{1,4}),(\d{1,4})\)<\|box_end\|>/g

/** The objects of a plan, with boxes in shares of the image (they are written in thousandths). */
export function parsePlan(text: string): LabelledBox[] {
  return [...text.matchAll(plannedObject)].map(([, name, ...corners]) => ({
    label: name!.trim(),
    box: corners.map((corner) => Number(corner) / 1000) as unknown as Box,
  }))
}

/** Places in the plan of its objects that count: named, and the first of those planned twice in one place. */
function counted(written: readonly LabelledBox[]): readonly number[] {
  const seen = new Set<string>()
  return written.flatMap(({ label, box }, index) => {
    const before = seen.size
    return isBlank(label ?? '') || seen.add(`${label} ${box}`).size === before ? [] : [index]
  })
}

const plan =
  'A <|obj_start|>vase<|obj_end|><|box_start|>(100,100),(500,500)<|box_end|> left of a <|obj_start|>cup<|obj_end|><|box_start|>(600,200),(900,700)<|box_end|>.'
const sample = (meta: Sample['meta']): Sample => ({
  id: 'got-r1',
  prompt: 'A vase left of a cup.',
  output: plan,
  meta: { prompt_image: 0.8, semantic: 0.75, spatial: 0.9, ...meta },
})
const grounded = [
  [100, 100, 500, 400],
  [650, 250, 900, 700],
]

export const gotR1 = defineRewardType({
  name: 'got-r1',
  summary: 'Layout plan and image together: judged terms times how well the image obeys the plan (mean IoU).',
  source: 'GoT-R1, arXiv 2505.17022',
  options,
  create: gotR1Reward,
  examples: [
    { sample: sample({ grounded }), value: 0.8 * 1.65 * 0.75 },
    { sample: sample({ grounded: [grounded[0]!, null] }), value: 0.8 * 1.65 * 0.375 },
    {
      sample: sample({ grounded, aesthetic: 0.28 }),
      options: { composition: 'conference' },
      value: 0.8 * 0.825 * 0.75 * 0.28,
    },
    { sample: sample({ grounded: [{ name: 'cup', box: [600, 200, 900, 700] }] }), value: 0.8 * 1.65 * 0.5 },
    { sample: sample({}), value: null },
  ],
})

export const gotR1Method = defineMethod({ id: 'got-r1', rewards: [gotR1] })
