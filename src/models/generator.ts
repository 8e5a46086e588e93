import type { Outcome } from './outcome.ts'
import type { Raster } from './raster.ts'

/** A policy that is sampled from; where it can, it says how likely each of its random choices was. */
export interface Generator<Output = Raster | string> {
  /** Names the model and its weights. */
  readonly id: string
  /** One sample for each prompt, in order. */
  generate(
    prompts: readonly string[],
    options?: GenerateOptions,
  ): Promise<readonly Outcome<Generated<Output>>[]>
}

export interface GenerateOptions {
  /** Each prompt draws from its own stream. @default 0 */
  readonly seed?: string | number
  /** Of sequences: 0 takes the likeliest token. Of images: 0 is deterministic, 1 as random as the diffusion. @default 1 */
  readonly temperature?: number
  /** Of images: steps of the sampler; of sequences: new tokens at most. @default the model's */
  readonly steps?: number
  /** Of images: weight of classifier-free guidance, 1 for none. @default 1 */
  readonly guidance?: number
  readonly signal?: AbortSignal
}

export interface Generated<Output> {
  readonly output: Output
  /**
   * Log-probability of each random choice in the order made [nats]: of each token; of each step of a diffusion, averaged
   * over its dims (NaN where the step was deterministic). Endpoints do not tell.
   */
  readonly logp?: readonly number[]
}

/** A sample of a policy that can be trained. */
export type LikelyGenerated<Output> = Required<Generated<Output>>
