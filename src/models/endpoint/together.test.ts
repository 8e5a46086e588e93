import { expect, test } from 'vitest'
import { CallError } from '../calls/call.ts'
import { together } from './together.ts'

test('what is asked at the same time is sent together; a bad item fails alone; one that leaves leaves alone', async () => {
  const sent: (readonly string[])[] = []
  const ask = together<string, string>(3, async (items, signal) => {
    sent.push(items)
    if (items.includes('bad')) throw new CallError('bad-input', 'no')
    await new Promise((resolve) => setTimeout(resolve, 20))
    signal.throwIfAborted()
    return items.map((item) => item.toUpperCase())
  })
  const stop = new AbortController()
  const never = new AbortController().signal
  const results = Promise.allSettled([
    ask('a', never),
    ask('bad', never),
    ask('b', never),
    ask('c', never),
    ask('leaves', stop.signal),
  ])
  setTimeout(() => stop.abort(new Error('left')), 5)
  expect(
    (await results).map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message)),
  ).toEqual(['A', 'no', 'B', 'C', 'left'])
  expect(sent[0]).toEqual(['a', 'bad', 'b'])
  expect(sent).toContainEqual(['c', 'leaves'])
  expect(sent).toHaveLength(5)
})
