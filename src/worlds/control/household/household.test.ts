import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rng } from '../../../core/index.ts'
import { Episode, playBest } from '../episode.ts'
import { goalKinds, isHeldOut } from './house.ts'
import { goalText, household } from './household.ts'
import { afterMove, type HouseholdState, legalMoves } from './moves.ts'
import { shortestPlan } from './solver.ts'

const game = household()
const stateOf = (index: number, split = 'train') => game.start(game.task(split, index), new Rng(0))

/** Breadth-first search over all moves: what the solver must not do better or worse than. */
function fewestMoves(start: HouseholdState): number {
  const key = ({ room, at, held, places, done, open }: HouseholdState) =>
    `${room},${at},${held},${open},${places.join()},${done.join()}`
  let frontier = [start]
  const seen = new Set([key(start)])
  for (let depth = 1; frontier.length > 0; depth++) {
    const next: HouseholdState[] = []
    for (const state of frontier)
      for (const move of legalMoves(state)) {
        const reached = afterMove(state, move)
        if (reached.isDone) return depth
        if (seen.has(key(reached))) continue
        seen.add(key(reached))
        next.push(reached)
      }
    frontier = next
  }
  throw new Error('no way')
}

describe('solver', () => {
  test('finds ways as short as a search of everything, also from states that play has led to', () => {
    const small = household({ rooms: 2, placesPerRoom: 0, things: 2 })
    fc.assert(
      fc.property(fc.nat({ max: 99_999 }), fc.nat({ max: 6 }), fc.nat(), (index, moves, seed) => {
        let state = small.start(small.task('train', index), new Rng(0))
        const rng = new Rng(seed)
        for (let move = 0; move < moves && !state.isDone; move++)
          state = afterMove(state, rng.pick(legalMoves(state)))
        if (state.isDone) return
        expect(shortestPlan(state)).toHaveLength(fewestMoves(state))
      }),
      { numRuns: 12 },
    )
  })

  test('its plans are legal to their end, for every kind of goal', () => {
    const kinds = new Set<string>()
    for (let index = 0; index < 80; index++) {
      const start = stateOf(index)
      kinds.add(start.house.goal.kind)
      let state = start
      for (const move of shortestPlan(start)) {
        expect(legalMoves(state)).toContain(move)
        state = afterMove(state, move)
      }
      expect(state.isDone, goalText(start.house.goal)).toBe(true)
    }
    expect([...kinds].sort()).toEqual([...goalKinds].sort())
  })

  test('every step of the oracle brings the goal one move nearer', () => {
    const { episode, actions } = playBest(game, game.task('test', 7))
    expect(episode.isWon).toBe(true)
    expect(actions).toHaveLength(shortestPlan(stateOf(7, 'test')).length)
  })
})

test('only what stands open is seen', () => {
  for (let index = 0; index < 40; index++) {
    const start = stateOf(index)
    for (const { name } of start.house.things) expect(game.text(start)).not.toContain(name)
    const place = start.house.places.findIndex(
      ({ kind, room }, at) =>
        room === start.room &&
        ['fridge', 'cabinet', 'drawer'].includes(kind) &&
        start.house.things.some((thing) => thing.place === at),
    )
    if (place < 0) continue
    const { name } = start.house.places[place]!
    const inside = start.house.things.find((thing) => thing.place === place)!.name
    const there = game.step(start, `go to ${name}`, new Rng(0)).state
    expect(game.text(there)).toContain('which is closed')
    expect(game.text(there)).not.toContain(inside)
    const opened = game.step(there, `open ${name}`, new Rng(0)).state
    expect(game.text(opened)).toContain(inside)
    return
  }
  throw new Error('no house of the forty has a thing behind a door')
})

test('the split of unseen pairs shares none with training', () => {
  for (let index = 0; index < 200; index++) {
    expect(isHeldOut(stateOf(index).house.goal)).toBe(false)
    expect(isHeldOut(stateOf(index, 'unseen').house.goal)).toBe(true)
  }
})

test('sub-goals are paid once, the goal at the end, as the paper counts', () => {
  const paid = household({ goalReward: 50, subGoalReward: 1, goals: ['clean'] })
  const task = paid.task('train', 2)
  const { episode, actions } = playBest(paid, task)
  expect(episode.total).toBe(53)
  const taken = actions.findIndex((action) => action.startsWith('take'))
  const again = new Episode(paid, task)
  for (const action of actions.slice(0, taken)) again.step(action)
  const [take] = [actions[taken]!]
  const [, thing, place] = /take (.+) from (.+)/.exec(take)!
  expect(again.step(take).reward).toBe(1)
  const back = again.actions().find((action) => action.startsWith('put'))!
  expect(back).toMatch(new RegExp(`put ${thing} (in|on) ${place}`))
  expect(again.step(back).reward).toBe(0)
  expect(again.step(take).reward).toBe(0)
})

test('a heated thing is no longer cool', () => {
  const start = stateOf(0)
  const move = (kind: 'heat' | 'cool') => ({ kind, thing: 0, place: 0, text: '' })
  const cooled = afterMove(start, move('cool'))
  expect(cooled.done[0]).toBe(4)
  expect(afterMove(cooled, move('heat')).done[0]).toBe(2)
})

test("the tools make the game's own actions", () => {
  const tool = (name: string) => game.tools!.find((each) => each.name === name)!
  expect(tool('go_to').action({ place: 'fridge 1' })).toBe('go to fridge 1')
  expect(tool('put').action({ thing: 'mug 1', place: 'table 2' })).toBe('put mug 1 on table 2')
  expect(tool('put').action({ thing: 'mug 1', place: '__proto__ 2' })).toBe('put mug 1 in __proto__ 2')
  expect(tool('look_at').action({ thing: 'pen 1', place: 'lamp 1' })).toBe('look at pen 1 under lamp 1')
})
