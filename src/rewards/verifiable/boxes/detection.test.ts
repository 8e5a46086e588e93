import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testOnData } from '../../../../tests/shared-data.ts'
import type { Json, Sample } from '../../../core/index.ts'
import { imageSize, type LabelledBox, pictureSizes, readBoxList } from './box-list.ts'
import type { Box } from './boxes.ts'
import { interpolatedPrecision, Outcome } from './coco-matching.ts'
import {
  boxEvidence,
  completeness,
  confidenceAgreement,
  f1,
  matchDetections,
  overlapShare,
} from './detection.ts'
import { boxes as boxesReward, guardedAveragePrecision, predictedBoxes } from './detection-reward.ts'
import { imageAveragePrecision } from './image-average-precision.ts'

const box = fc
  .tuple(fc.nat(30), fc.nat(30), fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 15 }))
  .map(([x, y, w, h]): Box => [x, y, x + w, y + h])
const boxes = (options: { minLength?: number } = {}) =>
  fc.array(fc.record({ box, label: fc.constantFrom('a', 'b') }), { maxLength: 7, ...options })
const here: Box = [10, 10, 50, 50]
const half: Box = [10, 10, 50, 30]
const cat = (box: Box): LabelledBox => ({ box, label: 'cat' })
const dog = (box: Box): LabelledBox => ({ box, label: 'dog' })

describe('pairs of predicted and gold boxes', () => {
  test('what labels do', () => {
    const overlapOf = (labels: 'ignore' | 'require' | 'void') =>
      matchDetections([dog(here)], [cat(here)], { labels }).pairs.map(({ overlap }) => overlap)
    expect([overlapOf('ignore'), overlapOf('require'), overlapOf('void')]).toEqual([[1], [], [0]])
    expect(matchDetections([{ box: here, label: ' CAT ' }], [cat(here)]).pairs).toHaveLength(1)
    expect(matchDetections([dog(here)], [{ box: here }]).pairs).toHaveLength(1)
    expect(matchDetections([{ box: here }], [cat(here)]).pairs).toHaveLength(0)
  })

  test('with required labels no order pairs different ones', () => {
    fc.assert(
      fc.property(
        boxes(),
        boxes(),
        fc.constantFrom('global-greedy' as const, 'confidence' as const, 'hungarian' as const),
        (predicted, gold, order) => {
          for (const pair of matchDetections(predicted, gold, { order, overlap: 'giou' }).pairs)
            expect(predicted[pair.predicted]!.label).toBe(gold[pair.gold]!.label)
        },
      ),
    )
  })

  test('shares divide by what they say', () => {
    const match = matchDetections([cat(here), cat(half), dog(half)], [cat(here), cat([90, 90, 99, 99])], {
      threshold: 0.5,
    })
    expect(match.pairs).toEqual([{ predicted: 0, gold: 0, overlap: 1 }])
    const share = (denominator: 'matched' | 'predicted' | 'gold' | 'larger') =>
      overlapShare(match, { denominator })
    expect([share('matched'), share('predicted'), share('gold'), share('larger')]).toEqual([
      1,
      1 / 3,
      1 / 2,
      1 / 3,
    ])
    expect(f1(match)).toBe(2 / 5)
    expect(completeness(match)).toBe(1 - (1 / 2 + 2 / 3) / 2)
    expect(overlapShare({ pairs: [], predicted: 0, gold: 0 }, { denominator: 'predicted' })).toBe(0)
  })

  test('a threshold on each overlap squashes it', () => {
    const match = matchDetections([cat(half)], [cat(here)])
    const squashed = (threshold: readonly [number, number]) =>
      overlapShare(match, { denominator: 'gold', threshold })
    expect([squashed([0.6, 0.9]), squashed([0.5, 0.9]), squashed([0, 0.4])]).toEqual([0, 0.5, 1])
  })

  test('confidence agrees when the sure ones are right', () => {
    const sure = [
      { ...cat(here), confidence: 0.9 },
      { ...cat([0, 90, 9, 99]), confidence: 0.2 },
    ]
    const match = matchDetections(sure, [cat(here), cat(half)], { threshold: 0.6 })
    expect(confidenceAgreement(sure, match)).toBeCloseTo((0.9 + 0.8) / 2, 12)
    expect(confidenceAgreement(sure.slice(0, 1), { ...match, predicted: 1 }, 'larger')).toBeCloseTo(0.45, 12)
  })

  test('evidence says of each box whether it was found or found something', () => {
    const [predicted, gold] = [[cat(here), dog(half)], [cat(here)]]
    expect(boxEvidence(predicted, gold, matchDetections(predicted, gold))).toEqual([
      { kind: 'box', image: 0, box: here, role: 'reference', good: true, label: 'cat' },
      { kind: 'box', image: 0, box: here, role: 'predicted', good: true, label: 'cat' },
      { kind: 'box', image: 0, box: half, role: 'predicted', good: false, label: 'dog' },
    ])
  })
})

describe('average precision that cannot be gamed', () => {
  test('the order of writing makes no difference, unless confidences make one', () => {
    fc.assert(
      fc.property(boxes(), boxes({ minLength: 1 }), fc.nat(), (predicted, gold, seed) => {
        const shuffled = predicted.map((_, index) => predicted[(index * 5 + seed) % predicted.length]!)
        fc.pre(new Set(shuffled).size === predicted.length)
        const value = imageAveragePrecision(predicted, gold, { ties: 'together' })!
        expect(imageAveragePrecision(shuffled, gold, { ties: 'together' })).toBeCloseTo(value, 12)
      }),
    )
    const wrong = { ...cat([0, 80, 9, 90]), confidence: 0.3 }
    const ranked = { ties: 'together' } as const
    expect(imageAveragePrecision([wrong, { ...cat(here), confidence: 0.9 }], [cat(here)], ranked)).toBe(1)
    expect(imageAveragePrecision([{ ...cat(here), confidence: 0.3 }, wrong], [cat(here)], ranked)).toBe(0.5)
  })

  test('a further wrong box or unknown label never pays, and naming all twice does not stay perfect', () => {
    fc.assert(
      fc.property(boxes({ minLength: 1 }), boxes({ minLength: 1 }), (predicted, gold) => {
        const value = guardedAveragePrecision(predicted, gold, predicted.length)
        expect(value >= 0 && value <= 1).toBe(true)
        for (const extra of [
          { box: [200, 200, 210, 210] as Box, label: 'a' },
          { box: here, label: 'c' },
        ])
          expect(
            guardedAveragePrecision([...predicted, extra], gold, predicted.length + 1),
          ).toBeLessThanOrEqual(value + 1e-12)
        expect(guardedAveragePrecision([...gold, ...gold], gold, 2 * gold.length)).toBeLessThan(1)
      }),
    )
  })

  test('every recall point is counted, at every number of objects', () => {
    for (let positives = 1; positives <= 130; positives++)
      for (let found = 0; found <= positives; found += 1 + (positives >> 3)) {
        const outcomes = new Uint8Array(found).fill(Outcome.right)
        let points = 0
        for (let point = 0; point <= 100; point++)
          if (found > 0 && point * 0.01 <= found / positives) points++
        expect(interpolatedPrecision(outcomes, found, positives).precision).toBeCloseTo(points / 101, 12)
      }
  })
})

describe('reading boxes', () => {
  test('the shapes people write', () => {
    const item = { box: here, label: 'cat', confidence: undefined }
    for (const json of [
      [{ bbox_2d: here, label: 'cat' }],
      { boxes: [{ box: here, class: 'cat' }] },
      { bbox: here, category: 'cat' },
      [['cat', here]],
    ] as unknown as Json[])
      expect(readBoxList(json)?.boxes).toEqual([
        expect.objectContaining({ box: item.box, label: item.label }),
      ])
    expect(readBoxList([...here])).toEqual({ boxes: [{ box: here }], broken: 0 })
    expect(readBoxList([[...here], [1, 2, 3]])).toEqual({ boxes: [{ box: here }], broken: 1 })
    expect(readBoxList([{ bbox: [10, 10, 40, 40] }], 'xywh')).toMatchObject({ boxes: [{ box: here }] })
    for (const json of ['text', 3, null, { label: 'cat' }]) expect(readBoxList(json)).toBeUndefined()
  })

  test('a JSON part, a fence on several lines or one, answer tags, or the whole text; never numbers in prose', () => {
    const json = JSON.stringify([{ box: here }])
    for (const output of [
      [{ type: 'json', json: [{ box: here }] }],
      `Here:\n\`\`\`json\n${json}\n\`\`\``,
      `\`\`\`json ${json}\`\`\``,
      `<think>[]</think><answer>${json}</answer>`,
      `<answer>[]</answer><answer>${json}`,
      json,
    ] as Sample['output'][])
      expect(predictedBoxes(output)?.boxes).toHaveLength(1)
    for (const output of [`It is at [10, 10, 50, 50].`, `<answer></answer>${json}`, ''])
      expect(predictedBoxes(output)).toBeUndefined()
  })

  test('sizes of the picture', () => {
    expect(pictureSizes({ width: 64, height: 32, image_grid_thw: [1, 2, 4] })).toEqual({
      image: { width: 64, height: 32 },
      input: { width: 56, height: 28 },
    })
    expect(pictureSizes({ width: 64, height: 32 })).toBeUndefined()
    expect(imageSize({ width: 0, height: 32 })).toBeUndefined()
  })
})

describe('the reward boxes', () => {
  const judge = async (
    output: Json,
    reference: Json,
    settings: Parameters<typeof boxesReward>[0] = {},
    meta: Sample['meta'] = {},
  ) =>
    (
      await boxesReward(settings).score([
        { id: 's', prompt: 'p', output: [{ type: 'json', json: output }], reference, meta },
      ])
    )[0]!
  const scene = [
    { box: here, label: 'cat' },
    { box: [60, 60, 90, 90], label: 'dog' },
  ] as unknown as Json[]

  test('a broken item or degenerate box is a wrong prediction', async () => {
    const output = [...scene, { label: 'cat' }, { box: [50, 50, 10, 10], label: 'cat' }]
    expect((await judge(output, scene, { score: 'precision' })).value).toBe(0.5)
    expect((await judge(output, scene, { score: 'ap' })).value).toBe(0.5)
    expect((await judge(output, scene, { score: 'recall' })).value).toBe(1)
  })

  test('thousandths and shares are scaled by the image, and drawn in its pixels', async () => {
    const meta = { width: 100, height: 200 }
    for (const [units, factor] of [
      ['thousandths', 1000],
      ['shares', 1],
    ] as const) {
      const output = [{ box: [0.1 * factor, 0.05 * factor, 0.5 * factor, 0.25 * factor], label: 'cat' }]
      const score = await judge(output, [scene[0]!], { units, score: 'overlap' }, meta)
      expect(score.value).toBeCloseTo(1, 9)
    }
    expect(await judge([], scene, { units: 'shares' })).toMatchObject({ code: 'bad-input' })
  })

  test('a gold box without a label is found by any, in every score', async () => {
    for (const score of ['f1', 'ap', 'ap50'] as const)
      expect((await judge([scene[0]!], [[...here]], { score })).value, score).toBe(1)
    expect(
      (await judge([{ box: [...here], label: 'dog' }], [scene[0]!], { labels: 'ignore', score: 'ap' })).value,
    ).toBe(1)
  })

  test('a reference with a broken box is not judged', async () => {
    expect(await judge([], [{ box: [1, 2, 3], label: 'cat' }])).toMatchObject({
      value: null,
      code: 'bad-input',
    })
  })

  testOnData(
    'bccd',
    'COCO rows as reference: perfect predictions score 1, shifted ones less',
    async (folder) => {
      const { images, annotations } = JSON.parse(readFileSync(join(folder, 'instances.json'), 'utf8'))
      const byImage = Map.groupBy(
        annotations as { image_id: number; category_id: number; bbox: number[] }[],
        (row) => row.image_id,
      )
      const samples = images.map(({ id }: { id: number }): Sample => {
        const rows = (byImage.get(id) ?? []).filter(({ bbox }) => bbox[2]! > 0)
        return {
          id: String(id),
          prompt: 'cells',
          output: [
            {
              type: 'json',
              json: rows.map(({ bbox: [x, y, w, h], category_id }) => ({
                box: [x!, y!, x! + w!, y! + h!],
                label: String(category_id),
              })),
            },
          ],
          reference: rows.map(({ bbox, category_id }) => ({ bbox, label: String(category_id) })),
          meta: {},
        }
      })
      expect(samples).toHaveLength(182)
      for (const score of ['f1', 'overlap', 'ap'] as const) {
        const scores = await boxesReward({ score, referenceFormat: 'xywh' }).score(samples)
        expect(
          scores.every(({ value }) => Math.abs(value! - 1) < 1e-12),
          score,
        ).toBe(true)
      }
      const swapped = samples.map((sample: Sample, index: number) => ({
        ...sample,
        output: samples[(index + 1) % 182]!.output,
      }))
      const mean = (await boxesReward({ referenceFormat: 'xywh' }).score(swapped)).reduce(
        (sum, { value }) => sum + value! / 182,
        0,
      )
      expect(mean).toBeLessThan(0.2)
    },
  )
})
