import { type Array as JaxArray, lax, numpy as np, tree } from '@jax-js/jax'
import { Rng } from '../../core/index.ts'
import { initialLinear, type Linear, linear } from '../../nets/layers.ts'
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

type Actor<Leaf> = {
  readonly policy: Tree<Leaf>
  /** A network of its own, as large as the policy and started from it, with a value for each token. */
  readonly critic: { readonly trunk: Tree<Leaf>; readonly head: Linear<Leaf> }
}

/**
 * PPO of a language policy with a critic (card 00): each token is a step, the KL to the start is in its reward, the
 * score comes with the last token, advantages are generalised and whitened. A response that is cut off at `maxTokens`
 * has ended all the same, as it is judged as it stands. Throws as `policyGradient`.
 */
export async function actorCritic(options: ActorCriticOptions): Promise<PolicyTrained> {
  const { policy, minibatches = 4, epochs = 4, group = 1, seed = 0 } = options
  const start = options.parameters ?? policy.initial
  const head = initialLinear(new Rng(seed).fork('critic'), policy.width, 1)
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
          critic: { trunk: start, head: mapLeaves(head, zeros) as Linear<Tensor> },
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

/** 1 at the last token of each response, Float[B, C]. Consumes the mask. */
function lastTokens(mask: JaxArray): JaxArray {
  const [rows, columns] = mask.shape as [number, number]
  const after = np.concatenate([mask.ref.slice([], [1, columns]), np.zeros([rows, 1])], 1)
  return mask.mul(np.subtract(1, after))
}

/** Float[B, C]. Borrows the critic, consumes the batch. */
function valuesOf(
  policy: LanguagePolicy,
  { trunk, head }: Actor<JaxArray>['critic'],
  batch: PolicyBatch<JaxArray>,
): JaxArray {
  const hidden = policy.hidden(trunk, batch)
  return linear(head, hidden.ref).reshape(hidden.shape.slice(0, 2))
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

function zeros({ shape }: Tensor): Tensor {
  return tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape)
}
