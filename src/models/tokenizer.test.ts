import { expect, test } from 'vitest'
import { wordTokenizer } from './tokenizer.ts'

const digits = [...'0123456789']
const tokenizer = wordTokenizer({
  tokens: ['<pad>', '<unk>', '\n', '{"name": "', '"}', '.', 'a', 'answer', 'an', 'cat', ...digits],
  marks: ['<pad>'],
  glued: ['\n', '{"name": "', '"}'],
  leaning: ['.'],
  touching: [digits],
  unknown: '<unk>',
})
const words = (text: string) => tokenizer.encode(text).map((id) => tokenizer.tokens[id])

test('words are whole, digits apart, glued tokens found inside', () => {
  expect(words('an answer 12.')).toEqual(['an', 'answer', '1', '2', '.'])
  expect(words('{"name": "cat"}\na')).toEqual(['{"name": "', 'cat', '"}', '\n', 'a'])
  expect(words('A Cat')).toEqual(['a', 'cat'])
})

test('text comes back', () => {
  for (const text of ['an answer 120.', '{"name": "cat"}\na cat'])
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
})

test('marks are left out unless asked for', () => {
  expect(tokenizer.decode([0, 9])).toBe('cat')
  expect(tokenizer.decode([0, 9], { marks: true })).toBe('<pad> cat')
})

test('unknown words: the token for them, or an error', () => {
  expect(words('a catalogue cats')).toEqual(['a', '<unk>', '<unk>'])
  const strict = wordTokenizer({ tokens: ['cat'], marks: [] })
  expect(() => strict.encode('cat dog')).toThrow(/"dog" is not in the vocabulary/)
  expect(() => strict.decode([1])).toThrow(RangeError)
})

test('rules must name tokens', () => {
  expect(() => wordTokenizer({ tokens: ['a'], marks: ['<pad>'] })).toThrow(/"<pad>"/)
  expect(() => wordTokenizer({ tokens: ['a', 'a'], marks: [] })).toThrow(/twice/)
})
