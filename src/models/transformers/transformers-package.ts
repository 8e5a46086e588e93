import { GuerdonError } from '../../core/index.ts'

export type Transformers = typeof import('@huggingface/transformers')

/** The package, when it is first needed. Throws a `GuerdonError` (`package-missing`). */
export async function transformersPackage(): Promise<Transformers> {
  try {
    return await import('@huggingface/transformers')
  } catch (error) {
    throw new GuerdonError(
      'package-missing',
      'models that run here need the package "@huggingface/transformers".',
      { fix: 'Install it: npm install @huggingface/transformers.', cause: error },
    )
  }
}

export interface TransformersOptions {
  /** Precision of the weights, such as `fp16` or `q8`. @default fp32 */
  readonly dtype?: 'fp32' | 'fp16' | 'q8' | 'int8' | 'uint8' | 'q4' | 'bnb4' | 'q4f16'
  /** Version of the model on the Hugging Face hub. @default main */
  readonly revision?: string
}

/** Names the weights: part of the identity of every reward that uses them. */
export function transformersId(
  model: string,
  { dtype = 'fp32', revision = 'main' }: TransformersOptions,
): string {
  return `${model}@transformers.js/${revision}/${dtype}`
}

/** Options as the package takes them. */
export function loading({ dtype = 'fp32', revision = 'main' }: TransformersOptions) {
  return { dtype, revision } as const
}

/** What a configuration says that the model is, such as `clip` or `llama`. */
export async function modelTypeOf(model: string, options: TransformersOptions = {}): Promise<string> {
  const { AutoConfig } = await transformersPackage()
  const config = (await AutoConfig.from_pretrained(model, {
    revision: options.revision ?? 'main',
  })) as unknown as {
    model_type?: string
  }
  return config.model_type ?? ''
}
