import { expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { blackjack, blackjackValue, blackjackValues, dealerEnds, handValue } from './blackjack.ts'
import { playBest } from './episode.ts'

test('aces count 11 where that does not break the hand', () => {
  expect(handValue([1, 10])).toEqual({ total: 21, usable: true })
  expect(handValue([1, 1, 9])).toEqual({ total: 21, usable: true })
  expect(handValue([1, 6, 10])).toEqual({ total: 17, usable: false })
  expect(handValue([10, 9, 5])).toEqual({ total: 24, usable: false })
})

test("the dealer's ends are a distribution, with the known chances of an endless deck", () => {
  for (let open = 1; open <= 10; open++)
    expect(dealerEnds(open).reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 12)
  expect(dealerEnds(6)[22]).toBeCloseTo(0.4231, 3) // a six breaks most often
  expect(dealerEnds(10)[22]).toBeCloseTo(0.2121, 3)
})

test('the best play is that of the textbook (Sutton and Barto, figure 5.2)', () => {
  const best = (total: number, usable: boolean, dealer: number) => {
    const { hit, stand } = blackjackValues(total, usable, dealer)
    return hit > stand ? 'hit' : 'stand'
  }
  for (let dealer = 1; dealer <= 10; dealer++) {
    for (let total = 4; total <= 11; total++) expect(best(total, false, dealer)).toBe('hit')
    for (let total = 17; total <= 21; total++) expect(best(total, false, dealer)).toBe('stand')
    for (let total = 13; total <= 16; total++)
      expect(best(total, false, dealer)).toBe(dealer >= 2 && dealer <= 6 ? 'stand' : 'hit')
    expect(best(12, false, dealer)).toBe(dealer >= 4 && dealer <= 6 ? 'stand' : 'hit')
    for (let total = 12; total <= 17; total++) expect(best(total, true, dealer)).toBe('hit')
    for (let total = 19; total <= 21; total++) expect(best(total, true, dealer)).toBe('stand')
  }
  for (const dealer of [2, 3, 4, 5, 6, 7, 8]) expect(best(18, true, dealer)).toBe('stand')
  for (const dealer of [9, 10]) expect(best(18, true, dealer)).toBe('hit')
})

test('played games come to the value that enumeration gives', () => {
  const game = blackjack()
  let [sum, count] = [0, 20_000]
  for (let deal = 0; deal < count; deal++) sum += playBest(game, { deal }, { seed: deal }).episode.total
  const value = blackjackValue()
  expect(value).toBeGreaterThan(-0.06)
  expect(value).toBeLessThan(-0.03)
  expect(Math.abs(sum / count - value)).toBeLessThan(4 * (0.95 / Math.sqrt(count)))
})

test('hidden cards are not shown before they are turned up', () => {
  const game = blackjack()
  const state = game.start({ deal: 1 }, new Rng(5))
  expect(state.dealer).toHaveLength(1)
  expect(game.text(state)).toMatch(/dealer: \w+ \?$/)
  const over = game.step(state, 'stand', new Rng(6)).state
  expect(game.text(over)).not.toContain('?')
  expect(game.terminalReward({ ...over, outcome: 1 })).toBe(20)
  expect(game.terminalReward({ ...over, outcome: -1 })).toBe(1e-10)
})
