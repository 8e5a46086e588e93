import { CallError } from '../calls/call.ts'
import { Stopper, type StopSignal } from '../calls/stop-signal.ts'

interface Waiting<Item, Result> {
  readonly item: Item
  readonly signal: StopSignal
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Sends what is asked for at the same time in one request, up to `most` items. Where a request of several is refused for
 * what is in it, each of them is sent alone, so that one bad item fails alone.
 */
export function together<Item, Result>(
  most: number,
  send: (items: readonly Item[], signal: StopSignal) => Promise<readonly Result[]>,
): (item: Item, signal: StopSignal) => Promise<Result> {
  let waiting: Waiting<Item, Result>[] = []
  const request = async (group: readonly Waiting<Item, Result>[]) => {
    const stop = new Stopper()
    // one that leaves takes only itself along
    let left = group.length
    const leave = ({ signal, reject }: Waiting<Item, Result>) => {
      reject(signal.reason)
      if (--left === 0) stop.abort(signal.reason)
    }
    const leaving = group.map((member) => () => leave(member))
    group.forEach(({ signal }, index) => {
      if (signal.aborted) leaving[index]!()
      else signal.addEventListener('abort', leaving[index]!)
    })
    try {
      const results = await send(
        group.map(({ item }) => item),
        stop,
      )
      group.forEach(({ resolve }, index) => {
        resolve(results[index]!)
      })
    } catch (error) {
      const isContent = error instanceof CallError && (error.code === 'bad-input' || error.code === 'refused')
      if (isContent && group.length > 1) await Promise.all(group.map((member) => request([member])))
      else for (const { reject } of group) reject(error)
    } finally {
      group.forEach(({ signal }, index) => {
        signal.removeEventListener('abort', leaving[index]!)
      })
    }
  }
  return (item, signal) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, signal, resolve, reject })
      if (waiting.length > 1) return
      setImmediate(() => {
        const all = waiting
        waiting = []
        for (let first = 0; first < all.length; first += most) void request(all.slice(first, first + most))
      })
    })
}
