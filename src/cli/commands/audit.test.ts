import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { command } from '../../../tests/command.ts'

const folder = mkdtempSync(join(tmpdir(), 'guerdon-audit-cli-'))
const at = (name: string) => join(folder, name)

const guerdon = (...args: string[]) => command(['--store', at('store.db'), ...args])

const rows = Array.from({ length: 12 }, (_, i) => ({
  id: `q${i}`,
  prompt: `What is ${i} + 1?`,
  chosen: `It is \\boxed{${i + 1}}.`,
  rejected: `It is certainly \\boxed{${i + 2}}, without any doubt.`,
}))
writeFileSync(at('pairs.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
const single = (flip: number) =>
  writeFileSync(
    at('single.jsonl'),
    Array.from({ length: 40 }, (_, i) =>
      JSON.stringify({
        prompt: `p${i}`,
        output: i % 2 ? 'stop' : 'step',
        reference: 'stop',
        label: i % 2 === flip,
      }),
    ).join('\n'),
  )

test('a reward without data is attacked on its built-in targets; released code misses the limit, guarded keeps it', async () => {
  const attacks = ['--attacks', 'master-keys', 'empty', '--fail-attacks-above', '0.02', '--out', at('a.html')]
  const released = await guerdon('audit', 'vicrit(variant=released)', ...attacks)
  expect(released.exitCode).toBe(1)
  expect(released.problems).toContain('built-in nonsense')
  const guarded = await guerdon('audit', 'vicrit', ...attacks)
  expect(guarded).toMatchObject({ exitCode: 0, problems: '' })
  expect(guarded.out).toContain('Pays for none of')
  expect(readFileSync(at('a.html'), 'utf8')).toContain('Verdict')
}, 60_000) // loads every reward

test('limits, JSON and errors', async () => {
  const on = ['--on', at('pairs.jsonl'), '--out', at('b.html')]
  const low = await guerdon(
    '--json',
    'audit',
    'length(shape=within,minimum=1,maximum=5,slope=20)',
    ...on,
    '--fail-below',
    '0.99',
  )
  const found = JSON.parse(low.out)
  expect(found.benchmarks[0]).toMatchObject({ benchmark: 'pairs', unscored: { total: 0 } })
  expect(low.exitCode).toBe(found.benchmarks[0].headline.score < 0.99 ? 1 : 0)
  expect((await guerdon('audit', 'repetition', '--on', 'lmbar')).problems).toContain('llmbar')
  expect(await guerdon('audit', 'repetition')).toMatchObject({ exitCode: 2 })
  expect((await guerdon('audit', 'repetition', '--attacks', 'master-key')).problems).toContain('master-keys')
})

test('a certificate holds until labels or judge change', async () => {
  single(1)
  const reward = 'edit-distance'
  const made = await guerdon(
    'audit',
    reward,
    '--on',
    at('single.jsonl'),
    '--certificate',
    at('c.json'),
    '--out',
    at('c.html'),
  )
  expect(made.exitCode).toBe(0)
  expect(await guerdon('certificate', at('c.json'))).toMatchObject({
    exitCode: 0,
    out: expect.stringContaining('valid'),
  })
  single(0)
  expect(await guerdon('certificate', at('c.json'))).toMatchObject({
    exitCode: 1,
    out: expect.stringContaining('stale: labels'),
  })
  single(1)
  const edited = JSON.parse(readFileSync(at('c.json'), 'utf8'))
  writeFileSync(
    at('d.json'),
    JSON.stringify({ ...edited, measured: { ...edited.measured, expectedError: 0 } }),
  )
  expect((await guerdon('certificate', at('d.json'))).out).toContain('stale: seal')
  writeFileSync(at('e.json'), JSON.stringify({ ...edited, reward: 'rouge' }))
  expect((await guerdon('certificate', at('e.json'))).out).toMatch(/stale: judge, seal/)
  writeFileSync(at('f.json'), '{}')
  expect(await guerdon('certificate', at('f.json'))).toMatchObject({
    exitCode: 2,
    problems: expect.stringContaining('f.json'),
  })
})

test('a leaderboard from the command line', async () => {
  const { exitCode, out } = await guerdon(
    'leaderboard',
    'brief=length(shape=within,minimum=1,maximum=3,slope=20)',
    'repetition',
    '--on',
    at('pairs.jsonl'),
    '--out',
    at('board.html'),
  )
  expect(exitCode).toBe(0)
  expect(out).toMatch(/brief +1 +1 \[1, 1\]/)
  expect(readFileSync(at('board.html'), 'utf8')).toContain('not told from')
})

test('what would not hold on many machines is refused before anything is ordered', async () => {
  for (const [command, what] of [
    ['audit', '--max-cost=1'],
    ['audit', '--price=judge=1/2'],
    ['audit', '--no-cache'],
    ['score', '--requests-per-minute=5'],
    ['score', '--isolate'],
  ] as const) {
    const work = command === 'audit' ? ['audit', 'math', '--on'] : ['score', '-r', 'math', '--']
    const args = [...work, at('pairs.jsonl')]
    args.splice(1, 0, what, '--queue')
    const { exitCode, problems } = await guerdon(...args)
    expect(exitCode).toBe(2)
    expect(problems).toContain(`${what.split('=')[0]} cannot be kept to by many machines together`)
  }
  const { problems } = await guerdon('audit', 'math', '--queue', '--on', at('pairs.jsonl'))
  expect(problems).toContain('workers share a store in PostgreSQL')
})
