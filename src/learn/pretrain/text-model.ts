import type { DecoderConfig } from '../../nets/decoder.ts'
import type { Manifest } from '../../nets/embedded/manifest.ts'
import { type Tensor, tensor } from '../../tensor/tree.ts'
import type { Dialogue } from '../../worlds/text/dialogue.ts'
import {
  callPieces,
  marks,
  numberParameters,
  parameterPiece,
  textParameters,
  textVocabulary,
} from '../../worlds/text/vocabulary.ts'

/** A decoder that reads and writes the text world, of any size. */
export function textModel(size: Pick<DecoderConfig, 'width' | 'depth' | 'heads' | 'context'>): Pick<
  Manifest,
  'tokenizer' | 'dialogue'
> & {
  readonly network: { readonly kind: 'decoder'; readonly config: DecoderConfig }
} {
  return {
    network: { kind: 'decoder', config: { ...size, vocabulary: textVocabulary.size, tied: true } },
    tokenizer: {
      tokens: textVocabulary.tokens,
      marks: textVocabulary.special,
      glued: [
        '\n',
        ...Object.values(callPieces),
        ...[...textParameters, ...numberParameters].map(parameterPiece),
      ],
      touching: [[...'0123456789']],
    },
    dialogue: { before: [marks.begin, marks.user], between: [marks.assistant], end: marks.end },
  }
}

/**
 * Dialogues of at most `length` tokens as a batch of `decoderLoss`: answers are to be learnt, prompts with a weight of
 * their own.
 */
export function dialogueBatch(
  dialogues: readonly Dialogue[],
  length: number,
  promptWeight = 0,
): { readonly tokens: Tensor; readonly targetMask: Tensor } {
  const rows = dialogues.length
  const tokens = new Int32Array(rows * length)
  const targetMask = new Float32Array(rows * length)
  dialogues.forEach(({ ids, answerStart }, row) => {
    tokens.set(ids, row * length)
    targetMask.fill(promptWeight, row * length, row * length + answerStart)
    targetMask.fill(1, row * length + answerStart, row * length + ids.length)
  })
  return { tokens: tensor(tokens, [rows, length], 'int32'), targetMask: tensor(targetMask, [rows, length]) }
}
