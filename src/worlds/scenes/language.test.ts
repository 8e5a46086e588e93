import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { boxesOf, boxListJson, boxListText, boxText, parseBoxList, parseBoxListJson } from './box-grammar.ts'
import { captionOf, captionStyles } from './caption.ts'
import { parseCaption } from './caption-parser.ts'
import { isTrue } from './claims.ts'
import { answerTo, parseQuery } from './query.ts'
import { questionSet } from './question-set.ts'
import { drawQuestion, questionForms, questionKinds } from './questions.ts'
import { renderScene } from './raster.ts'
import { crowd, type Scene } from './scene.ts'
import { sceneWorld } from './scene-world.ts'
import { sceneVocabulary } from './vocabulary.ts'

const anyScene = fc
  .record({ seed: fc.integer(), crowded: fc.boolean() })
  .map(({ seed, crowded }) => sceneWorld({ seed, ...(crowded ? crowd : { objects: [0, 5] }) }).scene(0))

const roundTrips = (text: string) => {
  const ids = sceneVocabulary.encode(text)
  expect(sceneVocabulary.decode(ids)).toBe(text)
  expect(ids).not.toContain(sceneVocabulary.idOf('<unk>'))
}

describe('vocabulary', () => {
  test('is closed, small and without repeats', () => {
    const { tokens, size } = sceneVocabulary
    expect(new Set(tokens).size).toBe(size)
    expect(tokens.filter((token) => !token.startsWith('<')).length).toBeLessThan(128)
    expect(sceneVocabulary.identity).toMatchInlineSnapshot(`"6e0bbc3e09abe2c82e5a88923109a3b0"`)
  })

  test('unknown words become <unk>, <eos> ends a text, <pad> and <bos> are silent', () => {
    const { encode, decode, idOf } = sceneVocabulary
    expect(decode(encode('a crimson circle.'))).toBe('a <unk> circle.')
    expect(decode([idOf('<bos>'), ...encode('a circle.'), idOf('<pad>'), idOf('<eos>'), idOf('red')])).toBe(
      'a circle.',
    )
    expect(() => idOf('crimson')).toThrow(/"crimson"/)
    expect(() => decode([9999])).toThrow(/9999/)
  })

  test('the article keeps apart from option A', () => {
    expect(sceneVocabulary.decode(sceneVocabulary.encode('A red circle. A blue star? A: red'))).toBe(
      'a red circle. a blue star? A: red',
    )
    expect(sceneVocabulary.encode('A')).toEqual([sceneVocabulary.idOf('A')])
  })
})

describe('captions', () => {
  test('parse, are true and survive the tokeniser, in every style', () => {
    fc.assert(
      fc.property(anyScene, fc.integer(), (scene, seed) => {
        for (const style of captionStyles) {
          const text = captionOf(scene, new Rng(`${seed}/${style}`), {
            style,
            order: seed % 2 ? 'random' : 'reading',
            synonyms: 0.3,
            opinion: 0.3,
          })
          const caption = parseCaption(text)
          expect(caption.wellFormed, text).toBe(true)
          for (const { claim, start, end } of caption.claims)
            expect(isTrue(scene, claim), text.slice(start, end)).not.toBe(false)
          roundTrips(text)
          if (style === 'paragraph') {
            expect(caption.sentences.length).toBeGreaterThanOrEqual(6)
            expect(caption.sentences.length).toBeLessThanOrEqual(scene.objects.length + 9)
          }
        }
      }),
      { numRuns: 80 },
    )
  })

  test('short and full captions name every object', () => {
    fc.assert(
      fc.property(anyScene, (scene) => {
        const counted = (style: 'short' | 'full') =>
          parseCaption(captionOf(scene, new Rng(0), { style })).claims.reduce(
            (sum, { claim }) =>
              sum + (claim.kind === 'object' ? 1 : claim.kind === 'count' ? claim.count : 0),
            0,
          )
        expect(counted('short')).toBe(scene.objects.length)
        expect(counted('full')).toBe(scene.objects.length)
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['a red circle', 'no full stop'],
    ['a orange circle.', 'article'],
    ['an red circle.', 'article'],
    ['two red circle.', 'number'],
    ['a red circles.', 'number'],
    ['there is two circles.', 'verb'],
    ['a circle red.', 'word order'],
    ['a red circle and.', 'open list'],
    ['a red circle, and a star and a cross.', 'two ends of a list'],
    ['a red circle a blue star.', 'no comma'],
    ['the circle is left the star.', 'relation cut short'],
    ['a red circle, no blue star.', 'absence in a list'],
    ['', 'nothing'],
    ['.', 'nothing'],
    ['a dog.', 'unknown word'],
  ])('%j is outside the grammar (%s)', (text) => {
    expect(parseCaption(text).wellFormed).toBe(false)
  })

  test('one unreadable sentence hides nothing else', () => {
    const text = 'A red circle. the the. there is no star.'
    const { claims, unreadable, wellFormed } = parseCaption(text)
    expect(claims.map(({ start, end }) => text.slice(start, end))).toEqual(['A red circle', 'no star'])
    expect(unreadable.map(({ start, end }) => text.slice(start, end))).toEqual(['the the'])
    expect(wellFormed).toBe(false)
  })

  test('hostile text is read without trouble', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseCaption(text)
        parseQuery(`${text}?`)
        parseBoxList(text, { width: 32, height: 32 })
        parseBoxListJson(text)
      }),
    )
    expect(parseCaption(`${'a red circle, '.repeat(5000)}.`).wellFormed).toBe(false)
    expect(parseQuery(`is ${'the '.repeat(5000)}?`)).toBeUndefined()
  })
})

describe('claims by hand', () => {
  const base = { diameter: 8, rgb: [0, 0, 0] } as const
  const scene: Scene = {
    id: 's',
    width: 32,
    height: 32,
    background: 'grey',
    noise: 0,
    objects: [
      { ...base, size: 'small', shape: 'circle', colour: 'red', box: [0, 0, 8, 8] },
      { ...base, size: 'small', shape: 'circle', colour: 'red', box: [12, 12, 20, 20] },
      { ...base, size: 'large', shape: 'star', colour: 'blue', box: [20, 0, 32, 12] },
    ],
  }
  test.each([
    ['a red circle.', true],
    ['two red circles.', true],
    ['one red circle.', false],
    ['a small red disc in the middle.', true],
    ['a red circle at the top right.', false],
    ['there is no green star.', true],
    ['there are no circles.', false],
    ['the star is large.', true],
    ['the star is a blue star.', true],
    ['the blue shape is a circle.', false],
    ['the red circle is left of the blue star.', true],
    ['the blue star is left of the red circle.', false],
    ['the red circle is above the blue star.', false],
    ['the red circle is below the blue star.', true],
    ['the star is larger than the circle.', true],
    ['the circle is the same colour as the circle.', true],
    ['the star is the same shape as the star.', false],
    ['the colours are blue and red.', true],
    ['the colours are blue.', false],
    ['the background is grey.', true],
    ['it looks calm.', null],
  ])('%s %s', (text, expected) => {
    const { claims, wellFormed } = parseCaption(text)
    expect(wellFormed).toBe(true)
    expect(isTrue(scene, claims[0]!.claim)).toBe(expected)
  })

  test.each([
    ['how many circles are there?', 'two'],
    ['what colour is the star?', 'blue'],
    ['what colour is the circle?', undefined],
    ['where is the star?', 'top right'],
    ['what is right of the star?', undefined],
    ['is the star large?', 'yes'],
    ['is there a green star in the image?', 'no'],
    ['are there more circles than stars?', 'yes'],
    ['which colours are there?', 'red, blue'],
    ['is the circle left of the star?', undefined],
  ])('%s %s', (text, expected) => {
    expect(answerTo(scene, parseQuery(text)!)).toBe(expected)
  })
})

describe('questions', () => {
  test("read back, have the oracle's answer, and follow from their facts", () => {
    fc.assert(
      fc.property(anyScene, fc.integer(), (scene, seed) => {
        for (const kind of questionKinds)
          for (const form of questionForms) {
            const question = drawQuestion(scene, kind, new Rng(`${seed}/${kind}/${form}`), { form })
            if (question === undefined) continue
            roundTrips(question.text)
            const query = parseQuery(question.text.replace(/\? A: .*/, '?'))
            expect(query, question.text).toBeDefined()
            const expected =
              question.options === undefined
                ? question.answer
                : question.options['ABCD'.indexOf(question.answer)]
            expect(answerTo(scene, query!), question.text).toBe(expected)
            if (question.options) expect(new Set(question.options).size).toBe(question.options.length)
            expect(question.facts.length).toBeGreaterThan(0)
            for (const fact of question.facts) {
              const { claims, wellFormed } = parseCaption(fact)
              expect(wellFormed, fact).toBe(true)
              for (const { claim } of claims) expect(isTrue(scene, claim), fact).toBe(true)
            }
          }
      }),
      { numRuns: 40 },
    )
  })

  test('counts and colours agree with the pixels', () => {
    const world = sceneWorld({ seed: 3, objects: [0, 5] })
    for (const { scene, question } of questionSet(world, { kind: 'colours', count: 40 })) {
      const { data } = renderScene(scene)
      const painted = new Set(scene.objects.map(({ rgb, colour }) => `${rgb}/${colour}`))
      const found = new Set<string>()
      for (let i = 0; i < data.length; i += 3)
        for (const key of painted)
          if (key.startsWith(`${data[i]},${data[i + 1]},${data[i + 2]}/`)) found.add(key.split('/')[1]!)
      expect(new Set(question.answer === 'none' ? [] : question.answer.split(', '))).toEqual(found)
    }
  })

  test('answers come in the wanted proportions', () => {
    const world = sceneWorld({ seed: 1 })
    const shares = (answers: readonly string[]) => {
      const counts: Record<string, number> = {}
      for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1
      return counts
    }
    const planted = questionSet(world, { kind: 'existence', count: 50, answers: { yes: 0.9, no: 0.1 } })
    expect(shares(planted.map(({ question }) => question.answer))).toEqual({ yes: 45, no: 5 })
    const counts = questionSet(world, {
      kind: 'count',
      count: 60,
      answers: { zero: 1, one: 1, two: 1, three: 1, four: 1, five: 1 },
    })
    expect(Object.values(shares(counts.map(({ question }) => question.answer)))).toEqual(
      new Array(6).fill(10),
    )
    for (const kind of ['existence', 'relation', 'comparison'] as const) {
      const { yes = 0 } = shares(
        questionSet(world, { kind, count: 300 }).map(({ question }) => question.answer),
      )
      expect(yes / 300, kind).toBeGreaterThan(0.4)
      expect(yes / 300, kind).toBeLessThan(0.6)
    }
    expect(() => questionSet(world, { kind: 'colour', count: 1, answers: { beige: 1 } })).toThrow(/beige/)
  })
})

describe('boxes', () => {
  test('lists read back, exactly at 32 and 64 pixels and within half a step at others', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(32, 48, 64, 100), (seed, width) => {
        const scene = sceneWorld({ seed, width, objects: [0, 5] }).scene(0)
        const boxes = boxesOf(scene)
        const text = boxListText(boxes, scene)
        roundTrips(text)
        const read = parseBoxList(text, scene)
        expect(read.wellFormed).toBe(true)
        expect(read.boxes.map(({ label }) => label)).toEqual(boxes.map(({ label }) => label))
        const errors = read.boxes.flatMap(({ box }, index) =>
          box.map((edge, side) => Math.abs(edge - boxes[index]!.box[side]!)),
        )
        expect(Math.max(0, ...errors)).toBeLessThanOrEqual(width <= 64 ? 0 : width / 128 + 0.5)
        expect(parseBoxListJson(boxListJson(boxes))).toEqual({ boxes, wellFormed: true })
      }),
      { numRuns: 60 },
    )
  })

  test('broken answers keep what they hold', () => {
    const size = { width: 32, height: 32 }
    const box = boxText([2, 3, 9, 10], size)
    expect(box).toBe('<box><4><6><18><20></box>')
    expect(parseBoxList(box, size)).toEqual({ boxes: [{ label: '', box: [2, 3, 9, 10] }], wellFormed: true })
    const broken = parseBoxList(`red circle <box><1><2></box> blue star ${box} a`, size)
    expect(broken).toEqual({ boxes: [{ label: 'blue star', box: [2, 3, 9, 10] }], wellFormed: false })
    expect(parseBoxList('<box><1><2><3><99></box>', size)).toEqual({ boxes: [], wellFormed: false })
    expect(parseBoxList('none', size)).toEqual({ boxes: [], wellFormed: true })
    expect(parseBoxList('', size).wellFormed).toBe(false)
    expect(parseBoxListJson('```json\n[{"bbox_2d": [1, 2, 3, 4], "label": "red circle"}, {}]\n```')).toEqual({
      boxes: [{ label: 'red circle', box: [1, 2, 3, 4] }],
      wellFormed: false,
    })
  })
})
