import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { testOnData } from '../../../tests/shared-data.ts'
import { testVectors } from '../../../tests/vectors.ts'
import { Rng } from '../../core/index.ts'
import { cocoLexicon, objectLexicon } from '../../rewards/verifiable/text/object-lexicon.ts'
import { extractObjects, knownObjects } from '../../rewards/verifiable/text/object-mentions.ts'

import { singular } from '../../rewards/verifiable/text/singular.ts'
import type { Verdict } from '../../rewards/verifiable/text/yes-no.ts'
import {
  amber,
  amberDiscriminative,
  amberPrinted,
  amberScore,
  binaryRecord,
  chair,
  type MmePair,
  mme,
  mmeTask,
  pope,
  popeQuestions,
} from './index.ts'

const verdictsOf = (texts: readonly string[]) => texts as readonly Verdict[]
const setsOf = (lists: readonly (readonly string[])[]) => lists.map((list) => new Set(list))
const picked = (record: object, like: object) =>
  Object.fromEntries(Object.keys(like).map((key) => [key, (record as Record<string, unknown>)[key]]))

testVectors('hallucination-metrics', {
  chair: ({ captions, truth }, { expected }) => picked(chair(captions, setsOf(truth)), expected as object),
  chair_mentions: ({ captions, truth }) => chair(captions, setsOf(truth)).mentioned,
  pope: ({ answers, labels }, { expected }) => picked(pope(answers, labels), expected as object),
  pope_negatives: ({ split, perImage, images }) => {
    const rows = popeQuestions(
      images.map((objects: string[], index: number) => ({ id: `i${index}`, objects })),
      { split, perImage, rng: new Rng(0) },
    )
    const negatives = images.map((_: unknown, index: number) =>
      rows.filter(({ image, label }) => image === `i${index}` && label === 'no'),
    )
    // A fallback is any valid name; what follows in its image may depend on it.
    return negatives.map((ofImage: typeof rows) =>
      ofImage.map(({ object, drawn }, index) =>
        drawn
          ? 'drawn'
          : ofImage[index - 1]?.drawn && (object === 'person' || object === 'car')
            ? 'person or car'
            : object,
      ),
    )
  },
  mme: (pairs) =>
    mmeTask(
      pairs.map(
        (pair: [Verdict, string][]) =>
          pair.map(([label, answer]) => ({ label, answer })) as unknown as MmePair,
      ),
    ),
  amber_generative: ({ associations, safeWords, responses }) =>
    amberPrinted(
      amber(
        responses.map(({ text, ...rest }: { text: string; truth: string[]; hallu: string[] }) => ({
          ...rest,
          nouns: text.split(' '),
        })),
        { associations, safeWords: new Set(safeWords) },
      ),
    ),
  amber_hal_printed: (counts) =>
    amberPrinted({
      nouns: 0,
      hallucinated: 0,
      truthObjects: 0,
      covered: 0,
      halluObjects: 0,
      hit: 0,
      ...counts,
    }).hal,
  amber_score: (input) => amberScore(input),
})

describe('CHAIR', () => {
  test('nothing mentioned is no perfect score but none', () => {
    expect(chair(['A quiet blue sky.'], [new Set(['kite'])])).toMatchObject({
      chairI: null,
      chairS: 0,
      recall: 0,
      precision: null,
      f1: null,
    })
    expect(chair([], [])).toMatchObject({ chairI: null, chairS: null, meanTokens: null })
  })
  test('pooled over the corpus, not averaged over captions', () => {
    const truths = setsOf([['dog'], ['dog']])
    expect(chair(['A cat.', 'A dog, a dog and a dog.'], truths).chairI).toBe(1 / 4)
  })
  test('truth is annotations and reference captions together', () => {
    expect([
      ...knownObjects({ objects: ['person', 'cab'], captions: ['Two puppies on a sofa.'] }, cocoLexicon),
    ]).toEqual(['person', 'car', 'dog', 'couch'])
  })
  test('tokens count punctuation, and a double word once', () => {
    expect(chair(['A wine glass.'], [new Set(['wine glass'])]).meanTokens).toBe(3)
  })
  test('a sentence ends between two words of a pair', () => {
    const words = (text: string) => extractObjects(text, cocoLexicon).mentions.map(({ object }) => object)
    expect(words('It is hot. Dogs run.')).toEqual(['dog'])
    expect(words('hot dogs, wine glasses, buses, knives, people')).toEqual([
      'hot dog',
      'wine glass',
      'bus',
      'knife',
      'person',
    ])
    expect(words('a seat by the toilet, a seat')).toEqual(['toilet'])
  })
  test('any lexicon: shapes', () => {
    const shapes = objectLexicon({ 'red circle': ['red disc'], 'blue square': [] })
    const text = 'Two red discs beside a blue square.'
    expect(extractObjects(text, shapes).mentions.map(({ start, end }) => text.slice(start, end))).toEqual([
      'red discs',
      'blue square',
    ])
  })
})

test('plurals', () => {
  const pairs =
    'cats cat, boxes box, benches bench, buses bus, bus bus, glasses glass, glass glass, tennis tennis, ties tie, puppies puppy, knives knife, gloves glove, people person, children child, scissors scissors, tomatoes tomato, skis skis, sandwiches sandwich, vases vase, horses horse'
  for (const pair of pairs.split(', ')) {
    const [plural, one] = pair.split(' ') as [string, string]
    expect(singular(plural)).toBe(one)
  }
})

describe('POPE', () => {
  test('always yes: accuracy 0.5, F1 0.667 at yes ratio 1', () => {
    const labels = verdictsOf(['yes', 'no', 'yes', 'no'])
    expect(
      pope(
        labels.map(() => 'Yes'),
        labels,
      ),
    ).toMatchObject({ accuracy: 0.5, f1: 2 / 3, positiveRatio: 1 })
    expect(
      pope(
        labels.map(() => 'No'),
        labels,
      ),
    ).toMatchObject({ accuracy: 0.5, precision: null, recall: 0, f1: null })
  })
  test('the lenient parser hears what the official one does not', () => {
    const answers = ['NO', "There isn't one.", 'I cannot see it', 'Yes\nNo', 'Nothing but a knot', 'Yes.']
    expect(pope(answers, verdictsOf(['no', 'no', 'no', 'no', 'no', 'no'])).parsed).toEqual([
      'yes',
      'yes',
      'yes',
      'yes',
      'yes',
      'yes',
    ])
    expect(
      pope(answers, verdictsOf(['no', 'no', 'no', 'no', 'no', 'no']), { parser: 'lenient' }).parsed,
    ).toEqual(['no', 'no', 'no', 'no', 'yes', 'yes'])
  })
  test.each(['random', 'popular', 'adversarial'] as const)(
    '%s: balanced, absent, never asked twice, and the same for one seed',
    (split) => {
      const rng = new Rng('pope')
      const names = Array.from({ length: 12 }, (_, i) => `object${i}`)
      const images = Array.from({ length: 30 }, (_, i) => ({
        id: `${i}`,
        objects: rng.sample(names, 2 + (i % 4)),
      }))
      const rows = popeQuestions(images, { split, rng: new Rng(1) })
      expect(popeQuestions(images, { split, rng: new Rng(1) })).toEqual(rows)
      for (const { id, objects } of images) {
        const mine = rows.filter(({ image }) => image === id)
        expect(mine.map(({ label }) => label)).toEqual(
          objects.length < 3 ? [] : ['yes', 'no', 'yes', 'no', 'yes', 'no'],
        )
        expect(new Set(mine.map(({ object }) => object)).size).toBe(mine.length)
        for (const { object, label } of mine) expect(objects.includes(object)).toBe(label === 'yes')
      }
    },
  )
  test('company can be counted on other images than those asked about', () => {
    const images = [{ id: 'a', objects: ['dog'] }]
    const statistics = [
      { id: 'b', objects: ['dog', 'cat'] },
      { id: 'c', objects: ['cup', 'cat', 'car'] },
      { id: 'd', objects: ['cup'] },
    ]
    const absent = (split: 'popular' | 'adversarial') =>
      popeQuestions(images, { split, statistics, perImage: 1, rng: new Rng(1) })[1]?.object
    expect([absent('popular'), absent('adversarial')]).toEqual(['cat', 'cat'])
    const others = [...statistics, { id: 'e', objects: ['cup'] }, { id: 'f', objects: ['cup'] }]
    expect(
      popeQuestions(images, { split: 'popular', statistics: others, perImage: 1, rng: new Rng(1) })[1]!
        .object,
    ).toBe('cup')
  })
  test('articles', () => {
    const [row] = popeQuestions([{ id: 'a', objects: ['apple'] }], {
      split: 'popular',
      perImage: 1,
      rng: new Rng(0),
    })
    expect(row!.text).toBe('Is there an apple in the image?')
  })
})

test('MME: the first four characters decide, and groups are sums', () => {
  const task = (answer: string, label: Verdict) =>
    mmeTask([
      [
        { answer, label },
        { answer: 'no', label: 'no' },
      ],
    ]).accuracyPlus
  expect([
    task('Not sure', 'no'),
    task('nobody', 'no'),
    task('I know', 'no'),
    task('Oh yes', 'yes'),
    task('YES!', 'yes'),
  ]).toEqual([1, 1, 0, 0, 1])
  const perfect: MmePair[] = [
    [
      { answer: 'yes', label: 'yes' },
      { answer: 'no', label: 'no' },
    ],
  ]
  const four = { existence: perfect, count: perfect, position: perfect, color: perfect }
  expect(mme(four)).toMatchObject({ hallucination: 800, perception: null, cognition: null })
})

test('AMBER: "no" is the positive class, and only Yes and No to the letter count', () => {
  expect(amberDiscriminative(['No', 'No', 'Yes', 'no'], ['no', 'yes', 'yes', 'no'])).toEqual({
    accuracy: 50,
    precision: 50,
    recall: 50,
    f1: 50,
  })
  // always "No" on half-and-half: precision 0.5, recall 1
  expect(amberDiscriminative(['No', 'No'], ['yes', 'no'])).toEqual({
    accuracy: 50,
    precision: 50,
    recall: 99.9,
    f1: 66.6,
  })
  expect(amberDiscriminative([], [])).toEqual({ accuracy: 0, precision: 0, recall: 0, f1: 0 })
})

test('AMBER: word similarity covers, or hits, where equality does not', () => {
  const knowledge = { associations: { dog: [], hound: [], cat: [], lion: [] }, safeWords: new Set<string>() }
  const response = { nouns: ['hound', 'lion'], truth: ['dog'], hallu: ['cat'] }
  expect(amber([response], knowledge)).toMatchObject({ chair: 1, cover: 0, cog: 0, hal: 1 })
  const groups = [
    ['dog', 'hound'],
    ['cat', 'lion'],
  ]
  const isSimilar = (a: string, b: string) => groups.some((group) => group.includes(a) && group.includes(b))
  expect(amber([response], { ...knowledge, isSimilar })).toMatchObject({
    chair: 0.5,
    cover: 1,
    cog: 1,
    hal: 1,
  })
})

test('a record of nothing is null everywhere', () => {
  expect(binaryRecord([], [])).toMatchObject({
    accuracy: null,
    precision: null,
    recall: null,
    f1: null,
    positiveRatio: null,
  })
  expect(() => binaryRecord([true], [])).toThrow(RangeError)
})

function rowsOf(path: string): any[] {
  const packed = existsSync(`${path}.gz`)
  const bytes = readFileSync(packed ? `${path}.gz` : path)
  return (packed ? gunzipSync(bytes) : bytes)
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

testOnData('pope', 'always yes; the released questions are worded as ours', (folder) => {
  const slips: Record<string, string[]> = {
    random: ['Is there an traffic light in the image?'],
    popular: [],
    adversarial: [],
  }
  for (const split of ['random', 'popular', 'adversarial']) {
    const rows = rowsOf(`${folder}/coco-${split}.jsonl`)
    const labels = rows.map(({ label }) => label as Verdict)
    const scored = pope(
      labels.map(() => 'yes'),
      labels,
    )
    expect(scored).toMatchObject({
      truePositives: 1500,
      falsePositives: 1500,
      accuracy: 0.5,
      positiveRatio: 1,
    })
    expect(scored.f1).toBeCloseTo(2 / 3, 12)
    expect(pope(labels, labels)).toMatchObject({ accuracy: 1, f1: 1, positiveRatio: 0.5 })
    const others = rows.filter(({ text }) => {
      const [, article, object] = /^Is there (an?) (.*) in the image\?$/.exec(text)!
      return article !== (/^[aeiou]/.test(object!) ? 'an' : 'a')
    })
    // One slip in 9,000.
    expect(others.map(({ text }) => text)).toEqual(slips[split])
  }
})

testOnData('pope', 'captions of five models: mentions of objects that are known to be absent', (folder) => {
  const [present, absent] = [new Map<number, Set<string>>(), new Map<number, Set<string>>()]
  for (const split of ['random', 'popular', 'adversarial'])
    for (const { image, text, label } of rowsOf(`${folder}/coco-${split}.jsonl`)) {
      const id = Number(/(\d+)\.jpg$/.exec(image)![1])
      const object = /^Is there an? (.*) in the image\?$/.exec(text)![1]!
      const of = label === 'yes' ? present : absent
      of.set(id, (of.get(id) ?? new Set()).add(object))
    }
  const rates = ['instructblip', 'llava', 'minigpt-4', 'mmgpt', 'mplug'].map((model) => {
    let [wrong, right] = [0, 0]
    for (const { image_id, text } of rowsOf(`${folder}/captions-${model}.jsonl`))
      for (const { object } of extractObjects(text, cocoLexicon).mentions) {
        if (present.get(image_id)?.has(object)) right++
        else if (absent.get(image_id)?.has(object)) wrong++
      }
    return { model, wrong, right }
  })
  expect(rates).toMatchInlineSnapshot(`
    [
      {
        "model": "instructblip",
        "right": 19,
        "wrong": 0,
      },
      {
        "model": "llava",
        "right": 104,
        "wrong": 7,
      },
      {
        "model": "minigpt-4",
        "right": 101,
        "wrong": 8,
      },
      {
        "model": "mmgpt",
        "right": 52,
        "wrong": 7,
      },
      {
        "model": "mplug",
        "right": 109,
        "wrong": 26,
      },
    ]
  `)
})

testOnData('amber', 'annotations: their own truth is faultless, their imagined objects are not', (folder) => {
  const rows = rowsOf(`${folder}/annotations.jsonl`)
  const types: Record<string, number> = {}
  for (const { type } of rows) types[type] = (types[type] ?? 0) + 1
  expect(types).toEqual({
    generative: 502,
    'discriminative-attribute-state': 2352,
    'discriminative-attribute-action': 380,
    'discriminative-attribute-number': 1056,
    'discriminative-hallucination': 2459,
    'discriminative-relation': 491,
    relation: 345,
  })
  const associations = JSON.parse(readFileSync(`${folder}/relation.json`, 'utf8'))
  const safeWords = new Set(readFileSync(`${folder}/safe_words.txt`, 'utf8').trim().split('\n'))
  const generative = rows.filter(({ type }) => type === 'generative')
  const score = (nounsOf: (row: { truth: string[]; hallu: string[] }) => string[]) =>
    amber(
      generative.map((row) => ({ ...row, nouns: nounsOf(row) })),
      { associations, safeWords },
    )
  const honest = score(({ truth }) => truth)
  expect(honest).toMatchObject({ chair: 0, hal: 0, cog: 0 })
  const dreaming = score(({ hallu }) => hallu)
  expect(
    [honest.cover, dreaming.chair, dreaming.cover, dreaming.hal, dreaming.cog].map((x) =>
      Number(x!.toFixed(4)),
    ),
  ).toMatchInlineSnapshot(`
    [
      0.9591,
      0.9183,
      0.0272,
      1,
      0.9138,
    ]
  `)
  const questions = rows.filter(({ truth }) => truth === 'yes' || truth === 'no')
  const truths = questions.map(({ truth }) => truth)
  expect(truths.filter((truth) => truth === 'no')).toHaveLength(4698)
  const right = truths.map((truth) => (truth === 'yes' ? 'Yes' : 'No'))
  expect(amberDiscriminative(right, truths)).toEqual({ accuracy: 100, precision: 100, recall: 100, f1: 100 })
  expect(
    amberDiscriminative(
      truths.map(() => 'No'),
      truths,
    ),
  ).toMatchObject({ precision: 66.3, recall: 100, f1: 79.7 })
})

testOnData('sugarcrepe', 'published choices of GPT-4V in both orders', (folder) => {
  const expected = {
    add_att: [0.8728, 0.9624],
    replace_att: [0.9315, 0.9391],
    replace_rel: [0.8819, 0.9232],
    swap_obj: [0.8571, 0.8041],
  }
  for (const [kind, shares] of Object.entries(expected)) {
    const rows = rowsOf(`${folder}/${kind}.jsonl`)
    // An item without a choice in an order is no right choice.
    const share = (key: string) => rows.filter((row) => row[key] === true).length / rows.length
    expect(share('gpt4v_correct_positive_first')).toBeCloseTo(shares[0]!, 4)
    expect(share('gpt4v_correct_negative_first')).toBeCloseTo(shares[1]!, 4)
  }
})
