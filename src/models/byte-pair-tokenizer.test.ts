import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytePairTokenizer, trainedBytePairs } from './byte-pair-tokenizer.ts'

const texts = ['low lower lowest', 'low low newer newest', 'Ünïcode, 42 and more low words.\n\nlow']
const spec = trainedBytePairs(texts, { size: 300, marks: ['<end>', '<prompt>'] })
const tokenizer = bytePairTokenizer(spec)

test('any text comes back as it was, and marks in it are text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
    }),
  )
  const ids = tokenizer.encode('<end> low')
  expect(ids).not.toContain(tokenizer.id('<end>'))
  expect(tokenizer.decode([...ids, tokenizer.id('<end>')])).toBe('<end> low')
  expect(tokenizer.decode([tokenizer.id('<end>')], { marks: true })).toBe('<end>')
})

test('what is frequent is one token, and merges do not cross words', () => {
  expect(tokenizer.encode(' low')).toHaveLength(1)
  expect(tokenizer.encode(' low low')).toHaveLength(2)
  // the most frequent neighbours first: "l" and "o" stand together 8 times
  const [left, right] = spec.merges[0]!
  expect(tokenizer.decode([left, right])).toBe('lo')
})

test('the same texts give the same vocabulary; nothing frequent left ends it early', () => {
  expect(trainedBytePairs(texts, { size: 300, marks: ['<end>', '<prompt>'] })).toEqual(spec)
  expect(trainedBytePairs(['abc'], { size: 1000 }).merges).toEqual([])
})

test('specifications that make no sense are refused', () => {
  expect(() => bytePairTokenizer({ marks: [], merges: [[0, 400]] })).toThrow(/joins a token/)
  expect(() => bytePairTokenizer({ marks: ['a', 'a'], merges: [] })).toThrow(/twice/)
  expect(() => tokenizer.id('low')).toThrow(/no mark/)
  expect(() => tokenizer.decode([9999])).toThrow(RangeError)
})
