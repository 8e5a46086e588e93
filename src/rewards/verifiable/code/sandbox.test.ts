import { describe, expect, test } from 'vitest'
import { runInSandbox } from './sandbox.ts'

const quick = { timeMs: 200 }
/** For what ends by itself: a busy machine must not turn it into a timeout. */
const patient = { timeMs: 10_000 }

describe('what the code does wrong is in the result', () => {
  test.each([
    ['for (;;);', 'timeout'],
    ['/^(a+)+$/.test("a".repeat(40) + "b")', 'timeout'], // an endless regular expression
    ['Array.prototype.indexOf.call({ length: 2 ** 40 }, 1)', 'timeout'], // a loop inside the engine: its thread is ended
    ['(function f() { Promise.resolve().then(f) })()', 'timeout'],
    ['setInterval(() => {}, 1)', 'timeout'],
    ['throw { get message() { for (;;); } }', 'timeout'],
    ['try { for (;;); } finally { for (;;); }', 'timeout'],
    ['"a".repeat(2 ** 28)', 'memory'],
    ['(function f() { f() })()', 'stack'],
    ['JSON.parse("[".repeat(100000))', 'stack'],
    ['new Promise(() => {})', 'unresolved'],
    ['Promise.reject(new TypeError("no"))', 'error'],
    ['function (', 'error'],
    ['throw null', 'error'],
    ['({ toJSON() { for (;;); } })', 'error'],
    ['import("node:fs")', 'error'],
  ])('%s -> %s', async (code, status) => {
    const run = await runInSandbox(code, status === 'timeout' ? quick : patient)
    expect(run.status).toBe(status)
    if (status === 'error') expect(run.error).toBeDefined()
    expect(await runInSandbox('1 + 1', patient)).toMatchObject({ status: 'ok', value: 2 }) // the next run is not hurt
  })
})

test.each([
  'const kept = []; for (;;) kept.push(new Uint8Array(1 << 20))',
  'const kept = []; for (;;) kept.push("x".repeat(1 << 20) + kept.length)',
  'const kept = []; for (;;) kept.push({})',
])('memory bomb: %s', async (code) => {
  const limits = { timeMs: 5000, memoryBytes: 16 << 20 }
  expect((await runInSandbox(code, limits)).status).toBe('memory')
  expect(await runInSandbox('1 + 1', limits)).toMatchObject({ status: 'ok', value: 2 })
})

test('values, globals and scripts that share them', async () => {
  expect(await runInSandbox('x.map((n) => n * 2)', { globals: { x: [1, 2] } })).toMatchObject({
    value: [2, 4],
  })
  expect(await runInSandbox(['const f = (n) => n + 1', 'f(1)'])).toMatchObject({ status: 'ok', value: 2 })
  expect(await runInSandbox('Promise.resolve({ a: undefined })')).toMatchObject({ value: {} })
  expect(await runInSandbox('undefined')).not.toHaveProperty('value')
  for (const code of ['1n', 'const a = []; a.push(a); a', '"x".repeat(2_000_000)'])
    expect(await runInSandbox(code)).toMatchObject({ status: 'ok', unreadable: expect.any(String) })
})

test('nothing of the host, and nothing left of the run before', async () => {
  const names = ['process', 'fetch', 'Worker', 'WebAssembly', 'Buffer', 'left']
  await runInSandbox('globalThis.left = 1')
  expect(await runInSandbox(`[${names.map((name) => `typeof ${name}`).join(',')}]`)).toMatchObject({
    value: names.map(() => 'undefined'),
  })
  expect(await runInSandbox('this.constructor.constructor("return typeof process")()')).toMatchObject({
    value: 'undefined',
  })
  expect(await runInSandbox('require("fs")')).toMatchObject({ status: 'error' })
})

test('the same numbers, time and order on every run', async () => {
  const code = `const seen = []
    setTimeout(() => seen.push('late', Date.now() - start), 5000)
    setTimeout(() => seen.push('soon'), 10)
    queueMicrotask(() => seen.push('micro'))
    const start = Date.now()
    new Promise((resolve) => setTimeout(() => resolve([seen, Math.random(), new Date().toISOString(), new Date(2020, 6, 1).getTimezoneOffset()]), 6000))`
  const [a, b, other] = await Promise.all([
    runInSandbox(code),
    runInSandbox(code),
    runInSandbox('Math.random()', { seed: 1 }),
  ])
  expect(a).toEqual(b)
  const [seen, random, date, offset] = a!.value as [unknown, number, string, number]
  expect(seen).toEqual(['micro', 'soon', 'late', 5000])
  expect(random >= 0 && random < 1 && random !== other!.value).toBe(true)
  expect([date, offset]).toEqual(['2024-01-01T00:00:06.000Z', 0])
})

test('the console is kept up to a bound', async () => {
  const run = await runInSandbox(
    'for (let i = 0; i < 1000; i++) console.log("line", i, { i }); console.error("x")',
    {
      consoleCharacters: 50,
    },
  )
  expect(run.console[0]).toEqual({ level: 'log', text: 'line 0 {"i":0}' })
  expect(run.console.map(({ text }) => text).join('').length).toBeLessThanOrEqual(50)
  expect(run.consoleDropped).toBeGreaterThan(990)
})

describe('assert', () => {
  test('counts what holds and what does not', async () => {
    const run = await runInSandbox(`console.assert(true); console.assert(1 > 2, 'one is small')
      const assert = require('node:assert')
      assert.deepStrictEqual({ a: [1, new Map([['k', new Set([1])]])] }, { a: [1, new Map([['k', new Set([1])]])] })
      assert.throws(() => { throw new RangeError('far') }, RangeError)
      assert.throws(() => { throw new RangeError('far') }, /far/)
      assert.equal(1, '1')
      const cycle = []; cycle.push(cycle); const other = []; other.push(other); assert.deepEqual(cycle, other)`)
    expect(run.status).toBe('ok')
    expect(run.assertions).toEqual({ passed: 6, failed: 1, failures: ['one is small'] })
  })
  test.each([
    'assert(false)',
    'assert.strictEqual(1, "1")',
    'assert.deepStrictEqual([1], ["1"])',
    'assert.deepEqual({ a: 1 }, { a: 1, b: 2 })',
    'assert.deepEqual(new Set([1]), new Set([2]))',
    'assert.throws(() => {})',
    'assert.throws(() => { throw new TypeError("x") }, RangeError)',
    'assert.rejects(Promise.resolve(1))',
    'assert.fail()',
  ])('%s fails', async (code) => {
    const run = await runInSandbox(code)
    expect(run).toMatchObject({ status: 'error', error: { name: 'AssertionError' } })
    expect(run.assertions.failed).toBe(1)
  })
})

test('locked built-ins cannot be bent to pass a test', async () => {
  const locked = { lockBuiltins: true }
  for (const attack of [
    'console.assert = () => {}',
    'globalThis.console = { assert() {} }',
    'JSON.stringify = () => "[]"',
    'Array.prototype.every = () => true',
    'globalThis.JSON = { stringify: () => "[]" }',
  ]) {
    const run = await runInSandbox(
      [
        attack,
        'console.assert([1].every((n) => n === 2)); console.assert(JSON.stringify([1]) === "[]"); assert(false)',
      ],
      locked,
    )
    expect(run.assertions.failed, attack).toBe(3)
  }
  expect(await runInSandbox('Object.prototype.toString = () => "x"', locked)).toMatchObject({
    tampered: 'toString',
  })
  // What honest code does still works.
  expect(
    await runInSandbox(
      'class Stack extends Array { map() { return 1 } toString() { return "s" } }; const o = {}; o.toString = () => "o"; String.prototype.shout = function () { return this + "!" }; [new Stack().map(), String(new Stack()), String(o), "a".shout()]',
      locked,
    ),
  ).toMatchObject({ value: [1, 's', 'o', 'a!'] })
})

test('an aborted call rejects', async () => {
  await expect(runInSandbox('1', {}, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
})

test('a limit that no engine can have is an error of the caller', async () => {
  await expect(runInSandbox('1', { memoryBytes: 2 ** 40 })).rejects.toMatchObject({
    code: 'sandbox-unavailable',
  })
  expect(await runInSandbox('1')).toMatchObject({ value: 1 })
})
