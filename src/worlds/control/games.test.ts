import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { blackjack } from './blackjack.ts'
import { Episode, playBest } from './episode.ts'
import { formulaFor, formulaValue } from './formula.ts'
import type { Game } from './game.ts'
import { histories, rewardProportional } from './histories.ts'
import { household } from './household/household.ts'
import { closeness, numberLine } from './number-line.ts'
import { numberRoutes } from './number-routes.ts'
import { oneRoom, shortestRoute } from './one-room.ts'
import { ezPoints, points24 } from './points.ts'
import { readAction } from './read-action.ts'

const games: readonly (readonly [string, Game])[] = [
  numberLine(),
  numberLine({ stop: true }),
  numberRoutes(),
  numberRoutes({ stop: false }),
  blackjack(),
  ezPoints(),
  points24(),
  oneRoom(),
  household(),
].map((game, index) => [`${game.name} ${index}`, game as Game])

describe.each(games)('%s', (_, game) => {
  const anyTask = fc
    .tuple(fc.constantFrom(...game.splits), fc.nat({ max: 1e6 }))
    .map(([split, number]) => game.task(split.name, number % split.tasks))

  test('any play of legal actions stays lawful to its end', () => {
    fc.assert(
      fc.property(anyTask, fc.string(), (task, seed) => {
        const episode = new Episode(game, task, { seed })
        const rng = new Rng(seed)
        const [low, high] = game.rewardRange
        while (!episode.isOver) {
          const actions = episode.actions()
          expect(actions.length).toBeGreaterThan(0)
          expect(new Set(actions).size).toBe(actions.length)
          const before = JSON.stringify(episode.state)
          const state = episode.state
          expect(episode.step(rng.pick(actions)).legal).toBe(true)
          expect(JSON.stringify(state)).toBe(before) // states never change
          expect(game.terminalReward(episode.state)).toBeGreaterThan(0)
        }
        expect(episode.total).toBeGreaterThanOrEqual(low)
        expect(episode.total).toBeLessThanOrEqual(high)
        expect(episode.steps).toBeLessThanOrEqual(game.stepLimit(task))
        expect(episode.terminated ? game.actions(episode.state) : []).toEqual([])
        expect(() => episode.step('x')).toThrow('is over')
      }),
      { numRuns: 20 },
    )
  })

  test('task and seed decide everything', () => {
    fc.assert(
      fc.property(anyTask, fc.nat(), (task, seed) => {
        const play = () => {
          const episode = new Episode(game, task, { seed })
          const rng = new Rng(seed)
          const seen: unknown[] = [episode.text()]
          while (!episode.isOver) {
            const step = episode.step(rng.pick(episode.actions()))
            seen.push(step, episode.text(), episode.symbols())
          }
          return [...seen, Buffer.from(episode.picture()?.data ?? []).toString('base64')]
        }
        expect(play()).toEqual(play())
      }),
      { numRuns: 4 },
    )
  })

  test('illegal actions change nothing, take a step and are paid for', () => {
    const episode = new Episode(game, game.task(game.splits[0]!.name, 3), { illegalReward: -0.5 })
    const { state } = episode
    const limit = game.stepLimit(episode.task)
    for (let step = 1; step <= limit; step++)
      expect(episode.step('fly')).toEqual({
        reward: -0.5,
        terminated: false,
        truncated: step === limit,
        legal: false,
      })
    expect(episode.state).toBe(state)
    expect(episode.total).toBeCloseTo(-0.5 * limit)
    expect(() => game.step(state, 'fly', new Rng(0))).toThrow('no legal action')
  })
})

test.each(games.filter(([, { name }]) => name !== 'blackjack'))(
  'the oracle wins every task within the limit: %s',
  (_, game) => {
    for (const split of game.splits)
      for (let index = 0; index < Math.min(25, split.tasks); index++) {
        const task = game.task(split.name, index)
        const { episode } = playBest(game, task)
        expect(episode.isWon, JSON.stringify(task)).toBe(true)
        expect(episode.total).toBeLessThanOrEqual(game.rewardRange[1])
      }
  },
)

describe('number line', () => {
  test('every ordered pair of the line is one task', () => {
    const game = numberLine()
    const tasks = Array.from({ length: 30 }, (_, index) => game.task('train', index))
    expect(new Set(tasks.map(({ start, target }) => `${start},${target}`)).size).toBe(30)
    expect(tasks.every(({ start, target }) => start !== target && start <= 5 && target <= 5)).toBe(true)
    const far = Array.from({ length: 200 }, (_, index) => game.task('far', index))
    expect(far.every(({ start, target }) => start >= 10 && target >= 10 && target <= 50)).toBe(true)
  })

  test('pays 1 at the target, 0 towards it, -1 away from it', () => {
    const episode = new Episode(numberLine(), { largest: 5, start: 2, target: 4 })
    expect(['-', '+', '+', '+'].map((action) => episode.step(action).reward)).toEqual([-1, 0, 0, 1])
    expect(episode.isWon).toBe(true)
  })

  test('closeness, as the logarithms of the card', () => {
    const logs = [3, 2, 1, 0].map((distance) => Math.log(closeness(distance, 100)))
    for (const [index, log] of [3.218876, 3.506558, 3.912023, 4.60517].entries())
      expect(logs[index]).toBeCloseTo(log, 6)
  })
})

describe('number routes', () => {
  const game = numberRoutes({ moves: 4 })

  test('the tree of four moves has 341 histories, and their chances add up', () => {
    const nodes = histories(game, { start: 1, target: 6, moves: 4 }, 4)
    expect(nodes).toHaveLength(341)
    const distribution = rewardProportional(game, nodes)
    expect(distribution).toHaveLength(341)
    expect(distribution.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12)
    const [hit, miss] = [6, 1].map(
      (value) => distribution.find(({ history }) => history.state.current === value)!.probability,
    )
    expect(hit! / miss!).toBeCloseTo(6, 10) // 10 / 1 against 10 / 6
  })

  test('without a stop action only finished histories end', () => {
    const walk = numberRoutes({ moves: 3, stop: false })
    const nodes = histories(walk, { start: 1, target: 4, moves: 3 }, 3)
    for (const { history } of rewardProportional(walk, nodes)) expect(history.isOver).toBe(true)
  })

  test('most tasks have several shortest routes', () => {
    const several = Array.from({ length: game.splits[0]!.tasks }, (_, index) => {
      const task = game.task('train', index)
      const routes = histories(game, task, 4).filter(({ state }) => state.current === task.target)
      return routes.length > 1
    })
    expect(several.filter(Boolean).length / several.length).toBeGreaterThan(0.9)
  })
})

describe('formulas', () => {
  test('are exact, with the usual precedence', () => {
    const value = (text: string) => formulaValue(text.split(' '))
    expect(value('8 / ( 3 - 8 / 3 )')).toEqual({ over: 24, under: 1 })
    expect(value('1 + 2 * 3 - 4')).toEqual({ over: 3, under: 1 })
    expect(value('8 - 3 - 2')).toEqual({ over: 3, under: 1 })
    expect(value('8 / 4 / 2 * 3')).toEqual({ over: 3, under: 1 })
    expect(value('1 / ( 2 - 2 )')).toBeNull()
    expect(value('1 / ( 2 - 2 ) + 3')).toBeNull()
  })

  test('a found formula uses each number once and gives the target', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 4 }), (numbers) => {
        const found = formulaFor(numbers, 24, ['+', '-', '*', '/'])
        if (found === undefined) return
        expect(formulaValue(found)).toEqual({ over: 24, under: 1 })
        const used = found.filter((sign) => /\d/.test(sign)).map(Number)
        expect(used.sort()).toEqual([...numbers].sort())
      }),
    )
    expect(formulaFor([3, 3, 8, 8], 24, ['+', '-', '*', '/'])?.join('')).toBe('8/(3-8/3)')
    expect(formulaFor([1, 1, 1, 1], 24, ['+', '-', '*', '/'])).toBeUndefined()
  })

  test('a formula that leaves a card out is wrong, and the oracle finishes one that can still be right', () => {
    const task = { cards: [4, 6, 1, 1], target: 24 }
    const short = new Episode(points24(), task)
    for (const sign of ['4', '*', '6']) short.step(sign)
    expect(short.step('=')).toMatchObject({ reward: -1, terminated: true })
    const game = points24()
    const begun = new Episode(game, task)
    for (const sign of ['(', '1', '*']) begun.step(sign)
    while (!begun.isOver) begun.step(game.bestAction(begun.state))
    expect(begun.isWon).toBe(true)
    expect(begun.total).toBe(10)
  })
})

test('routes of one room are as short as walking and turning allow', () => {
  const walls = new Array<number>(49).fill(0)
  expect(shortestRoute({ at: 0, facing: 1, goal: 3, walls })).toEqual(['forward', 'forward', 'forward'])
  expect(shortestRoute({ at: 0, facing: 3, goal: 1, walls })).toHaveLength(3) // two turns, one step
  expect(shortestRoute({ at: 0, facing: 1, goal: 0, walls })).toEqual([])
})

test('actions are read from thoughts, JSON, last lines and plain text', () => {
  const legal = ['+', '-', 'go to sink 1']
  expect(readAction('+', legal)).toBe('+')
  expect(readAction('I am at 2, so: {"thoughts": "up {", "action": "+"}', legal)).toBe('+')
  expect(readAction('{"action": "+"} no, {"action": "-"}', legal)).toBe('-')
  expect(readAction('think\nAction: Go to sink 1.\n', legal)).toBe('go to sink 1')
  expect(readAction('"go to sink 1"', legal)).toBe('go to sink 1')
  expect(readAction('jump', legal)).toBe('jump')
  expect(readAction('{'.repeat(10_000), legal)).toBe('{'.repeat(10_000))
})
