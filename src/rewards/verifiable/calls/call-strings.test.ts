import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../../core/index.ts'
import { parseCallStrings } from './call-strings.ts'

const one = (text: string) => {
  const calls = parseCallStrings(text)
  expect(calls, text).toHaveLength(1)
  return calls![0]!
}

test.each<[string, Json]>([
  ['f(a=1, b=-2.5e3, c=0x1F, d=1_000)', { a: 1, b: -2500, c: 31, d: 1000 }],
  [`f(a='it\\'s', b="x\\n\\u00e9", c="""two\n"lines\\"""")`, { a: "it's", b: 'x\né', c: 'two\n"lines"' }],
  ['f(a=True, b=False, c=None, d=true, e=null)', { a: true, b: false, c: null, d: true, e: null }],
  ['f(a=[1, [2, "x"]], b=(3, 4,), c={})', { a: [1, [2, 'x']], b: [3, 4], c: {} }],
  [`f(a={'k': 1, "l": [True]}, b={m: {n: null}})`, { a: { k: 1, l: [true] }, b: { m: { n: null } } }],
  [
    'f(a=x.y + 1, b=g(1, 2), c=(e) => e.id, d=new Date("2020-01-01"))',
    { a: 'x.y + 1', b: 'g(1, 2)', c: '(e) => e.id', d: 'new Date("2020-01-01")' },
  ],
  ['f(__proto__=1)', JSON.parse('{"__proto__": 1}')],
  ['f(a=[],)', { a: [] }],
])('%s', (text, expected) => {
  expect(one(text).arguments).toEqual(expected)
})

test('lists, lines, dots in names, arguments without a name, spans', () => {
  expect(parseCallStrings('[f(a=1), m.g(2, "x", k=3)]')).toMatchObject([
    { name: 'f', arguments: { a: 1 }, start: 1, end: 7 },
    { name: 'm.g', positional: [2, 'x'], arguments: { k: 3 } },
  ])
  expect(parseCallStrings('f()\ng()')).toHaveLength(2)
  expect(parseCallStrings('f(); g();')).toHaveLength(2)
  expect(parseCallStrings('[]')).toEqual([])
})

test.each([
  '',
  ' ',
  'f',
  'f(',
  'f(a=',
  'f(a=1',
  'f(a=1))',
  '[f()',
  'f() g()',
  'I call f(a=1).',
  'f(a="x',
  'f(a b)(',
  '3(1)',
  '[1, 2]',
])('no calls: %s', (text) => expect(parseCallStrings(text)).toBeUndefined())

test('reads back what it is given', () => {
  const literal = (value: Json): string => JSON.stringify(value)
  const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !literal(value as Json).includes('-0'))
  fc.assert(
    fc.property(json, (value) => {
      expect(one(`f(a=${literal(value as Json)})`).arguments).toEqual({
        a: JSON.parse(JSON.stringify(value)),
      })
    }),
  )
})

test('hostile texts take bounded time', () => {
  const started = performance.now()
  for (const text of [
    'f('.repeat(50_000),
    `f(a=${'['.repeat(100_000)}`,
    `f(a=${'[['.repeat(60)}x${'+'.repeat(100_000)}`,
    `f(${'a=1,'.repeat(100_000)}`,
    `${'f\n'.repeat(100_000)}`,
  ])
    expect(parseCallStrings(text)).toBeUndefined()
  expect(performance.now() - started).toBeLessThan(2000)
})
