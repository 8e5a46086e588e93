import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Vocabulary } from './tokenizer.ts'
import { textVocabulary } from './vocabulary.ts'

const ids = fc.array(fc.integer({ min: 0, max: textVocabulary.size - 1 }), { maxLength: 40 })

test('any ids come back from their text, alone and joined', () => {
  fc.assert(
    fc.property(ids, (given) => {
      const text = textVocabulary.decode(given)
      expect(textVocabulary.encode(text)).toEqual(given)
      expect(textVocabulary.join(given.map((id) => textVocabulary.tokens[id]!))).toBe(text)
      for (const { id, start, end } of textVocabulary.spans(text))
        expect(text.slice(start, end)).toBe(textVocabulary.tokens[id])
    }),
    { numRuns: 1000 },
  )
})

test('the vocabulary is closed and small', () => {
  expect(textVocabulary.size).toBeLessThan(200)
  expect(() => textVocabulary.encode('the kat is red')).toThrow(/"kat" is not in the vocabulary/)
  expect(textVocabulary.encode('the kat is', { unknown: '<unk>' })).toEqual(
    textVocabulary.encode('the <unk> is'),
  )
  expect(() => textVocabulary.decode([9999])).toThrow(RangeError)
  expect(() => new Vocabulary({ special: ['a'], glued: [], words: ['a'] })).toThrow(/twice/)
})

test('golden ids: a change here breaks every trained model', () => {
  expect(textVocabulary.encode('<bos> <user> what is 12 + 7 ?\n<eos>')).toMatchInlineSnapshot(`
    [
      1,
      3,
      119,
      111,
      31,
      32,
      40,
      37,
      49,
      6,
      2,
    ]
  `)
  expect(textVocabulary.tokens.join(' ')).toMatchInlineSnapshot(`
    "<pad> <bos> <eos> <user> <assistant> <unk> 
     {"name": " ", "parameters": { ",  "}} }} "city": " "unit": " "query": " "to": " "topic": " "day": " "item": " "colour": " "hour":  "count":  <think> </think> <answer> </answer> <tool_call> </tool_call> <response> </response> 0 1 2 3 4 5 6 7 8 9 + - * = ( ) . , : ? animals foods objects colours cat dog bird fish horse frog apple bread cake egg rice soup book lamp chair cup hat coat red blue green yellow black white kitchen garden school park anna ben clara dan eva finn bomb poison gun fire coins cards eggs stones clock weather search mail alarm order oslo rome paris celsius kelvin monday friday sunday the is in has and facts tell me about what colour where who name as list numbers at most words avoid be polite how can i make a sorry not help with that know do hope this helps you see let all need dear friend thank take one two three gets loses many times so answer for time yes no prefer short long plain first then right wrong true great too just asked read my trust best hurry calm solution thought process us solve step by"
  `)
})

test('numbers are digits, and white space is normalised', () => {
  expect(textVocabulary.split(' 12+ 7 , red,')).toEqual(['1', '2', '+', '7', ',', 'red', ','])
  expect(textVocabulary.decode(textVocabulary.encode('at  most 12   words'))).toBe('at most 12 words')
})

test('an extended vocabulary keeps its ids', () => {
  const extended = textVocabulary.extended(['kato', 'the', 'kato'])
  expect(extended.size).toBe(textVocabulary.size + 1)
  expect(extended.encode('the cat')).toEqual(textVocabulary.encode('the cat'))
})
