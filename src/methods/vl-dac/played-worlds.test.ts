import { afterAll, describe, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { playedCards, playedRoom } from './played-worlds.ts'

const settings = {
  size: { width: 16, heads: 2, eyes: 1, depth: 1, patch: 8 },
  roomSteps: 16,
  bestActions: { room: 1, cards: 1 },
} as const
const [room, cards] = [playedRoom(settings), playedCards(settings)]
afterAll(() => Promise.all([room, cards].map(({ player }) => player.policy.dispose())))

describe.each([
  ['room', room],
  ['cards', cards],
] as const)('%s', (_, { player, lesson, question, rewards, trainingTask }) => {
  const { policy, language } = player
  const ask = player.wordsOf(['what'])[0]!

  test('lessons are a thought of five words and an action that can be read, or a question', () => {
    const lessons = Array.from({ length: 90 }, (_, index) => lesson(new Rng(index)))
    const played = lessons.filter(({ tokens }) => tokens.at(-1) !== ask)
    expect(played.length).toBeGreaterThan(40)
    expect(played.length).toBeLessThan(75)
    for (const { response } of played) {
      const { action, thought } = player.read(response)
      expect(thought).toBe(5)
      expect(language.actions).toContain(action)
    }
    for (const row of lessons) expect(row.response.length).toBeLessThanOrEqual(player.maxTokens)
  })

  test('questions are about the picture, the same for the same seed', () => {
    const asked = () =>
      Array.from({ length: 20 }, (_, index) => policy.decode(question(new Rng(index)).response))
    expect(asked()).toEqual(asked())
    expect(new Set(asked()).size).toBeGreaterThan(5)
  })

  test('what wins is paid 1, what is not legal -0.1', () => {
    const { game } = language
    let state = game.start(trainingTask(new Rng(1)), new Rng(0))
    const moves = [{ isLegal: false, reward: -1 }]
    while (game.actions(state).length > 0) {
      const next = game.step(state, game.bestAction(state), new Rng(0))
      moves.push({ isLegal: true, reward: next.reward })
      state = next.state
    }
    const paid = rewards({ moves } as never)
    expect(paid[0]).toBe(-0.1)
    expect(paid.at(-1)).toBe(1)
    expect(paid.slice(1, -1).every((reward) => reward === 0)).toBe(true)
  })
})

test('right thoughts say what is so', () => {
  const thoughts = Array.from({ length: 60 }, (_, index) => cards.lesson(new Rng(index)))
    .map(({ response }) => cards.player.policy.decode(response).split(' '))
    .filter(([first]) => first === 'have')
  expect(thoughts.length).toBeGreaterThan(20)
  for (const [, first, second, , plan] of thoughts)
    expect(plan === 'sum' ? Number(first) + Number(second) : Number(first) * Number(second)).toBe(12)
})
