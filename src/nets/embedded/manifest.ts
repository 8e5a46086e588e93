import { z } from 'zod'
import { GuerdonError } from '../../core/index.ts'
import type { WordTokenizerSpec } from '../../models/tokenizer.ts'
import type { Checkpoint } from '../../tensor/checkpoint.ts'
import type { DecoderConfig } from '../decoder.ts'
import type { DenoiserConfig } from '../denoiser.ts'
import type { DualEncoderConfig } from '../dual-encoder.ts'
import type { VisionLanguageConfig } from '../vision-language.ts'

/** Which network a file of weights is for. */
export type EmbeddedNetwork =
  | { readonly kind: 'decoder'; readonly config: DecoderConfig }
  | { readonly kind: 'vision-language'; readonly config: VisionLanguageConfig }
  | { readonly kind: 'dual-encoder'; readonly config: DualEncoderConfig }
  | { readonly kind: 'denoiser'; readonly config: DenoiserConfig }

/** Marks around a prompt: what stands before it, between it and the answer, and after the answer. */
export interface DialogueMarks {
  readonly before: readonly string[]
  readonly between: readonly string[]
  readonly end: string
}

/** What a file of weights says of itself: all that is needed to use it. */
export interface Manifest {
  readonly name: string
  readonly network: EmbeddedNetwork
  readonly tokenizer: WordTokenizerSpec
  /** Of models that answer. */
  readonly dialogue?: DialogueMarks
  readonly training: { readonly seed: string; readonly steps: number; readonly command: string }
}

const schema = z.object({
  name: z.string(),
  network: z.object({
    kind: z.enum(['decoder', 'vision-language', 'dual-encoder', 'denoiser']),
    config: z.record(z.string(), z.unknown()),
  }),
  tokenizer: z.object({
    tokens: z.array(z.string()),
    marks: z.array(z.string()),
    glued: z.array(z.string()).optional(),
    leaning: z.array(z.string()).optional(),
    touching: z.array(z.array(z.string())).optional(),
    unknown: z.string().optional(),
  }),
  dialogue: z
    .object({ before: z.array(z.string()), between: z.array(z.string()), end: z.string() })
    .optional(),
  training: z.object({ seed: z.string(), steps: z.number(), command: z.string() }),
})

/** As metadata of a checkpoint. */
export function manifestMetadata(manifest: Manifest): Record<string, string> {
  return { guerdon: JSON.stringify(manifest) }
}

/** Throws a `GuerdonError` (`bad-weights`) when the checkpoint does not say what it is. */
export function manifestOf({ metadata }: Checkpoint, file: string): Manifest {
  const fail = (what: string): never => {
    throw new GuerdonError('bad-weights', `these are not weights of an embedded model: ${what}.`, {
      place: { file },
      fix: 'Use a file that `guerdon pretrain` wrote.',
    })
  }
  if (metadata.guerdon === undefined) return fail('the metadata has no field "guerdon"')
  let value: unknown
  try {
    value = JSON.parse(metadata.guerdon)
  } catch {
    return fail('the field "guerdon" is not JSON')
  }
  const read = schema.safeParse(value)
  if (!read.success) {
    const { path, message } = read.error.issues[0]!
    return fail(`"${path.join('.')}": ${message}`)
  }
  return read.data as unknown as Manifest
}
