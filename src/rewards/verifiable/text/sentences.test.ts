import { expect, test } from 'vitest'
import { sentences } from './sentences.ts'

test.each<[string, number]>([
  ['', 0],
  ['One', 1],
  ['One. Two! Three?', 3],
  ['Dr. Smith met J. R. Jones at 5.30 p.m. today.', 1],
  ['It is 5 p.m. They left.', 2],
  ['He said "no." Then he left.', 2],
  ['Well... maybe. Well... Maybe.', 3],
  ['Really?! Yes.', 2],
  ['A heading\nand a line\n\nand one more.', 1],
  ['Apples, e.g. red ones, are good.', 1],
  ['So did I. She too.', 2],
  ['これは本です。あれはペンです。', 2],
])('%j has %i', (text, count) => {
  expect(sentences(text)).toHaveLength(count)
})
