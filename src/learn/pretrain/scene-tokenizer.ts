import type { WordTokenizerSpec } from '../../models/tokenizer.ts'
import { boxSteps, sceneVocabulary, type specialTokens } from '../../worlds/scenes/vocabulary.ts'

/** The vocabulary of the scenes as data. Marks that are part of answers (boxes, thoughts) are text. */
export const sceneTokenizer: WordTokenizerSpec = {
  tokens: sceneVocabulary.tokens,
  marks: ['<pad>', '<bos>', '<eos>'],
  leaning: ['.', ',', '?', ':'],
  touching: [['<box>', '</box>', ...Array.from({ length: boxSteps + 1 }, (_, step) => `<${step}>`)]],
  unknown: '<unk>' satisfies (typeof specialTokens)[number],
}
