import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { tokenSum } from '../objectives/averages.ts'
import { type PairLogps, preferenceMetrics } from '../objectives/dpo.ts'
import { likelihoodLoss } from '../objectives/likelihood.ts'
import type { LanguagePolicy, PolicyBatch, PolicyRow } from '../policies/language-policy.ts'
import { weightedRows } from './update-rows.ts'

/** What is learnt from items of a kind: how they become a batch, and the scalar to make small. */
export interface LearningObjective<Item> {
  /**
   * A batch of one size. Items of weight 0 fill it up and change nothing.
   * @param reference frozen parameters, where the objective compares with them
   */
  batchOf(items: readonly Weighted<Item>[], reference: Tree<Tensor>): Promise<Tree<Tensor>>
  /** Traced; consumes the batch. */
  loss(
    parameters: any,
    batch: any,
  ): { readonly loss: JaxArray; readonly metrics: Readonly<Record<string, JaxArray>> }
}

export interface Weighted<Item> {
  readonly item: Item
  readonly weight: number
}

/** Likelihood of responses, the mean over their tokens (weighted); prompts are not learnt. */
export function supervised(policy: LanguagePolicy): LearningObjective<PolicyRow> {
  return {
    async batchOf(items) {
      return weightedRows(
        policy.batchOf(items.map(({ item }) => item)),
        items.map(({ weight }) => weight),
      ) as Tree<Tensor>
    },
    loss(parameters, batch: PolicyBatch<JaxArray>) {
      const mask = batch.mask.ref
      return { loss: likelihoodLoss({ logp: policy.logp(parameters, batch), mask }), metrics: {} }
    },
  }
}

/** Two responses to one prompt. */
export interface PolicyPair {
  readonly chosen: PolicyRow
  readonly rejected: PolicyRow
  /** Numbers of its own that the loss takes, such as a soft label; the same names in every pair. */
  readonly values?: Readonly<Record<string, number>>
}

export interface PreferenceOptions {
  /**
   * The loss of each pair, Float[B], from the sums of log-probabilities and the pairs' own `values` (Float[B] each).
   * Consumes all.
   */
  readonly losses: (pairs: PairLogps, values: Readonly<Record<string, JaxArray>>) => JaxArray
  /** For the metrics' implicit rewards. @default 0.1 */
  readonly beta?: number
}

/** Preferences between responses (the DPO family), against frozen reference parameters. */
export function preferred(
  policy: LanguagePolicy,
  { losses, beta = 0.1 }: PreferenceOptions,
): LearningObjective<PolicyPair> {
  type Batch = {
    rows: PolicyBatch<JaxArray>
    reference: JaxArray
    lengths: JaxArray
    weights: JaxArray
    values: Record<string, JaxArray>
  }
  return {
    async batchOf(items, reference) {
      // chosen responses first, then the rejected ones, in one pass of the network
      const rows = [...items.map(({ item }) => item.chosen), ...items.map(({ item }) => item.rejected)]
      const logps = await policy.score(reference, rows)
      const names = Object.keys(items[0]!.item.values ?? {})
      const column = (numbers: readonly number[]) => tensor(numbers, [numbers.length])
      return {
        rows: policy.batchOf(rows),
        reference: column(logps.map((logp) => logp.reduce((a, b) => a + b, 0))),
        lengths: column(rows.map(({ response }) => response.length)),
        weights: column(items.map(({ weight }) => weight)),
        values: Object.fromEntries(
          names.map((name) => [name, column(items.map(({ item }) => item.values![name]!))]),
        ),
      } as Tree<Tensor>
    },
    loss(parameters, { rows, reference, lengths, weights, values }: Batch) {
      const mask = rows.mask.ref
      const sums = tokenSum(policy.logp(parameters, rows), mask)
      const pairs = reference.shape[0]! / 2
      const halves = (both: JaxArray) => [both.ref.slice([0, pairs]), both.slice([pairs, 2 * pairs])] as const
      const [logpChosen, logpRejected] = halves(sums)
      const [logpRefChosen, logpRefRejected] = halves(reference)
      const [lengthChosen, lengthRejected] = halves(lengths)
      const given = { logpChosen, logpRejected, logpRefChosen, logpRefRejected, lengthChosen, lengthRejected }
      const again = Object.fromEntries(
        Object.entries(given).map(([name, array]) => [name, array.ref]),
      ) as unknown as PairLogps
      const { lengthChosen: _c, lengthRejected: _r, ...plain } = again as Required<PairLogps>
      _c.dispose()
      _r.dispose()
      const metrics = preferenceMetrics(plain, { beta })
      const total = np.maximum(np.sum(weights.ref), 1e-9)
      return { loss: np.sum(losses(given, values).mul(weights)).div(total), metrics }
    },
  }
}

/** Parts of one size; the last is filled up with items of weight 0. */
export function filledParts<Item>(items: readonly Item[], size: number): Weighted<Item>[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    Array.from({ length: size }, (_, place) => {
      const index = part * size + place
      return { item: items[index % items.length]!, weight: Number(index < items.length) }
    }),
  )
}
