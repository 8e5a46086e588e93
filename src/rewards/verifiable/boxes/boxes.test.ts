import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  area,
  type Box,
  boxFormats,
  fromCorners,
  giou,
  iou,
  isBox,
  isProper,
  overlaps,
  pixelIou,
  scaleBox,
  toCorners,
  truncateBox,
} from './boxes.ts'

const proper = fc
  .tuple(
    fc.integer({ min: -50, max: 50 }),
    fc.integer({ min: -50, max: 50 }),
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 1, max: 60 }),
  )
  .map(([x, y, width, height]): Box => [x, y, x + width, y + height])
const any = fc.tuple(fc.double(), fc.double(), fc.double(), fc.double())

describe('laws of overlap', () => {
  test('IoU is symmetric, in [0, 1], and 1 exactly for equal boxes', () => {
    fc.assert(
      fc.property(proper, proper, (a, b) => {
        const value = iou(a, b)
        expect(iou(b, a)).toBe(value)
        expect(value >= 0 && value <= 1).toBe(true)
        expect(value === 1).toBe(String(a) === String(b))
        expect(iou(a, a)).toBe(1)
      }),
    )
  })

  test('generalised IoU lies in (-1, 1], below IoU, and tells near from far where IoU is 0', () => {
    fc.assert(
      fc.property(proper, proper, (a, b) => {
        const value = giou(a, b)
        expect(giou(b, a)).toBe(value)
        expect(value > -1 && value <= iou(a, b) + 1e-12).toBe(true)
        expect(giou(a, a)).toBe(1)
      }),
    )
    const here: Box = [0, 0, 10, 10]
    expect(giou(here, [20, 0, 30, 10])).toBeGreaterThan(giou(here, [80, 0, 90, 10]))
  })

  test('moving or enlarging both boxes changes nothing', () => {
    const shift = fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 }))
    fc.assert(
      fc.property(proper, proper, shift, fc.constantFrom(0.5, 2, 8), (a, b, [dx, dy], factor) => {
        const moved = ([x1, y1, x2, y2]: Box): Box => [x1 + dx, y1 + dy, x2 + dx, y2 + dy]
        const scaled = (box: Box) => scaleBox(box, { width: 1, height: 1 }, { width: factor, height: factor })
        for (const overlap of Object.values(overlaps))
          expect(overlap(moved(a), moved(b))).toBeCloseTo(overlap(a, b), 12)
        expect(iou(scaled(a), scaled(b))).toBeCloseTo(iou(a, b), 12)
        expect(giou(scaled(a), scaled(b))).toBeCloseTo(giou(a, b), 12)
      }),
    )
  })

  test('any four finite numbers give a finite number in range', () => {
    fc.assert(
      fc.property(any, any, (a, b) => {
        fc.pre(isBox(a) && isBox(b))
        const value = iou(a, b)
        expect(value >= 0 && value <= 1).toBe(true)
        expect(Math.abs(giou(a, b))).toBeLessThanOrEqual(1)
        expect(Number.isFinite(pixelIou(a, b))).toBe(true)
      }),
    )
  })
})

test('known values', () => {
  expect(iou([0, 0, 10, 10], [5, 5, 15, 15])).toBeCloseTo(25 / 175, 12)
  expect(giou([0, 0, 10, 10], [20, 0, 30, 10])).toBeCloseTo(-1 / 3, 12)
  expect(iou([0, 0, 10, 10], [10, 0, 20, 10])).toBe(0) // they touch
})

test('a degenerate or inverted box overlaps nothing, not even itself', () => {
  for (const box of [
    [5, 5, 5, 9],
    [9, 9, 5, 5],
    [5, 9, 9, 5],
  ] as Box[]) {
    expect(isProper(box)).toBe(false)
    expect(area(box)).toBe(0)
    expect(iou(box, box)).toBe(0)
    expect(iou(box, [0, 0, 20, 20])).toBe(0)
    expect(giou(box, [0, 0, 20, 20])).toBeLessThanOrEqual(0)
  }
})

test('pixel IoU: one pixel of overlap is none, and normalised coordinates never overlap', () => {
  expect(pixelIou([0, 0, 10, 10], [9, 0, 19, 10])).toBe(0)
  expect(iou([0, 0, 10, 10], [9, 0, 19, 10])).toBeGreaterThan(0)
  expect(pixelIou([0.1, 0.1, 0.9, 0.9], [0.1, 0.1, 0.9, 0.9])).toBe(0)
})

test('what a box is', () => {
  expect(isBox([1, 2, 3, 4])).toBe(true)
  for (const value of [
    [1, 2, 3],
    [1, 2, 3, '4'],
    [1, 2, 3, Number.NaN],
    [1, 2, 3, 1e308],
    null,
    { length: 4 },
  ])
    expect(isBox(value)).toBe(false)
})

test('formats round-trip', () => {
  expect(toCorners([10, 20, 30, 40], 'xywh')).toEqual([10, 20, 40, 60])
  expect(toCorners([10, 20, 30, 40], 'cxcywh')).toEqual([-5, 0, 25, 40])
  fc.assert(
    fc.property(proper, fc.constantFrom(...boxFormats), (box, format) => {
      expect(toCorners(fromCorners(box, format), format)).toEqual(box)
    }),
  )
})

test('scaling takes x by width and y by height; truncation goes towards 0', () => {
  expect(scaleBox([7, 14, 28, 28], { width: 56, height: 28 }, { width: 64, height: 64 })).toEqual([
    8, 32, 32, 64,
  ])
  expect(scaleBox([250, 500, 750, 1000], { width: 1000, height: 1000 }, { width: 400, height: 200 })).toEqual(
    [100, 100, 300, 200],
  )
  expect(truncateBox([1.9, -1.9, 3.2, 4])).toEqual([1, -1, 3, 4])
})
