import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isBlank, withoutComments, withoutThoughts } from './asides.ts'

test.each([
  ['an answer', 'an answer'],
  ['<think>a</think>b', `${' '.repeat(16)}b`],
  ['a</think>b', `${' '.repeat(9)}b`], // opened in the prompt
  ['<think>a', ' '.repeat(8)], // never closed
  ['a <think>b</think> c', `a ${' '.repeat(16)} c`],
  ['<think>I write <think> tags</think>b', `${' '.repeat(35)}b`],
  ['<think><think>a</think>b</think>c', `${' '.repeat(32)}c`], // closed twice: b is thought, too
  ['</thinking> a', '</thinking> a'],
])('thoughts of %j', (text, shown) => {
  expect(withoutThoughts(text)).toBe(shown)
})

test('offsets stay, and what stays is what stood there', () => {
  const pieces = fc.constantFrom('<think>', '</think>', 'a', ' ', '<', 'think>', '<!--', '-->', '/*', '*/')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (parts) => {
      const text = parts.join('')
      for (const shown of [withoutThoughts(text), withoutComments(text)]) {
        expect(shown).toHaveLength(text.length)
        for (let i = 0; i < text.length; i++) expect([' ', text[i]]).toContain(shown[i])
      }
      expect(withoutThoughts(text)).not.toMatch(/<\/?think>/)
    }),
  )
})

test('comments of markup and of code; one that is never closed is none', () => {
  expect(withoutComments('a<!-- b -->c /* d */ e <!-- f')).toBe(
    `a${' '.repeat(10)}c ${' '.repeat(7)} e <!-- f`,
  )
})

test('what shows nothing', () => {
  for (const text of ['', ' \n\t', '\u200b\u200d\u2060\ufeff', '\u00ad', '\u0000', '\u3164', '\u{e0041}'])
    expect(isBlank(text), JSON.stringify(text)).toBe(true)
  for (const text of ['a', '0', '.', '\u200ba', '语', '🙂']) expect(isBlank(text)).toBe(false)
})

test('ten megabytes take linear time', () => {
  const started = performance.now()
  for (const piece of ['<think>', '</think>', '<think></think>', '<!--', '-->', '/*', '*/', '\u200b']) {
    const text = piece.repeat(10_000_000 / piece.length)
    withoutThoughts(text)
    withoutComments(text)
    isBlank(text)
  }
  expect(performance.now() - started).toBeLessThan(20_000)
}, 60_000)
