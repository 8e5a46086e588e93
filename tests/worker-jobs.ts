import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { Rng } from '../src/core/index.ts'
import { openStore, type Store } from '../src/store/index.ts'
import type { PostgresServer } from './postgres-server.ts'

// What the tests and the bench of workers share: data, processes, and how to disturb them.

/** A reward of worker-rewards.ts. */
export const workerReward = (name: string, options?: Readonly<Record<string, number | string>>) => ({
  module: join(import.meta.dirname, 'worker-rewards.ts'),
  export: name,
  ...(options === undefined ? {} : { options }),
})

/** Rows of about 260 bytes in groups of four; each hundredth id stands twice. */
export async function writeSamples(path: string, rows: number): Promise<void> {
  const rng = new Rng(`workers ${rows}`)
  const file = createWriteStream(path, { highWaterMark: 1 << 20 })
  for (let from = 0; from < rows; from += 1000) {
    const lines = Array.from({ length: Math.min(1000, rows - from) }, (_, index) => {
      const row = from + index
      return JSON.stringify({
        id: `sample-${row % 100 === 99 ? row - 50 : row}`,
        group: `question-${row >> 2}`,
        prompt: `Question ${row >> 2}. ${'The same words again. '.repeat(7)}`,
        output: String(rng.int(0, 3)),
        reference: rng.chance(0.02) ? null : String(rng.int(0, 3)),
      })
    })
    if (!file.write(`${lines.join('\n')}\n`)) await once(file, 'drain')
  }
  file.end()
  await finished(file)
}

/** A `guerdon worker` of its own. */
export function startWorker(address: string, ...options: readonly string[]): ChildProcess {
  const child = spawn(
    process.execPath,
    [
      '--conditions=guerdon-source',
      join(import.meta.dirname, '../src/cli/main.ts'),
      ...['worker', '--store', address, '--lease', '10', '--quiet'],
      ...options,
    ],
    { stdio: 'ignore' },
  )
  const kill = () => child.kill('SIGKILL') // it would not end by itself
  process.on('exit', kill)
  child.on('exit', () => process.off('exit', kill))
  return child
}

export async function ended(child: ChildProcess): Promise<number | NodeJS.Signals> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode!
  const [code, signal] = await once(child, 'exit')
  return code ?? signal
}

export interface Disturbances {
  readonly seed: string
  readonly workers: number
  /** How often a worker is killed (kill -9) and another started, and how often all connections are dropped. */
  readonly kills: number
  readonly drops: number
  /** Longest pause between two disturbances [ms]. */
  readonly pause: number
}

export interface Disturbed {
  kills: number
  drops: number
  /** Connections that were dropped, over all drops. */
  connections: number
}

/** Workers that are killed and cut off at random while `work` is under way, and left in peace afterwards. */
export async function amongDisturbances<Result>(
  server: PostgresServer,
  address: string,
  { seed, workers, kills, drops, pause }: Disturbances,
  work: () => Promise<Result>,
): Promise<{ result: Result; disturbed: Disturbed }> {
  const rng = new Rng(seed)
  const children = Array.from({ length: workers }, () => startWorker(address))
  const disturbed: Disturbed = { kills: 0, drops: 0, connections: 0 }
  let isOver = false
  const disturb = async () => {
    const plan = rng.shuffled([...Array<'kill'>(kills).fill('kill'), ...Array<'drop'>(drops).fill('drop')])
    for (const what of plan) {
      await new Promise((resolve) => setTimeout(resolve, rng.int(pause / 4, pause)))
      if (isOver) return
      if (what === 'drop') {
        disturbed.connections += await server.dropConnections()
        disturbed.drops++
      } else {
        const place = rng.int(0, workers)
        children[place]!.kill('SIGKILL')
        disturbed.kills++
        children[place] = startWorker(address)
      }
    }
  }
  const disturbing = disturb()
  try {
    return { result: await work(), disturbed }
  } finally {
    isOver = true
    await disturbing
    for (const child of children) child.kill('SIGTERM')
    await Promise.all(children.map(ended))
  }
}

/** Everything that a run says, as one hash, with counts. */
export async function contentOf(store: Store, run: string) {
  const hash = createHash('sha256')
  const counts = { samples: 0, scores: 0 }
  for (let after = 0; ; ) {
    const page = await store.runs.page(run, { after, limit: 5000 })
    if (page.length === 0) return { ...counts, hash: hash.digest('hex') }
    for (const { position, sample, scores } of page) {
      counts.samples++
      counts.scores += Object.keys(scores).length
      const ordered = Object.entries(scores).sort(([a], [b]) => (a < b ? -1 : 1))
      hash.update(JSON.stringify([position, sample, ordered]))
    }
    after = page.at(-1)!.position
  }
}

export async function withStore<Result>(
  location: string,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  const store = await openStore(location)
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
