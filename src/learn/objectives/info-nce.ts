import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { targetLogp } from '../../nets/cross-entropy.ts'
import { unitLength } from '../../nets/layers.ts'
import { requireOption, requireShapes } from './shapes.ts'

export interface InfoNceInputs {
  /** Float[N, d]; made unit length here. */
  readonly queries: JaxArray
  /** Float[M, d], M >= N: key i belongs to query i, those after the first N are further negatives. */
  readonly keys: JaxArray
  /** 1 / temperature when it is learnt, Float[]. @default 1 / `temperature` */
  readonly scale?: JaxArray
  /** 1 where key j would also be right for query i (a duplicate), Float[N, M]: not used as a negative. @default none */
  readonly alsoRight?: JaxArray
}

export interface InfoNceOptions {
  /** @default 0.07 */
  readonly temperature?: number
}

/** InfoNCE of cosines, one way: -log softmax of each query's own key among all, Float[N] [nats]. Consumes all. */
export function infoNceLosses(inputs: InfoNceInputs, options: InfoNceOptions = {}): JaxArray {
  const logits = cosineLogits('infoNceLosses', inputs, options)
  return ownLosses(logits)
}

/**
 * InfoNCE both ways, Float[N]: each query's loss among the keys plus that of its key among the queries (the first N keys).
 * The *sum* of both, as in VladVA (arXiv 2412.04378); CLIP halves it. Consumes all.
 */
export function symmetricInfoNceLosses(inputs: InfoNceInputs, options: InfoNceOptions = {}): JaxArray {
  const count = inputs.queries.shape[0]!
  const logits = cosineLogits('symmetricInfoNceLosses', inputs, options)
  const back = np.transpose(logits.ref.slice([], [0, count]))
  return ownLosses(logits).add(ownLosses(back))
}

function cosineLogits(
  objective: string,
  { queries, keys, scale, alsoRight }: InfoNceInputs,
  { temperature = 0.07 }: InfoNceOptions,
): JaxArray {
  requireShapes(objective, {
    queries: [queries, 'Nd'],
    keys: [keys, 'Md'],
    scale: [scale, ''],
    alsoRight: [alsoRight, 'NM'],
  })
  const [n, m] = [queries.shape[0]!, keys.shape[0]!]
  requireOption(objective, m >= n, 'every query has a key')
  requireOption(objective, temperature > 0, '`temperature` is above 0')
  const cosines = np.matmul(unitLength(queries), np.transpose(unitLength(keys)))
  const logits = scale === undefined ? cosines.div(temperature) : cosines.mul(scale)
  if (alsoRight === undefined) return logits
  const others = np.subtract(1, np.eye(n, m, { dtype: logits.dtype }))
  return np.where(np.greater(alsoRight.mul(others), 0), -1e9, logits)
}

/** Negative log-softmax of the diagonal, by row. Consumes it. */
function ownLosses(logits: JaxArray): JaxArray {
  const own = np.arange(0, logits.shape[0]!, 1, { dtype: np.int32 })
  return np.negative(targetLogp(logits, own))
}
