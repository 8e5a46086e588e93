import { type Array as JaxArray, lax, numpy as np, tree } from '@jax-js/jax'
import { GuerdonError, Rng } from '../../core/index.ts'
import {
  type MultiplierSquash,
  type MultiplierState,
  type MultiplierStep,
  multiplierOf,
  multiplierStep,
} from '../../rewards/combine/lagrangian.ts'
import { compileByShape } from '../../tensor/compile-by-shape.ts'
import { mapLeaves, rowsOf, type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import { meanOf, whitened } from '../objectives/averages.ts'
import type { ClipOptions } from '../objectives/clipped-surrogate.ts'
import {
  type GeneralisedAdvantageOptions,
  generalisedAdvantages,
} from '../objectives/generalised-advantages.ts'
import { mixedAdvantages } from '../objectives/mixed-advantages.ts'
import { ppoPolicyLoss, ppoValueLoss } from '../objectives/ppo.ts'
import { klEstimates, klRewards } from '../objectives/reference-kl.ts'
import type { PolicyBatch } from '../policies/language-policy.ts'
import { type Critic, criticValues, initialCritic, lastTokens } from './critic.ts'
import type { IterationRecord } from './monitors.ts'
import { type PolicyTrained, type PolicyTrainingOptions, policyTraining } from './policy-training.ts'
import type { Rollout } from './rollouts.ts'
import { alignedRows, partsOf, weightedRows } from './update-rows.ts'

/** Thresholds in raw units of a response's reward, by component. */
export type Thresholds = Readonly<Record<string, number>>

/**
 * - `at least`: as near the start as it can be with every component at its threshold or above (mu-PPO).
 * - `equal`: the same with every component at its threshold; multipliers may be below 0 (xi-PPO).
 * - `at most`: all components as high as they can be, none above its threshold (All-PPO); the weights of its advantages,
 *   1 for the KL and 1 - multiplier for each component, are *unverified*.
 */
export type ConstraintKind = 'at least' | 'equal' | 'at most'

export interface ConstrainedActorCriticOptions extends Omit<PolicyTrainingOptions, 'group' | 'trainable'> {
  readonly constraints: ConstraintKind
  /**
   * Components are parts of the reward by their names; its value is recorded and teaches nothing. Or a rule that depends on
   * its arguments alone, such as a search; always of the same components.
   */
  readonly thresholds: Thresholds | ((records: readonly IterationRecord[]) => Thresholds)
  /** How multipliers follow. A slower policy wants a smaller learning rate, or both swing about the thresholds. */
  readonly multipliers?: Omit<MultiplierStep, 'squash'> & {
    /** Without it, multipliers are the free numbers themselves, kept at 0 or above. @default true */
    readonly squash?: boolean
    /** Where the free numbers begin. @default one draw of deviation 0.01 for all; 0.5 without squashing */
    readonly initial?: number
  }
  /** Responses to each task. @default 1 */
  readonly group?: number
  /** @default 5 */
  readonly epochs?: number
  /** @default 4 */
  readonly minibatches?: number
  /** Weight of the KL to the start in the KL's own reward. @default 0.2 */
  readonly klWeight?: number
  readonly advantages?: GeneralisedAdvantageOptions
  readonly clip?: ClipOptions
  /** Weights of the squared errors of values. @default components 0.5 (of their mean), kl 0.2 */
  readonly valueWeights?: { readonly components?: number; readonly kl?: number }
  /** The epochs of an iteration end once the KL of an update to the rollouts' policy is above 1.5 times this [nats a token]. */
  readonly targetKl?: number
}

type Actor<Leaf> = { readonly policy: Tree<Leaf>; readonly critic: Critic<Leaf> }

/**
 * PPO under constraints: each component of the reward, and the KL to the start, has its own values and advantages, each
 * standardised within the minibatch; they are mixed by multipliers that follow how far components are from their
 * thresholds. The measured component is the mean of raw scores over the minibatch's responses (the released code's mean is
 * over tokens, in which long responses weigh more). A response without a number for every component is masked. Multipliers
 * are in the records' updates (`multiplier NAME`, as in the mixture), where training goes on from. Throws as
 * `policyGradient`; `bad-option` without a component, `unscored-rollouts` where no response has a number for each.
 *
 * @source arXiv 2310.04373 and its released code (from which the first, skipped multiplier of the unsquashed form differs)
 */
export async function constrainedActorCritic(options: ConstrainedActorCriticOptions): Promise<PolicyTrained> {
  const { policy, minibatches = 4, epochs = 5, group = 1, seed = 0, targetKl = Infinity } = options
  const start = options.parameters ?? policy.initial
  const names = Object.keys(thresholdsAt(options, []))
  if (names.length === 0)
    throw new GuerdonError('bad-option', 'constrainedActorCritic: there is no threshold of any component.')
  const multipliers = followedMultipliers(options, names)
  const estimates = compileByShape<readonly Tree<Tensor>[], Estimates<Tensor>>(
    ((actor: Actor<JaxArray>, batch: PolicyBatch<JaxArray>, given: Given<JaxArray>) =>
      estimated(options, actor, batch, given)) as never,
    options,
  )
  try {
    return await policyTraining(
      { ...options, group },
      {
        name: `constrained-actor-critic, ${options.constraints}`,
        parameters: {
          policy: start,
          critic: initialCritic(policy, start, names.length + 1),
        } satisfies Actor<Tensor> as Tree<Tensor>,
        policyOf: (actor) => (actor as Actor<Tensor>).policy,
        reference: start,
        loss: (parameters, batch) => updateLoss(options, parameters, batch),
        async learn({ iteration, rows, logpRef, rng, advance, training, records }) {
          const thresholds = thresholdsAt(options, records)
          const measured = rows.map((row) => componentsOf(row, names))
          if (measured.every((values) => values === null))
            throw new GuerdonError(
              'unscored-rollouts',
              `no response of iteration ${iteration} has a number for each of ${names.join(', ')}.`,
              { place: { reward: options.reward.name }, fix: 'Thresholds name parts of the reward.' },
            )
          const batch = weightedRows(
            policy.batchOf(rows),
            measured.map((values) => Number(values !== null)),
          )
          const given: Given<Tensor> = {
            scores: tensor(
              measured.flatMap((values) => values ?? names.map(() => 0)),
              [rows.length, names.length],
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
          let state = multipliers.after(records, new Rng(seed))
          const updates = async () => {
            for (let epoch = 0; epoch < epochs; epoch++)
              for (const part of partsOf(rows.length, minibatches, rng.fork(`epoch ${epoch}`))) {
                const taken = mapLeaves(all as Tree<Tensor>, (leaf) => rowsOf(leaf, part)) as object
                const weights = tensor(multipliers.weights(state), [names.length])
                const { klOld } = await advance({ ...taken, weights } as Tree<Tensor>)
                const gaps = gapsOf(
                  part.flatMap((row) => (measured[row] == null ? [] : [measured[row]])),
                  names.map((name) => thresholds[name]!),
                )
                if (gaps !== undefined) state = multipliers.stepped(state, gaps)
                if (klOld! > 1.5 * targetKl) return
              }
          }
          await updates()
          return multipliers.recorded(state, thresholds)
        },
      },
    )
  } finally {
    await estimates.dispose()
  }
}

function thresholdsAt(
  { thresholds }: ConstrainedActorCriticOptions,
  records: readonly IterationRecord[],
): Thresholds {
  return typeof thresholds === 'function' ? thresholds(records) : thresholds
}

/** Null where a component has no number. */
function componentsOf({ score }: Rollout, names: readonly string[]): number[] | null {
  const values = names.map((name) => score.parts?.[name] ?? Number.NaN)
  return score.value === null || values.some(Number.isNaN) ? null : values
}

/** Mean of each component minus its threshold; undefined without a response. */
function gapsOf(
  rows: readonly (readonly number[])[],
  thresholds: readonly number[],
): readonly number[] | undefined {
  if (rows.length === 0) return undefined
  return thresholds.map(
    (threshold, at) => rows.reduce((sum, row) => sum + row[at]!, 0) / rows.length - threshold,
  )
}

/** What multipliers are, how they move, and how they are kept in the records. */
function followedMultipliers(
  {
    constraints,
    multipliers: { squash: squashed = true, initial, ...step } = {},
  }: ConstrainedActorCriticOptions,
  names: readonly string[],
) {
  const squash: MultiplierSquash = !squashed ? 'none' : constraints === 'equal' ? 'tanh' : 'sigmoid'
  const keys = { parameters: 'free multiplier', momentum: 'momentum of' }
  const weights = ({ parameters }: MultiplierState) =>
    parameters.map((m) => (constraints === 'at most' ? 1 - multiplierOf(m, squash) : multiplierOf(m, squash)))
  return {
    weights,
    after(records: readonly IterationRecord[], rng: Rng): MultiplierState {
      const last = records.at(-1)?.updates
      if (last === undefined) {
        const first = initial ?? (squashed ? 0.01 * rng.fork('multipliers').normal() : 0.5)
        return { parameters: names.map(() => first) }
      }
      const kept = (key: string) => names.map((name) => last[`${key} ${name}`]!)
      return { parameters: kept(keys.parameters), momentum: kept(keys.momentum) }
    },
    stepped(state: MultiplierState, gaps: readonly number[]): MultiplierState {
      // the multiplier of an upper bound rises above it
      const signed = constraints === 'at most' ? gaps.map((gap) => -gap) : gaps
      return multiplierStep(state, signed, { ...step, squash })
    },
    recorded(state: MultiplierState, thresholds: Thresholds): Record<string, number> {
      const mixed = weights(state)
      return Object.fromEntries(
        names.flatMap((name, index) => [
          [`multiplier ${name}`, mixed[index]!],
          [`threshold ${name}`, thresholds[name]!],
          [`${keys.parameters} ${name}`, state.parameters[index]!],
          [`${keys.momentum} ${name}`, state.momentum?.[index] ?? 0],
        ]),
      )
    },
  }
}

type Given<Leaf> = {
  /** Float[B, N] */
  readonly scores: Leaf
  /** Float[B, C] */
  readonly logpOld: Leaf
  /** Float[B, C] */
  readonly logpRef: Leaf
}

/** Float[B, C, N + 1] each: the components in their order, then the KL. */
type Estimates<Leaf> = { readonly advantages: Leaf; readonly returns: Leaf }

/** What the critic makes of rollouts; consumes the batch and what is given. */
function estimated(
  { policy, klWeight: beta = 0.2, advantages: options }: ConstrainedActorCriticOptions,
  { critic }: Actor<JaxArray>,
  batch: PolicyBatch<JaxArray>,
  { scores, logpOld, logpRef }: Given<JaxArray>,
): Estimates<JaxArray> {
  const { mask } = batch
  const [rows, count] = scores.shape as [number, number]
  const values = lax.stopGradient(criticValues(policy, critic, { ...batch, mask: mask.ref }))
  const last = lastTokens(mask.ref)
  const penalties = klRewards({ logp: logpOld, logpRef, mask: mask.ref, scores: np.zeros([rows]) }, { beta })
  const signals = Array.from({ length: count + 1 }, (_, signal) => {
    const rewards =
      signal === count ? penalties.ref : last.ref.mul(scores.ref.slice([], [signal, signal + 1]))
    return generalisedAdvantages(
      { rewards, values: signalOf(values, signal), done: last.ref, mask: mask.ref },
      options,
    )
  })
  for (const borrowed of [values, penalties, last, mask, scores]) borrowed.dispose()
  return {
    advantages: np.stack(
      signals.map(({ advantages }) => advantages),
      -1,
    ),
    returns: np.stack(
      signals.map(({ returns }) => returns),
      -1,
    ),
  }
}

/** One of the signals, Float[B, C, N + 1] to Float[B, C]. Borrows it. */
function signalOf(signals: JaxArray, index: number): JaxArray {
  return signals.ref.slice([], [], [index, index + 1]).reshape(signals.shape.slice(0, 2))
}

function updateLoss(
  { policy, constraints, multipliers, clip, valueWeights }: ConstrainedActorCriticOptions,
  actor: Actor<JaxArray>,
  {
    rows,
    logpOld,
    advantages,
    returns,
    weights,
  }: Estimates<JaxArray> & { rows: PolicyBatch<JaxArray>; logpOld: JaxArray; weights: JaxArray },
) {
  const { components: componentWeight = 0.5, kl: klWeight = 0.2 } = valueWeights ?? {}
  const mask = rows.mask.ref
  const count = weights.shape[0]!
  const values = criticValues(policy, actor.critic, tree.ref(rows))
  const logp = policy.logp(actor.policy, rows)
  const standardised = Array.from({ length: count + 1 }, (_, signal) =>
    whitened(signalOf(advantages, signal), mask.ref),
  )
  const mixed = mixedAdvantages(
    {
      objective: standardised[count]!,
      components: np.stack(standardised.slice(0, count), -1),
      multipliers: weights,
    },
    { form: constraints === 'at most' || multipliers?.squash === false ? 'plain' : 'bounded' },
  )
  const errors = Array.from({ length: count + 1 }, (_, signal) => {
    const value = signalOf(values, signal)
    return ppoValueLoss(
      { values: value, valuesOld: value.ref, returns: signalOf(returns, signal), mask: mask.ref },
      { clip: Infinity },
    ).mul(2)
  })
  const value = errors
    .slice(0, count)
    .reduce((sum, error) => sum.add(error))
    .mul(componentWeight / count)
    .add(errors[count]!.mul(klWeight))
  // k3 of the rollouts' policy to the updated one
  const klOld = meanOf(klEstimates({ logp: logpOld.ref, logpRef: logp.ref }), mask.ref)
  const { loss, clipFraction } = ppoPolicyLoss({ logp, logpOld, advantages: mixed, mask }, clip)
  for (const borrowed of [advantages, returns, values]) borrowed.dispose()
  return { loss: loss.ref.add(value.ref), metrics: { policy: loss, value, clipFraction, klOld } }
}
