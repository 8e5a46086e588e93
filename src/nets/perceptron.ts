import { type Array as JaxArray, nn } from '@jax-js/jax'
import type { Rng } from '../core/index.ts'
import type { Tensor } from '../tensor/tree.ts'
import { gelu, tanh } from './derivative.ts'
import { initialLinear, type Linear, linear } from './layers.ts'

/** Layers of neurons, for control policies and values; stored with its checkpoints. */
export interface PerceptronConfig {
  /** Numbers in, of each hidden layer, out: [4, 64, 64, 2]. */
  readonly sizes: readonly number[]
  /** After each hidden layer. @default 'tanh' */
  readonly activation?: 'tanh' | 'relu' | 'gelu'
  /** Deviation of the last layer's weights times sqrt(inputs); small ones start a policy near uniform. @default 1 */
  readonly outputGain?: number
}

export type Perceptron<Leaf> = { readonly layers: readonly Linear<Leaf>[] }

export function initialPerceptron(rng: Rng, { sizes, outputGain = 1 }: PerceptronConfig): Perceptron<Tensor> {
  return {
    layers: sizes
      .slice(1)
      .map((outputs, index) =>
        initialLinear(rng, sizes[index]!, outputs, { gain: index === sizes.length - 2 ? outputGain : 1 }),
      ),
  }
}

const activations = { tanh, relu: nn.relu, gelu } as const

/** Float[..., inputs] to Float[..., outputs]. Consumes `x`. */
export function perceptron(
  { layers }: Perceptron<JaxArray>,
  { activation = 'tanh' }: PerceptronConfig,
  x: JaxArray,
): JaxArray {
  return layers.reduce((given, layer, index) => {
    const out = linear(layer, given)
    return index === layers.length - 1 ? out : activations[activation](out)
  }, x)
}
