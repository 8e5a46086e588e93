// Training steps of a small control policy for bench/tensor.ts: 8 numbers in, 64-64, 4 actions, 64 rows, one thread.
import { type Array as JaxArray, tree, valueAndGrad } from '@jax-js/jax'
import { Rng } from '../src/core/index.ts'
import { categoricalLogp } from '../src/nets/heads.ts'
import { initialPerceptron, perceptron } from '../src/nets/perceptron.ts'
import { compile } from '../src/tensor/compile.ts'
import type { Optimiser } from '../src/tensor/optimiser.ts'
import { tensor } from '../src/tensor/tree.ts'
import { type Engine, repeated } from './_tensor-peers.ts'

const config = { sizes: [8, 64, 64, 4] }
const rows = 64

/** A step counts as one of `steps` taken in a row. */
export async function policyEngine(
  name: string,
  backend: 'ort' | 'jax',
  optimiser: Optimiser,
  steps: number,
): Promise<Engine> {
  const rng = new Rng('bench')
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
  ]
  const traced = (state: any, x: JaxArray, actions: JaxArray, advantages: JaxArray, rate: JaxArray) => {
    const loss = (p: any) =>
      categoricalLogp(perceptron(p, config, x), actions)
        .mul(advantages)
        .mean()
        .mul(-1)
    const [value, gradients] = (valueAndGrad(loss) as any)(tree.ref(state.parameters))
    return [value, optimiser.update(gradients, state.state, state.parameters, rate)] as any
  }
  const parameters = initialPerceptron(rng, config)
  const args = [
    { parameters, state: optimiser.initialState(parameters) },
    ...batch,
    tensor([1e-3], []),
  ] as any
  return repeated(name, await compile<any, any>(traced, args, { backend, threads: 1 }), args, steps)
}
