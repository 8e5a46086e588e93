// Sampling with a cache against recomputing the whole text for each token: a decoder of 4 layers, width 128, 64 texts
// of 32 tokens, 64 tokens more, one thread each.
//
//   npm run -s bench -- sampling [--json]
import { Rng } from '../src/core/index.ts'
import { cachedDecoder } from '../src/nets/cached-decoder.ts'
import { decoderHidden, decoderLogits, initialDecoder } from '../src/nets/decoder.ts'
import { sampledTexts } from '../src/nets/sampling.ts'
import { compile } from '../src/tensor/compile.ts'
import { type Tensor, tensor } from '../src/tensor/tree.ts'
import { print } from './_throughput.ts'

const config = { width: 128, depth: 4, heads: 4, hidden: 512, vocabulary: 256, context: 128 }
const [batch, prompt, fresh] = [64, 32, 64]
const rng = new Rng('bench')
const parameters = initialDecoder(rng, config)
const tokens = Array.from({ length: batch }, () => Array.from({ length: prompt }, () => rng.int(0, 256)))

const decoder = cachedDecoder(config, { threads: 1 })
const sample = () => sampledTexts(decoder, parameters, { tokens }, { maxTokens: fresh })

// Recomputing: the newest token's logits from the whole text, in graphs of 16, 32, ... tokens as the cache has them.
const whole = new Map<number, Awaited<ReturnType<typeof compile>>>()
const length = (step: number) => Math.ceil((prompt + step) / 16) * 16
for (let step = 0; step < fresh; step++)
  if (!whole.has(length(step)))
    whole.set(
      length(step),
      await compile(
        (p, ids) =>
          decoderLogits(
            p,
            decoderHidden(p, config, { tokens: ids }).slice([], [length(step) - 1, length(step)]),
          ),
        [parameters, tensor(new Int32Array(batch * length(step)), [batch, length(step)], 'int32')],
        { threads: 1 },
      ),
    )
const recompute = async (steps: readonly number[]) => {
  for (const step of steps) {
    const ids = tensor(new Int32Array(batch * length(step)), [batch, length(step)], 'int32')
    const run = whole.get(length(step))!.run as (...args: unknown[]) => Promise<Tensor>
    void (await run(parameters, ids)).data
  }
}

const seconds = async (work: () => Promise<unknown>) => {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}
await sample() // compiles
await recompute([...whole.keys()].map((size) => size - prompt))
const [cached, recomputed]: number[][] = [[], []]
for (let round = 0; round < 3; round++) {
  cached!.push(await seconds(sample))
  // every fourth token, as the texts grow alike in between
  const steps = Array.from({ length: fresh / 4 }, (_, index) => index * 4)
  recomputed!.push(4 * (await seconds(() => recompute(steps))))
}
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!
const [withCache, without] = [median(cached!), median(recomputed!)]
print([
  {
    way: 'with cache',
    'tokens/s': (batch * fresh) / withCache,
    'ms/step': (withCache / fresh) * 1000,
    ratio: 1,
  },
  {
    way: 'recomputed',
    'tokens/s': (batch * fresh) / without,
    'ms/step': (without / fresh) * 1000,
    ratio: without / withCache,
  },
])
await decoder.dispose()
for (const graph of whole.values()) await graph.dispose()
