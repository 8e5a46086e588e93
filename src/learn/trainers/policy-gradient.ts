import type { Array as JaxArray } from '@jax-js/jax'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { type GroupedAdvantageOptions, groupedAdvantages } from '../objectives/grouped-advantages.ts'
import { type GrpoOptions, grpoLoss } from '../objectives/grpo.ts'
import type { LanguagePolicy, PolicyBatch, PolicyRow } from '../policies/language-policy.ts'
import { type PolicyTrained, type PolicyTrainingOptions, policyTraining } from './policy-training.ts'
import type { Rollout } from './rollouts.ts'
import { alignedRows, partsOf, weightedRows } from './update-rows.ts'

export interface PolicyGradientOptions extends Omit<PolicyTrainingOptions, 'group'> {
  /** Responses to each task; equally many tasks in every iteration. @default 8 */
  readonly group?: number
  /** What is frozen as reference, for a KL term (`objective.beta`) and the `kl` of the records. @default the start */
  readonly reference?: Tree<Tensor> | 'none'
  /** Parts that the rollouts of an iteration are cut into, one update each; must divide their number. @default 1 */
  readonly minibatches?: number
  /** Times that each rollout is learnt from. @default 1 */
  readonly epochs?: number
  readonly advantages?: GroupedAdvantageOptions
  /** Rows that are learnt from beside the rollouts, such as those of a second pass; as many in every iteration. */
  readonly further?: (rows: readonly Rollout[]) => Promise<readonly FurtherRow[]>
  readonly objective?: GrpoOptions
}

/** What the policy wrote beside its rollouts, with an advantage of its own. */
export interface FurtherRow extends PolicyRow {
  /** Log-probability of each token of the response when it was written [nats]. */
  readonly logp: readonly number[]
  /** Null: the row is left out of the update. */
  readonly advantage: number | null
}

/**
 * Group relative policy optimisation of a language policy from any reward: each iteration writes a group of responses
 * to each task, judges them, and takes `epochs * minibatches` steps on the clipped surrogate of their advantages.
 * Gives the parameters in the end and a record of each iteration. Rollouts always come from the current parameters.
 *
 * Throws a `GuerdonError`: `unscored-rollouts` when nothing of an iteration could be judged, or with `onNull: 'stop'`
 * at the first; `diverged` and the others of `trainingLoop`.
 */
export async function policyGradient(options: PolicyGradientOptions): Promise<PolicyTrained> {
  const { policy, minibatches = 1, epochs = 1, group = 8, objective = {} } = options
  const start = options.parameters ?? policy.initial
  const reference = options.reference ?? start
  return policyTraining(
    { ...options, group },
    {
      name: 'policy-gradient',
      parameters: start,
      reference,
      loss: (parameters, batch) => updateLoss(policy, objective, parameters, batch),
      async learn({ groups, rows, logpRef, rng, advance }) {
        const advantages = groupedAdvantages(
          groups.map((own) => own.map(({ score }) => score.value)),
          options.advantages,
        ).flat()
        const own = rows.map(
          (rollout, row): UpdateRow => ({
            ...rollout,
            advantage: advantages[row]!,
            logpRef: logpRef?.[row],
          }),
        )
        const further = (await options.further?.(rows)) ?? []
        const furtherRef = reference === 'none' ? [] : await policy.score(reference, further)
        const all = [...own, ...further.map((row, index) => ({ ...row, logpRef: furtherRef[index] }))]
        for (let epoch = 0; epoch < epochs; epoch++)
          for (const part of partsOf(all.length, minibatches, rng.fork(`epoch ${epoch}`)))
            await advance(
              updateBatch(
                policy,
                part.map((row) => all[row]!),
              ),
            )
        return {}
      },
    },
  )
}

type UpdateBatch<Leaf> = {
  readonly rows: PolicyBatch<Leaf>
  /** Float[B, C] */
  readonly logpOld: Leaf
  readonly logpRef?: Leaf
  /** Float[B] */
  readonly advantages: Leaf
}

interface UpdateRow extends FurtherRow {
  readonly logpRef: Float32Array | undefined
}

function updateLoss(
  policy: LanguagePolicy,
  objective: GrpoOptions,
  parameters: unknown,
  { rows, ...given }: UpdateBatch<JaxArray>,
) {
  const mask = rows.mask.ref
  return grpoLoss({ ...given, logp: policy.logp(parameters, rows), mask }, objective)
}

function updateBatch(policy: LanguagePolicy, rows: readonly UpdateRow[]): UpdateBatch<Tensor> {
  const batch = policy.batchOf(rows)
  const result = {
    logpOld: alignedRows(policy, batch, rows, ({ logp }) => logp),
    ...(rows.every(({ logpRef }) => logpRef)
      ? { logpRef: alignedRows(policy, batch, rows, ({ logpRef }) => logpRef!) }
      : {}),
    advantages: tensor(
      rows.map(({ advantage }) => advantage ?? 0),
      [rows.length],
    ),
  }
  const weights = rows.map(({ advantage }) => Number(advantage !== null))
  return { rows: weightedRows(batch, weights), ...result }
}
