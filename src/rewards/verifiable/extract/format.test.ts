import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkFormat, type FormatSpec, formatScore, strictFormat, tightenTags } from './format.ts'

// The formats of published systems, as data, each beside the pattern that its authors match with.
const four = String.raw`\[\d+,\s*\d+,\s*\d+,\s*\d+\]`
const newlines = { text: '\n' }
const published: Record<string, { spec: FormatSpec | readonly FormatSpec[]; pattern: RegExp }> = {
  'think answer, full match': {
    spec: { blocks: [{ tag: 'think' }, { tag: 'answer' }] },
    pattern: /^<think>.*?<\/think>\s*<answer>.*?<\/answer>$/s,
  },
  'think answer, prefix': {
    spec: { match: 'prefix', blocks: [{ tag: 'think' }, { tag: 'answer' }] },
    pattern: /^<think>.*?<\/think>\s*<answer>.*?<\/answer>/s,
  },
  'boxes in the answer, search': {
    spec: {
      match: 'search',
      blocks: [{ tag: 'think' }, { tag: 'answer', contains: ['{', new RegExp(four), '}'] }],
    },
    pattern: new RegExp(String.raw`<think>.*?</think>\s*<answer>.*?\{.*${four}.*\}.*?</answer>`, 's'),
  },
  'line breaks, non-empty box': {
    spec: {
      blocks: [
        { tag: 'think', padding: newlines },
        { tag: 'answer', before: newlines, padding: newlines, contains: ['\\boxed{', 1, '}'] },
      ],
    },
    pattern: /^<think>\n.*?\n<\/think>\n<answer>\n.*?\\boxed\{.+?\}.*?\n<\/answer>$/s,
  },
  'tools with exact line breaks, one line break at the end': {
    spec: {
      after: 'newline-or-nothing',
      blocks: [{ tag: 'think' }, { tag: 'tool_call', before: newlines, padding: newlines }],
    },
    pattern: /^<think>.*?<\/think>\n<tool_call>\n.*?\n<\/tool_call>\n?$/s,
  },
  'three blocks, white space around': {
    spec: {
      after: 'white-space',
      blocks: [{ tag: 'think', before: 'white-space' }, { tag: 'look' }, { tag: 'answer' }],
    },
    pattern: /^\s*<think>.*?<\/think>\s*<look>.*?<\/look>\s*<answer>.*?<\/answer>\s*$/s,
  },
  'either of two': {
    spec: [
      { blocks: [{ tag: 'type' }, { tag: 'solution' }, { tag: 'answer' }] },
      {
        blocks: [
          { tag: 'type' },
          { tag: 'rubric', contains: ['<justify>', '</justify>'] },
          { tag: 'answer' },
        ],
      },
    ],
    pattern:
      /^<type>.*?<\/type>\s*(?:<solution>.*?<\/solution>|<rubric>.*?<justify>.*?<\/justify>.*?<\/rubric>)\s*<answer>.*?<\/answer>$/s,
  },
}

describe.each(Object.entries(published))('%s', (_, { spec, pattern }) => {
  test('matches exactly what the pattern matches', () => {
    const specs = (Array.isArray(spec) ? spec : [spec]) as FormatSpec[]
    const marks = specs.flatMap(({ blocks }) => blocks.flatMap(({ tag }) => [`<${tag}>`, `</${tag}>`]))
    const inside = ['\n', ' ', 'x', '{', '[1, 2, 3,4]', '}', '\\boxed{', '<justify>', '</justify>']
    const anything = fc
      .array(fc.constantFrom(...marks, ...inside), { maxLength: 14 })
      .map((parts) => parts.join(''))
    // mostly well-formed, with a few pieces put in
    const nearly = fc
      .tuple(
        fc.constantFrom(...specs),
        fc.array(fc.constantFrom(...inside, ...marks), { minLength: 12, maxLength: 12 }),
        fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
      )
      .map(([{ blocks }, fill, keep]) => {
        const piece = (index: number) => (keep[index % 12] ? '' : fill[index % 12]!)
        const gap = (value: unknown) => (typeof value === 'object' ? '\n' : '')
        return blocks
          .map(({ tag, before, padding, contains }, index) => {
            const held = (contains ?? []).map((item) =>
              typeof item === 'number' ? 'y' : item instanceof RegExp ? '[1,2,3,4]' : item,
            )
            return `${gap(before)}<${tag}>${gap(padding)}${piece(3 * index)}${held.join(piece(3 * index + 1))}${gap(padding)}</${tag}>${piece(3 * index + 2)}`
          })
          .join('')
      })
    let matched = 0
    fc.assert(
      fc.property(fc.oneof(anything, nearly), (text) => {
        const expected = pattern.test(text)
        if (expected) matched++
        expect(checkFormat(text, spec).matches).toBe(expected)
      }),
      { numRuns: 2000, seed: 7 },
    )
    expect(matched).toBeGreaterThan(20)
  })
})

test('contents of the blocks come back', () => {
  const text = '<think>a</think> <answer>\nb\n</answer>'
  const check = checkFormat(text, { blocks: [{ tag: 'think' }, { tag: 'answer', padding: { text: '\n' } }] })
  expect(check.matches && check.blocks.map(({ start, end }) => text.slice(start, end))).toEqual(['a', 'b'])
})

test('strict formats refuse what plain patterns pay for', () => {
  const spec: FormatSpec = { blocks: [{ tag: 'think' }, { tag: 'answer' }] }
  const strict = strictFormat(spec)
  for (const text of [
    '<think></think><answer>x</answer>',
    '<think>x</think><answer> </answer>',
    '<think>a</think><answer>x</answer><think>b</think><answer>y</answer>',
  ]) {
    expect(formatScore(text, spec)).toBe(1)
    expect(formatScore(text, strict)).toBe(0)
  }
  expect(formatScore('<think>a</think><answer>x</answer>', strict)).toBe(1)
  const boxed = strictFormat({ match: 'search', blocks: [{ open: '\\boxed{', close: '}' }] })
  expect(formatScore('so \\boxed{\\frac{1}{2}}', boxed)).toBe(1)
  expect(formatScore('\\boxed{1} \\boxed{2}', boxed)).toBe(0)
})

test('a mismatch says what is missing', () => {
  const spec: FormatSpec = { blocks: [{ tag: 'think' }, { tag: 'answer' }] }
  expect(checkFormat('<think>a</think>', spec)).toEqual({
    matches: false,
    reason: '<answer> (after </think>) is not where it should be',
  })
  expect(checkFormat('<think>a</think><answer>b</answer>', { ...spec, without: ['b<'] })).toEqual({
    matches: false,
    reason: 'it holds "b<"',
  })
})

test('white space around marks', () => {
  expect(tightenTags('< think > a b < / think >')).toBe('<think>a b</think>')
  fc.assert(
    fc.property(fc.array(fc.constantFrom('<', '>', '/', ' ', '\n', 'x'), { maxLength: 15 }), (parts) => {
      const text = parts.join('')
      expect(tightenTags(text)).toBe(text.replace(/\s*(<|>|\/)\s*/g, '$1'))
    }),
  )
})

test('ten megabytes take linear time', () => {
  const started = performance.now()
  for (const piece of ['<think>', '</think>', ' ', '</think> ', '<answer>', '\n', '{', '[1,2,3,4]']) {
    const text = `<think>${piece.repeat(10_000_000 / piece.length)}`
    for (const { spec } of Object.values(published)) checkFormat(text, spec)
    tightenTags(text)
  }
  expect(performance.now() - started).toBeLessThan(20_000)
}, 60_000)
