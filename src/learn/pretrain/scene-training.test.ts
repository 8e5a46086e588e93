import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { wordTokenizer } from '../../models/tokenizer.ts'
import { colours, shapes, typeName } from '../../worlds/scenes/attributes.ts'
import { biasedWorld } from '../../worlds/scenes/biased-world.ts'
import { oracle } from '../../worlds/scenes/oracle.ts'
import { namesOf } from '../../worlds/scenes/scene.ts'
import { sceneWorld } from '../../worlds/scenes/scene-world.ts'
import { packedExchanges } from './scene-exchanges.ts'
import { groundingLabels } from './scene-grounding.ts'
import { sceneTokenizer } from './scene-tokenizer.ts'
import { painted } from './scenes-vlm-biased.ts'

const tokenizer = wordTokenizer(sceneTokenizer)
const scenes = sceneWorld({ seed: 'training', split: 'train' }).scenes(12)

test('labels of patches tell of the object whose centre lies there, and of the background everywhere', () => {
  const { shape, data } = groundingLabels(scenes, 4)
  expect(shape).toEqual([12, 64, 9])
  const labels = Array.from({ length: 12 * 64 }, (_, place) => [...data.subarray(9 * place, 9 * place + 9)])
  scenes.forEach(({ objects, background }, row) => {
    const own = labels.slice(64 * row, 64 * row + 64)
    expect(own.filter(([isThere]) => isThere === 1)).toHaveLength(objects.length)
    expect(new Set(own.map((label) => label[1]))).toEqual(
      new Set([['black', 'grey', 'white'].indexOf(background)]),
    )
    for (const object of objects) {
      const [x1, y1, x2, y2] = object.box
      const place = 8 * Math.floor((y1 + y2) / 8) + Math.floor((x1 + x2) / 8)
      expect(own[place]!.slice(2)).toEqual([
        shapes.indexOf(object.shape),
        colours.indexOf(object.colour),
        object.size === 'small' ? 0 : 1,
        ...object.box,
      ])
    }
  })
})

test('rows hold whole conversations, each from place 0 on, and weights on answers that are right', () => {
  const { tokens, segments, positions, targetMask } = packedExchanges(scenes, new Rng('rows'), {
    length: 112,
    context: 40,
    followUp: 0.3,
    exchanges: () => ({ tasks: { existence: 1, count: 1, caption: 1 } }),
    tokenizer,
  })
  let [conversations, exchanges] = [0, 0]
  scenes.forEach((scene, row) => {
    const part = <Data extends { subarray(start: number, end: number): ArrayLike<number> }>(data: Data) =>
      Array.from(data.subarray(112 * row, 112 * row + 112))
    const [ids, numbers, places] = [tokens, segments, positions].map(({ data }) =>
      part(data as Int32Array),
    ) as [number[], number[], number[]]
    const weights = part(targetMask.data as Float32Array)
    const [begin, end] = [tokenizer.id('<bos>'), tokenizer.id('<eos>')]
    let start = 0
    ids.forEach((id, at) => {
      if (numbers[at] !== 0)
        expect(places[at]).toBe(numbers[at] === numbers[at - 1] ? places[at - 1]! + 1 : 0)
      expect(places[at]).toBeLessThan(40)
      if (id !== end) return
      const middle = ids.indexOf(begin, start)
      const [prompt, answer] = [ids.slice(start, middle), ids.slice(middle + 1, at)]
      expect(weights.slice(start, middle + 1).every((weight) => weight === 0)).toBe(true)
      const each = Math.max(0.5, 4 / (answer.length + 1))
      expect(weights.slice(middle + 1, at + 1).every((weight) => Math.abs(weight - each) < 1e-6)).toBe(true)
      const [question, text] = [tokenizer.decode(prompt), tokenizer.decode(answer)]
      if (question.endsWith('?')) expect(oracle.answer(scene, question, text).correct).toBe(true)
      else expect(oracle.caption(scene, text).parts.objectF1).toBe(1)
      start = at + 1
      exchanges++
    })
    expect(ids.slice(start).every((id) => id === 0)).toBe(true)
    conversations += Math.max(...numbers)
  })
  expect(exchanges).toBeGreaterThan(conversations)
  expect(conversations).toBeGreaterThan(3 * scenes.length)
})

test('pictures for the biased model lack one of a pair now and then, and nothing else', () => {
  const { pairs, train } = biasedWorld()
  const rng = new Rng('painted')
  let [whole, lacking] = [0, 0]
  for (const scene of train.scenes(400)) {
    const shown = painted(scene, rng)
    const names = namesOf(shown)
    const gone = new Set(namesOf(scene).filter((name) => !names.includes(name)))
    const together = pairs.filter(({ trigger, companion }) =>
      [trigger, companion].every((type) => namesOf(scene).includes(typeName(type))),
    )
    for (const { trigger, companion } of together) {
      const missing = [trigger, companion].filter((type) => gone.delete(typeName(type))).length
      expect(missing).toBeLessThan(2)
      if (missing === 1) lacking++
      else whole++
    }
    expect(gone.size).toBe(0)
  }
  expect(lacking / (lacking + whole)).toBeGreaterThan(0.4)
  expect(lacking / (lacking + whole)).toBeLessThan(0.6)
})
