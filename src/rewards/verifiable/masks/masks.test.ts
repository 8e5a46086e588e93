import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readMaskList } from './mask-list.ts'
import { maskOutline } from './mask-outline.ts'
import { compressedCounts, runLengths } from './run-length.ts'

describe('run lengths', () => {
  test('COCO’s compressed string says the same as the numbers', () => {
    // 5 in one character; 40 in two (8 and more, then 1); the fourth as a difference, here -3.
    expect(compressedCounts([5, 40, 5, 37])).toBe('5X15M')
    expect(runLengths({ size: [10, 10], counts: '5X15M' })).toEqual([5, 40, 5, 37])
  })

  test('what is written is read again', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(40_000), { maxLength: 60 }), (runs) => {
        expect(runLengths({ size: [32_000, 32_000], counts: compressedCounts(runs) })).toEqual(runs)
      }),
    )
  })

  test('what is none is undefined: more pixels than there are, half a number, no picture', () => {
    expect(runLengths({ size: [2, 2], counts: [1, 4] })).toBeUndefined()
    expect(runLengths({ size: [2, 2], counts: [1, -1] })).toBeUndefined()
    expect(runLengths({ size: [2, 2], counts: '1Q' })).toBeUndefined()
    expect(runLengths({ size: [2, 2], counts: ' ' })).toBeUndefined()
    expect(runLengths({ size: [0, 2], counts: [] })).toBeUndefined()
    expect(runLengths({ size: [2, 1e9], counts: [] })).toBeUndefined()
  })
})

describe('outlines', () => {
  const path = (size: [number, number], counts: number[]) => maskOutline({ size, counts })!.path

  test('columns come first: two pixels of a picture three high and two wide', () => {
    expect(path([3, 2], [1, 2])).toBe('M0 1H1V3H0Z')
    expect(path([3, 2], [0, 6])).toBe('M0 0H2V3H0Z')
  })

  test('inside by the even-odd rule is inside by the run lengths, holes and corners that touch included', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.boolean(), { minLength: 49, maxLength: 49 }),
        (height, width, drawn) => {
          const pixels = drawn.slice(0, height * width)
          const counts: number[] = []
          let inside = false
          for (const pixel of pixels) {
            if (counts.length === 0 || pixel !== inside) {
              if (counts.length === 0 && pixel) counts.push(0)
              counts.push(0)
              inside = pixel
            }
            counts[counts.length - 1]!++
          }
          const outline = maskOutline({ size: [height, width], counts })!
          expect(outline.area).toBe(pixels.filter(Boolean).length)
          for (const [index, pixel] of pixels.entries())
            expect(isInside(outline.path, Math.floor(index / height) + 0.5, (index % height) + 0.5)).toBe(
              pixel,
            )
        },
      ),
    )
  })

  test('what is too intricate is drawn coarser, inside the picture', () => {
    const counts = Array.from({ length: 101 * 101 }, () => 1)
    const { path, isCoarse } = maskOutline({ size: [101, 101], counts }, { maxCorners: 500 })!
    expect(isCoarse).toBe(true)
    for (const [number] of path.matchAll(/\d+/g)) expect(Number(number)).toBeLessThanOrEqual(101)
    const round = Array.from({ length: 2000 }, (_, at) => (at % 2 ? Math.sin(at) : Math.cos(at)))
    const thinned = maskOutline({ polygons: [round] }, { maxCorners: 100 })!
    expect(thinned.path.split('L').length).toBeLessThanOrEqual(100)
  })
})

/** By counting the vertical lines of the path to the right of the point. */
function isInside(path: string, px: number, py: number): boolean {
  let crossings = 0
  for (const loop of path.split('M').slice(1)) {
    const [, x0, y0, rest] = /^(\d+) (\d+)(.*)Z$/.exec(loop)!
    let [x, y] = [Number(x0), Number(y0)]
    const lines = [...rest!.matchAll(/([HV])(\d+)/g)].map(([, command, to]) => [command, Number(to)] as const)
    // The last line goes back to the start, by way of a corner that is not written where it is a straight one.
    const vertical = (to: number) => {
      if (x > px && Math.min(y, to) < py && Math.max(y, to) > py) crossings++
      y = to
    }
    for (const [command, to] of lines) {
      if (command === 'H') x = to
      else vertical(to)
    }
    if (x === Number(x0)) vertical(Number(y0))
  }
  return crossings % 2 === 1
}

describe('reading', () => {
  const square = [0, 0, 4, 0, 4, 4, 0, 4]

  test('annotations of COCO, of segmenters and of LabelMe', () => {
    const runs = { size: [2, 2] as const, counts: [1, 2, 1] }
    expect(
      readMaskList({
        annotations: [
          { segmentation: [square], category_id: 3, bbox: [0, 0, 4, 4] },
          { segmentation: runs, label: 'cat', image: 1 },
          { bbox: [0, 0, 1, 1], category_id: 1 },
        ],
      }),
    ).toEqual({
      masks: [
        { mask: { polygons: [square] }, label: 'category 3' },
        { mask: runs, label: 'cat', image: 1 },
      ],
      broken: 0,
    })
    const points = [
      [0, 0],
      [4, 0],
      [4, 4],
      [0, 4],
    ]
    expect(
      readMaskList({
        shapes: [
          { points, label: 'a' },
          { points: points.slice(0, 2), shape_type: 'line' },
        ],
      })?.masks,
    ).toEqual([{ mask: { polygons: [square] }, label: 'a' }])
    expect(readMaskList({ ...runs, counts: '121' })?.masks).toHaveLength(1)
    expect(readMaskList({ polygon: points })?.masks).toEqual([{ mask: { polygons: [square] } }])
  })

  test('what is broken is counted, what is no mask is left alone', () => {
    expect(
      readMaskList([
        { segmentation: [[0, 0, 1, 1]] },
        { mask: { size: [1, 1], counts: [9] } },
        { mask: { size: [1, 1], counts: [1] } },
      ]),
    ).toEqual({ masks: [{ mask: { size: [1, 1], counts: [1] } }], broken: 2 })
    for (const none of [
      undefined,
      null,
      'x',
      3,
      [],
      [1, 2],
      [[0, 0, 1, 1]],
      {},
      { mask: 'a.png' },
      { boxes: [] },
    ])
      expect(readMaskList(none as never), JSON.stringify(none)).toBeUndefined()
  })
})
