// The engines that bench/tensor.ts compares, as things that take a step again and again, and the taking of turns.
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import type { Compiled } from '../src/tensor/compile.ts'
import { release } from '../src/tensor/crossing.ts'

/** Milliseconds of one step: on the clock, and of processors (which a busy machine disturbs less). */
export interface Time {
  readonly wall: number
  readonly processor: number
}

export interface Engine {
  readonly name: string
  /** Rounds that are enough, where one takes seconds. */
  readonly rounds?: number
  take(): Promise<Time>
  end(): Promise<void>
}

/** Of `compiled`, whose first argument and second result are the state; `steps` of them count as one. */
export function repeated(
  name: string,
  compiled: Compiled<any, any>,
  [start, ...rest]: readonly any[],
  steps = 1,
): Engine {
  let state = start
  return {
    name,
    take: () =>
      timeOf(steps, async () => {
        const before = state
        state = (await compiled.run(state, ...rest))[1]
        if (before !== start) release(before)
      }),
    end: () => compiled.dispose(),
  }
}

export async function timeOf(steps: number, work: () => Promise<unknown>): Promise<Time> {
  const started = performance.now()
  const before = process.cpuUsage()
  for (let step = 0; step < steps; step++) await work()
  const { user, system } = process.cpuUsage(before)
  return { wall: (performance.now() - started) / steps, processor: (user + system) / 1000 / steps }
}

/** A Python process that answers each line with the milliseconds of one step; undefined when PyTorch is absent. */
export async function torchEngine(threads: number): Promise<Engine | undefined> {
  const child: ChildProcess = spawn(
    '/usr/bin/python3',
    [join(import.meta.dirname, '_tensor-torch.py'), String(threads)],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  )
  child.on('error', () => {})
  child.stdin!.on('error', () => {})
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const first = await lines.next()
  if (first.done) return undefined
  return {
    name: `PyTorch ${first.value}`,
    async take() {
      child.stdin!.write('\n')
      const [wall, processor] = String((await lines.next()).value)
        .split(' ')
        .map(Number)
      return { wall: wall!, processor: processor! }
    },
    async end() {
      child.stdin!.end()
    },
  }
}

/**
 * TensorFlow.js on its WebAssembly backend, from a folder where `@tensorflow/tfjs` and `@tensorflow/tfjs-backend-wasm`
 * are installed (300 MB, so they are no dependency); undefined when there is none.
 */
export async function tensorflowEngine(folder: string | undefined): Promise<Engine | undefined> {
  if (folder === undefined) return undefined
  const load = createRequire(join(folder, 'package.json'))
  const tf = load('@tensorflow/tfjs')
  const backend = '@tensorflow/tfjs-backend-wasm'
  load(backend).setWasmPaths(`${dirname(load.resolve(backend))}/`)
  await tf.setBackend('wasm')
  const { decoderStepOf } = await import('./_tensor-tensorflow.ts')
  const step = decoderStepOf(tf)
  return {
    name: `TensorFlow.js ${tf.version_core}`,
    rounds: 2,
    take: () => timeOf(1, step),
    async end() {},
  }
}

/**
 * The engines in turn, after `warmups` rounds that are not counted; times of each round. Threads of one that still wait
 * for work, as they do for a while, must not take a core from the next.
 */
export async function timed(
  engines: readonly Engine[],
  rounds: number,
  warmups: number,
): Promise<Map<string, Time[]>> {
  const times = new Map(engines.map(({ name }) => [name, [] as Time[]]))
  for (let round = -warmups; round < rounds; round++)
    for (const engine of engines) {
      if (engine.rounds !== undefined && (round < -1 || round >= engine.rounds)) continue
      await setTimeout(100)
      const time = await engine.take()
      if (round >= 0) times.get(engine.name)!.push(time)
    }
  for (const engine of engines) await engine.end()
  return times
}

/** One row for each engine; the first of them is ours. */
export function rowsOf(measure: string, times: ReadonlyMap<string, readonly Time[]>) {
  const [ours] = [...times.values()].map(summary)
  return [...times].map(([engine, values]) => {
    const { middle, least, processor } = summary(values)
    return {
      measure,
      engine,
      'median [ms]': middle,
      'fastest [ms]': least,
      'processor [ms]': processor,
      'median, times ours': middle / ours!.middle,
      'fastest, times ours': least / ours!.least,
    }
  })
}

function summary(values: readonly Time[]) {
  const walls = values.map(({ wall }) => wall)
  return {
    middle: median(walls),
    least: Math.min(...walls),
    processor: median(values.map(({ processor }) => processor)),
  }
}

export const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!
