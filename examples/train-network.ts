// A network of your own: a loss written with jax-js, trained as one native graph, saved, and asked for its gradient.
import { grad, type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { Rng } from 'guerdon'
import {
  compile,
  loadCheckpoint,
  restored,
  saveCheckpoint,
  type Tensor,
  tensor,
  train,
  warmupCosine,
} from 'guerdon/tensor'

type Network<Leaf> = { readonly hidden: Leaf; readonly bias: Leaf; readonly output: Leaf }

const rng = new Rng(0)
const normal = (scale: number, ...shape: number[]) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * rng.normal()),
    shape,
  )
const start: Network<Tensor> = {
  hidden: normal(0.7, 2, 32),
  bias: normal(0.7, 32),
  output: normal(0.2, 32),
}

// Learns y = x0 x1. jax-js's functions consume what they are given; `.ref` would keep an array for another use.
const predicted = ({ hidden, bias, output }: Network<JaxArray>, x: JaxArray) =>
  np.matmul(np.tanh(np.matmul(x, hidden).add(bias)), output)
const loss = (network: Network<JaxArray>, { x, y }: { x: JaxArray; y: JaxArray }) =>
  np.square(predicted(network, x).sub(y)).mean()

const { parameters, last } = await train({
  loss,
  parameters: start,
  batches(_step, random) {
    const x = Float32Array.from({ length: 64 * 2 }, () => random.normal())
    const y = Float32Array.from({ length: 64 }, (_, row) => x[2 * row]! * x[2 * row + 1]!)
    return { x: tensor(x, [64, 2]), y: tensor(y, [64]) }
  },
  steps: 1500,
  schedule: warmupCosine({ peak: 0.02, warmup: 50, total: 1500 }),
})
console.log(`loss ${last?.loss.toFixed(4)} at step ${last?.step}`)

const path = process.argv[2] ?? '.guerdon/product.safetensors'
await saveCheckpoint(path, parameters, { metadata: { task: 'product of two numbers' } })
const network = restored(start, await loadCheckpoint(path)) as Network<Tensor>

// Any function that jax-js can differentiate can be compiled: here, how the answer changes with x. It should be (x1, x0).
const x = tensor([0.5, -1], [2])
const slope = await compile<[Network<Tensor>, Tensor], Tensor>(
  (of: Network<JaxArray>, at: JaxArray) => grad((point: JaxArray) => predicted(of, point))(at),
  [network, x],
)
const { data } = await slope.run(network, x)
console.log(`slope at (0.5, -1): ${Array.from(data as Float32Array, (value) => value.toFixed(1)).join(', ')}`)
await slope.dispose()
