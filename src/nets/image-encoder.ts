import type { Array as JaxArray } from '@jax-js/jax'
import { type Compiled, type CompileOptions, compile } from '../tensor/compile.ts'
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
  const compiled = new Map<string, Promise<Compiled<readonly Tree<Tensor>[], PrefixTensors>>>()
  const encode = (parameters: VisionLanguage<JaxArray>, images: JaxArray, dropped?: JaxArray) => {
    const { tokens, mask } = imagePrefix(parameters, config, images, dropped)
    return mask === undefined ? { tokens } : { tokens, mask }
  }
  return {
    async encode(parameters, images, dropped) {
      const args = [parameters, images, ...(dropped === undefined ? [] : [dropped])]
      const key = `${images.shape} ${dropped?.shape}`
      if (!compiled.has(key)) compiled.set(key, compile(encode as never, args, options))
      return (await compiled.get(key)!).run(...args)
    },
    async dispose() {
      for (const made of compiled.values()) await made.then((graph) => graph.dispose()).catch(() => {})
      compiled.clear()
    },
  }
}
