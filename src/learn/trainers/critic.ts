import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { filled } from '../../nets/initial.ts'
import { type Linear, linear } from '../../nets/layers.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { LanguagePolicy, PolicyBatch } from '../policies/language-policy.ts'

/** A network of its own, as large as the policy, with values for each token: one for each signal. */
export type Critic<Leaf> = { readonly trunk: Tree<Leaf>; readonly head: Linear<Leaf> }

/** Starts from the policy's own layers; all values are 0. */
export function initialCritic(policy: LanguagePolicy, start: Tree<Tensor>, signals = 1): Critic<Tensor> {
  return { trunk: start, head: { weight: filled([policy.width, signals], 0), bias: filled([signals], 0) } }
}

/** Traced: values before the tokens of the columns, Float[B, C, signals]. Borrows the critic, consumes the batch. */
export function criticValues(
  policy: LanguagePolicy,
  { trunk, head }: Critic<JaxArray>,
  batch: PolicyBatch<JaxArray>,
): JaxArray {
  return linear(head, policy.hidden(trunk, batch))
}

/** 1 at the last token of each response, Float[B, C]. Consumes the mask. */
export function lastTokens(mask: JaxArray): JaxArray {
  const [rows, columns] = mask.shape as [number, number]
  const after = np.concatenate([mask.ref.slice([], [1, columns]), np.zeros([rows, 1])], 1)
  return mask.mul(np.subtract(1, after))
}
