/**
 * The tensor engine beside jax-js, PyTorch and TensorFlow.js: one training step of a small decoder, and of a small
 * control policy. The engines take turns inside one process run, so that a busy machine slows all of them.
 *
 *   npm run -s bench -- tensor [--rounds 7] [--threads 2] [--json]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax'
import { Rng } from '../src/core/index.ts'
import { gelu, softmax, standardise } from '../src/nets/derivative.ts'
import { type Compiled, compile } from '../src/tensor/compile.ts'
import { adamW } from '../src/tensor/optimiser.ts'
import { runJobs } from '../src/tensor/pool.ts'
import { type Tensor, tensor } from '../src/tensor/tree.ts'
import { print } from './_throughput.ts'

const [width, heads, layers, vocabulary, length, batch, inner] = [128, 4, 4, 256, 96, 16, 512]

/** Milliseconds of one step: on the clock, and of processors (which a busy machine disturbs less). */
interface Time {
  readonly wall: number
  readonly processor: number
}

/** One way to take a step again and again; `take` gives its time. */
interface Engine {
  readonly name: string
  take(): Promise<Time>
  end(): Promise<void>
}

interface Functions {
  gelu(x: any): any
  softmax(x: any): any
  standardise(x: any): any
  /** The causal mask is chosen by `where`, or added. */
  readonly choose: boolean
}

/** jax-js's functions as they come, differentiated by jax-js. */
const plain: Functions = {
  choose: true,
  gelu: (x) => nn.gelu(x),
  softmax: (x) => nn.softmax(x, -1),
  standardise: (x) => nn.standardize(x, -1),
}

function forward(parameters: any, ids: any, functions: Functions) {
  let x = np.matmul(ids, parameters.embedding).add(parameters.positions)
  const visible = np.tri(length, length, 0, { dtype: np.bool })
  const hidden = np.array(
    Float32Array.from({ length: length ** 2 }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0)),
    { shape: [length, length] },
  )
  for (const layer of parameters.layers) {
    const joined = np.matmul(functions.standardise(x.ref), layer.qkv)
    const [q, k, v] = np
      .split(joined.reshape([batch, length, 3, heads, width / heads]), 3, 2)
      .map((part: any) => part.reshape([batch, length, heads, width / heads])) as any[]
    const scores = np.einsum('bthd,bshd->bhts', q, k).mul(1 / Math.sqrt(width / heads))
    const masked = functions.choose ? np.where(visible.ref, scores, -1e9) : scores.add(hidden.ref)
    const map = functions.softmax(masked)
    const seen = np.einsum('bhts,bshd->bthd', map, v).reshape([batch, length, width])
    x = x.add(np.matmul(seen, layer.o))
    const inside = np.matmul(functions.standardise(x.ref), layer.w1)
    x = x.add(np.matmul(functions.gelu(inside), layer.w2))
  }
  visible.dispose()
  hidden.dispose()
  return np.matmul(functions.standardise(x), parameters.output)
}

/** (parameters, ids, targets) to [loss, parameters after one step of SGD]. */
const decoderStep = (functions: Functions) => (parameters: any, ids: any, targets: any) => {
  const loss = (p: any) =>
    nn
      .logSoftmax(forward(p, ids, functions), -1)
      .mul(targets)
      .sum()
      .mul(-1 / (batch * length))
  const [value, gradients] = valueAndGrad(loss)(tree.ref(parameters)) as any
  return [value, tree.map((a: any, b: any) => a.sub(b.mul(0.1)), parameters, gradients)] as any
}

function uniform(rng: Rng, shape: readonly number[], size = 0.05): Tensor {
  return tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (rng.uniform() * 2 - 1) * size),
    shape,
  )
}

function decoderArguments(): [any, Tensor, Tensor] {
  const rng = new Rng('bench')
  const hot = new Float32Array(batch * length * vocabulary)
  for (let row = 0; row < batch * length; row++) hot[row * vocabulary + ((row * 7) % vocabulary)] = 1
  const oneHot = tensor(hot, [batch, length, vocabulary])
  const parameters = {
    embedding: uniform(rng, [vocabulary, width]),
    positions: uniform(rng, [length, width]),
    output: uniform(rng, [width, vocabulary]),
    layers: Array.from({ length: layers }, () => ({
      qkv: uniform(rng, [width, 3 * width]),
      o: uniform(rng, [width, width]),
      w1: uniform(rng, [width, inner]),
      w2: uniform(rng, [inner, width]),
    })),
  }
  return [parameters, oneHot, oneHot]
}

function repeated(
  name: string,
  compiled: Compiled<any, any>,
  [state, ...rest]: readonly any[],
  steps = 1,
): Engine {
  return {
    name,
    async take() {
      const started = performance.now()
      const before = process.cpuUsage()
      for (let step = 0; step < steps; step++) state = (await compiled.run(state, ...rest))[1]
      const { user, system } = process.cpuUsage(before)
      return { wall: (performance.now() - started) / steps, processor: (user + system) / 1000 / steps }
    },
    end: () => compiled.dispose(),
  }
}

/** A Python process that answers each line with the milliseconds of one step; undefined when PyTorch is absent. */
async function torchEngine(threads: number): Promise<Engine | undefined> {
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

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** The engines in turn, after two rounds that are not counted; times of each round. */
async function timed(engines: readonly Engine[], rounds: number): Promise<Map<string, Time[]>> {
  const times = new Map(engines.map(({ name }) => [name, [] as Time[]]))
  for (let round = -2; round < rounds; round++)
    for (const engine of engines) {
      const time = await engine.take()
      if (round >= 0) times.get(engine.name)!.push(time)
    }
  for (const engine of engines) await engine.end()
  return times
}

interface Row {
  readonly engine: string
  /** Median and least milliseconds on the clock. */
  readonly median: number
  readonly fastest: number
  /** Median milliseconds of processors. */
  readonly processor: number
  /** Medians of this engine over ours. */
  readonly ratio: number
  readonly processorRatio: number
}

function rowsOf(times: ReadonlyMap<string, readonly Time[]>): Row[] {
  const middle = (values: readonly Time[], kind: keyof Time) => median(values.map((time) => time[kind]))
  const [ours] = times.values()
  return [...times].map(([engine, values]) => ({
    engine,
    median: middle(values, 'wall'),
    fastest: Math.min(...values.map(({ wall }) => wall)),
    processor: middle(values, 'processor'),
    ratio: middle(values, 'wall') / middle(ours!, 'wall'),
    processorRatio: middle(values, 'processor') / middle(ours!, 'processor'),
  }))
}

/** Share of each operator in the time of a step, by ONNX Runtime's profiler; largest first. */
async function operatorShares(threads: number, functions: Functions): Promise<[string, number][]> {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-profile-'))
  try {
    const [parameters, ...rest] = decoderArguments()
    const step = await compile(decoderStep(functions), [parameters, ...rest], {
      threads,
      profile: join(folder, 'step'),
    })
    let state: any = parameters
    for (let round = 0; round < 12; round++) state = ((await step.run(state, ...rest)) as any)[1]
    await step.dispose()
    const [file] = readdirSync(folder)
    const events: any[] = JSON.parse(readFileSync(join(folder, file!), 'utf8'))
    const spent = new Map<string, number>()
    for (const { cat, name, dur, args } of events)
      if (cat === 'Node' && name.endsWith('_kernel_time'))
        spent.set(args.op_name, (spent.get(args.op_name) ?? 0) + dur)
    const total = [...spent.values()].reduce((a, b) => a + b, 0)
    return [...spent]
      .map(([operator, time]): [string, number] => [operator, time / total])
      .sort((a, b) => b[1] - a[1])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A step of a policy with two hidden layers of 64: loss, gradients, Adam, at batch 64. */
async function policyEngine(backend: 'ort' | 'jax', name: string): Promise<Engine> {
  const rng = new Rng('policy')
  const parameters = {
    first: { w: uniform(rng, [8, 64], 0.3), b: uniform(rng, [64], 0) },
    second: { w: uniform(rng, [64, 64], 0.2), b: uniform(rng, [64], 0) },
    head: { w: uniform(rng, [64, 4], 0.2), b: uniform(rng, [4], 0) },
  }
  const optimiser = adamW({ weightDecay: 0 })
  const observations = uniform(rng, [64, 8], 1)
  const advantages = tensor(
    Float32Array.from({ length: 64 * 4 }, (_, index) => (index % 4 === (index >> 2) % 4 ? 1 : 0)),
    [64, 4],
  )
  const step = (state: any, x: any, weights: any, rate: any) => {
    const loss = (p: any) => {
      const layer = (input: any, { w, b }: any) => np.matmul(input, w).add(b)
      const hidden = np.tanh(layer(np.tanh(layer(x, p.first)), p.second))
      return np.mean(nn.logSoftmax(layer(hidden, p.head), -1).mul(weights)).mul(-1)
    }
    const [value, gradients] = valueAndGrad(loss)(tree.ref(state.parameters)) as any
    return [value, optimiser.update(gradients, state.state, state.parameters, rate)] as any
  }
  const args = [
    { parameters, state: optimiser.initialState(parameters) },
    observations,
    advantages,
    tensor([3e-4], []),
  ] as any
  const compiled: Compiled<any, any> = await compile(step, args, { backend, threads: 1 })
  return repeated(name, compiled, args, backend === 'ort' ? 50 : 5)
}

/** How many times as fast two trainings are side by side in the pool as one after the other. */
async function poolSpeedup(): Promise<number> {
  const jobs = [1, 2].map((seed) => ({
    module: new URL('../tests/fixtures/pool-jobs.ts', import.meta.url),
    export: 'trainSmall',
    options: { seed, steps: 6000, width: 128 },
  }))
  const seconds = async (workers: number) => {
    const started = performance.now()
    const outcomes = await runJobs(jobs, { workers })
    const failed = outcomes.find((outcome) => outcome.status !== 'done')
    if (failed !== undefined) throw new Error(`a job of the pool was ${failed.status}`)
    return (performance.now() - started) / 1000
  }
  return (await seconds(1)) / (await seconds(2))
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '7' },
      threads: { type: 'string', default: '2' },
      json: { type: 'boolean', default: false },
    },
  })
  const rounds = Number(values.rounds)
  const threads = Number(values.threads)
  const own: Functions = { gelu, softmax, standardise, choose: false }
  const args = decoderArguments()
  const ours = (functions: Functions) =>
    compile<any, any>(decoderStep(functions), args, { threads }) as Promise<Compiled<any, any>>
  const engines: Engine[] = [
    repeated('guerdon', await ours(own), args),
    repeated("guerdon, jax-js's nn functions", await ours(plain), args),
    repeated(
      'jax-js',
      (await compile<any, any>(decoderStep(plain), args, { backend: 'jax' })) as never,
      args,
    ),
  ]
  const torch = await torchEngine(threads)
  if (torch !== undefined) engines.push(torch)
  const decoder = rowsOf(await timed(engines, rounds))
  const policy = rowsOf(
    await timed([await policyEngine('ort', 'guerdon'), await policyEngine('jax', 'jax-js')], rounds),
  )
  const shares = await operatorShares(threads, own)
  const products = shares
    .filter(([operator]) => /MatMul|Gemm/.test(operator))
    .reduce((sum, [, share]) => sum + share, 0)
  const pool = await poolSpeedup()
  const skipped = ['TensorFlow.js: it is not among the development dependencies']
  if (torch === undefined) skipped.push('PyTorch: /usr/bin/python3 has no torch')
  const rows = [...named('decoder step', decoder), ...named('policy step, 1 thread', policy)]
  const others = [
    { measure: 'share of matrix products in the time of operators', value: products },
    { measure: 'two trainings in the pool, times as fast as one after the other', value: pool },
    { measure: 'threads', value: threads },
    { measure: 'load of the machine', value: loadavg()[0]! },
  ]
  if (values.json) print([...rows, ...others])
  else {
    print(rows)
    console.log()
    print(others)
    const most = shares.slice(0, 10).map(([operator, share]) => `${operator} ${(100 * share).toFixed(1)}%`)
    console.log(`operators: ${most.join(', ')}`)
  }
  for (const line of skipped) console.error(`skipped ${line}`)
}

const named = (measure: string, rows: readonly Row[]) =>
  rows.map((row) => ({
    measure,
    engine: row.engine,
    'median [ms]': row.median,
    'fastest [ms]': row.fastest,
    'times ours': row.ratio,
    'processor [ms]': row.processor,
    'processor, times ours': row.processorRatio,
  }))

await main()
