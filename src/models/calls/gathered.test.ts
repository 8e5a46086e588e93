import { expect, test } from 'vitest'
import { gathered } from './gathered.ts'

test('what comes in one turn, or for a while, is done at once; each failure belongs to its own turn', async () => {
  const done: (readonly number[])[] = []
  let wait = 0
  const add = gathered<number, number>(
    async (items) => {
      done.push(items)
      if (items.includes(0)) throw new Error('no zero')
      return items.reduce((sum, item) => sum + item)
    },
    () => wait,
  )
  expect(await Promise.all([add(1), add(2)])).toEqual([3, 3])
  const results = await Promise.allSettled([add(0), add(5)])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await add(7)).toBe(7)
  wait = 20
  const first = add(1)
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(await Promise.all([first, add(1)])).toEqual([2, 2])
  expect(done).toEqual([[1, 2], [0, 5], [7], [1, 1]])
})
