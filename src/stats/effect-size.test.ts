import { expect, test } from 'vitest'
import { close } from '../../tests/close.ts'
import { cliffDelta, cohenD, hedgesG, pairedD } from './index.ts'

const x = [3.1, 1.2, 4.4, 2.2, 5.9, 2.7]
const y = [1.0, 0.3, 2.5, 1.9, 2.6, 0.1]

test('effect sizes', () => {
  close(cohenD(x, y), 1.31027848051995)
  close(hedgesG(x, y), 1.2094878281722616)
  close(pairedD(x, y), 1.6839069652956882)
  close(cliffDelta(x, y), 2 * 0.8611111111111112 - 1)
  expect(cohenD([1, 1], [1, 1])).toBeNull()
})
