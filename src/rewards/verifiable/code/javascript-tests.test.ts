import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { testOnData } from '../../../../tests/shared-data.ts'
import type { Json, Sample } from '../../../core/index.ts'
import { javascriptTests } from './javascript-tests.ts'

const quick = javascriptTests.create({ timeMs: 300 })
/** For what ends by itself: a busy machine must not turn it into a timeout. */
const reward = javascriptTests.create({ timeMs: 10_000, memoryBytes: 16 << 20 })
const sample = (output: string, reference: Json, id = 'x'): Sample => ({
  id,
  prompt: '',
  output,
  reference,
  meta: {},
})
const scoreOf = async (output: string, reference: Json) =>
  (await reward.score([sample(output, reference)]))[0]!

test.each([
  ['const f = () => { for (;;); }', 'time limit'],
  ['const f = () => { const a = []; for (;;) a.push(new Uint8Array(1 << 20)) }', 'memory limit'],
  ['const f = () => f()', 'stack'],
  ['const f = () => /^(a+)+$/.test("a".repeat(40) + "b")', 'time limit'],
  ['const f = () => new Promise(() => {})', 'never settled'],
  ['const f = () => { throw new Error("no") }', 'Error: no'],
  ['const g = 1', 'ReferenceError'],
  ['this is no code', 'SyntaxError'],
  ['', 'no code'],
  ['console.assert = () => {}; const f = () => 2', 'f is one'],
  ['const f = () => 1; Object.prototype.toString = () => "1"', 'toString'],
  ['const console = { assert() {} }; const f = () => 2', 'SyntaxError'],
])('%s is worth 0, and says why', async (output, why) => {
  const judge = why === 'time limit' ? quick : reward
  const tests = "(async () => console.assert((await f()) === 1, 'f is one'))()"
  const [score] = await judge.score([sample(output, tests)])
  expect(score).toMatchObject({ value: 0, rationale: expect.stringContaining(why) })
})

test('tests that cannot be run are not held against the answer', async () => {
  for (const tests of ['const (', '', '// none', 3, { tests: 1 }])
    expect(await scoreOf('const f = 1', tests)).toMatchObject({ value: null, code: 'bad-input' })
})

test('a whole function, a body, and prose around a fence', async () => {
  const reference = { tests: 'assert.equal(add(1, 2), 3)', declaration: '\nconst add = (a, b) => {\n' }
  for (const output of [
    'const add = (a, b) => a + b',
    '  return a + b\n}',
    'Sure:\n```javascript\nfunction add(a, b) { return a + b }\n```\nDone.',
    '```\n  return a + b\n}',
  ])
    expect(await scoreOf(output, reference)).toMatchObject({ value: 1 })
})

test('both sides may ask for assert, and an answer cannot replace it', async () => {
  const tests = "const assert = require('assert'); assert.equal(f(), 1)"
  const answer = "const assert = require('node:assert'); function f() { return 1 }; assert(f() === 1)"
  expect(await scoreOf(answer, tests)).toMatchObject({ value: 1 })
  for (const attack of [
    'const assert = () => {}',
    'globalThis.assert = () => {}',
    'require = () => () => {}',
  ])
    for (const strict of [tests, 'assert(f() === 1)'])
      expect(await scoreOf(`${attack}; var f = () => 2`, strict), attack).toMatchObject({ value: 0 })
})

testOnData('humaneval-x-js', 'the published solutions pass, broken ones do not', async (folder) => {
  interface Problem {
    readonly task_id: string
    readonly declaration: string
    readonly canonical_solution: string
    readonly test: string
  }
  const problems: Problem[] = readFileSync(`${folder}/problems.jsonl`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const judge = (change: (solution: string) => string) =>
    reward.score(
      problems.map(({ task_id, declaration, canonical_solution, test: tests }) =>
        sample(change(canonical_solution), { tests, declaration }, task_id),
      ),
    )
  const scores = await judge((solution) => solution)
  // /112 returns `(z, true)`, which is no pair in JavaScript; /162 asks for a module that is not there.
  const failing = problems.filter((_, index) => scores[index]!.value !== 1).map(({ task_id }) => task_id)
  expect(failing).toEqual(['JavaScript/112', 'JavaScript/162'])
  const broken = await judge((solution) => solution.replace(/return [^;}]*/g, 'return undefined'))
  expect(broken.filter(({ value }) => value !== 0)).toEqual([])
  const endless = await quick.score([
    sample('for (;;);\n}', { tests: problems[0]!.test, declaration: problems[0]!.declaration }),
  ])
  expect(endless).toMatchObject([{ value: 0 }])
})
