import { Rng } from '../../core/index.ts'
import { checkIndex, type Split, splitNamed } from '../environment.ts'
import { formulaFor, formulaValue } from './formula.ts'
import type { Operator } from './fraction.ts'
import type { Game } from './game.ts'
import { illegalAction } from './illegal-action.ts'
import { PixelCanvas } from './pixel-canvas.ts'

/** Values of the cards (ace 1, face cards 10) and what they are to make. */
export type PointsTask = { readonly cards: readonly number[]; readonly target: number }

export interface PointsState extends PointsTask {
  readonly formula: readonly string[]
  /** How many cards of `cards` are used, by position. */
  readonly used: readonly boolean[]
  /** Open parentheses, each with whether an operator stands in it yet. */
  readonly open: readonly boolean[]
  /** Set by "=". */
  readonly isRight: boolean | null
}

interface PointsRules {
  readonly name: string
  readonly summary: string
  readonly target: number
  readonly operators: readonly Operator[]
  readonly parentheses: boolean
  readonly stepLimit: number
  deal(rng: Rng): number[]
}

/**
 * Two cards make 12 by a sum or a product, written one sign at a time: 10 when "=" closes a right formula of all cards,
 * -1 when it closes a wrong one, 0 otherwise.
 *
 * @source RL4VLM's Gym Cards (EZPoints), which GFlowVLM and VL-DAC train on. Here signs that cannot go on a formula are
 * illegal; there they are written and fail at "=".
 */
export function ezPoints(): Game<PointsTask, PointsState> {
  return points({
    name: 'ez-points',
    summary: 'Make 12 of two cards with + or *.',
    target: 12,
    operators: ['+', '*'],
    parentheses: false,
    stepLimit: 6,
    deal: (rng) => {
      const first = Math.min(10, rng.int(2, 14))
      const asProduct = 12 % first === 0 && 12 / first <= 10 && rng.chance(0.5)
      return rng.shuffled([first, asProduct ? 12 / first : 12 - first])
    },
  })
}

/**
 * Four cards make 24 with + - * / and parentheses. Rewards as in `ezPoints`; every deal can be solved.
 *
 * @source RL4VLM's Gym Cards (Points24)
 */
export function points24(): Game<PointsTask, PointsState> {
  const operators = ['+', '-', '*', '/'] as const
  return points({
    name: 'points-24',
    summary: 'Make 24 of four cards with + - * / and parentheses.',
    target: 24,
    operators,
    parentheses: true,
    stepLimit: 20,
    deal: (rng) => {
      for (;;) {
        const cards = Array.from({ length: 4 }, () => Math.min(10, rng.int(1, 14)))
        if (formulaFor(cards, 24, operators) !== undefined) return cards
      }
    },
  })
}

function points(rules: PointsRules): Game<PointsTask, PointsState> {
  const { name, target, operators } = rules
  const splits: readonly Split[] = [
    { name: 'train', type: 'train', tasks: 100_000 },
    { name: 'test', type: 'test', tasks: 10_000 },
  ]
  const actions = (state: PointsState): string[] => {
    if (state.isRight !== null) return []
    const { formula, open } = state
    if (wantsOperand(formula)) {
      const free = state.cards.filter((_, index) => !state.used[index])
      const numbers = [...new Set(free)].sort((a, b) => a - b).map(String)
      // Two cards must be left to stand in it, and one more for every open one that has no operator yet.
      const mayOpen = rules.parentheses && open.length < 2 && free.length >= 2 + unmet(open)
      return mayOpen ? [...numbers, '('] : numbers
    }
    const left = state.used.filter((isUsed) => !isUsed).length
    return [
      ...(left > unmet(open.slice(0, -1)) ? operators : []),
      ...(open.at(-1) ? [')'] : []),
      ...(open.length === 0 ? ['='] : []),
    ]
  }
  return {
    name,
    summary: rules.summary,
    version: '1',
    splits,
    rewardRange: [-rules.stepLimit, 10],
    task: (split, index) => {
      checkIndex(splitNamed(splits, split), index)
      return { cards: rules.deal(new Rng(`${name}/${split}/${index}`)), target }
    },
    start: (task) => ({
      ...task,
      formula: [],
      used: task.cards.map(() => false),
      open: [],
      isRight: null,
    }),
    stepLimit: () => rules.stepLimit,
    actions,
    step: (state, action) => {
      if (!actions(state).includes(action)) throw illegalAction(name, action)
      if (action === '=') {
        const value = formulaValue(state.formula)
        const isRight =
          state.used.every(Boolean) && value !== null && value.over === state.target * value.under
        return { state: { ...state, isRight }, reward: isRight ? 10 : -1, terminated: true }
      }
      return { state: withSign(state, action), reward: 0, terminated: false }
    },
    isWon: ({ isRight }) => isRight === true,
    rules: () =>
      `Write a formula that gives ${target} and uses every card once, one sign at a time: ` +
      `${[...operators, ...(rules.parentheses ? ['(', ')'] : [])].join(' ')} and the cards' numbers. "=" ends it.`,
    symbols: ({ cards, formula }) => ({ cards, formula, target }),
    text: ({ cards, formula }) => `cards: ${cards.join(' ')} formula: ${formula.join(' ')}`.trimEnd(),
    picture: ({ cards, formula }) => {
      const canvas = new PixelCanvas(40, 32, [53, 101, 77])
      for (const [index, card] of cards.entries()) {
        canvas.fill(1 + index * 10, 2, 8, 9, [250, 250, 250])
        canvas.write(card === 10 ? 'T' : card === 1 ? 'A' : String(card), 3 + index * 10, 4, [20, 20, 20])
      }
      const signs = formula.map((sign) => (sign === '10' ? 'T' : sign)).join('')
      canvas.write(signs.slice(0, 10), 1, 15, [255, 255, 255])
      canvas.write(signs.slice(10), 1, 23, [255, 255, 255])
      return canvas
    },
    bestAction: (state) => {
      const rest = completion(state, operators, rules.parentheses, actions)
      return rest?.[0] ?? actions(state).at(-1)!
    },
    terminalReward: ({ isRight }) => (isRight ? 11 : 1e-10),
  }
}

/** Open parentheses without an operator: each needs a card more. */
function unmet(open: readonly boolean[]): number {
  return open.filter((hasOperator) => !hasOperator).length
}

/** Whether a number or an opening parenthesis comes next. */
function wantsOperand(formula: readonly string[]): boolean {
  const last = formula.at(-1)
  return last === undefined || last === '(' || '+-*/'.includes(last)
}

function withSign(state: PointsState, sign: string): PointsState {
  const formula = [...state.formula, sign]
  if (sign === '(') return { ...state, formula, open: [...state.open, false] }
  if (sign === ')') return { ...state, formula, open: state.open.slice(0, -1) }
  if ('+-*/'.includes(sign))
    return { ...state, formula, open: state.open.length === 0 ? state.open : state.open.with(-1, true) }
  const position = state.cards.findIndex((card, index) => !state.used[index] && String(card) === sign)
  return { ...state, formula, used: state.used.with(position, true) }
}

/** Signs that complete a formula rightly, "=" included; undefined where none do. Tries the shortest first. */
function completion(
  state: PointsState,
  operators: readonly Operator[],
  parentheses: boolean,
  actions: (state: PointsState) => readonly string[],
): readonly string[] | undefined {
  if (state.formula.length === 0) {
    const whole = formulaFor(state.cards, state.target, operators)
    return whole && [...whole, '=']
  }
  const search = (at: PointsState, openings: number): string[] | undefined => {
    if (at.used.every(Boolean) && at.open.length === 0 && !wantsOperand(at.formula)) {
      const value = formulaValue(at.formula)
      return value !== null && value.over === at.target * value.under ? ['='] : undefined
    }
    for (const sign of actions(at)) {
      if (sign === '=' || (sign === '(' && openings === 0)) continue
      const rest = search(withSign(at, sign), sign === '(' ? openings - 1 : openings)
      if (rest !== undefined) return [sign, ...rest]
    }
    return undefined
  }
  for (let openings = 0; openings <= (parentheses ? 2 : 0); openings++) {
    const found = search(state, openings)
    if (found !== undefined) return found
  }
  return undefined
}
