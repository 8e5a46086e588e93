// Training steps of a small control policy (8 numbers in, 64-64, 4 actions, 64 rows, one thread): median milliseconds.
//
//   npm run -s bench -- policy-step [--json]
import { type Array as JaxArray, tree, valueAndGrad } from '@jax-js/jax'
import { Rng } from '../src/core/index.ts'
import { categoricalLogp } from '../src/nets/heads.ts'
import { initialPerceptron, perceptron } from '../src/nets/perceptron.ts'
import { compile } from '../src/tensor/compile.ts'
import type { Arrays } from '../src/tensor/leafwise.ts'
import { adamW, type Optimiser, sgd } from '../src/tensor/optimiser.ts'
import { type Tensor, type Tree, tensor } from '../src/tensor/tree.ts'
import { print } from './_throughput.ts'

const config = { sizes: [8, 64, 64, 4] }
const rng = new Rng('bench')
const rows = 64
const batch = [
  tensor(
    Float32Array.from({ length: rows * 8 }, () => rng.normal()),
    [rows, 8],
  ),
  tensor(
    Int32Array.from({ length: rows }, () => rng.int(0, 4)),
    [rows],
    'int32',
  ),
  tensor(
    Float32Array.from({ length: rows }, () => rng.normal()),
    [rows],
  ),
] as const
const loss = (parameters: never, [x, actions, advantages]: readonly [JaxArray, JaxArray, JaxArray]) =>
  categoricalLogp(perceptron(parameters, config, x), actions)
    .mul(advantages)
    .mean()
    .mul(-1)

const start = initialPerceptron(rng, config)
const rate = tensor([1e-3], [])

async function stepMs(optimiser: Optimiser, backend: 'ort' | 'jax'): Promise<number> {
  const traced = (
    p: never,
    state: never,
    x: JaxArray,
    actions: JaxArray,
    advantages: JaxArray,
    rate: JaxArray,
  ) => {
    const objective = (parameters: never) => loss(parameters, [x, actions, advantages])
    const differentiated = valueAndGrad(objective as never) as unknown as (p: unknown) => [JaxArray, Arrays]
    const [value, gradients] = differentiated(tree.ref(p))
    return { value, ...(optimiser.update(gradients, state, p, rate) as object) }
  }
  const args: Tree<Tensor>[] = [start, optimiser.initialState(start), ...batch, rate]
  const step = await compile(traced as never, args, { backend, threads: 1 })
  let [parameters, state] = [args[0]!, args[1]!]
  const once = async () => {
    const next = (await step.run(parameters, state, ...batch, rate)) as unknown as {
      parameters: Tree<Tensor>
      state: Tree<Tensor>
    }
    ;({ parameters, state } = next)
  }
  for (let warmup = 0; warmup < 500; warmup++) await once()
  const times: number[] = []
  for (let run = 0; run < 1500; run++) {
    const begin = performance.now()
    await once()
    times.push(performance.now() - begin)
  }
  await step.dispose()
  return times.sort((a, b) => a - b)[times.length >> 1]!
}

const table = []
for (const [name, optimiser] of [
  ['SGD', sgd()],
  ['AdamW', adamW()],
] as const) {
  const [ort, jax] = [await stepMs(optimiser, 'ort'), await stepMs(optimiser, 'jax')]
  table.push({ optimiser: name, 'ms/step': ort, 'jax-js ms/step': jax, ratio: jax / ort })
}
print(table)
