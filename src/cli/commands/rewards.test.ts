import { expect, test } from 'vitest'
import { command } from '../../../tests/command.ts'

const guerdon = (...args: string[]) => command(args)

test('the words of a judge are shown, each use under its name', async () => {
  const { exitCode, out } = await guerdon('rewards', 'show', 'onereward', '--prompt')
  expect(exitCode).toBe(0)
  expect(out).toContain('pair\nversion 1')
  expect(out).toContain('is result 1 better than result 2?')
  const { out: json } = await guerdon('--json', 'rewards', 'show', 'rewarddance', '--prompt')
  expect(Object.keys(JSON.parse(json))).toEqual(['pair', 'point'])
})

test('a reward that asks no model has no words', async () => {
  const { exitCode, problems } = await guerdon('rewards', 'show', 'math', '--prompt')
  expect(exitCode).toBe(2)
  expect(problems).toContain('has no prompt')
})
