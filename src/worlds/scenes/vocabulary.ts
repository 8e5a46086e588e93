import { GuerdonError, identityOf } from '../../core/index.ts'
import { backgrounds, colours, numberWords, sizes } from './attributes.ts'
import { shapeWords } from './noun.ts'
import { joinedWords, wordsOf } from './words.ts'

/** Tokens that are no words. Their places in the vocabulary never change. */
export const specialTokens = [
  '<pad>',
  '<bos>',
  '<eos>',
  '<unk>',
  '<image>',
  '<box>',
  '</box>',
  '<obj>',
  '</obj>',
  '<visual>',
  '<previsual>',
  '<prebox>',
  '<think>',
  '</think>',
  '<answer>',
  '</answer>',
  '<description>',
  '</description>',
  '<look>',
  '</look>',
] as const
export type SpecialToken = (typeof specialTokens)[number]

/** A box edge is written as one of 65 tokens, <0> to <64>: 64ths of the image's width or height. */
export const boxSteps = 64

const punctuation = ['.', ',', '?', ':'] as const

/** The words of captions, questions, answers and instructions: fewer than 128 with everything above but box edges. */
const words = [
  ...numberWords,
  ...shapeWords.keys(),
  ...colours,
  ...backgrounds,
  ...sizes,
  ...'top bottom left right middle'.split(' '),
  ...'of above below larger smaller than same as'.split(' '),
  ...'a an the is are there no and at in it'.split(' '),
  ...'image background colour colours size looks calm busy'.split(' '),
  ...'yes none what which where how many more fewer or not'.split(' '),
  ...'A B C D'.split(' '),
  ...'describe find segment outline mark depth all show if else near wrong'.split(' '),
  ...'moves stays stops grows shrinks up down first then last does do ok'.split(' '),
]

const tokens: readonly string[] = [
  ...specialTokens,
  ...Array.from({ length: boxSteps + 1 }, (_, step) => `<${step}>`),
  ...punctuation,
  ...words,
]

/** The one token list that captions, questions, boxes and clips share, and its word-level tokeniser. */
export interface Vocabulary {
  /** Names the token list; weights trained with another one do not fit. */
  readonly identity: string
  readonly tokens: readonly string[]
  readonly size: number
  /** Throws a `GuerdonError` for what is no token. */
  idOf(token: string): number
  /** Token ids of a text, without <bos> and <eos>. What is not in the list becomes <unk>. */
  encode(text: string): number[]
  /**
   * The text of token ids up to the first <eos>; <pad> and <bos> are left out. Of what the generators here write,
   * `decode(encode(text))` is the text itself.
   */
  decode(ids: Iterable<number>): string
}

const ids = new Map(tokens.map((token, id) => [token, id]))
const unknown = ids.get('<unk>')!

export const sceneVocabulary: Vocabulary = {
  identity: identityOf(tokens),
  tokens,
  size: tokens.length,
  idOf(token) {
    const id = ids.get(token)
    if (id === undefined) throw new GuerdonError('no-such-token', `"${token}" is not in the vocabulary.`)
    return id
  },
  encode: (text) => wordsOf(text).map((word) => ids.get(word.text) ?? unknown),
  decode(given) {
    const kept: string[] = []
    for (const id of given) {
      const token = tokens[id]
      if (token === undefined)
        throw new GuerdonError(
          'no-such-token',
          `${id} is no token id: they run from 0 to ${tokens.length - 1}.`,
        )
      if (token === '<eos>') break
      if (token !== '<pad>' && token !== '<bos>') kept.push(token)
    }
    return joinedWords(kept)
  },
}
