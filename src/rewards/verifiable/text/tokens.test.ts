import { expect, test } from 'vitest'
import { tokenise } from './tokens.ts'

test('unicode: scripts, marks, and Chinese or Japanese one character at a time', () => {
  expect(tokenise("It's naïve, 3.5€ für GPT-4東京です!", 'unicode', true)).toEqual([
    'it',
    's',
    'naïve',
    '3',
    '5',
    'für',
    'gpt',
    '4',
    '東',
    '京',
    'で',
    'す',
  ])
  expect(tokenise('हिन्दी में', 'unicode', false)).toEqual(['हिन्दी', 'में'])
})

test('ascii, as rouge-score cuts: everything else is a gap', () => {
  expect(tokenise("It's naïve", 'ascii', false)).toEqual(['it', 's', 'na', 've'])
})

test('13a: symbols alone, full stops and commas only outside numbers', () => {
  expect(tokenise('Hello, world! It costs $3.50 (1,000-2,000).', '13a', false)).toEqual([
    'Hello',
    ',',
    'world',
    '!',
    'It',
    'costs',
    '$',
    '3.50',
    '(',
    '1,000',
    '-',
    '2,000',
    ')',
    '.',
  ])
  expect(tokenise('a &quot;b&quot; co-op\nc', '13a', false)).toEqual(['a', '"', 'b', '"', 'co-op', 'c'])
})

test('nothing gives no tokens', () => {
  for (const kind of ['unicode', 'ascii', 'whitespace', '13a'] as const)
    expect(tokenise(' \n', kind, true)).toEqual([])
})
