import { type Array as JaxArray, lax } from '@jax-js/jax'
import type { Sample } from '../../core/index.ts'
import { isFailed } from '../../models/outcome.ts'
import { type RewardNetwork, rewardHidden } from '../../nets/reward-network.ts'
import type { Reading } from '../../rewards/learned/reward-reader.ts'
import type { RewardModel } from '../../rewards/learned/trained-reward-model.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import { compileByShape } from '../../tensor/compile-by-shape.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'

/** What a reward model holds at each token of an answer, its end token included. */
export interface RewardTrace {
  /** Hidden states, Float[width] each. */
  readonly states: readonly Float32Array[]
  /** What the (first output of the) linear head makes of each: the reward if the answer ended there. */
  readonly values: readonly number[]
}

const together = 32

/**
 * Looks into a reward model that reads tokens, its first member: for goals in its space of states, and values along an
 * answer. What cannot be read has no states.
 */
export function rewardTraces(
  { manifest, members, reader }: RewardModel,
  options: CompileOptions = {},
): { of(samples: readonly Sample[]): Promise<RewardTrace[]>; dispose(): Promise<void> } {
  const [network] = members
  const head = (network!.head as { readonly weight: Tensor }).weight
  const outputs = head.shape[1]!
  const compiled = compileByShape<readonly Tree<Tensor>[], Tensor>(
    ((parameters: RewardNetwork<JaxArray>, rows: never) =>
      lax.stopGradient(rewardHidden(parameters, manifest.network, rows))) as never,
    options,
  )
  return {
    async of(samples) {
      const readings = await reader.read(samples)
      const traces = readings.map((): RewardTrace => ({ states: [], values: [] }))
      const order = readings.flatMap((each, index) => (isFailed(each) ? [] : [index]))
      const lengthOf = (index: number) => (readings[index] as Reading).tokens.length
      order.sort((a, b) => lengthOf(a) - lengthOf(b))
      for (let first = 0; first < order.length; first += together) {
        const own = order.slice(first, first + together)
        const filled = Array.from(
          { length: together },
          (_, row) => readings[own[Math.min(row, own.length - 1)]!] as Reading,
        )
        const { reads: _, surface: __, ...rows } = reader.rows(filled)
        const { data, shape } = await compiled.run(network as Tree<Tensor>, rows as Tree<Tensor>)
        const [, length, width] = shape as [number, number, number]
        own.forEach((index, row) => {
          const { tokens, start } = filled[row]!
          const states = tokens.slice(start).map((_, place) => {
            const at = (row * length + start + place) * width
            return (data as Float32Array).slice(at, at + width)
          })
          const values = states.map((state) =>
            state.reduce((sum, value, at) => sum + value * Number(head.data[at * outputs]!), 0),
          )
          traces[index] = { states, values }
        })
      }
      return traces
    },
    dispose: () => compiled.dispose(),
  }
}
