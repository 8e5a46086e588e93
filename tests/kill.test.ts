import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Rng } from '../src/core/index.ts'
import { openStore } from '../src/store/index.ts'

// A run may be killed at any moment (kill -9), any number of times: resumed, it is the run that nobody disturbed.

const folder = mkdtempSync(join(tmpdir(), 'guerdon-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const many = { rows: 100_000, source: join(folder, 'many.jsonl') }
const few = { rows: 20_000, source: join(folder, 'few.jsonl') }
let killed = ''
let undisturbed = ''

beforeAll(async () => {
  for (const { rows, source } of [many, few]) {
    const rng = new Rng(`kill ${rows}`)
    const lines = Array.from({ length: rows }, (_, index) =>
      JSON.stringify({
        id: `sample-${index}`,
        prompt: `Question ${index}. ${'The same words again. '.repeat(6)}`,
        output: String(rng.int(0, 3)),
        reference: rng.chance(0.02) ? null : String(rng.int(0, 3)),
      }),
    )
    writeFileSync(source, `${lines.join('\n')}\n`)
  }
  killed = join(folder, 'killed.db')
  undisturbed = join(folder, 'undisturbed.db')
  // Also fills the cache of compiled modules, which a killed process leaves empty.
  await completed(start(undisturbed, few.source, 'few', 'threads', 'last'))
})

function start(store: string, source: string, run: string, ...how: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, 'kill-run.ts'), store, source, run, ...how], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') }, // most of a short process is starting it
  })
}

/** The last line that the process wrote, once it has ended by itself. */
async function completed(child: ChildProcess): Promise<number> {
  let last = ''
  createInterface({ input: child.stdout! }).on('line', (line) => {
    last = line
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect(code).toBe(0)
  return Number(last)
}

/** Kills the process `delay` ms after it has told of `scores` new scores, or has fallen silent; false when it ended before. */
async function killAfter(child: ChildProcess, scores: number, delay: number): Promise<boolean> {
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('close', (_, signal) => resolve(signal)),
  )
  const reached = new Promise<void>((resolve) => {
    if (scores === 0) resolve()
    let silence: NodeJS.Timeout | undefined
    createInterface({ input: child.stdout! }).on('line', (line) => {
      clearTimeout(silence)
      silence = setTimeout(resolve, 500)
      if (Number(line) >= scores) resolve()
    })
  })
  await Promise.race([reached, ended])
  await new Promise((resolve) => setTimeout(resolve, delay))
  child.kill('SIGKILL')
  return (await ended) === 'SIGKILL'
}

/** Everything that a run's rows say, in order; and how many scores there are of which kind. */
function contentOf(path: string, run: string) {
  const database = new DatabaseSync(path)
  const hash = createHash('sha256')
  const { key } = database.prepare('SELECT key FROM runs WHERE id = ?').get(run) as { key: number }
  let [samples, scores, outages] = [0, 0, 0]
  for (const row of database
    .prepare(
      'SELECT position, id, group_hash, content FROM samples JOIN contents USING (run, position) WHERE run = ?',
    )
    .iterate(key)) {
    samples++
    hash.update(JSON.stringify(row))
  }
  for (const row of database
    .prepare(
      `SELECT name, identity, position, value, code, reason, parts FROM rewards JOIN scores ON reward = key
       WHERE run = ? ORDER BY name, position`,
    )
    .iterate(key)) {
    scores++
    if (row.code === 'outage') outages++
    hash.update(JSON.stringify(row))
  }
  const check = database.prepare('PRAGMA quick_check').get()
  database.close()
  expect(check).toEqual({ quick_check: 'ok' })
  return { samples, scores, outages, hash: hash.digest('hex') }
}

test('20 kills in a row lose nothing and repeat nothing', { timeout: 240_000 }, async () => {
  const rng = new Rng('kills')
  let before = { samples: 0, scores: 0, outages: 0 }
  let kills = 0
  for (let attempt = 0; attempt < 20; attempt++) {
    const how = attempt % 2 === 0 ? 'threads' : 'one'
    // Mostly in the middle of work, sometimes while starting.
    const scores = rng.chance(0.15) ? 0 : rng.int(1, 4_000)
    const child = start(killed, many.source, 'run', how, 'early')
    if (await killAfter(child, scores, rng.int(0, scores === 0 ? 400 : 60))) kills++
    const now = await stored()
    expect(now.samples).toBeGreaterThanOrEqual(before.samples)
    expect(now.scores).toBeGreaterThanOrEqual(before.scores)
    before = now
  }
  expect(kills).toBe(20)
  expect(before.scores).toBeGreaterThan(10_000)
  expect(before.scores).toBeLessThan(2 * many.rows)
  expect(before.outages).toBeGreaterThan(0)

  const newScores = await completed(start(killed, many.source, 'run', 'threads', 'last'))
  expect(newScores).toBe(2 * many.rows - before.scores + before.outages)
  await completed(start(undisturbed, many.source, 'run', 'one', 'last'))
  const expected = contentOf(undisturbed, 'run')
  expect(expected).toMatchObject({ samples: many.rows, scores: 2 * many.rows, outages: 0 })
  expect(contentOf(killed, 'run')).toEqual(expected)
})

/** What a later process finds. */
async function stored() {
  const store = await openStore(killed)
  if ((await store.runs.find('run'))?.rewards.length !== 2) return { samples: 0, scores: 0, outages: 0 }
  const { samples, rewards } = await store.runs.totals('run')
  const totals = Object.values(rewards)
  await store.close()
  return {
    samples,
    scores: totals.reduce((sum, { scored, unscored }) => sum + scored + unscored, 0),
    outages: totals.reduce((sum, { unscoredBy }) => sum + (unscoredBy.outage ?? 0), 0),
  }
}

test('two runs and a second process on one of them, in one store at once', { timeout: 120_000 }, async () => {
  const path = join(folder, 'together.db')
  await Promise.all([
    completed(start(path, few.source, 'a', 'one', 'last')),
    completed(start(path, few.source, 'a', 'threads', 'last')),
    completed(start(path, few.source, 'b', 'one', 'last')),
  ])
  const expected = contentOf(undisturbed, 'few')
  expect(expected).toMatchObject({ samples: few.rows, scores: 2 * few.rows, outages: 0 })
  expect(contentOf(path, 'a')).toEqual(expected)
  expect(contentOf(path, 'b')).toEqual(expected)
})
