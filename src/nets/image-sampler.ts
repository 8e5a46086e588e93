import type { Array as JaxArray } from '@jax-js/jax'
import { GuerdonError, Rng } from '../core/index.ts'
import type { CompileOptions } from '../tensor/compile.ts'
import { compileByShape } from '../tensor/compile-by-shape.ts'
import { type Tensor, type Tree, tensor } from '../tensor/tree.ts'
import { type Denoiser, type DenoiserConfig, denoiser } from './denoiser.ts'
import {
  ddimStep,
  fromPrediction,
  noiseSchedule,
  samplingTimes,
  standardNormal,
  stepLogp,
} from './diffusion.ts'

export interface ImageSamplingOptions {
  /** Steps of the sampler, at most the schedule's. @default 10 */
  readonly steps?: number
  /**
   * Time of the last step. The default, T / steps - 1, begins at the noisiest time; at 0 the last step would not move.
   */
  readonly offset?: number
  /** 0 deterministic DDIM, 1 as random as DDPM (a policy, with log-probabilities). @default 0 */
  readonly eta?: number
  /** w of classifier-free guidance e_u + w (e_c - e_u); 1 is none and costs half. @default 1 */
  readonly guidance?: number
  /** Each image draws from its own stream. @default 0 */
  readonly seed?: string | number
  /** Names of the images' streams, one for each text. @default their numbers */
  readonly streams?: readonly (string | number)[]
  /**
   * What comes out of the last step: its estimate of the clean image, or, as in DDPO (arXiv 2305.13301), a sample of
   * the step, which is still noisy where eta > 0. @default 'x0'
   */
  readonly final?: 'x0' | 'sample'
  readonly signal?: AbortSignal
}

/** One step of all images, as reinforcement learning needs it. */
export interface DenoisingStep {
  readonly time: number
  readonly timeNext: number
  /** x_t and x_{t'}, Float[B, size, size, channels]. */
  readonly images: Tensor
  readonly next: Tensor
  /** Log-density of each image's step, averaged over its dims [nats]; NaN where the step is not random. */
  readonly logp: readonly number[]
}

export interface SampledImages {
  /** Float[B, size, size, channels], about [-1, 1]. */
  readonly images: Tensor
  readonly trajectory: readonly DenoisingStep[]
}

export interface ImageSampler {
  /** One image for each text (token ids, at most the context). */
  sample(
    parameters: Denoiser<Tensor>,
    texts: readonly (readonly number[])[],
    options?: ImageSamplingOptions,
  ): Promise<SampledImages>
  dispose(): Promise<void>
}

/** DDIM sampling (`00-generators`, section 3); a graph is compiled for each number of texts. */
export function imageSampler(config: DenoiserConfig, options: CompileOptions = {}): ImageSampler {
  const schedule = noiseSchedule(config.schedule, config.steps)
  const predict = (p: Denoiser<JaxArray>, inputs: never) => denoiser(p, config, inputs)
  const compiled = compileByShape<readonly Tree<Tensor>[], Tensor>(predict as never, options)

  return {
    async sample(parameters, texts, given = {}) {
      const { steps = 10, eta = 0, guidance = 1, seed = 0, final = 'x0', signal } = given
      if (!(steps >= 1 && steps <= config.steps))
        throw new GuerdonError(
          'bad-option',
          `${steps} sampling steps do not fit a schedule of ${config.steps}.`,
        )
      const stride = Math.floor(config.steps / steps)
      const offset = given.offset ?? stride - 1
      const { size, channels = 3 } = config.image
      const shape = [texts.length, size, size, channels]
      const pixels = size * size * channels
      const random = texts.map((_, index) => new Rng(seed).fork(given.streams?.[index] ?? index))
      const draw = () => joined(random.map((rng) => standardNormal(rng, pixels)))
      const guided = guidance !== 1
      const { tokens, mask } = textTensors(guided ? [...texts, ...texts] : texts, config.text.context)
      const hidden = Float32Array.from({ length: guided ? 2 * texts.length : texts.length }, (_, row) =>
        row >= texts.length ? 1 : 0,
      )

      let x = draw()
      let x0 = x
      const trajectory: DenoisingStep[] = []
      for (const time of samplingTimes(config.steps, steps, offset)) {
        signal?.throwIfAborted()
        const timeNext = Math.max(0, time - stride)
        const rows = hidden.length
        const inputs = {
          images: tensor(guided ? joined([x, x]) : x, [rows, size, size, channels]),
          times: tensor(new Float32Array(rows).fill(time), [rows]),
          tokens,
          mask,
          dropped: tensor(hidden, [rows]),
        }
        const predicted = (await compiled.run(parameters, inputs)).data as Float32Array
        const v = guided ? mixed(predicted, x.length, guidance) : predicted
        const estimate = fromPrediction(config.prediction ?? 'velocity', x, v, schedule.abar[time]!)
        const { mean, deviation } = ddimStep(
          estimate.x0,
          estimate.noise,
          schedule.abar[time]!,
          schedule.abar[timeNext]!,
          eta,
        )
        const noise = deviation > 0 ? draw() : undefined
        const next =
          noise === undefined ? mean : mean.map((value, index) => value + deviation * noise[index]!)
        const logp = texts.map((_, row) => {
          const own = (all: Float32Array) => all.subarray(row * pixels, (row + 1) * pixels)
          return stepLogp(own(next), own(mean), deviation, 'mean')
        })
        trajectory.push({ time, timeNext, images: tensor(x, shape), next: tensor(next, shape), logp })
        x = next
        x0 = estimate.x0
      }
      return { images: tensor(final === 'x0' ? x0 : x, shape), trajectory }
    },

    dispose: () => compiled.dispose(),
  }
}

/** Texts padded on the right to the context, and where they have tokens. */
export function textTensors(
  texts: readonly (readonly number[])[],
  context: number,
): { readonly tokens: Tensor; readonly mask: Tensor } {
  const tokens = new Int32Array(texts.length * context)
  const mask = new Float32Array(texts.length * context)
  texts.forEach((text, row) => {
    if (text.length > context)
      throw new GuerdonError(
        'text-too-long',
        `a text of ${text.length} tokens exceeds the context of ${context}.`,
      )
    tokens.set(text, row * context)
    mask.fill(1, row * context, row * context + text.length)
  })
  const shape = [texts.length, context]
  return { tokens: tensor(tokens, shape, 'int32'), mask: tensor(mask, shape) }
}

/** First half with the text, second without: u + w (c - u). Linear in v as in eps, so v is mixed. */
function mixed(predicted: Float32Array, size: number, guidance: number): Float32Array {
  return predicted
    .subarray(0, size)
    .map((withText, index) => predicted[size + index]! + guidance * (withText - predicted[size + index]!))
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const array of arrays) {
    all.set(array, at)
    at += array.length
  }
  return all
}
