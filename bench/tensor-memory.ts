/**
 * Memory over many steps of a compiled function: resident MiB at each tenth, and the slope of its second half.
 *
 *   node bench/tensor-memory.ts [--steps 20000] [--json]
 */
import { parseArgs } from 'node:util'
import { numpy as np, tree, valueAndGrad } from '@jax-js/jax'
import { Rng } from '../src/core/index.ts'
import { compile } from '../src/tensor/compile.ts'
import { release } from '../src/tensor/crossing.ts'
import { adamW } from '../src/tensor/optimiser.ts'
import { type Tensor, tensor } from '../src/tensor/tree.ts'
import { print } from './_throughput.ts'

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '20000' }, json: { type: 'boolean', default: false } },
})
const steps = Number(values.steps)
const rng = new Rng('memory')
const normal = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => rng.normal() / Math.sqrt(shape[0]!),
    ),
    shape,
  )
const parameters = { first: normal(64, 256), second: normal(256, 64) }
const optimiser = adamW()
let state: any = { parameters, state: optimiser.initialState(parameters) }
const step = await compile<any, any>(
  (current: any, x: any, rate: any) => {
    const loss = (p: any) =>
      np.square(np.matmul(np.tanh(np.matmul(x.ref, p.first)), p.second).sub(x.ref)).mean()
    const [value, gradients] = valueAndGrad(loss)(tree.ref(current.parameters)) as any
    x.dispose()
    return [value, optimiser.update(gradients, current.state, current.parameters, rate)] as any
  },
  [state, normal(128, 64), tensor([1e-3], [])],
  { threads: 1 },
)
/** A new batch, filled in place: what is measured should not be the garbage of its making. */
function batch(): Tensor {
  const data = new Float32Array(128 * 64)
  for (let index = 0; index < data.length; index++) data[index] = rng.normal()
  return tensor(data, [128, 64])
}

const rate = tensor([1e-3], [])
const rows: Record<string, number>[] = []
for (let count = 1; count <= steps; count++) {
  const before = state
  ;[, state] = await step.run(state, batch(), rate)
  release(before)
  if (count % Math.ceil(steps / 10) !== 0) continue
  const { rss, heapTotal, heapUsed, arrayBuffers } = process.memoryUsage()
  const mib = (bytes: number) => Math.round((10 * bytes) / 2 ** 20) / 10
  rows.push({
    step: count,
    'resident [MiB]': mib(rss),
    'heap [MiB]': mib(heapTotal),
    'heap used [MiB]': mib(heapUsed),
    'arrays [MiB]': mib(arrayBuffers),
  })
}
await step.dispose()
const half = rows.slice(rows.length >> 1)
const resident = (row: Record<string, number> | undefined) => row!['resident [MiB]']!
const growth = (1000 * (resident(half.at(-1)) - resident(half[0]))) / (half.at(-1)!.step! - half[0]!.step!)
if (values.json) print([...rows, { 'growth of the second half [MiB per 1000 steps]': growth }])
else {
  print(rows)
  console.log(`growth of the second half: ${growth.toFixed(3)} MiB per 1000 steps`)
}
