import type { Rng } from '../../core/index.ts'
import { checkIndex, type Split, splitNamed } from '../environment.ts'
import type { Game } from './game.ts'
import { illegalAction } from './illegal-action.ts'
import { PixelCanvas } from './pixel-canvas.ts'

/** Nothing but a number: the deal comes from the episode's seed. */
export type BlackjackTask = { readonly deal: number }

export interface BlackjackState {
  /** Values of the cards, ace 1, face cards 10. */
  readonly player: readonly number[]
  /** The dealer's cards: the first lies open; the others are drawn once the player stands. */
  readonly dealer: readonly number[]
  /** -1, 0 or 1 once the game is over. */
  readonly outcome: number | null
}

export type BlackjackAction = 'stand' | 'hit'

/** Chance of each value 1 to 10 (endless deck); index 0 is not a card. */
const cardChances = [0, ...new Array<number>(9).fill(1 / 13), 4 / 13]

/** Best total of at most 21, where there is one; `usable` when an ace counts 11 in it. */
export function handValue(cards: readonly number[]): { readonly total: number; readonly usable: boolean } {
  let total = 0
  let hasAce = false
  for (const card of cards) {
    total += card
    if (card === 1) hasAce = true
  }
  return hasAce && total <= 11 ? { total: total + 10, usable: true } : { total, usable: false }
}

/**
 * Blackjack against a dealer who draws to 17, with an endless deck and no further rules: 1 for winning, 0 for a draw,
 * -1 for losing, as in Gymnasium and Gym Cards without naturals. The dealer's hidden cards are drawn when they are
 * turned up, which changes no chance. The terminal reward is max(1e-10, 10 (r + 1)).
 *
 * @source GFlowVLM, arXiv 2503.06514; rules: Sutton and Barto, example 5.1
 */
export function blackjack(): Game<BlackjackTask, BlackjackState> {
  const splits: readonly Split[] = [
    { name: 'train', type: 'train', tasks: 1_000_000 },
    { name: 'test', type: 'test', tasks: 10_000 },
  ]
  const terminal = (state: BlackjackState, outcome: number) => ({
    state: { ...state, outcome },
    reward: outcome,
    terminated: true,
  })
  return {
    name: 'blackjack',
    summary: 'Blackjack against a dealer who draws to 17.',
    version: '1',
    splits,
    rewardRange: [-stepLimit, 1],
    task: (split, index) => {
      const found = splitNamed(splits, split)
      checkIndex(found, index)
      return { deal: split === 'train' ? index : splits[0]!.tasks + index }
    },
    start: (_, rng) => ({
      player: [drawCard(rng), drawCard(rng)],
      dealer: [drawCard(rng)],
      outcome: null,
    }),
    stepLimit: () => stepLimit,
    actions: ({ outcome }) => (outcome === null ? playerActions : []),
    step: (state, action, rng) => {
      if (state.outcome !== null || (action !== 'hit' && action !== 'stand'))
        throw illegalAction('blackjack', action)
      if (action === 'hit') {
        const next = { ...state, player: [...state.player, drawCard(rng)] }
        return handValue(next.player).total > 21
          ? terminal(next, -1)
          : { state: next, reward: 0, terminated: false }
      }
      const dealer = [...state.dealer, drawCard(rng)]
      while (handValue(dealer).total < 17) dealer.push(drawCard(rng))
      const [own, theirs] = [handValue(state.player).total, handValue(dealer).total]
      return terminal({ ...state, dealer }, theirs > 21 ? 1 : Math.sign(own - theirs))
    },
    isWon: ({ outcome }) => outcome === 1,
    rules: () =>
      'Get closer to 21 than the dealer without going over it. An ace counts 1 or 11, face cards 10. "hit" draws a ' +
      'card, "stand" ends your turn; then the dealer draws up to 17.',
    symbols: ({ player, dealer, outcome }) => {
      const { total, usable } = handValue(player)
      return { total, usable, dealer: dealer[0]!, outcome }
    },
    text: ({ player, dealer, outcome }) => {
      const { total, usable } = handValue(player)
      const shown = outcome === null ? dealer.slice(0, 1) : dealer
      return (
        `your cards: ${player.map(cardName).join(' ')} total: ${total}${usable ? ' usable ace' : ''} ` +
        `dealer: ${shown.map(cardName).join(' ')}${outcome === null ? ' ?' : ''}`
      )
    },
    picture: ({ player, dealer, outcome }) => {
      const canvas = new PixelCanvas(32, 32, [36, 96, 72])
      const shown = outcome === null ? dealer.slice(0, 1).map(cardName) : dealer.map(cardName)
      drawCards(canvas, outcome === null ? [...shown, '?'] : shown, 1)
      drawCards(canvas, player.slice(0, cardsInRow).map(cardName), 12)
      drawCards(canvas, player.slice(cardsInRow, 2 * cardsInRow).map(cardName), 22)
      return canvas
    },
    bestAction: ({ player, dealer }) => {
      const { total, usable } = handValue(player)
      const { stand, hit } = blackjackValues(total, usable, dealer[0]!)
      return hit > stand ? 'hit' : 'stand'
    },
    terminalReward: ({ outcome }) => Math.max(1e-10, 10 * ((outcome ?? -1) + 1)),
  }
}

const playerActions = ['stand', 'hit'] as const
/** As many cards as anybody can draw without going over 21, and some illegal actions. */
const stepLimit = 30
const cardsInRow = 6

function drawCard(rng: Rng): number {
  return Math.min(10, rng.int(1, 14))
}

function cardName(value: number): string {
  return value === 1 ? 'A' : value === 10 ? 'T' : String(value)
}

function drawCards(canvas: PixelCanvas, names: readonly string[], y: number): void {
  for (const [index, name] of names.entries()) {
    const hidden = name === '?'
    canvas.fill(1 + index * 5, y, 5, 9, hidden ? [150, 40, 40] : [250, 250, 250])
    if (!hidden) canvas.write(name, 2 + index * 5, y + 2, [20, 20, 20])
  }
}

/** Expected outcome of standing and of hitting (and going on as best), in [-1, 1]. */
export interface BlackjackValues {
  readonly stand: number
  readonly hit: number
}

const knownValues = new Map<string, BlackjackValues>()

/** Exact values of a hand against the dealer's open card, by enumeration of the endless deck. */
export function blackjackValues(total: number, usable: boolean, dealer: number): BlackjackValues {
  const key = `${total} ${usable} ${dealer}`
  const known = knownValues.get(key)
  if (known !== undefined) return known
  let hit = 0
  for (let card = 1; card <= 10; card++) {
    const next = withCard(total, usable, card)
    hit += cardChances[card]! * (next.total > 21 ? -1 : bestValue(next.total, next.usable, dealer))
  }
  const values = { stand: standValue(total, dealer), hit }
  knownValues.set(key, values)
  return values
}

function bestValue(total: number, usable: boolean, dealer: number): number {
  const { stand, hit } = blackjackValues(total, usable, dealer)
  return Math.max(stand, hit)
}

function withCard(total: number, usable: boolean, card: number): { total: number; usable: boolean } {
  const hard = (usable ? total - 10 : total) + card
  return (usable || card === 1) && hard <= 11
    ? { total: hard + 10, usable: true }
    : { total: hard, usable: false }
}

const knownEnds = new Map<number, readonly number[]>()

/** Chance of the dealer's final totals, by their open card: index 17 to 21, and 22 for anything over 21. */
export function dealerEnds(open: number): readonly number[] {
  let ends = knownEnds.get(open)
  if (ends === undefined) {
    const found = new Array<number>(23).fill(0)
    const draw = (total: number, usable: boolean, chance: number) => {
      if (total >= 17) {
        found[Math.min(22, total)]! += chance
        return
      }
      for (let card = 1; card <= 10; card++) {
        const next = withCard(total, usable, card)
        draw(next.total, next.usable, chance * cardChances[card]!)
      }
    }
    const first = withCard(0, false, open)
    draw(first.total, first.usable, 1)
    ends = found
    knownEnds.set(open, ends)
  }
  return ends
}

function standValue(total: number, dealer: number): number {
  let value = 0
  for (const [end, chance] of dealerEnds(dealer).entries())
    value += chance * (end > 21 ? 1 : Math.sign(total - end))
  return value
}

/** What a game is worth under the best play, over all deals. */
export function blackjackValue(): number {
  let value = 0
  for (let first = 1; first <= 10; first++)
    for (let second = 1; second <= 10; second++)
      for (let dealer = 1; dealer <= 10; dealer++) {
        const { total, usable } = handValue([first, second])
        value +=
          cardChances[first]! * cardChances[second]! * cardChances[dealer]! * bestValue(total, usable, dealer)
      }
  return value
}
