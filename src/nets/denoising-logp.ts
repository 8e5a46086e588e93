import { type Array as JaxArray, numpy as np } from '@jax-js/jax'
import { type Denoiser, type DenoiserConfig, denoiser, scheduleAt } from './denoiser.ts'

/** Steps that a sampler took (`DenoisingStep`), one in each row. */
export interface DenoisingSteps {
  /** x_t and x_{t'}, Float[B, size, size, channels]. */
  readonly images: JaxArray
  readonly next: JaxArray
  /** Float[B]: t and t'. */
  readonly times: JaxArray
  readonly timesNext: JaxArray
  /** Int[B, context] */
  readonly tokens: JaxArray
  /** Float[B, context]: 1 where there is a token. */
  readonly mask: JaxArray
}

/**
 * Log-density Float[B] [nats] of steps of DDIM, averaged over their dims, under the parameters given: what a policy
 * gradient over denoising steps differentiates (DDPO, arXiv 2305.13301, eq. 5). With the sampler's parameters, `eta`
 * (above 0) and `guidance` it equals the `logp` that the sampler gave. Consumes the steps.
 */
export function denoisingLogp(
  parameters: Denoiser<JaxArray>,
  config: DenoiserConfig,
  { images, next, times, timesNext, tokens, mask }: DenoisingSteps,
  { eta = 1, guidance = 1 }: { readonly eta?: number; readonly guidance?: number } = {},
): JaxArray {
  const batch = images.shape[0]!
  const abar = scheduleAt(config, times.ref, (value) => value)
  const abarNext = scheduleAt(config, timesNext, (value) => value)
  const inputs = { images: images.ref, times, tokens, mask }
  const predicted =
    guidance === 1
      ? denoiser(parameters, config, inputs)
      : guided(denoiser(parameters, config, withoutTextBehind(inputs)), guidance)
  const signal = np.sqrt(abar.ref)
  const deviation = np.sqrt(np.subtract(1, abar.ref))
  const isX0 = config.prediction === 'x0'
  const x0 = isX0 ? predicted.ref : signal.ref.mul(images.ref).sub(deviation.ref.mul(predicted.ref))
  const noise = isX0
    ? images.sub(signal.mul(predicted)).div(deviation)
    : signal.mul(predicted).add(deviation.mul(images))
  const spread = np
    .sqrt(
      np
        .subtract(1, abarNext.ref)
        .div(np.subtract(1, abar.ref))
        .mul(np.subtract(1, abar.div(abarNext.ref))),
    )
    .mul(eta)
  const direction = np.sqrt(np.maximum(np.subtract(1, abarNext.ref).sub(np.square(spread.ref)), 0))
  const mean = np.sqrt(abarNext).mul(x0).add(direction.mul(noise))
  const squares = np.mean(np.square(next.sub(mean).div(spread.ref)), [1, 2, 3])
  return squares
    .mul(-0.5)
    .sub(np.log(spread).reshape([batch]))
    .sub(0.5 * Math.log(2 * Math.PI))
}

/** Each row twice: all with their texts, then all without. */
function withoutTextBehind(inputs: {
  readonly images: JaxArray
  readonly times: JaxArray
  readonly tokens: JaxArray
  readonly mask: JaxArray
}) {
  const batch = inputs.images.shape[0]!
  const twice = (array: JaxArray) => np.concatenate([array.ref, array], 0)
  return {
    images: twice(inputs.images),
    times: twice(inputs.times),
    tokens: twice(inputs.tokens),
    mask: twice(inputs.mask),
    dropped: np.concatenate([np.zeros([batch]), np.ones([batch])]),
  }
}

/** u + w (c - u) of predictions with the text (first half) and without. */
function guided(predicted: JaxArray, weight: number): JaxArray {
  const [withText, without] = np.split(predicted, 2, 0) as [JaxArray, JaxArray]
  return without.ref.add(withText.sub(without).mul(weight))
}
