import { type Array as JaxArray, numpy as np, tree } from '@jax-js/jax'
import { type Arrays, joinedLeaves, leafwise } from './leafwise.ts'
import { mapLeaves, type Tensor, type Tree, tensor } from './tree.ts'

// Runs inside traced functions, so jax-js is imported plainly here: whoever imports this file traces.

/**
 * An optimiser as two pure functions. `initialState` works outside, on tensors; `update` inside a traced function:
 * it consumes all its arguments and gives the new parameters and state. The learning rate is an argument (a scalar
 * array), so that a schedule needs no recompilation.
 */
export interface Optimiser {
  initialState(parameters: Tree<Tensor>): Tree<Tensor>
  update(
    gradients: Arrays,
    state: Arrays,
    parameters: Arrays,
    learningRate: JaxArray,
  ): { parameters: Arrays; state: Arrays }
}

export interface SgdOptions {
  /** @default 0: no momentum, no state */
  readonly momentum?: number
}

/** Stochastic gradient descent: v = momentum v + g; p = p - learningRate v. */
export function sgd({ momentum = 0 }: SgdOptions = {}): Optimiser {
  return {
    initialState: (parameters) => (momentum === 0 ? {} : { velocity: zerosLike(parameters) }),
    update(gradients, state, parameters, learningRate) {
      if (momentum === 0) {
        return { parameters: step(parameters, gradients, learningRate), state }
      }
      const [velocity] = leafwise(
        ([old, gradient]) => [old!.mul(momentum).add(gradient!)],
        [(state as { velocity: Arrays }).velocity, gradients],
      )
      const direction = tree.ref(velocity as never) as Arrays
      return { parameters: step(parameters, direction, learningRate), state: { velocity: velocity! } }
    },
  }
}

export interface AdamWOptions {
  /** @default 0.9 */
  readonly beta1?: number
  /** @default 0.999 */
  readonly beta2?: number
  /** Added to the root of the second moment. @default 1e-8 */
  readonly epsilon?: number
  /** Decoupled: p loses learningRate * weightDecay * p each step; on matrices only (two dims or more). @default 0.01 */
  readonly weightDecay?: number
}

/** AdamW with bias correction (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2, schedule in the learning rate). */
export function adamW({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0.01,
}: AdamWOptions = {}): Optimiser {
  return {
    initialState: (parameters) => ({
      first: zerosLike(parameters),
      second: zerosLike(parameters),
      // beta^step, carried as numbers: a power of a growing step would lose precision in float32
      power1: tensor([1], []),
      power2: tensor([1], []),
    }),
    update(gradients, state, parameters, learningRate) {
      const { first, second, power1, power2 } = state as {
        first: Arrays
        second: Arrays
        power1: JaxArray
        power2: JaxArray
      }
      const nextPower1 = power1.mul(beta1)
      const nextPower2 = power2.mul(beta2)
      // learningRate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), with the numbers taken out of the passes
      const spread = np.sqrt(np.subtract(1, nextPower2.ref))
      const size = learningRate.ref.mul(spread.ref).mul(np.reciprocal(np.subtract(1, nextPower1.ref)))
      const floor = spread.mul(epsilon)
      const decay = learningRate.mul(weightDecay)
      const [next, nextFirst, nextSecond] = leafwise(
        ([parameter, m, v, g], decays) => {
          const nextM = m!.mul(beta1).add(g!.ref.mul(1 - beta1))
          const nextV = v!.mul(beta2).add(np.square(g!).mul(1 - beta2))
          const direction = nextM.ref.mul(size.ref).div(np.sqrt(nextV.ref).add(floor.ref))
          const change = decays ? direction.add(parameter!.ref.mul(decay.ref)) : direction
          return [parameter!.sub(change), nextM, nextV]
        },
        [parameters, first, second, gradients],
        (parameter) => weightDecay > 0 && parameter.ndim >= 2,
      )
      for (const array of [size, floor, decay]) array.dispose()
      return {
        parameters: next!,
        state: { first: nextFirst!, second: nextSecond!, power1: nextPower1, power2: nextPower2 },
      }
    },
  }
}

/** Root of the sum of squares over all gradients. Consumes none of them. */
export function globalNorm(gradients: Arrays): JaxArray {
  const squares = joinedLeaves(gradients).map((leaf) => np.square(leaf).sum())
  return np.sqrt(squares.reduce((a, b) => a.add(b)))
}

/** Gradients scaled down so that their global norm is at most `limit`; also the norm before. Consumes `gradients`. */
export function clippedByGlobalNorm(gradients: Arrays, limit: number): { gradients: Arrays; norm: JaxArray } {
  const norm = globalNorm(gradients)
  const scale = np.minimum(np.reciprocal(norm.ref.add(1e-12)).mul(limit), 1)
  const [clipped] = leafwise(([gradient]) => [gradient!.mul(scale.ref)], [gradients])
  scale.dispose()
  return { gradients: clipped!, norm }
}

/** Exponential moving average: decay * average + (1 - decay) * value. Consumes both. */
export function movedAverage(average: Arrays, value: Arrays, decay: number): Arrays {
  const [moved] = leafwise(
    ([old, current]) => [old!.mul(decay).add(current!.mul(1 - decay))],
    [average, value],
  )
  return moved!
}

function step(parameters: Arrays, direction: Arrays, learningRate: JaxArray): Arrays {
  const [next] = leafwise(
    ([parameter, change]) => [parameter!.sub(change!.mul(learningRate.ref))],
    [parameters, direction],
  )
  learningRate.dispose()
  return next!
}

function zerosLike(parameters: Tree<Tensor>): Tree<Tensor> {
  return mapLeaves(parameters, ({ shape }) =>
    tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape),
  )
}

/** Learning rate as a function of the step: warm-up from 0 to `peak`, then a cosine down to `final` at `total`. */
export function warmupCosine({
  peak,
  warmup,
  total,
  final = 0,
}: {
  readonly peak: number
  readonly warmup: number
  readonly total: number
  readonly final?: number
}): (step: number) => number {
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup
    const share = Math.min(1, (step - warmup) / Math.max(1, total - warmup))
    return final + ((peak - final) * (1 + Math.cos(Math.PI * share))) / 2
  }
}
