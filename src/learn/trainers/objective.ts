import { type Array as JaxArray, lax, numpy as np } from '@jax-js/jax'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { tokenSum } from '../objectives/averages.ts'
import { preferenceMargins, preferenceMetrics } from '../objectives/dpo.ts'
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
  /** Further responses that the loss asks about, by name; the same names in every pair. */
  readonly others?: Readonly<Record<string, PolicyRow>>
  /** Numbers that the loss takes, such as a soft label; the same names in every pair. */
  readonly values?: Readonly<Record<string, number>>
}

/** What a preference loss sees of a batch of pairs, Float[B] each. */
export interface PreferenceInputs {
  /** h: the chosen response's log-ratio to the reference less that of the rejected one [nats, or nats per token]. */
  readonly margins: JaxArray
  /** The pairs' own numbers. */
  readonly values: Readonly<Record<string, JaxArray>>
  /** Sums over the tokens of the pairs' other responses [nats]. */
  readonly others: Readonly<Record<string, { readonly logp: JaxArray; readonly logpRef: JaxArray }>>
}

export interface PreferenceOptions {
  /** The loss of each pair, Float[B], such as `({ margins }) => dpoLosses({ margins })`. Each array can be used once. */
  readonly losses: (inputs: PreferenceInputs) => JaxArray
  /** Log-ratios are divided by their response's length. @default false */
  readonly perToken?: boolean
  /** `none`: log-probabilities themselves in the place of log-ratios, as autoregressive reward models learn. @default 'given' */
  readonly reference?: 'given' | 'none'
  /** For the metrics' implicit rewards. @default 0.1 */
  readonly beta?: number
}

type PairBatch<Leaf> = {
  /** Chosen responses, then the rejected ones, then the others, in one pass of the network. */
  readonly rows: PolicyBatch<Leaf>
  /** Sums of log-probabilities under the reference, Float[rows]. */
  readonly reference: Leaf
  /** Float[rows] */
  readonly lengths: Leaf
  /** Float[pairs] */
  readonly weights: Leaf
  readonly values: Readonly<Record<string, Leaf>>
}

/** Preferences between responses (the DPO family and what extends it), against frozen reference parameters. */
export function preferred(
  policy: LanguagePolicy,
  { losses, perToken = false, beta = 0.1, reference: comparedWith = 'given' }: PreferenceOptions,
): LearningObjective<PolicyPair> {
  /** Names of the other responses, known once a batch was made: graphs are compiled after that. */
  let names: readonly string[] = []
  return {
    async batchOf(items, reference) {
      const [{ item: first }] = items as [Weighted<PolicyPair>]
      names = Object.keys(first.others ?? {})
      const rows = [
        ...items.map(({ item }) => item.chosen),
        ...items.map(({ item }) => item.rejected),
        ...names.flatMap((name) => items.map(({ item }) => item.others![name]!)),
      ]
      const logps = comparedWith === 'none' ? rows.map(() => [0]) : await policy.score(reference, rows)
      const column = (numbers: readonly number[]) => tensor(numbers, [numbers.length])
      return {
        rows: policy.batchOf(rows),
        reference: column(logps.map((logp) => Array.from(logp).reduce((a, b) => a + b, 0))),
        lengths: column(rows.map(({ response }) => response.length)),
        weights: column(items.map(({ weight }) => weight)),
        values: Object.fromEntries(
          Object.keys(first.values ?? {}).map((name) => [
            name,
            column(items.map(({ item }) => item.values![name]!)),
          ]),
        ),
      } satisfies PairBatch<Tensor> as Tree<Tensor>
    },
    loss(parameters, { rows, reference, lengths, weights, values }: PairBatch<JaxArray>) {
      const mask = rows.mask.ref
      const sums = tokenSum(policy.logp(parameters, rows), mask)
      const pairs = weights.shape[0]!
      const part = (all: JaxArray, index: number) => all.ref.slice([index * pairs, (index + 1) * pairs])
      const logps = () => ({
        logpChosen: part(sums, 0),
        logpRejected: part(sums, 1),
        logpRefChosen: part(reference, 0),
        logpRefRejected: part(reference, 1),
      })
      const { margins, ratiosChosen, ratiosRejected } = preferenceMargins({
        ...logps(),
        ...(perToken ? { lengthChosen: part(lengths, 0), lengthRejected: part(lengths, 1) } : {}),
      })
      ratiosChosen.dispose()
      ratiosRejected.dispose()
      const others = Object.fromEntries(
        names.map((name, index) => [
          name,
          { logp: part(sums, index + 2), logpRef: part(reference, index + 2) },
        ]),
      )
      const metrics = {
        ...preferenceMetrics(logps(), { beta }),
        ...Object.fromEntries(
          names.map((name, index) => [`logp ${name}`, lax.stopGradient(np.mean(part(sums, index + 2)))]),
        ),
      }
      for (const all of [sums, reference, lengths]) all.dispose()
      const total = np.maximum(np.sum(weights.ref), 1e-9)
      return {
        loss: np.sum(losses({ margins, values, others }).mul(weights)).div(total),
        metrics,
      }
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
