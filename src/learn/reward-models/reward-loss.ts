import { type Array as JaxArray, nn, numpy as np } from '@jax-js/jax'
import {
  headFeatures,
  type RewardNetwork,
  type RewardNetworkConfig,
  type RewardRows,
  readStates,
  rewardHidden,
  rewardStates,
  rewardValues,
  userMixtures,
} from '../../nets/reward-network.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import {
  bradleyTerryLosses,
  choiceLosses,
  hingeLosses,
  smoothHingeLosses,
  softBradleyTerryLosses,
} from '../objectives/preference-losses.ts'
import type { DrawnBatch, LabelTargets, RewardTargets } from './reward-batches.ts'

/** How a comparison becomes a loss. */
export type ComparisonLoss =
  /** -log sigmoid(difference), each order as certain as it is said to be, less a share of labels taken to be wrong. */
  | { readonly kind: 'bradley-terry'; readonly labelSmoothing?: number }
  /** The same of the difference less the preference's margin times `unit`. */
  | { readonly kind: 'margin'; readonly unit?: number }
  | { readonly kind: 'hinge'; readonly margin?: number }
  | { readonly kind: 'smooth-hinge'; readonly margin?: number; readonly smoothness?: number }
  /** Over the two scores: Bradley-Terry at a temperature. */
  | { readonly kind: 'cross-entropy'; readonly temperature?: number }

/** A loss beside that of the comparisons. */
export interface AuxiliaryLoss {
  readonly name: string
  readonly weight: number
  /** Tensors that it needs, drawn with the batch. */
  readonly given?: (drawn: DrawnBatch) => Tree<Tensor>
  /** Traced; borrows parameters, consumes the rest. Of a trunk that reads tokens. */
  readonly loss: (inputs: {
    readonly parameters: RewardNetwork<JaxArray>
    readonly config: RewardNetworkConfig
    /** Float[R, T, width] */
    readonly hidden: JaxArray
    /** Int[R, T] */
    readonly tokens: JaxArray
    readonly given: any
  }) => JaxArray
}

export type RewardBatch = {
  readonly rows: RewardRows<JaxArray>
  readonly comparisons?: RewardTargets<JaxArray>
  readonly labels?: LabelTargets<JaxArray>
  readonly auxiliary?: Readonly<Record<string, never>>
}

/** The loss of a batch and its parts. Consumes the batch, borrows the parameters. */
export function rewardLoss(
  config: RewardNetworkConfig,
  kind: ComparisonLoss,
  auxiliary: readonly AuxiliaryLoss[],
  parameters: RewardNetwork<JaxArray>,
  { rows: { surface, ...rows }, comparisons, labels, auxiliary: given = {} }: RewardBatch,
): { readonly loss: JaxArray; readonly metrics: Readonly<Record<string, JaxArray>> } {
  const metrics: Record<string, JaxArray> = {}
  const losses: JaxArray[] = []
  let states: JaxArray
  if (auxiliary.length === 0) states = rewardStates(parameters, config, rows)
  else {
    const { reads, ...inputs } = rows
    const tokens = inputs.tokens!.ref
    const hidden = rewardHidden(parameters, config, inputs)
    for (const each of auxiliary) {
      const own = each.loss({
        parameters,
        config,
        hidden: hidden.ref,
        tokens: tokens.ref,
        given: given[each.name],
      })
      metrics[each.name] = own.ref
      losses.push(own.mul(each.weight))
    }
    tokens.dispose()
    states = readStates(hidden, reads!)
  }
  const features = headFeatures(parameters, config, states, surface)
  const valuesAt = (places: JaxArray, view: JaxArray) =>
    rewardValues(parameters, config, np.take(features.ref, places, 0), mixtures(parameters, config, view))
  if (comparisons !== undefined) {
    const { better, worse, weight, confidence, margin, view } = comparisons
    const high = valuesAt(better, view.ref)
    const low = valuesAt(worse, view)
    const total = np.maximum(np.sum(weight.ref), 1e-6)
    metrics.accuracy = np.sum(np.where(np.greater(high.ref, low.ref), weight.ref, 0)).div(total.ref)
    const each = comparisonLosses(kind, { high, low, confidence, margin })
    losses.push(np.sum(each.mul(weight)).div(total))
  }
  if (labels !== undefined) {
    const { state, target, weight, view } = labels
    const values = valuesAt(state, view)
    const total = np.maximum(np.sum(weight.ref), 1e-6)
    const each = softBradleyTerryLosses({ differences: values, confidence: target })
    losses.push(np.sum(each.mul(weight)).div(total))
  }
  features.dispose()
  return { loss: losses.reduce((sum, each) => sum.add(each)), metrics }
}

/** Weights over the outputs, Float[N, K], for dimensions or users Int[N]. Consumes `view`. */
function mixtures(
  parameters: RewardNetwork<JaxArray>,
  { head }: RewardNetworkConfig,
  view: JaxArray,
): JaxArray {
  return head.users === undefined
    ? nn.oneHot(view, head.outputs).astype(np.float32)
    : userMixtures(parameters, view)
}

function comparisonLosses(
  kind: ComparisonLoss,
  {
    high,
    low,
    confidence,
    margin,
  }: {
    readonly high: JaxArray
    readonly low: JaxArray
    readonly confidence: JaxArray
    readonly margin: JaxArray
  },
): JaxArray {
  if (kind.kind === 'cross-entropy') {
    confidence.dispose()
    margin.dispose()
    const scores = np.stack([high, low], -1).div(kind.temperature ?? 1)
    return choiceLosses({ scores, best: np.zeros([scores.shape[0]!], { dtype: np.int32 }) })
  }
  const differences = high.sub(low)
  if (kind.kind === 'bradley-terry') {
    margin.dispose()
    const { labelSmoothing = 0 } = kind
    return softBradleyTerryLosses({
      differences,
      confidence: confidence.mul(1 - 2 * labelSmoothing).add(labelSmoothing),
    })
  }
  confidence.dispose()
  if (kind.kind === 'margin')
    return bradleyTerryLosses({ differences: differences.sub(margin.mul(kind.unit ?? 1)) })
  margin.dispose()
  return kind.kind === 'hinge' ? hingeLosses({ differences }, kind) : smoothHingeLosses({ differences }, kind)
}
