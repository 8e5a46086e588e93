import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  closingBrace,
  extractBoxed,
  extractFence,
  extractJson,
  extractJsonLines,
  extractNumberedTags,
  extractNumberLists,
  extractOptionLetter,
  extractOptionLetters,
  extractTag,
  extractTags,
  extractYesNo,
  sameExtraction,
} from './extract.ts'

describe('tags', () => {
  test.each([
    ['<a> x </a>', {}, 'x'],
    ['<a>x</a><a>y</a>', {}, 'x'],
    ['<a>x</a><a>y</a>', { which: 'last' }, 'y'],
    ['<a>x<a>y</a>', { which: 'last' }, 'x<a>y'],
    ['<a>x', {}, undefined],
    ['<a>x', { allowMissingClose: true }, 'x'],
    ['<a>x<a>y</a>', { allowMissingClose: true }, 'x'],
    ['<a>x<a>y</a>', { allowMissingClose: true, which: 'last' }, 'y'],
    ['<a>\n</a><a>y</a>', { multiline: false }, 'y'],
    ['<a>x\n</a>', { multiline: false }, undefined],
    ['<a> </a>', {}, undefined],
    ['<a> </a>', { allowEmpty: true }, ''],
    ['<a> x</a>', { trim: false }, ' x'],
    ['</a><a>x</a>', {}, 'x'],
    ['<A>x</A>', {}, undefined],
  ] as const)('%j %j -> %j', (text, options, expected) => {
    const { value, span } = extractTag(text, 'a', options)
    expect(value).toBe(expected)
    if (span) expect(text.slice(span.start, span.end)).toBe(expected)
  })

  test('errors say why, and failures equal nothing', () => {
    expect(extractTag('<a>x', 'a').error).toBe('unclosed')
    expect(extractTag('x', 'a').error).toBe('absent')
    expect(extractTag('<a></a>', 'a').error).toBe('empty')
    expect(sameExtraction(extractTag('x', 'a'), extractTag('x', 'a'))).toBe(false)
    expect(sameExtraction(extractTag('<a>1</a>', 'a'), extractTag('<a>1 </a>', 'a'))).toBe(true)
  })

  test('reads as the lazy dot-all pattern does', () => {
    const pieces = fc.array(fc.constantFrom('<a>', '</a>', 'x', '\n', '<'), { maxLength: 12 })
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('')
        const all = [...text.matchAll(/<a>(.*?)<\/a>/gs)].map((match) => match[1])
        const options = { trim: false, allowEmpty: true } as const
        expect(extractTag(text, 'a', options).value).toBe(all[0])
        expect(extractTag(text, 'a', { ...options, which: 'last' }).value).toBe(all.at(-1))
        expect(extractTags(text, 'a', { ...options, trim: false }).map(({ value }) => value)).toEqual(
          all.filter((value) => value!.trim() !== '' || options.allowEmpty),
        )
        const oneLine = /<a>(.*?)<\/a>/.exec(text)?.[1]
        expect(extractTag(text, 'a', { ...options, multiline: false }).value).toBe(oneLine)
      }),
    )
  })

  test('numbered tags stop at the first gap; the last of a number counts', () => {
    const values = (text: string) => extractNumberedTags(text, 'info').map(({ value }) => value)
    expect(values('<info1>0</info1> <info1>1</info1><info2> 1 </info2>')).toEqual(['1', '1'])
    expect(values('<info2>1</info2>')).toEqual([])
    expect(values('<info1>1</info1><info3>1</info3>')).toEqual(['1'])
    expect(values('<info 1>1</info 1>')).toEqual([])
  })
})

describe('fences and JSON', () => {
  test.each([
    ['```json\n[1]\n```', { language: 'json' }, '[1]'],
    ['```json\n[1]\n```\n```json\n[2]\n```', { language: 'json', which: 'last' }, '[2]'],
    ['```python\nx\n```', {}, 'x'],
    ['```python\nx\n```', { language: 'json' }, undefined],
    ['```json\n[1]', { language: 'json' }, undefined],
    ['```json\n[1]', { language: 'json', allowMissingClose: true }, '[1]'],
    ['```{"a":1}```', {}, '{"a":1}'],
    ['```json\n```', { language: 'json' }, undefined],
  ] as const)('fence %j %j -> %j', (text, options, expected) => {
    const { value, span } = extractFence(text, options)
    expect(value).toBe(expected)
    if (span) expect(text.slice(span.start, span.end)).toBe(expected)
  })

  test('JSON from a fence, from the whole text, from the middle of prose', () => {
    expect(extractJson('see ```json\n{"a": 1}\n```').value).toEqual({ a: 1 })
    expect(extractJson(' {"a": 1} ').value).toEqual({ a: 1 })
    expect(extractJson('I say {"a": "}"} and {"b": 2}', { from: 'embedded' }).value).toEqual({ a: '}' })
    expect(extractJson('I say {"a": 1} and {"b": 2}', { from: 'embedded', which: 'last' }).value).toEqual({
      b: 2,
    })
    expect(extractJson('[x] then [1]', { from: 'embedded' }).value).toEqual([1])
    expect(extractJson('null').value).toBe(null)
    expect(extractJson('', {}).error).toBe('empty')
    expect(extractJson('{').error).toBe('unreadable')
    expect(extractJson('```json\n[1').error).toBe('unclosed')
    expect(extractJson(`${'['.repeat(101)}${']'.repeat(101)}`).error).toBe('too-deep')
    expect(extractJson(`"${'['.repeat(101)}"`).value).toBe('['.repeat(101))
  })

  test('JSON lines', () => {
    expect(extractJsonLines('{"a":1}\n\n{"b":2}\n').value).toEqual([{ a: 1 }, { b: 2 }])
    expect(extractJsonLines('{"a":1}\n\n{"b":2}\n', { blankLines: 'refuse' }).error).toBe('unreadable')
    expect(extractJsonLines('{"a":1}\n{"b":').error).toBe('unreadable')
    expect(extractJsonLines(' ').error).toBe('empty')
  })
})

describe('boxed answers', () => {
  test.each([
    ['\\boxed{1} \\boxed{2}', {}, '2'],
    ['\\boxed{1} \\boxed{2}', { which: 'first' }, '1'],
    ['\\boxed{\\frac{1}{2}}', {}, '\\frac{1}{2}'],
    ['\\boxed{\\boxed{5}}', {}, '5'],
    ['\\boxed{\\{1, 2\\}}', {}, '\\{1, 2\\}'],
    ['\\fbox{7}', {}, '7'],
    ['\\boxed{1} \\boxed{2', {}, undefined],
    ['\\boxed{ }', {}, undefined],
    ['none', {}, undefined],
  ] as const)('%j %j -> %j', (text, options, expected) => {
    expect(extractBoxed(text, options).value).toBe(expected)
  })

  test('balanced braces come back whole', () => {
    const balanced = fc.letrec((tie) => ({
      text: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('x', '', '\\}', '1'),
        fc.tuple(tie('text'), tie('text')).map(([a, b]) => `${a}{${b}}`),
      ),
    })).text as fc.Arbitrary<string>
    fc.assert(
      fc.property(balanced, (inner) => {
        const text = `\\boxed{${inner}}`
        expect(closingBrace(text, 7)).toBe(text.length - 1)
      }),
    )
  })
})

test('lists of numbers', () => {
  const text = 'a [1, 2,3 , 4] [1,2,3] [-1.5, 2, 3, 4] [1,2,3,4,5]'
  expect(extractNumberLists(text).map(({ value }) => value)).toEqual([
    [1, 2, 3, 4],
    [-1.5, 2, 3, 4],
  ])
  expect(extractNumberLists(text, { signed: false, decimals: false }).map(({ value }) => value)).toEqual([
    [1, 2, 3, 4],
  ])
  expect(extractNumberLists('(1,2),(3,4)', { length: 2, brackets: 'round' })).toHaveLength(2)
})

test.each([
  ['Yes', 'leading', 'yes'],
  ['**No**, there is not', 'leading', 'no'],
  ['No, it is false', 'leading', 'no'],
  ['There is none', 'leading', undefined],
  ['not true', 'leading', undefined],
  ['not true', 'anywhere', 'yes'],
  ['it is false', 'anywhere', 'no'],
  ['Yes.', 'only', 'yes'],
  ['Yes and no', 'only', undefined],
  ['nothing', 'anywhere', undefined],
  ['', 'leading', undefined],
] as const)('verdict %j (%s) -> %j', (text, position, expected) => {
  expect(extractYesNo(text, { position }).value).toBe(expected)
})

test.each([
  ['B', 'B'],
  ['b', 'B'],
  ['(B)', 'B'],
  ['[B]', 'B'],
  ['B.', 'B'],
  ['B) two dogs', 'B'],
  ['(b) two dogs', 'B'],
  ['B: two dogs', 'B'],
  ['**B**', 'B'],
  ['$\\text{B}$', 'B'],
  ['\\textbf{(B)}', 'B'],
  ['Answer: B', 'B'],
  ['The answer is (B).', 'B'],
  ['So the answer is C', 'C'],
  ['I compare A and B.\nThe correct option is **D**.', 'D'],
  ['A cat', undefined],
  ['The answer is A cat', undefined],
  ['I think so', undefined],
  ['A, B', undefined],
  ['Apple', undefined],
  ['e.g. this', undefined],
  ['', undefined],
] as const)('option letter of %j -> %j', (text, expected) => {
  const { value, span } = extractOptionLetter(text)
  expect(value).toBe(expected)
  if (span) expect(text.slice(span.start, span.end).toUpperCase()).toBe(expected)
})

test('several options', () => {
  expect(extractOptionLetters('C, A').value).toEqual(['A', 'C'])
  expect(extractOptionLetters('A and C').value).toEqual(['A', 'C'])
  expect(extractOptionLetters('The answers are A, B and D.').value).toEqual(['A', 'B', 'D'])
  expect(extractOptionLetters('Z', { letters: 'AB' }).value).toBe(undefined)
  expect(extractOptionLetter('A, B').error).toBe('ambiguous')
})

test('ten megabytes of anything take linear time', () => {
  const size = 10_000_000
  const hostile = [
    '<a>',
    '</a>',
    '<a>x</a>',
    '```json\n',
    '```',
    '\\boxed{',
    '[1,',
    '[1, 2, 3, ',
    '{"',
    '[',
    '<info1>',
    'A ',
    ' ',
    'answer ',
    'yes',
  ]
  const started = performance.now()
  for (const piece of hostile) {
    const text = piece.repeat(size / piece.length)
    extractTag(text, 'a', { which: 'last' })
    extractTag(text, 'a', { which: 'last', allowMissingClose: true })
    extractTag(text, 'a', { multiline: false })
    extractFence(text, { which: 'last' })
    extractJson(text, { from: 'embedded', which: 'last' })
    extractBoxed(text)
    extractNumberLists(text)
    extractNumberedTags(text, 'info')
    extractOptionLetters(text)
    extractYesNo(text)
    extractYesNo(text, { position: 'anywhere' })
  }
  expect(performance.now() - started).toBeLessThan(20_000)
}, 60_000)
