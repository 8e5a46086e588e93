import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { backgroundRgb, colourRgb, colours, typeName } from './attributes.ts'
import { isClear, oppositeRelation, type relations, relationsOf } from './graph.ts'
import { matches } from './noun.ts'
import { encodePng } from './png.ts'
import { objectMask, renderInto, renderScene, toRaster, visibleShares } from './raster.ts'
import { drawReferringExpression, readReference, referents, referringExpressions } from './referring.ts'
import { crowd, drawScene, type Scene } from './scene.ts'
import { heldOutTypes, isHeldOut, sceneSplits, sceneWorld } from './scene-world.ts'
import { shapeTemplate } from './shape-template.ts'
import { WordReader, wordsOf } from './words.ts'

const anyScene = fc
  .record({
    seed: fc.integer(),
    width: fc.constantFrom(32, 48, 64),
    crowded: fc.boolean(),
    split: fc.constantFrom(...sceneSplits),
  })
  .map(({ seed, width, crowded, split }) =>
    sceneWorld({ seed, split, ...(crowded ? crowd : { width, objects: [0, 5] }) }).scene(0),
  )

const digest = (bytes: Uint8Array) => hash('sha256', bytes, 'hex').slice(0, 16)

describe('scenes', () => {
  test('a seed gives the same pixels everywhere', () => {
    const world = sceneWorld({ seed: 7 })
    const bytes = new Uint8Array(64 * 32 * 32 * 3)
    world.scenes(64).forEach((scene, index) => {
      renderInto(scene, bytes, index * 32 * 32 * 3)
    })
    expect(digest(bytes)).toMatchInlineSnapshot(`"7148a491893acf92"`)
    expect(
      digest(renderScene(sceneWorld({ seed: 7, ...crowd, noise: 10 }).scene(0)).data),
    ).toMatchInlineSnapshot(`"c21171f631d8e30b"`)
    expect(world.scene(5)).toEqual(sceneWorld({ seed: 7 }).scenes(2, 4)[1])
  })

  test('boxes are the tightest around the pixels, which have the colour of their object', () => {
    fc.assert(
      fc.property(anyScene, (scene) => {
        const { data } = renderScene(scene)
        const shows = (pixel: number, rgb: readonly number[]) =>
          rgb.every((value, channel) => data[pixel * 3 + channel] === value)
        scene.objects.forEach((object, index) => {
          const mask = objectMask({ ...scene, objects: [object] })
          const inside = [...mask.keys()].filter((pixel) => mask[pixel] === 1)
          const xs = inside.map((pixel) => pixel % scene.width)
          const ys = inside.map((pixel) => Math.floor(pixel / scene.width))
          const box = [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1]
          expect(object.box).toEqual(box)
          // The last object hides the others and is hidden by none.
          if (index === scene.objects.length - 1)
            expect(inside.filter((pixel) => !shows(pixel, object.rgb))).toEqual([])
        })
        const owners = objectMask(scene)
        const bare = [...owners.keys()].filter((pixel) => owners[pixel] === 0)
        expect(bare.filter((pixel) => !shows(pixel, backgroundRgb[scene.background]))).toEqual([])
      }),
      { numRuns: 60 },
    )
  })

  test('objects stay apart unless overlap is allowed, and are then never hidden entirely', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(visibleShares(sceneWorld({ seed }).scene(0)).every((share) => share === 1)).toBe(true)
        const crowded = sceneWorld({ seed, ...crowd, objects: [13, 16] }).scene(0)
        expect(Math.min(...visibleShares(crowded))).toBeGreaterThan(0.15)
      }),
    )
  })

  test('every painted colour is nearest to its own name', () => {
    const distance = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0)
    const named = [
      ...colours.map((colour) => [colour, colourRgb[colour]] as const),
      ...Object.entries(backgroundRgb),
    ]
    for (const [name, rgb] of named)
      for (const [other, otherRgb] of named)
        if (name !== other)
          expect(distance(rgb, otherRgb), `${name} ${other}`).toBeGreaterThan(4 * 3 * 12 ** 2)
  })

  test('shapes of one diameter differ in many pixels', () => {
    expect(
      (['circle', 'square', 'triangle', 'diamond', 'star', 'cross'] as const).map(
        (shape) => shapeTemplate(shape, 8).area,
      ),
    ).toMatchInlineSnapshot(`
      [
        52,
        64,
        32,
        40,
        20,
        28,
      ]
    `)
  })

  test('the held-out pairs are in every scene of the composition split and in no other', () => {
    const scenes = (split: (typeof sceneSplits)[number]) => sceneWorld({ split }).scenes(300)
    for (const split of ['train', 'validation', 'test'] as const)
      expect(scenes(split).flatMap(({ objects }) => objects.filter(isHeldOut))).toEqual([])
    expect(scenes('composition').every(({ objects }) => objects.some(isHeldOut))).toBe(true)
    expect(new Set(heldOutTypes.map(({ shape }) => shape)).size).toBe(6)
    expect(new Set(heldOutTypes.map(({ colour }) => colour)).size).toBe(6)
    const seen = new Set(scenes('train').flatMap(({ objects }) => objects.map(typeName)))
    expect(seen.size).toBe(42)
  })

  test('what cannot fit is refused with a way out', () => {
    expect(() => drawScene('s', new Rng(0), { objects: [16, 16] })).toThrow(/16 objects do not fit.*crowd/)
    expect(() => drawScene('s', new Rng(0), { objects: [1, 17] })).toThrow(/<= 16/)
    expect(() => drawScene('s', new Rng(0), { width: 8 })).toThrow(/16 to 512/)
  })

  test('the PNG is read back by another decoder', async () => {
    const { default: sharp } = await import('sharp')
    const pixels = renderScene(sceneWorld({ noise: 20 }).scene(3))
    const { data, info } = await sharp(encodePng(pixels)).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, info.channels]).toEqual([32, 32, 3])
    expect(new Uint8Array(data)).toEqual(pixels.data)
    expect(toRaster(pixels).data.subarray(0, 4)).toEqual(Uint8Array.of(...pixels.data.subarray(0, 3), 255))
  })
})

test('boxes begin on the grid that is asked for, and a grid that is none is refused', () => {
  const starts = (grid: number) =>
    sceneWorld({ seed: 3, objects: [1, 3], grid })
      .scenes(200)
      .flatMap(({ objects }) => objects.flatMap(({ box }) => [box[0], box[1]]))
  expect(starts(4).every((start) => start % 4 === 0)).toBe(true)
  expect(new Set(starts(4)).size).toBeGreaterThan(5)
  expect(starts(1).some((start) => start % 4 !== 0)).toBe(true)
  for (const grid of [0, 1.5, 33]) expect(() => starts(grid)).toThrow(/no grid of places/)
})

describe('relations', () => {
  test('opposites never hold together, and swapping sides is the opposite', () => {
    fc.assert(
      fc.property(anyScene, (scene) => {
        const edges = new Set(
          relationsOf(scene).map(({ subject, relation, object }) => `${subject} ${relation} ${object}`),
        )
        for (const edge of edges) {
          const [, subject, relation, object] = /^(\d+) (.*) (\d+)$/.exec(edge)!
          const opposite = oppositeRelation[relation as (typeof relations)[number]]
          if (opposite !== undefined) {
            expect(edges.has(`${subject} ${opposite} ${object}`)).toBe(false)
            expect(edges.has(`${object} ${opposite} ${subject}`)).toBe(true)
          } else expect(edges.has(`${object} ${relation} ${subject}`)).toBe(true)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('a direction is unclear exactly within a tenth of the image', () => {
    const [a, b] = drawScene('s', new Rng(1), { objects: [2, 2], width: 40, large: 0 }).objects
    const at = (object: typeof a, x: number) => ({ ...object!, box: [x, 0, x + 8, 8] as const })
    const scene = { id: '', width: 40, height: 40, background: 'black', noise: 0, objects: [] } as const
    expect(isClear(scene, at(a, 0), 'left of', at(b, 3))).toBe(false)
    expect(isClear(scene, at(a, 0), 'left of', at(b, 4))).toBe(true)
  })
})

describe('referring expressions', () => {
  test('have exactly one referent, and read back', () => {
    fc.assert(
      fc.property(anyScene, fc.integer(), (scene, seed) => {
        const small = { ...scene, objects: scene.objects.slice(0, 6) }
        for (const object of small.objects)
          for (const expression of referringExpressions(small, object)) {
            expect(referents(small, expression.reference)).toEqual([object])
            const reader = new WordReader(wordsOf(expression.text))
            expect(readReference(reader)).toEqual(expression.reference)
            expect(reader.atEnd).toBe(true)
            // By hand, over the objects: the noun alone, and then the relation to the only anchor.
            const { noun, relation } = expression.reference
            const fitting = small.objects.filter((candidate) => matches(candidate, noun))
            if (relation === undefined) expect(fitting).toEqual([object])
            else expect(fitting.length).toBeGreaterThan(1)
          }
        const drawn = drawReferringExpression(small, new Rng(seed))
        if (drawn) expect(small.objects).toContain(drawn.object)
      }),
      { numRuns: 60 },
    )
  })

  test('two equal objects can be told apart by a third only', () => {
    const base = { diameter: 8, size: 'small', rgb: [0, 0, 0] } as const
    const scene: Scene = {
      id: 's',
      width: 64,
      height: 64,
      background: 'black',
      noise: 0,
      objects: [
        { ...base, shape: 'circle', colour: 'red', box: [0, 0, 8, 8] },
        { ...base, shape: 'circle', colour: 'red', box: [50, 0, 58, 8] },
        { ...base, shape: 'square', colour: 'blue', box: [25, 0, 33, 8] },
      ],
    }
    expect(referringExpressions(scene, scene.objects[0]!).map(({ text }) => text)).toContain(
      'red circle left of the blue square',
    )
    expect(referringExpressions({ ...scene, objects: scene.objects.slice(0, 2) }, scene.objects[0]!)).toEqual(
      [],
    )
  })
})
