import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { command } from '../../tests/command.ts'
import { figure } from '../stats/figure.ts'
import { weightedTerms } from './commands/rescore.ts'
import { table } from './table.ts'
import { duration, progressLine } from './terminal.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guerdon-cli-'))
})

const file = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const rows = (list: readonly unknown[]) => list.map((row) => JSON.stringify(row)).join('\n')

/** Three prompts of three answers; the first answer is right. */
const answers = () =>
  file(
    'answers.jsonl',
    rows(
      [0, 1, 2].flatMap((prompt) =>
        [prompt, prompt + 1, prompt + 2].map((answer, index) => ({
          id: `p${prompt}-${index}`,
          prompt: `What is ${prompt}?`,
          output: `<think>${'so '.repeat(index)}</think><answer>\\boxed{${answer}}</answer>`,
          reference: String(prompt),
          meta: { quality: index === 0 ? 1 : 0 },
        })),
      ),
    ),
  )

async function guerdon(...args: string[]) {
  const ended = await command(['--store', join(folder, 'store.db'), ...args])
  return { ...ended, json: () => JSON.parse(ended.out) }
}

describe('score', () => {
  test('scores a file, says what it found, and has nothing left to do the second time', async () => {
    const first = await guerdon(
      'score',
      answers(),
      '-r',
      'math',
      '-r',
      'both=0.7*math + 0.3*format',
      '--run',
      'a',
    )
    expect(first.problems).toBe('')
    expect(first.exitCode).toBe(0)
    expect(first.out).toMatch(/run a: 9 samples/)
    expect(first.out).toMatch(/math +9 +- +0\.333/)
    const again = await guerdon(
      'score',
      answers(),
      '-r',
      'math',
      '-r',
      'both=0.7*math + 0.3*format',
      '--run',
      'a',
      '--json',
    )
    expect(again.json().timing.newScores).toBe(0)
    expect(again.json().rewards.math.mean).toBeCloseTo(1 / 3)
  })
  test('a bad row is named, the rest is scored, the exit code is 2', async () => {
    const path = file(
      'broken.jsonl',
      `${rows([{ prompt: 'a', output: '\\boxed{1}', reference: '1' }])}\n{"prompt": \n${rows([{ prompt: 'b', output: '\\boxed{2}' }])}`,
    )
    const { exitCode, out, problems } = await guerdon('score', path, '-r', 'math')
    expect(exitCode).toBe(2)
    expect(out).toMatch(/2 samples, 1 bad row/)
    expect(out).toMatch(/math could not judge 1 sample: 1 bad-input/)
    expect(problems).toMatch(/first bad-input: .*broken\.jsonl:3, sample "row-3"/)
    expect(problems).toContain('broken.jsonl:2')
  })
  test.each([
    [['score', 'ANSWERS'], /no reward is named/],
    [['score', 'ANSWERS', '-r', 'mth'], /Did you mean "math"/],
    [['score', 'ANSWERS', '-r', ''], /empty/],
    [['score', 'ANSWERS', '-r', 'math', '-r', 'math'], /two rewards are called "math"/],
    [['score', 'ANSWERS', '-r', 'math(wehre=boxed)'], /wehre/],
    [['score', 'NOTHING.jsonl', '-r', 'math'], /NOTHING\.jsonl/],
    [['score', 'ANSWERS', '-r', 'math', '--map', 'output'], /FIELD=PATH/],
    [['score', 'ANSWERS', '-r', 'math', '--isolate', 'hours=2'], /no limit "hours"/],
    [['score', 'ANSWERS', '-r', 'math', '--limit', '0'], /whole number/],
    [['rank', 'none'], /neither a run nor a file/],
    [['rank', 'last'], /holds no runs/],
    [['scroe'], /score/],
    [['score', 'ANSWERS', '-r', 'math', '--config', 'none.ts'], /no such configuration file/],
  ])('%j is refused and says how to mend it', async (args, message) => {
    const path = answers()
    const { exitCode, problems } = await guerdon(...args.map((arg) => (arg === 'ANSWERS' ? path : arg)))
    expect(problems).toMatch(message)
    expect(exitCode).toBe(2)
  })
})

describe('what is done with scores', () => {
  beforeEach(async () => {
    await guerdon('score', answers(), '-r', 'math', '-r', 'length', '--run', 'a')
  })
  test('rank', async () => {
    const { out } = await guerdon('rank', 'last', '--gold', 'meta.quality')
    expect(out).toMatch(/best by math +1 \[1, 1\]/)
    expect(out).toMatch(/at random +0\.333/)
    const { json } = await guerdon('rank', 'a', '--by', 'length', '--gold', 'meta.quality', '--json')
    expect(json().outcomes.chosen.estimate).toBe(0)
    expect((await guerdon('rank', 'a', '--by', 'lenght')).problems).toMatch(/Did you mean "length"/)
  })
  test('compare', async () => {
    const { out, exitCode } = await guerdon('compare', 'a', '--second', 'meta.quality')
    expect(exitCode).toBe(0)
    expect(out).toMatch(/math against meta\.quality: 9 of 9 samples/)
    expect(out).toMatch(/accuracy on pairs +- +1 \[1, 1\]/)
    const labelled = await guerdon('compare', 'a', '--label', 'meta.quality')
    expect(labelled.out).toMatch(/^ +math +9 .* 1 \[1, 1\] +6 +1$/m)
    expect(labelled.out).toMatch(/math +length +1 \[1, 1\] +6 +0 /)
  })
  test('pairs', async () => {
    const out = join(folder, 'pairs.jsonl')
    const { out: text } = await guerdon('pairs', 'a', '--out', out)
    expect(text).toMatch(/3 pairs of 3 prompts/)
    const [first] = readFileSync(out, 'utf8').trim().split('\n')
    expect(JSON.parse(first!)).toMatchObject({
      prompt: 'What is 0?',
      chosen: expect.stringContaining('boxed{0}'),
    })
  })
  test('export', async () => {
    const out = join(folder, 'answers.jsonl')
    const { out: text } = await guerdon('export', 'a', '--out', out, '--for', 'openrlhf')
    expect(text).toMatch(/3 answers of 9 to 3 prompts, by math/)
    const rows = readFileSync(out, 'utf8').trim().split('\n')
    expect(JSON.parse(rows[0]!)).toMatchObject({
      input: 'What is 0?',
      output: expect.stringContaining('boxed{0}'),
    })
    const asked = await guerdon('export', 'a', '--rows', 'prompts', '--for', 'verl', '--out', out)
    expect(asked.out).toMatch(/3 prompts in/)
    const both = await guerdon('export', 'a', '--keep', '2', '--fraction', '0.5', '--out', out)
    expect(both.problems).toMatch(/Give one of them/)
  })
  test('rescore', async () => {
    const { json } = await guerdon(
      'rescore',
      'a',
      '--weights',
      'math + 2*length',
      '--before',
      'math',
      '--json',
    )
    expect(json().ranks).toMatchObject({ groups: 3, bestChanged: 3 })
    expect((await guerdon('rescore', 'a', '--weights', 'math +')).problems).toMatch(/WEIGHT\*TERM/)
  })
  test('report and runs', async () => {
    const page = join(folder, 'report.html')
    expect((await guerdon('report', 'a', '--out', page, '--gold', 'meta.quality')).exitCode).toBe(0)
    expect(readFileSync(page, 'utf8')).toContain('p0-1')
    expect((await guerdon('runs')).out).toMatch(/^a +complete/m)
    expect((await guerdon('runs', '--remove', 'a')).exitCode).toBe(0)
    expect((await guerdon('runs', '--json')).json()).toEqual([])
  })
  test('rewards', async () => {
    expect((await guerdon('rewards')).out).toMatch(/^math /m)
    expect((await guerdon('rewards', 'show', 'toolrl')).out).toContain('arXiv 2504.13958')
    expect((await guerdon('rewards', 'show', 'tolrl')).problems).toContain('Did you mean "toolrl"')
  })
})

test('a configuration gives rewards of its own, also to processes of their own', async () => {
  const config = file(
    'guerdon.config.mjs',
    `const twice = { name: 'twice', version: '1', range: [0, 2], needs: [], params: {}, score: async (samples) => samples.map(() => ({ value: 2 })) }
export default { rewards: { twice, mix: 'twice + math', loop: 'pool', pool: 'loop' }, score: ['mix'] }`,
  )
  const { json, problems } = await guerdon(
    '--config',
    config,
    'score',
    answers(),
    '--isolate',
    'seconds=20',
    '--json',
  )
  expect(problems).toBe('')
  expect(json().rewards.mix.mean).toBeCloseTo(2 + 1 / 3)
  expect((await guerdon('--config', config, 'score', answers(), '-r', 'loop')).problems).toMatch(
    /defined by itself/,
  )
  const misspelt = file('bad.config.mjs', 'export default { reward: {} }')
  expect((await guerdon('--config', misspelt, 'score', answers())).problems).toMatch(/field "reward"/)
})

test('an unexpected error is told with its place in the code', async () => {
  const config = file('throws.config.mjs', `throw new Error('boom')`)
  const { exitCode, problems } = await guerdon('--config', config, 'runs')
  expect(exitCode).toBe(2)
  expect(problems).toMatch(/could not be loaded: boom/)
})

test('text helpers', () => {
  expect(weightedTerms('0.5*tool-calls.names + 2*b - c')).toEqual([
    { name: 'tool-calls.names', weight: 0.5 },
    { name: 'b', weight: 2 },
    { name: 'c', weight: -1 },
  ])
  expect(
    table(
      ['a', 'n'],
      [
        ['x', '1'],
        ['yy', '10'],
      ],
    ),
  ).toEqual(['a    n', '--  --', 'x    1', 'yy  10'])
  expect([figure(null), figure(1234), figure(0.12345), figure(Number.NaN)]).toEqual([
    '-',
    '1,234',
    '0.123',
    'NaN',
  ])
  expect([duration(3.21), duration(125), duration(4000)]).toEqual(['3.2 s', '2 min 5 s', '1 h 6 min'])
  expect(progressLine('scoring', 50, 200, 50, 10)).toBe(
    'scoring  [#####...............] 25%  50/200  5/s  30 s left',
  )
  expect(progressLine('scoring', 50, 200, 50, 10, '3 rows  1/s')).toBe(
    'scoring  [#####...............] 25%  3 rows  1/s  30 s left',
  )
  expect(progressLine('reading', 7, null, 7, 1)).toBe('reading  7  7/s')
})
