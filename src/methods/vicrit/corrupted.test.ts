import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { oracle } from '../../worlds/scenes/oracle.ts'
import { sceneWorld } from '../../worlds/scenes/scene-world.ts'
import { drawCorrupted } from './corrupted.ts'

const types = ['object', 'colour', 'count', 'size', 'relation'] as const
const world = sceneWorld({ seed: 'corrupted', objects: [2, 5] })
const items = Array.from({ length: 200 }, (_, index) =>
  drawCorrupted(world, new Rng(`item/${index}`), { styles: ['full', 'paragraph'], types }),
)

test('each description has one error, which stands in it and is named by its words', () => {
  for (const { scene, caption, corruption, wrong } of items) {
    expect(oracle.caption(scene, caption).parts.claimAccuracy).toBe(1)
    expect(oracle.caption(scene, corruption.text).claims.filter(({ truth }) => truth === false)).toHaveLength(
      1,
    )
    expect(wrong).not.toBe('')
    expect(corruption.changedPhrase).toContain(wrong)
  }
})

test('errors of all types are about as frequent', () => {
  for (const type of types) {
    const share = items.filter(({ corruption }) => corruption.type === type).length / items.length
    expect(share).toBeGreaterThan(0.12)
    expect(share).toBeLessThan(0.3)
  }
})

test('the same numbers give the same description', () => {
  const again = drawCorrupted(world, new Rng('item/0'), { styles: ['full', 'paragraph'], types })
  expect(again).toEqual(items[0])
})

test('an error that no style tells of is refused', () => {
  expect(() => drawCorrupted(world, new Rng(0), { styles: ['full'], types: ['relation'] })).toThrow(
    /descriptions of the styles full have no relation/,
  )
})
