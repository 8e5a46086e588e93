// Sampling with a cache against recomputing the whole text for each token, for bench/tensor.ts: a decoder of 4 layers,
// width 128, 64 texts of 32 tokens, 64 tokens more, one thread each.
import { Rng } from '../src/core/index.ts'
import { cachedDecoder } from '../src/nets/cached-decoder.ts'
import { decoderHidden, decoderLogits, initialDecoder } from '../src/nets/decoder.ts'
import { sampledTexts } from '../src/nets/sampling.ts'
import { compile } from '../src/tensor/compile.ts'
import { type Tensor, tensor } from '../src/tensor/tree.ts'
import { type Time, timeOf } from './_tensor-peers.ts'

const config = { width: 128, depth: 4, heads: 4, hidden: 512, vocabulary: 256, context: 128 }
const [batch, prompt, fresh] = [64, 32, 64]

/** Times of a token for all texts, in turn. */
export async function samplingTimes(rounds: number): Promise<Map<string, Time[]>> {
  const rng = new Rng('bench')
  const parameters = initialDecoder(rng, config)
  const tokens = Array.from({ length: batch }, () => Array.from({ length: prompt }, () => rng.int(0, 256)))
  const decoder = cachedDecoder(config, { threads: 1 })
  const sample = () => sampledTexts(decoder, parameters, { tokens }, { maxTokens: fresh })

  // Recomputing: the newest token's logits from the whole text, in graphs of 16, 32, ... tokens as the cache has them.
  const lengthAt = (step: number) => Math.ceil((prompt + step) / 16) * 16
  const idsAt = (step: number) =>
    tensor(new Int32Array(batch * lengthAt(step)), [batch, lengthAt(step)], 'int32')
  const whole = new Map<number, Awaited<ReturnType<typeof compile<any, Tensor>>>>()
  // Every fourth token, as the texts grow alike in between.
  const steps = Array.from({ length: fresh / 4 }, (_, index) => index * 4)
  for (const step of steps) {
    const length = lengthAt(step)
    if (whole.has(length)) continue
    const newestLogits = (p: any, ids: any) => {
      const states = decoderHidden(p, config, { tokens: ids })
      return decoderLogits(p, states.slice([], [length - 1, length]))
    }
    whole.set(length, await compile<any, Tensor>(newestLogits, [parameters, idsAt(step)], { threads: 1 }))
  }
  const recompute = async () => {
    for (const step of steps) void (await whole.get(lengthAt(step))!.run(parameters, idsAt(step))).data
  }

  await sample() // compiles
  await recompute()
  const perToken = ({ wall, processor }: Time, count: number) => ({
    wall: wall / count,
    processor: processor / count,
  })
  const [cached, recomputed]: [Time[], Time[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    cached.push(perToken(await timeOf(1, sample), fresh))
    recomputed.push(perToken(await timeOf(1, recompute), steps.length))
  }
  await decoder.dispose()
  for (const graph of whole.values()) await graph.dispose()
  return new Map([
    ['with a cache', cached],
    ['recomputed', recomputed],
  ])
}
