import type { Array as JaxArray } from '@jax-js/jax'
import type { CompileOptions } from '../tensor/compile.ts'
import { compileByShape } from '../tensor/compile-by-shape.ts'
import type { Tensor, Tree } from '../tensor/tree.ts'
import type { PrefixTensors } from './cached-decoder.ts'
import { imagePrefix, type VisionLanguage, type VisionLanguageConfig } from './vision-language.ts'

/** Turns images into the prefix of a `CachedDecoder`, once for all texts about them. */
export interface ImageEncoder {
  /**
   * Float[B, size, size, channels] in [0, 1] to the vectors before the text; images whose `dropped` Float[B] is 1 give
   * the null image. Compiled once for each B.
   */
  encode(parameters: VisionLanguage<Tensor>, images: Tensor, dropped?: Tensor): Promise<PrefixTensors>
  dispose(): Promise<void>
}

export function imageEncoder(config: VisionLanguageConfig, options: CompileOptions = {}): ImageEncoder {
  const encode = (parameters: VisionLanguage<JaxArray>, images: JaxArray, dropped?: JaxArray) => {
    const { tokens, mask } = imagePrefix(parameters, config, images, dropped)
    return mask === undefined ? { tokens } : { tokens, mask }
  }
  const compiled = compileByShape<readonly Tree<Tensor>[], PrefixTensors>(encode as never, options)
  return {
    encode: (parameters, images, dropped) =>
      compiled.run(parameters, images, ...(dropped === undefined ? [] : [dropped])),
    dispose: () => compiled.dispose(),
  }
}
