import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import { defineReward, type Reward, type Sample, unscored } from '../core/index.ts'
import type { Box } from '../rewards/verifiable/boxes/boxes.ts'
import { gotR1, pairsInOrder, parsePlan, reasoningImageReward } from './got-r1.ts'

type Settings = NonNullable<Parameters<typeof gotR1>[0]>

const object = (name: string, [x1, y1, x2, y2]: readonly number[]) =>
  `<|obj_start|>${name}<|obj_end|><|box_start|>(${x1},${y1}),(${x2},${y2})<|box_end|>`
const judged = (value: number): Reward => defineReward({ name: String(value), judge: () => value })

async function judge(output: string, meta: Sample['meta'], settings: Settings = {}, judges = {}) {
  return (await gotR1(settings, judges).score([{ id: 's', prompt: 'p', output, meta }]))[0]!
}

testVectors('got-r1', {
  'got_r1.reasoning_image_reward': ({ planned, grounded }: { planned: Box[]; grounded: (Box | null)[] }) => {
    const pairs = pairsInOrder(
      planned.map((box) => ({ box })),
      grounded,
    )
    return reasoningImageReward({ pairs, predicted: planned.length, gold: planned.length })
  },
  'got_r1.total': async ({ promptImage, semantic, spatial, aesthetic, reasoningImage, composition }) => {
    // a plan of one box of width 1000, of which the share `reasoningImage` is found
    const output = object('a', [0, 0, 1000, 10])
    const meta = { grounded: [[0, 0, 1000 * reasoningImage, 10]] }
    const judges = {
      promptImage: judged(promptImage),
      semantic: judged(semantic),
      spatial: judged(spatial),
      aesthetic: judged(aesthetic ?? 1),
    }
    return (await judge(output, meta, { composition }, judges)).value
  },
  'got_r1.parse_plan': (text: string) =>
    parsePlan(text).map(({ label, box }) => ({ name: label, box: [...box] })),
})

const vase = [100, 100, 500, 500]
const cup = [600, 200, 900, 700]
const plan = `${object('vase', vase)} ${object('cup', cup)}`
const values = { prompt_image: 1, semantic: 1, spatial: 1 }

describe('obedience', () => {
  const obedience = async (output: string, meta: Sample['meta'], settings: Settings = {}) =>
    (await judge(output, { ...values, ...meta }, settings)).parts?.reasoning_image

  test('plan and grounding share coordinates: thousandths, shares or pixels', async () => {
    const shares = [vase, cup].map((box) => box.map((coordinate) => coordinate / 1000))
    const pixels = shares.map(([x1, y1, x2, y2]) => [x1! * 640, y1! * 480, x2! * 640, y2! * 480])
    expect(await obedience(plan, { grounded: [vase, cup] })).toBe(1)
    expect(await obedience(plan, { grounded: shares }, { groundedUnits: 'shares' })).toBe(1)
    expect(
      await obedience(plan, { grounded: pixels, width: 640, height: 480 }, { groundedUnits: 'pixels' }),
    ).toBeCloseTo(1)
    expect(await obedience(plan, { grounded: pixels }, { groundedUnits: 'pixels' })).toBeNull()
  })

  test('by name, each found box serves one planned object', async () => {
    const two = `${object('cup', cup)} ${object('cup', vase)}`
    expect(await obedience(two, { grounded: [{ name: 'cup', box: cup }] })).toBe(0.5)
    expect(await obedience(two, { grounded: [{ name: 'vase', box: cup }] })).toBe(0)
  })

  test('an object that is not found lowers the mean and does not void it; no plan is 0', async () => {
    expect(await obedience(plan, { grounded: [vase, null] })).toBe(0.5)
    expect(await obedience('A vase.', { grounded: [] })).toBe(0)
  })

  test('planning the easy object twice pays only unguarded', async () => {
    const twice = `${plan} ${object('vase', vase)}`
    const grounded = [
      { name: 'vase', box: vase },
      { name: 'vase', box: vase },
    ]
    expect(await obedience(twice, { grounded }, { variant: 'released' })).toBeCloseTo(2 / 3, 12)
    expect(await obedience(twice, { grounded })).toBe(0.5)
  })

  test('the size of the planned boxes is a part, and boxes are drawn in pixels', async () => {
    const meta = { ...values, grounded: [vase, cup], width: 500, height: 1000 }
    const { parts, evidence } = await judge(plan, meta)
    expect(parts!['reasoning_image.plan_area']).toBeCloseTo((0.16 + 0.15) / 2, 12)
    expect(evidence!.map((item) => item.kind === 'box' && item.box)).toContainEqual([50, 100, 250, 500])
  })
})

describe('composition', () => {
  test('any zero is fatal, unless there is a floor', async () => {
    const lost = { ...values, grounded: [null, null] }
    expect((await judge(plan, lost)).value).toBe(0)
    expect((await judge(plan, lost, { floor: 0.01 })).value).toBeCloseTo(0.02, 12)
  })

  test('a missing judgement is never 0, and never skipped silently', async () => {
    const { spatial: _, ...rest } = { ...values, grounded: [vase, cup] }
    expect(await judge(plan, rest)).toMatchObject({ value: null, code: 'bad-input' })
    expect((await judge(plan, { ...rest, semantic: 0.5 }, { spatialOptional: true })).value).toBe(1)
    const silent = defineReward({ name: 'judge', judge: () => unscored('outage', 'no answer') })
    expect(
      await judge(plan, { ...values, grounded: [vase, cup] }, {}, { promptImage: silent }),
    ).toMatchObject({ code: 'outage' })
  })

  test('ranges: the sum is not halved in the first version', () => {
    expect(gotR1().range).toEqual([0, 2])
    expect(gotR1({ composition: 'conference' }).range).toEqual([0, 1])
  })
})
