import { expect, test } from 'vitest'
import { abortSignalOf, Stopper, shared } from './stop-signal.ts'

test('a stopper stops once, tells each listener once, and not those who left', () => {
  const stopper = new Stopper()
  const heard: string[] = []
  const leaves = () => heard.push('left')
  stopper.addEventListener('abort', () => heard.push('stays'))
  stopper.addEventListener('abort', leaves)
  stopper.removeEventListener('abort', leaves)
  stopper.throwIfAborted()
  stopper.abort('first')
  stopper.abort('second')
  expect(heard).toEqual(['stays'])
  expect([stopper.aborted, stopper.reason]).toEqual([true, 'first'])
  expect(() => stopper.throwIfAborted()).toThrow('first')
})

test('signals of the platform are followed and given, aborted before or after', () => {
  const controller = new AbortController()
  const follower = shared(controller.signal)
  expect(shared(controller.signal)).toBe(follower)
  const given = abortSignalOf(follower)
  expect(abortSignalOf(controller.signal)).toBe(controller.signal)
  controller.abort('why')
  expect([follower.aborted, follower.reason, given.aborted, given.reason]).toEqual([true, 'why', true, 'why'])
  expect(shared(AbortSignal.abort('gone')).reason).toBe('gone')
  expect(abortSignalOf(shared(AbortSignal.abort('gone'))).reason).toBe('gone')
})
