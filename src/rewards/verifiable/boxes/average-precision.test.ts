import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sharedData, testOnData } from '../../../../tests/shared-data.ts'
import { Rng } from '../../../core/index.ts'
import {
  type AveragePrecision,
  averagePrecision,
  type Detection,
  type GoldObject,
} from './average-precision.ts'
import type { Box } from './boxes.ts'
import { detectionsFromCoco, goldFromCoco } from './coco-format.ts'
import { imageAveragePrecision } from './image-average-precision.ts'

const read = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

/** The twelve numbers of the official summary, in its order. */
function summary({ ap, ap50, ap75, ar, areas }: AveragePrecision): (number | null)[] {
  const { small, medium, large } = areas
  return [
    ap,
    ap50,
    ap75,
    small!.ap,
    medium!.ap,
    large!.ap,
    ar[1]!,
    ar[10]!,
    ar[100]!,
    small!.ar,
    medium!.ar,
    large!.ar,
  ]
}

describe('pycocotools', () => {
  interface Scene {
    readonly note: string
    /** [image, label, x, y, width, height, area, crowd] */
    readonly gold: readonly (readonly number[])[]
    /** [image, label, x, y, width, height, score] */
    readonly detections: readonly (readonly number[])[]
    readonly stats: readonly (number | null)[]
  }
  const scenes: Scene[] = read(
    join(import.meta.dirname, '../../../../tests/vectors/coco-average-precision.json'),
  )

  // Written by pycocotools 2.0.11 for scenes drawn at random.
  test.each(scenes)('agrees to 1e-9: $note', ({ gold, detections, stats }) => {
    const actual = summary(
      averagePrecision(
        gold.map(([image, label, x, y, w, h, area, crowd]) => ({
          image: image!,
          label: label!,
          box: [x!, y!, w!, h!],
          area: area!,
          crowd: crowd === 1,
        })),
        detections.map(([image, label, x, y, w, h, score]) => ({
          image: image!,
          label: label!,
          box: [x!, y!, w!, h!],
          score: score!,
        })),
        { boxes: 'xywh' },
      ),
    )
    stats.forEach((expected, index) => {
      if (expected === null) expect(actual[index], `number ${index}`).toBeNull()
      else expect(Math.abs(actual[index]! - expected), `number ${index}`).toBeLessThan(1e-9)
    })
  })

  testOnData('detection-coco', 'the official numbers', (folder) => {
    const gold = goldFromCoco(read(join(folder, 'gt.json')))
    const expected = Object.values(read(join(sharedData, 'expected.json'))['detection-coco'].expected).map(
      Number,
    )
    for (const file of ['dets.json', 'dets-coco.json']) {
      const detections = detectionsFromCoco(read(join(folder, file)))
      const actual = summary(averagePrecision(gold, detections, { boxes: 'xywh' }))
      actual.forEach((value, index) => {
        expect(Math.abs(value! - expected[index]!)).toBeLessThanOrEqual(0.5e-6)
      })
    }
  })

  testOnData(
    'bccd',
    'perfect predictions reach 1, jittered ones fall further the more they are moved',
    (folder) => {
      const gold = goldFromCoco(read(join(folder, 'instances.json')))
      expect(gold).toHaveLength(2460)
      const rng = new Rng('bccd')
      const moved = (pixels: number): Detection[] =>
        gold.map(({ image, label, box }) => {
          const [x, y, w, h] = box
          return {
            image,
            label,
            box: [x + pixels * rng.normal(), y + pixels * rng.normal(), w, h],
            score: rng.uniform(),
          }
        })
      expect(gold.filter(({ box }) => box[2] * box[3] === 0)).toHaveLength(1)
      const values = [0, 2, 8, 24].map(
        (pixels) => averagePrecision(gold, moved(pixels), { boxes: 'xywh' }).ap!,
      )
      expect(values[0]).toBe(1)
      expect([...values].sort((a, b) => b - a)).toEqual(values)
      expect(values[3]).toBeLessThan(0.3)
    },
  )
})

const at = (box: Box, rest: Partial<GoldObject> = {}): GoldObject => ({
  image: 1,
  label: 'cat',
  box,
  ...rest,
})
const found = (box: Box, score = 1, rest: Partial<Detection> = {}): Detection => ({
  image: 1,
  label: 'cat',
  box,
  score,
  ...rest,
})

describe('what people get wrong', () => {
  const one: Box = [0, 0, 50, 50]
  const two: Box = [100, 0, 150, 50]

  test('a false detection costs by its rank, not by its number', () => {
    const false_ = found([200, 200, 250, 250], 0.1)
    const gold = [at(one)]
    expect(averagePrecision(gold, [found(one), false_, false_]).ap).toBe(1)
    expect(averagePrecision(gold, [found(one, 0.05), false_]).ap).toBe(0.5)
  })

  test('the second detection of one object is false', () => {
    expect(averagePrecision([at(one), at(two)], [found(one), found(one), found(two, 0.5)]).ap).toBeCloseTo(
      (51 * 1 + 50 * (2 / 3)) / 101,
      12,
    )
  })

  test('detections in a crowd region, or of an ignored object, count neither way', () => {
    const region = at([100, 100, 300, 300], { crowd: true })
    const inside = [found([110, 110, 150, 150], 3), found([160, 160, 200, 200], 2)]
    expect(averagePrecision([at(one), region], [...inside, found(one)]).ap).toBe(1)
    expect(averagePrecision([at(one)], [...inside, found(one)]).ap).toBeCloseTo(1 / 3, 12)
    const ignored = at(two, { ignore: true })
    expect(averagePrecision([at(one), ignored], [found(two, 3), found(one)]).ap).toBe(1)
    expect(averagePrecision([at(one), ignored], [found(two, 3), found(two, 2), found(one)]).ap).toBe(0.5)
    expect(averagePrecision([region], inside).ap).toBeNull()
  })

  test('labels without gold objects do not enter; nothing found is 0; no gold is null', () => {
    expect(averagePrecision([at(one)], [found(one), found(two, 1, { label: 'dog' })]).ap).toBe(1)
    expect(averagePrecision([at(one)], []).ap).toBe(0)
    expect(averagePrecision([], [found(one)])).toMatchObject({ ap: null, ap50: null, labels: [] })
  })

  test('more detections than the limit do not count; the limit is per image and label', () => {
    const noise = Array.from({ length: 100 }, (_, index) => found([200, 200, 250, 250], 2 + index))
    expect(averagePrecision([at(one)], [...noise, found(one)]).ap).toBe(0)
    expect(averagePrecision([at(one)], [...noise.slice(1), found(one)]).ap).toBeCloseTo(0.01, 12)
    const { ar } = averagePrecision([at(one), at(two)], [found(one), found(two)])
    expect(ar).toEqual({ 1: 0.5, 10: 1, 100: 1 })
  })

  test('a box without area is found by itself alone', () => {
    const point: Box = [5, 5, 5, 5]
    expect(averagePrecision([at(point), at(one)], [found(point), found(one)]).ap).toBe(1)
    expect(averagePrecision([at(point)], [found(one)]).ap).toBe(0)
  })

  test("curves and labels of one's own", () => {
    const { labels, ap } = averagePrecision(
      [at(one), at(two), at(one, { label: 'dog' })],
      [found(one), found([0, 0, 1, 1], 0.5), found(two, 0.2)],
      { curves: true, iouThresholds: [0.5] },
    )
    expect(labels.map(({ label, ap, gold, detections }) => ({ label, ap, gold, detections }))).toEqual([
      { label: 'cat', ap: expect.closeTo((51 + 50 * (2 / 3)) / 101, 12), gold: 2, detections: 3 },
      { label: 'dog', ap: 0, gold: 1, detections: 0 },
    ])
    expect([labels[0]!.curves![50], labels[0]!.curves![51], labels[1]!.curves![0]]).toEqual([1, 2 / 3, 0])
    expect(ap).toBeCloseTo((51 + 50 * (2 / 3)) / 202, 12)
  })

  test('a number that is not finite is refused, naming the row', () => {
    expect(() => averagePrecision([at(one)], [found([0, 0, Number.NaN, 1])])).toThrow(/detections\[0\]/)
    expect(() => averagePrecision([at([0, 0, 1, Number.POSITIVE_INFINITY])], [])).toThrow(/gold\[0\]/)
    expect(() => averagePrecision([at(one)], [found(one, Number.NaN)])).toThrow(/score/)
    expect(() => averagePrecision([at(one)], [], { maxDetections: [100, 10] })).toThrow(RangeError)
    expect(() => goldFromCoco({ annotations: [{ image_id: 1, category_id: 1, bbox: [1, 2, 3] }] })).toThrow(
      /annotations\[0\]/,
    )
    expect(() => detectionsFromCoco([{ image_id: 1, category_id: 1, bbox: [1, 2, 3, 4] }])).toThrow(/score/)
  })
})

describe('one image', () => {
  const box = fc
    .tuple(fc.nat(30), fc.nat(30), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
    .map(([x, y, w, h]): Box => [x, y, x + w, y + h])
  const labelled = fc.array(fc.record({ box, label: fc.constantFrom('a', 'b', 'c') }), { maxLength: 8 })

  test('its average precision is that of a set of one image', () => {
    fc.assert(
      fc.property(labelled, labelled, (predicted, gold) => {
        const whole = averagePrecision(
          gold.map((object) => ({ ...object, image: 1 })),
          predicted.map((detection) => ({ ...detection, image: 1, score: 1 })),
        )
        const single = imageAveragePrecision(predicted, gold)
        if (whole.ap === null) expect(single).toBeNull()
        else expect(single).toBeCloseTo(whole.ap, 12)
        const at50 = imageAveragePrecision(predicted, gold, { iouThresholds: [0.5] })
        if (whole.ap50 !== null) expect(at50).toBeCloseTo(whole.ap50, 12)
      }),
    )
  })

  test('the order of gold labels and images does not matter', () => {
    fc.assert(
      fc.property(labelled, labelled, (predicted, gold) => {
        const value = imageAveragePrecision(predicted, gold)
        const sorted = [...gold].sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0))
        if (value === null) return
        expect(imageAveragePrecision(predicted, sorted)).toBeCloseTo(value, 12)
      }),
    )
  })
})
