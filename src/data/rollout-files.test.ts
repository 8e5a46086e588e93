import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Sample, unscored } from '../core/index.ts'
import { readSamples } from './read.ts'
import { writeRollouts } from './rollout-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-rollouts-'))
let files = 0
const write = (...rows: object[]) => {
  const path = join(folder, `${files++}.jsonl`)
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return path
}
const lines = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
async function samplesIn(path: string): Promise<Sample[]> {
  const samples: Sample[] = []
  for await (const batch of readSamples(path)) {
    expect(batch.errors).toEqual([])
    samples.push(...batch.samples)
  }
  return samples
}

/** The rows of the protocol's card. */
const resultRow = {
  example_id: 3,
  prompt: [{ role: 'user', content: '6*7?' }],
  completion: [{ role: 'assistant', content: '42' }],
  answer: '42',
  reward: 1.1,
  timing: { start_time: 1790000000.5, total: 2.1 },
  is_completed: true,
  is_truncated: false,
  stop_condition: 'max_turns_reached',
  metrics: { exact: 1, format: 1 },
  exact: 1,
  format: 1,
  tool_defs: null,
  error: null,
  something_new: { a: [1] },
}
const evaluationRow = {
  messages: [
    { role: 'user', content: '6*7?' },
    { role: 'assistant', content: '42' },
  ],
  ground_truth: '42',
  input_metadata: { row_id: 'r3', completion_params: { temperature: 1 }, session_data: null },
  evaluation_result: {
    score: 1,
    is_score_valid: true,
    reason: 'match',
    metrics: { format: { score: 1, is_score_valid: true, reason: 'ok' } },
  },
  rollout_status: { code: 1, message: '', details: [] },
}

test.each([
  ['verifiers', resultRow],
  ['eval-protocol', evaluationRow],
] as const)('%s: what was read is written again, unknown keys too', async (layout, row) => {
  const out = join(folder, `${layout}.jsonl`)
  const samples = await samplesIn(write(row))
  expect(samples).toHaveLength(1)
  expect(
    await writeRollouts(
      out,
      samples.map((sample) => ({ sample })),
      { layout },
    ),
  ).toBe(1)
  expect(lines(out)).toEqual([row])
})

test('verifiers: new scores replace old ones and their copies; names of the row itself are not overwritten', async () => {
  const [sample] = await samplesIn(write(resultRow))
  const out = join(folder, 'scored.jsonl')
  await writeRollouts(
    out,
    [
      { sample: sample!, score: { value: 0.25, parts: { exact: 0, reward: 7, info: 2, timing: 3 } } },
      { sample: sample!, score: unscored('outage', 'is down') },
    ],
    { layout: 'verifiers' },
  )
  const [scored, failed] = lines(out)
  expect(scored).toMatchObject({
    example_id: 3,
    reward: 0.25,
    exact: 0,
    error: null,
    timing: resultRow.timing,
  })
  expect(scored.metrics).toEqual({ exact: 0, reward: 7, info: 2, timing: 3 })
  expect(scored).not.toHaveProperty('format')
  expect(scored).not.toHaveProperty('info')
  expect(failed).toMatchObject({ reward: 0, error: { type: 'outage', message: 'is down' } })
})

test('eval-protocol: no score is an invalid one; parts beyond 0 to 1 are no metrics', async () => {
  const [sample] = await samplesIn(write(evaluationRow))
  const out = join(folder, 'evaluated.jsonl')
  await writeRollouts(
    out,
    [
      { sample: sample!, score: { value: 0.5, parts: { format: 1, length: 93, style: null } } },
      { sample: sample!, score: unscored('refused', 'would not') },
    ],
    { layout: 'eval-protocol' },
  )
  const [scored, failed] = lines(out)
  expect(scored.evaluation_result).toEqual({
    score: 0.5,
    is_score_valid: true,
    reason: null,
    metrics: {
      format: { score: 1, is_score_valid: true, reason: '' },
      style: { score: 0, is_score_valid: false, reason: '' },
    },
    trajectory_info: { parts: { length: 93 } },
  })
  expect(failed.evaluation_result).toMatchObject({ is_score_valid: false, reason: 'refused: would not' })
  await expect(writeRollouts(out, [], { layout: 'verifier' as never })).rejects.toThrow('Did you mean')
})

test('verifiers 1: the last branch of each trace, its weighted reward, null where none was judged', async () => {
  const node = (parent: number | null, role: string, content: string, sampled = false) => ({
    parent,
    message: { role, content },
    sampled,
    token_ids: [1, 2],
  })
  const trace = (answer: string, rewards: object) => ({
    version: 1,
    id: answer,
    nodes: [
      node(null, 'system', 'Be brief.'),
      node(0, 'user', '6*7?'),
      node(1, 'assistant', 'a lost branch', true),
      node(1, 'assistant', answer, true),
    ],
    rewards,
    metrics: { length: 2 },
    is_completed: true,
    ok: true,
    errors: [],
  })
  const path = write({
    id: 'e1',
    env: { id: 'sums', name: 'sums' },
    task: { type: 'Sum', data: { answer: '42' }, key: 'k1', hash: 'h' },
    group: 'g',
    errors: [],
    traces: [
      trace('42', { exact: { score: 1, weight: 2 }, style: { score: 0.5, weight: 1 }, slow: null }),
      trace('41', { exact: null }),
    ],
  })
  const samples = await samplesIn(path)
  expect(samples.map(({ id, output, reference, group }) => [id, output, reference, group])).toEqual([
    ['e1#0', '42', '42', 'k1'],
    ['e1#1', '41', '42', 'k1'],
  ])
  expect(samples.map(({ meta }) => [meta.reward, (meta.env as { id: string }).id])).toEqual([
    [2.5, 'sums'],
    [null, 'sums'],
  ])
  expect(samples[0]!.prompt).toHaveLength(2)
  const broken = write({ id: 'x', task: {}, traces: [{ nodes: [node(0, 'user', 'a loop')] }] })
  await expect(samplesIn(broken)).rejects.toThrow()
})
