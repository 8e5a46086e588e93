// What runs in the isolated process or thread: loads one reward, judges what it is sent, and notes before each unit
// which one it is at, so that the parent knows which to blame when nothing more is heard.
import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { messageOf, type Reward, Rng, type ScoreContext, unscored } from '../../core/index.ts'
import { loadReward } from '../reward-reference.ts'
import { scoresOf } from '../scores-of.ts'
import { type FromChild, type JudgeMessage, progressDescriptor, type ToChild } from './protocol.ts'
import { hasProcFs } from './usage.ts'

const flushMs = 20

const send: (message: FromChild) => void = isMainThread
  ? (message) => void process.send!(message)
  : (message) => parentPort!.postMessage(message)

const noteUnit = isMainThread ? notesInFile() : notesInMemory(workerData as Int32Array)

let reward: Reward
let work = Promise.resolve()

function receive(message: ToChild): void {
  work = work.then(async () => {
    if (message.type === 'judge') return judge(message)
    try {
      reward = await loadReward(message)
      const { score: _, ...head } = reward
      send({ type: 'ready', head })
      flushCompileCache() // now, since most of these processes are killed
    } catch (error) {
      send({ type: 'failed', reason: messageOf(error) })
    }
  })
}

async function judge({ units, step, seed }: JudgeMessage): Promise<void> {
  const context: ScoreContext = {
    ...(step === undefined ? {} : { step }),
    ...(seed === undefined ? {} : { rng: new Rng(seed) }),
  }
  let results: (readonly [number, Awaited<ReturnType<typeof scoresOf>>])[] = []
  let sent = performance.now()
  const flush = () => {
    if (results.length > 0) sendScores(results)
    results = []
    sent = performance.now()
  }
  for (const { id, samples } of units) {
    noteUnit(id)
    results.push([id, await scoresOf(reward, samples, context)])
    if (performance.now() - sent > flushMs) flush()
  }
  flush()
  noteUnit(0)
}

function sendScores(results: Extract<FromChild, { type: 'scores' }>['results']): void {
  try {
    send({ type: 'scores', results })
  } catch (error) {
    const failure = unscored('crashed', `the score cannot be sent to another process: ${messageOf(error)}`)
    if (results.length > 1) for (const result of results) sendScores([result])
    else send({ type: 'scores', results: results.map(([id, scores]) => [id, scores.map(() => failure)]) })
  }
}

function notesInFile(): (id: number) => void {
  const note = new Int32Array(1)
  return (id) => {
    note[0] = id
    writeSync(progressDescriptor, note, 0, 4, 0)
  }
}

function notesInMemory(shared: Int32Array): (id: number) => void {
  return (id) => Atomics.store(shared, 0, id)
}

/**
 * Ends this process group when the parent is gone, even while the main thread is stuck: a killed parent cannot. Where
 * there is no /proc it also writes down what the process uses.
 */
const watchdog = `
const { writeSync } = require('node:fs')
const { workerData } = require('node:worker_threads')
const parent = process.ppid
const end = () => {
  try { process.kill(-process.pid, 'SIGKILL') } catch {}
  process.kill(process.pid, 'SIGKILL')
}
setInterval(() => {
  if (process.ppid !== parent || process.ppid !== workerData.parent) end()
  if (!workerData.measures) return
  const { user, system } = process.cpuUsage()
  writeSync(workerData.descriptor, Int32Array.of((user + system) / 1000, process.memoryUsage.rss() / 1024), 0, 8, 4)
}, workerData.measures ? 25 : 200)
`

if (isMainThread) {
  new Worker(watchdog, {
    eval: true,
    workerData: {
      parent: Number(process.env.GUERDON_ISOLATION_PARENT),
      measures: !hasProcFs,
      descriptor: progressDescriptor,
    },
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 },
  }).unref()
  process.on('disconnect', () => {
    try {
      process.kill(-process.pid, 'SIGKILL')
    } finally {
      process.exit(0)
    }
  })
  process.on('message', receive)
} else {
  parentPort!.on('message', receive)
}
