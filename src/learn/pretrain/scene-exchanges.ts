import type { Rng } from '../../core/index.ts'
import type { Tokenizer } from '../../models/tokenizer.ts'
import { type Tensor, tensor } from '../../tensor/tree.ts'
import { drawExchange, type ExchangeOptions } from '../../worlds/scenes/exchange.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'

export interface PackingOptions {
  /** Tokens of a row. */
  readonly length: number
  /** What is asked of a scene, and how often. */
  readonly exchanges: (row: number) => ExchangeOptions
  /** Chance that an exchange goes on with the conversation before it. @default 0 */
  readonly followUp?: number
  /** Most tokens of a conversation. */
  readonly context: number
  readonly tokenizer: Tokenizer
}

export type PackedExchanges = {
  /** Int[B, length] */
  readonly tokens: Tensor
  /** Int[B, length]: number of the conversation in its row. */
  readonly segments: Tensor
  /** Int[B, length]: place in the conversation. */
  readonly positions: Tensor
  /** Float[B, length]: weights of the tokens of answers, 0 elsewhere. */
  readonly targetMask: Tensor
}

/** A row of each scene: as many conversations about it as fit, none of which sees another. */
export function packedExchanges(
  scenes: readonly Scene[],
  rng: Rng,
  { length, exchanges, followUp = 0, context, tokenizer }: PackingOptions,
): PackedExchanges {
  const [between, end] = [tokenizer.id('<bos>'), tokenizer.id('<eos>')]
  const shape = [scenes.length, length]
  const [tokens, segments, positions] = [0, 0, 0].map(() => new Int32Array(scenes.length * length)) as [
    Int32Array,
    Int32Array,
    Int32Array,
  ]
  const targetMask = new Float32Array(scenes.length * length)
  scenes.forEach((scene, row) => {
    const asking = exchanges(row)
    const last = (row + 1) * length
    let [at, segment, start] = [row * length, 0, row * length]
    for (let failures = 0; failures < 2; ) {
      const { prompt, answer } = drawExchange(scene, rng, asking)
      const asked = tokenizer.encode(prompt)
      const answered = tokenizer.encode(answer)
      const next = at + asked.length + answered.length + 2
      if (next > last) {
        failures++
        continue
      }
      if (next - start > context || !rng.chance(followUp)) {
        segment++
        start = at
      }
      tokens.set([...asked, between, ...answered, end], at)
      segments.fill(segment, at, next)
      for (let place = at; place < next; place++) positions[place] = place - start
      targetMask.fill(answerWeight(answered.length + 1), next - answered.length - 1, next)
      at = next
    }
  })
  return {
    tokens: tensor(tokens, shape, 'int32'),
    segments: tensor(segments, shape, 'int32'),
    positions: tensor(positions, shape, 'int32'),
    targetMask: tensor(targetMask, shape),
  }
}

/** Weight of each token of an answer: a word that decides a question counts as much as half a caption. */
function answerWeight(length: number): number {
  return Math.max(0.5, 4 / length)
}
