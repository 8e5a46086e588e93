import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadBenchmark } from './load-benchmark.ts'
import { benchmarkNamed } from './registry.ts'
import { runBenchmark } from './run-benchmark.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'benchmarks-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** The items of rows in the layout that a benchmark is published in. */
async function itemsOf(name: string, rows: readonly object[]) {
  const source = join(folder, `${name}.jsonl`)
  await writeFile(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return loadBenchmark(benchmarkNamed(name), { source })
}

const image = 'data:image/png;base64,iVBORw0KGgo='

test('rewardbench: subset, chosen and rejected', async () => {
  const row = { prompt: 'p', chosen: 'good', rejected: 'bad', chosen_model: 'm', rejected_model: 'n' }
  const { items } = await itemsOf('rewardbench', [
    { ...row, id: 1, subset: 'math-prm' },
    { ...row, id: 2, subset: 'llmbar-natural' },
  ])
  expect(items).toMatchObject([
    {
      kind: 'preference',
      id: '1',
      subset: 'math-prm',
      label: 1,
      a: { output: 'good' },
      b: { output: 'bad' },
    },
    { id: '2', subset: 'llmbar-natural' },
  ])
})

test('m-rewardbench: the language and the source of each row', async () => {
  const { items } = await itemsOf('m-rewardbench', [
    { id: 7, prompt: 'p', chosen: 'a', rejected: 'b', language: 'fra_Latn', source: 'hep-go' },
  ])
  expect(items).toMatchObject([{ id: 'fra_Latn/7', subset: 'fra_Latn/hep-go', cluster: '7' }])
})

test('rewardbench-2: right answers first, ties in pairs', async () => {
  const row = { prompt: 'p', chosen: ['a'], rejected: ['b', 'c', 'd'], num_correct: 1, total_completions: 4 }
  const { items } = await itemsOf('rewardbench-2', [
    { ...row, id: '1', subset: 'Factuality' },
    { ...row, id: 'tied:3', subset: 'ties', chosen: ['a', 'x'], num_correct: 2, total_completions: 5 },
    { ...row, id: 'ref:3', subset: 'Ties' },
  ])
  expect(items).toMatchObject([
    { kind: 'best-of', subset: 'Factuality', correct: [true, false, false, false] },
    { subset: 'Ties', cluster: 'ties 3', correct: [true, true, false, false, false] },
    { subset: 'Ties', cluster: 'ties 3' },
  ])
})

test('vl-rewardbench: the better answer is a, whichever stands first', async () => {
  const row = { query: 'q', image, response: ['one', 'two'] }
  const { items } = await itemsOf('vl-rewardbench', [
    { ...row, id: 'RLAIF-V-1', human_ranking: [0, 1] },
    { ...row, id: 'mmmu_2', human_ranking: [1, 0] },
  ])
  expect(items).toMatchObject([
    { subset: 'rlaif-v', a: { output: 'one' }, b: { output: 'two' } },
    { subset: 'reasoning_tasks', a: { output: 'two' }, b: { output: 'one' } },
  ])
})

test('vicrit-bench: an edit that only deletes words is a problem, not an item', async () => {
  const row = { image, changed_caption: 'a green cat', original_noun_phrases: 'a red cat' }
  const { items, problems } = await itemsOf('vicrit-bench', [
    { ...row, changed_noun_phrases: 'a green cat' },
    { ...row, changed_noun_phrases: 'a cat' },
  ])
  expect(items).toHaveLength(1)
  expect(problems).toHaveLength(1)
  expect(problems[0]!.message).toMatch(/vicrit-bench.jsonl:2.*changed_noun_phrases/)
})

test('vilbench, rabench, m-haldetect, patheval and sgp-compbench', async () => {
  const candidates = [
    { steps: ['1', '2'], correct: false },
    { solution: 's', correct: true },
  ]
  expect(
    (await itemsOf('vilbench', [{ id: 'v', question: 'q', answer: '4', image, candidates }])).items,
  ).toMatchObject([
    {
      correct: [false, true],
      candidates: [{ output: '1\n2', meta: { steps: ['1', '2'] } }, { output: 's' }],
    },
  ])
  const responses = { m1: 'x', m2: 'y' }
  expect(
    (
      await itemsOf('rabench', [
        { id: 'r', principle: 'be brief', prompt: 'p', responses, scores: { m1: 2, m2: 5 } },
      ])
    ).items,
  ).toMatchObject([{ gold: [2, 5], candidates: [{ meta: { principle: 'be brief' } }, { output: 'y' }] }])
  const annotations = [
    { start: 0, end: 6, label: 'ACCURATE' },
    { start: 6, end: 11, label: 'INACCURATE' },
    { start: 11, end: 12, label: 'UNSURE' },
  ]
  expect(
    (await itemsOf('m-haldetect', [{ id: 'h', question: 'q', response: 'A dog. A cat.', annotations }]))
      .items,
  ).toMatchObject([
    { good: true, sample: { output: 'A dog.', meta: { segment: 'A dog.' } } },
    { good: false, sample: { output: 'A dog. A ca' } },
  ])
  const path = { metrics: { 'Path length': 3 } }
  expect(
    (
      await itemsOf('patheval', [
        { file: 'f.png', Scenario: 'S.', annotation: 'Path 2', image, 'Path 1': path, 'Path 2': path },
      ])
    ).items,
  ).toMatchObject([{ label: -1, a: { output: 'Path 1' } }])
  const drawing = await itemsOf('sgp-compbench', [
    { id: 's', prompt: 'two cats', major_type: 'numeracy', metadata: {} },
  ])
  expect(drawing.items).toMatchObject([{ kind: 'answer', subset: 'numeracy' }])
  await expect(runBenchmark({ name: 'a', answer: async () => [''] }, drawing)).rejects.toThrow(/scorer/)
})

test('drawings are scored by the anchors of their category, and what does not render is 0', async () => {
  const { sgpCompBench } = await import('./sets/sgp-compbench.ts')
  const source = join(folder, 'prompts.jsonl')
  const rows = [
    { id: 'b', prompt: 'a red cat', major_type: 'binding', metadata: {} },
    { id: 'n', prompt: 'two cats', major_type: 'numeracy', metadata: { nouns: ['cat'] } },
  ]
  await writeFile(source, rows.map((row) => JSON.stringify(row)).join('\n'))
  const spec = sgpCompBench({
    judge: async (_sample, questions) => questions.map((_, i) => (i === 2 ? null : 'fine. SCORE: 50')),
  })
  const { rows: results } = await runBenchmark(
    { name: 'artist', answer: async (samples) => samples.map(() => '<svg/>') },
    await loadBenchmark(spec, { source }),
    { resamples: 0 },
  )
  // 0.2 * 50 + 0.2 * 50 + 0.6 * 0
  expect(results.map(({ credit }) => credit)).toEqual([0.5, 0.2])
})

test('openchair: objects are asked about one by one and pooled', async () => {
  const { openChairBenchmark, openChairOf } = await import('./sets/openchair.ts')
  const source = join(folder, 'openchair.jsonl')
  await writeFile(source, `${JSON.stringify({ id: 'o', text: 'a dog on grass', image })}\n`)
  const spec = openChairBenchmark({
    concreteness: new Map([
      ['dog', 4.9],
      ['cat', 4.9],
      ['photo', 4.9],
    ]),
    ask: async (questions) => questions.map((question) => (question.includes('this: dog') ? 'Yes.' : 'no')),
  })
  const { rows, headline } = await runBenchmark(
    { name: 'captioner', answer: async () => ['A photo of two dogs and a cat.'] },
    await loadBenchmark(spec, { source }),
    { resamples: 0 },
  )
  expect(headline.score).toBe(0.5)
  expect(openChairOf(rows)).toBe(0.5)
})
