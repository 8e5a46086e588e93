import { expect, test } from 'vitest'
import { groupOf } from '../core/index.ts'
import { showcase, showcaseKinds } from './showcase.ts'

test('the same seed gives the same set, another seed another', async () => {
  const fake = async (svg: string) => new TextEncoder().encode(svg)
  const a = await showcase({ prompts: 3, rasterise: fake })
  expect(await showcase({ prompts: 3, rasterise: fake })).toEqual(a)
  expect(await showcase({ prompts: 3, seed: 1, rasterise: fake })).not.toEqual(a)
})

test('five kinds, nine candidates a prompt, right and adversarial ones among them, ids unique', async () => {
  const samples = await showcase({ prompts: 2 })
  expect(new Set(samples.map(({ id }) => id)).size).toBe(samples.length)
  const groups = Map.groupBy(samples, groupOf)
  expect(groups.size).toBe(2 * showcaseKinds.length)
  for (const group of groups.values()) {
    expect(group).toHaveLength(9)
    expect(group.some(({ meta }) => meta.quality === 1)).toBe(true)
    expect(
      group.some(({ meta }) => String(meta.recipe).startsWith('adversarial') && Number(meta.quality) < 0.5),
    ).toBe(true)
  }
})

test('images are PNG files', async () => {
  const [first] = await showcase({ prompts: 1 })
  const part = (first!.prompt as readonly { image?: { bytes: Uint8Array } }[])[0]!
  expect([...part.image!.bytes.slice(1, 4)]).toEqual([...Buffer.from('PNG')])
})
