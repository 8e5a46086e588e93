import { type Array as JaxArray, lax, tree } from '@jax-js/jax'
import { compileByShape } from '../../tensor/compile-by-shape.ts'
import { mapLeaves, rowsOf, type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { whitened } from '../objectives/averages.ts'
import {
  type GeneralisedAdvantageOptions,
  generalisedAdvantages,
} from '../objectives/generalised-advantages.ts'
import { type PpoOptions, ppoLoss } from '../objectives/ppo.ts'
import { type KlRewardOptions, klRewards } from '../objectives/reference-kl.ts'
import type { LanguagePolicy, PolicyBatch } from '../policies/language-policy.ts'
import { type Critic, criticValues, initialCritic, lastTokens } from './critic.ts'
import { type PolicyTrained, type PolicyTrainingOptions, policyTraining } from './policy-training.ts'
import { alignedRows, partsOf, weightedRows } from './update-rows.ts'

export interface ActorCriticOptions extends Omit<PolicyTrainingOptions, 'group' | 'trainable'> {
  /** Responses to each task. @default 1 */
  readonly group?: number
  /** @default 4 */
  readonly epochs?: number
  /** @default 4 */
  readonly minibatches?: number
  /** The KL to the start, in the reward. @default beta 0.05, k1 */
  readonly kl?: KlRewardOptions
  readonly advantages?: GeneralisedAdvantageOptions
  readonly objective?: PpoOptions
}

type Actor<Leaf> = { readonly policy: Tree<Leaf>; readonly critic: Critic<Leaf> }

/**
 * PPO of a language policy with a critic (card 00): each token is a step, the KL to the start is in its reward, the
 * score comes with the last token, advantages are generalised and whitened. A response that is cut off at `maxTokens`
 * has ended all the same, as it is judged as it stands. Throws as `policyGradient`.
 */
export async function actorCritic(options: ActorCriticOptions): Promise<PolicyTrained> {
  const { policy, minibatches = 4, epochs = 4, group = 1 } = options
  const start = options.parameters ?? policy.initial
  const estimates = compileByShape<readonly Tree<Tensor>[], Estimates<Tensor>>(
    ((actor: Actor<JaxArray>, batch: PolicyBatch<JaxArray>, given: Given<JaxArray>) =>
      estimated(policy, options, actor, batch, given)) as never,
    options,
  )
  try {
    return await policyTraining(
      { ...options, group },
      {
        name: 'actor-critic',
        parameters: {
          policy: start,
          critic: initialCritic(policy, start),
        } satisfies Actor<Tensor> as Tree<Tensor>,
        policyOf: (actor) => (actor as Actor<Tensor>).policy,
        reference: start,
        loss: (parameters, batch) => updateLoss(policy, options.objective ?? {}, parameters, batch),
        async learn({ rows, logpRef, rng, advance, training }) {
          const batch = weightedRows(
            policy.batchOf(rows),
            rows.map(({ score }) => Number(score.value !== null)),
          )
          const given: Given<Tensor> = {
            scores: tensor(
              rows.map(({ score }) => score.value ?? 0),
              [rows.length],
            ),
            logpOld: alignedRows(policy, batch, rows, ({ logp }) => logp),
            logpRef: alignedRows(policy, batch, rows, (_, row) => logpRef![row]!),
          }
          const estimate = await estimates.run(
            training.parameters,
            batch as Tree<Tensor>,
            given as Tree<Tensor>,
          )
          const all = { rows: batch, logpOld: given.logpOld, ...estimate }
          for (let epoch = 0; epoch < epochs; epoch++)
            for (const part of partsOf(rows.length, minibatches, rng.fork(`epoch ${epoch}`)))
              await advance(mapLeaves(all as Tree<Tensor>, (leaf) => rowsOf(leaf, part)) as Tree<Tensor>)
          return {}
        },
      },
    )
  } finally {
    await estimates.dispose()
  }
}

type Given<Leaf> = {
  /** Float[B] */
  readonly scores: Leaf
  /** Float[B, C] */
  readonly logpOld: Leaf
  /** Float[B, C] */
  readonly logpRef: Leaf
}

/** Float[B, C] each. */
type Estimates<Leaf> = { readonly valuesOld: Leaf; readonly advantages: Leaf; readonly returns: Leaf }

/** What the critic makes of rollouts; consumes the batch and what is given. */
function estimated(
  policy: LanguagePolicy,
  { kl, advantages: options }: ActorCriticOptions,
  { critic }: Actor<JaxArray>,
  batch: PolicyBatch<JaxArray>,
  { scores, logpOld, logpRef }: Given<JaxArray>,
): Estimates<JaxArray> {
  const { mask } = batch
  const valuesOld = lax.stopGradient(valuesOf(policy, critic, { ...batch, mask: mask.ref }))
  const rewards = klRewards({ logp: logpOld, logpRef, mask: mask.ref, scores }, kl)
  const { advantages, returns } = generalisedAdvantages(
    { rewards, values: valuesOld.ref, done: lastTokens(mask.ref), mask: mask.ref },
    options,
  )
  return { valuesOld, advantages: whitened(advantages, mask), returns }
}

/** Float[B, C]. Borrows the critic, consumes the batch. */
function valuesOf(policy: LanguagePolicy, critic: Critic<JaxArray>, batch: PolicyBatch<JaxArray>): JaxArray {
  const shape = batch.mask.shape
  return criticValues(policy, critic, batch).reshape(shape)
}

function updateLoss(
  policy: LanguagePolicy,
  objective: PpoOptions,
  actor: Actor<JaxArray>,
  { rows, ...given }: Estimates<JaxArray> & { rows: PolicyBatch<JaxArray>; logpOld: JaxArray },
) {
  const mask = rows.mask.ref
  const values = valuesOf(policy, actor.critic, tree.ref(rows))
  const logp = policy.logp(actor.policy, rows)
  return ppoLoss({ ...given, logp, values, mask }, objective)
}
