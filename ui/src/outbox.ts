import { useSyncExternalStore } from 'react'
import { ApiProblem, encode, send } from './api.ts'
import type { SubmittedVote } from './wire.ts'

/** A vote that is kept in the browser until the server has it. */
interface Waiting {
  readonly id: string
  readonly task: string
  readonly vote: SubmittedVote
  /** Until then it can be taken back [ms since 1970]. */
  readonly notBefore: number
}

export interface OutboxState {
  readonly waiting: number
  readonly problem: string | null
}

/** How long the last vote can be taken back [ms]. */
const regret = 4000
const retryAfter = 2000
const batch = 200

let database: Promise<IDBDatabase> | undefined
let state: OutboxState = { waiting: 0, problem: null }
let timer: ReturnType<typeof setTimeout> | undefined
let isFlushing = false
const listeners = new Set<() => void>()

function tell(next: OutboxState): void {
  state = next
  for (const listener of listeners) listener()
}

export function useOutbox(): OutboxState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => state,
  )
}

function opened(): Promise<IDBDatabase> {
  database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open('guerdon-votes', 1)
    request.onupgradeneeded = () => request.result.createObjectStore('outbox', { keyPath: 'id' })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
  return database
}

async function within<Result>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result> {
  // On disk before it counts as written: a vote outlives the browser.
  const transaction = (await opened()).transaction('outbox', mode, { durability: 'strict' })
  const request = work(transaction.objectStore('outbox'))
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result)
    transaction.onerror = () => reject(transaction.error)
    transaction.onabort = () => reject(transaction.error)
  })
}

/** Writes a vote down and sends it soon; resolves when it cannot be lost any more. */
export async function keepVote(task: string, vote: SubmittedVote): Promise<void> {
  await within('readwrite', (store) =>
    store.put({ id: vote.id, task, vote, notBefore: Date.now() + regret } satisfies Waiting),
  )
  await count()
  schedule(regret)
}

/** Takes back a vote that has not been sent; false when it is too late. */
export async function takeBack(id: string): Promise<boolean> {
  const there = await within('readonly', (store) => store.get(id))
  if (there === undefined) return false
  await within('readwrite', (store) => store.delete(id))
  await count()
  return true
}

async function count(): Promise<void> {
  tell({ ...state, waiting: await within('readonly', (store) => store.count()) })
}

function schedule(after: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => void flush(), after)
}

/** Sends what waits; what the server has is forgotten here, everything else stays and is tried again. */
export async function flush(everything = false): Promise<void> {
  if (isFlushing) return
  isFlushing = true
  let problem: string | null = null
  try {
    const all = (await within('readonly', (store) => store.getAll())) as Waiting[]
    const ready = all.filter(({ notBefore }) => everything || notBefore <= Date.now())
    for (const [task, votes] of Map.groupBy(ready, (one) => one.task))
      for (let first = 0; first < votes.length; first += batch) {
        const part = votes.slice(first, first + batch)
        try {
          await send(`votes/${encode(task)}/votes`, { votes: part.map(({ vote }) => vote) })
          await within('readwrite', (store) => {
            for (const { id } of part.slice(1)) store.delete(id)
            return store.delete(part[0]!.id)
          })
        } catch (error) {
          if (!(error instanceof ApiProblem)) throw error
          problem = error.message
        }
      }
  } catch (error) {
    problem = (error as Error).message
  } finally {
    isFlushing = false
  }
  tell({ ...state, problem })
  await count()
  if (state.waiting > 0) schedule(problem === null ? 500 : retryAfter)
}

window.addEventListener('online', () => void flush())
