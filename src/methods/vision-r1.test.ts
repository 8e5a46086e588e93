import { describe, expect, test } from 'vitest'
import { testVectors } from '../../tests/vectors.ts'
import type { Json, Sample, Score } from '../core/index.ts'
import { squash, type Threshold } from '../rewards/combine/threshold.ts'
import { visionR1 } from './vision-r1.ts'

type Settings = Parameters<typeof visionR1>[0]

async function judge(
  output: string,
  reference: Json,
  settings: Settings = {},
  step?: number,
  meta: Sample['meta'] = {},
): Promise<Score> {
  const sample = { id: 's', prompt: 'p', output, reference, meta }
  return (await visionR1(settings).score([sample], step === undefined ? {} : { step }))[0]!
}

interface VectorInput {
  readonly output: string
  readonly gold: Json
  readonly step: number | null
}
const size = { width: 100, height: 100, input_width: 100, input_height: 100 }

testVectors('vision-r1', {
  'vision_r1.precision_and_recall': async ({ output, gold, step }: VectorInput, { variant }) => {
    const settings = { variant: variant as 'released', adaptive: step !== null }
    const { parts } = await judge(output, gold, settings, step ?? undefined, size)
    return { precision: parts!.precision, recall: parts!.recall }
  },
  'vision_r1.format': async ({ output, gold }: VectorInput, { variant }) =>
    (await judge(output, gold, { variant: variant as 'released' })).parts!.format,
  'vision_r1.threshold': ({ value, bounds }: { value: number; bounds: Threshold }) => squash(value, bounds),
})

const circle = { bbox_2d: [10, 10, 50, 50], label: 'circle' }
const square = { bbox_2d: [60, 10, 100, 50], label: 'square' }
const far = { bbox_2d: [0, 80, 10, 90], label: 'circle' }
const gold = [
  ['circle', circle.bbox_2d],
  ['square', square.bbox_2d],
]
const list = (boxes: Json) => JSON.stringify(boxes)
const parts = async (output: string, reference: Json, variant: 'released' | 'paper' | 'guarded') =>
  (await judge(output, reference, { variant })).parts!

describe('what the variants pay for', () => {
  test('surplus and repeated boxes are free only over matched pairs', async () => {
    const output = list([circle, square, far, circle])
    expect((await parts(output, gold, 'released')).precision).toBe(1)
    expect((await parts(output, gold, 'paper')).precision).toBe(0.5)
    expect((await parts(output, gold, 'guarded')).precision).toBe(0.5)
  })

  test('wrong labels cost only under the guard; case and outer space are no difference', async () => {
    const swapped = list([
      { ...circle, label: 'square' },
      { ...square, label: 'circle' },
    ])
    expect(await parts(swapped, gold, 'paper')).toMatchObject({ precision: 1, recall: 1 })
    expect(await parts(swapped, gold, 'guarded')).toMatchObject({ precision: 0, recall: 0 })
    expect(await parts(list([{ ...circle, label: ' Circle' }, square]), gold, 'guarded')).toMatchObject({
      recall: 1,
    })
  })

  test('broken items are dropped, but count as predictions under the guard', async () => {
    const output = list([circle, square, { bbox_2d: [50, 50, 10, 10], label: 'circle' }, { label: 'circle' }])
    expect((await parts(output, gold, 'paper')).precision).toBe(1)
    expect((await parts(output, gold, 'guarded')).precision).toBe(0.5)
  })

  test('format pays for any JSON, and for none where nothing is to be found', async () => {
    for (const output of ['3', '{}', '[]', '[{"box": 1}]']) {
      expect((await parts(output, gold, 'released')).format, output).toBe(1)
      expect((await parts(output, gold, 'guarded')).format, output).toBe(0)
    }
    expect((await parts('[{"bbox_2d": [1, 2, 3], "label": "x"}]', gold, 'released')).format).toBe(0)
    expect(await parts('no shapes', [], 'released')).toEqual({ precision: 1, recall: 1, format: 1 })
    expect(await parts('no shapes', [], 'guarded')).toEqual({ precision: 0, recall: 0, format: 0 })
    expect(await parts('[]', [], 'guarded')).toEqual({ precision: 1, recall: 1, format: 1 })
  })
})

test('a negative GIoU counts 0, not less, without adaptive thresholds', async () => {
  expect(await parts(list([{ bbox_2d: [0, 60, 10, 70], label: 'circle' }]), gold, 'released')).toMatchObject({
    precision: 0,
    recall: 0,
  })
})

test('thresholds are strict: a GIoU of exactly 0.75 keeps its value in both stages', async () => {
  const output = list([{ bbox_2d: [10, 10, 50, 40], label: 'circle' }])
  for (const step of [0, 1499, 1500]) {
    const { parts } = await judge(output, [gold[0]!], { adaptive: true }, step)
    expect(parts!.precision, String(step)).toBe(0.75)
    expect(parts!.recall).toBe(step < 1500 ? 1 : 0.75)
  }
})

test('recall is squashed too: three of four found count as 0.75, four of five as all', async () => {
  const boxes = Array.from({ length: 5 }, (_, row) => ({
    bbox_2d: [0, 20 * row, 10, 20 * row + 10],
    label: 'box',
  }))
  const recall = async (found: number, all: number) =>
    (await judge(list(boxes.slice(0, found)), boxes.slice(0, all), { adaptive: true }, 0)).parts!.recall
  expect([await recall(3, 4), await recall(4, 5), await recall(2, 5)]).toEqual([0.75, 1, 0])
})

test('the model input is rescaled to the image, x by width and y by height, after cutting to integers', async () => {
  const meta = { width: 200, height: 50, input_width: 100, input_height: 100 }
  const output = list([{ bbox_2d: [10.9, 20.9, 50.2, 60.2], label: 'circle' }])
  const { evidence, parts } = await judge(output, [['circle', [20, 10, 100, 30]]], {}, undefined, meta)
  expect(evidence![1]).toMatchObject({ role: 'predicted', box: [20, 10, 100, 30] })
  expect(parts).toEqual({ precision: 1, recall: 1, format: 1 })
})

test('boxes pair by distance over all of them, not each with the gold it overlaps most', async () => {
  const gold = [
    ['a', [0, 0, 40, 10]],
    ['a', [30, 0, 70, 10]],
  ]
  const output = list([
    { bbox_2d: [20, 0, 60, 10], label: 'a' },
    { bbox_2d: [50, 0, 90, 10], label: 'a' },
  ])
  // greedy would give the second gold box to the first prediction (GIoU 0.6) and leave the far pair (GIoU below 0)
  expect((await parts(output, gold, 'released')).precision).toBeCloseTo(1 / 3, 12)
})

test('text that is cut off is scored on its complete items, in exactly the released spacing', async () => {
  const cut = '[{"bbox_2d": [10, 10, 50, 50], "label": "circle"}, {"bbox_2d": [60, 10'
  expect(await parts(cut, gold, 'released')).toEqual({ precision: 1, recall: 0.5, format: 0 })
  expect(await parts(cut.replaceAll(', ', ','), gold, 'released')).toMatchObject({ recall: 0 })
})

test('adaptive thresholds without a step are unscored', async () => {
  expect(await judge(list([circle]), gold, { adaptive: true })).toMatchObject({
    value: null,
    code: 'bad-input',
  })
})
