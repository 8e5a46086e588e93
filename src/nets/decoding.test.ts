import { describe, expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { compile } from '../tensor/compile.ts'
import { type Tensor, type Tree, tensor } from '../tensor/tree.ts'
import { type Cache, cachedDecoder, type PrefixTensors } from './cached-decoder.ts'
import { type DecoderConfig, decoder, initialDecoder } from './decoder.ts'
import { imageEncoder } from './image-encoder.ts'
import { sampledTexts } from './sampling.ts'
import { initialVisionLanguage } from './vision-language.ts'

const base: DecoderConfig = { width: 16, depth: 2, heads: 2, vocabulary: 13, context: 24 }
const rng = new Rng('decoding')
const words = (count: number) => Array.from({ length: count }, () => rng.int(0, 13))
const texts = [words(3), words(7), words(5)]
const prefix: PrefixTensors = {
  tokens: tensor(
    Float32Array.from({ length: 3 * 2 * 16 }, () => rng.normal()),
    [3, 2, 16],
  ),
  mask: tensor([1, 1, 0, 1, 1, 1], [3, 2]),
}
const options = { block: 4, threads: 1 }

/** Logits after the last token of one text, from the whole text without a cache. */
async function wholeLogits(
  config: DecoderConfig,
  parameters: Tree<Tensor>,
  text: readonly number[],
  given?: PrefixTensors,
): Promise<number[]> {
  const tokens = tensor(text, [1, text.length], 'int32')
  const inputs = { tokens, ...(given === undefined ? {} : { prefix: given as unknown as Tree<Tensor> }) }
  const run = await compile((p, x) => decoder(p, config, x) as never, [parameters, inputs], { threads: 1 })
  const logits = (await run.run(parameters, inputs)) as unknown as Tensor
  await run.dispose()
  return [...(logits.data as Float32Array).slice(-config.vocabulary)]
}

const rowOf = ({ tokens, mask }: PrefixTensors, row: number): PrefixTensors => ({
  tokens: tensor((tokens.data as Float32Array).slice(row * 32, (row + 1) * 32), [1, 2, 16]),
  mask: tensor((mask!.data as Float32Array).slice(row * 2, row * 2 + 2), [1, 2]),
})
const expectClose = (given: ArrayLike<number>, wanted: readonly number[]) => {
  wanted.forEach((value, index) => {
    expect(Math.abs(given[index]! - value)).toBeLessThan(2e-5)
  })
}

describe('decoding with a cache equals reading the whole text', () => {
  const cases: [string, DecoderConfig, PrefixTensors | undefined][] = [
    ['plain', base, undefined],
    ['after a prefix', base, prefix],
    ['with a window', { ...base, window: 5 }, undefined],
    ['with a window, after a causal prefix', { ...base, window: 3, prefixAttention: 'causal' }, prefix],
  ]
  for (const [name, config, given] of cases)
    test(name, async () => {
      const parameters = initialDecoder(new Rng('weights'), config)
      const engine = cachedDecoder(config, options)
      const long = texts.map((text) => [...text])
      let { logits, cache } = await engine.prefill(parameters, { tokens: texts, prefix: given })
      // past the end of two blocks, so that the memories are joined twice
      for (let step = 0; step < 10; step++) {
        const next = words(3)
        next.forEach((token, row) => {
          long[row]!.push(token)
        })
        ;({ logits, cache } = await engine.step(cache, next))
        if (step % 3 !== 0) continue
        for (const row of [0, 1, 2]) {
          const own = logits.subarray(row * 13, (row + 1) * 13)
          expectClose(own, await wholeLogits(config, parameters, long[row]!, given && rowOf(given, row)))
        }
      }
      await engine.dispose()
    })
})

test('a cache may be continued in several ways, and rows chosen and repeated', async () => {
  const parameters = initialDecoder(new Rng('weights'), base)
  const engine = cachedDecoder(base, options)
  const start = await engine.prefill(parameters, { tokens: texts })
  const first = await engine.step(start.cache, [1, 2, 3])
  const other = await engine.step(start.cache, [4, 5, 6])
  const again = await engine.step(start.cache, [1, 2, 3])
  expect([...again.logits]).toEqual([...first.logits])
  const onward = async (cache: Cache) => (await engine.step(cache, Array(cache.batch).fill(7))).logits
  expectClose(await onward(first.cache), [...(await onward(again.cache))])
  const logits = await onward(await engine.select(other.cache, [2, 0, 2]))
  expectClose(logits.subarray(0, 13), await wholeLogits(base, parameters, [...texts[2]!, 6, 7]))
  expectClose(logits.subarray(13, 26), await wholeLogits(base, parameters, [...texts[0]!, 4, 7]))
  expect([...logits.subarray(26)]).toEqual([...logits.subarray(0, 13)])
  await engine.dispose()
})

describe('sampling', () => {
  const parameters = initialDecoder(new Rng('weights'), base)
  const engine = cachedDecoder(base, options)

  test('is decided by the seed, text by text', async () => {
    const sample = (tokens: number[][], batch: number, seed = 1) =>
      sampledTexts(engine, parameters, { tokens }, { maxTokens: 6, seed, batch })
    const whole = await sample(texts, 64)
    expect(await sample(texts, 64)).toEqual(whole)
    expect((await sample(texts, 1)).map(({ tokens }) => tokens)).toEqual(whole.map(({ tokens }) => tokens))
    expect((await sample(texts, 64, 2)).map(({ tokens }) => tokens)).not.toEqual(
      whole.map(({ tokens }) => tokens),
    )
  })

  test('log-probabilities are those of the given text', async () => {
    for (const given of [undefined, prefix]) {
      const sampled = await sampledTexts(
        engine,
        parameters,
        { tokens: texts, prefix: given },
        { maxTokens: 5, temperature: 0.7, topK: 6 },
      )
      const scored = await engine.score(parameters, {
        tokens: texts.map((text, row) => [...text, ...sampled[row]!.tokens]),
        prefix: given,
      })
      sampled.forEach(({ logp, sampledLogp }, row) => {
        expectClose(scored[row]!.subarray(texts[row]!.length), [...logp])
        for (const value of sampledLogp) expect(value).toBeLessThanOrEqual(0)
        expect(Number.isNaN(scored[row]![0]!)).toBe(given === undefined)
      })
    }
  })

  test('greedy takes the likeliest; top-k 1 and a tiny top-p do the same', async () => {
    const tokensOf = async (how: object) =>
      (await sampledTexts(engine, parameters, { tokens: texts }, { maxTokens: 5, ...how })).map(
        ({ tokens }) => tokens,
      )
    const greedy = await tokensOf({ temperature: 0 })
    expect(await tokensOf({ topK: 1 })).toEqual(greedy)
    expect(await tokensOf({ topP: 1e-6 })).toEqual(greedy)
    const logits = await wholeLogits(base, parameters, texts[0]!)
    expect(greedy[0]![0]).toBe(logits.indexOf(Math.max(...logits)))
  })

  test('draws in proportion to the probabilities that the filters leave', async () => {
    const logits = await wholeLogits(base, parameters, texts[0]!)
    const order = logits.map((_, token) => token).sort((a, b) => logits[b]! - logits[a]!)
    const weights = order.slice(0, 3).map((token) => Math.exp(logits[token]! / 0.5))
    const total = weights.reduce((a, b) => a + b)
    const draws = await sampledTexts(
      engine,
      parameters,
      { tokens: Array(2048).fill(texts[0]) },
      { maxTokens: 1, temperature: 0.5, topK: 3, batch: 2048 },
    )
    order.slice(0, 3).forEach((token, rank) => {
      const share = draws.filter(({ tokens }) => tokens[0] === token).length / 2048
      expect(Math.abs(share - weights[rank]! / total)).toBeLessThan(0.05)
      const drawn = draws.find(({ tokens }) => tokens[0] === token)
      expect(drawn!.sampledLogp[0]).toBeCloseTo(Math.log(weights[rank]! / total), 3)
    })
    expect(draws.every(({ tokens }) => order.slice(0, 3).includes(tokens[0]!))).toBe(true)
  })

  test('each text stops on its own; bans and the context are kept', async () => {
    const results = await sampledTexts(
      engine,
      parameters,
      { tokens: texts },
      {
        maxTokens: 99,
        stop: [0, 1, 2],
        process(logits, row) {
          if (row === 1) logits.fill(Number.NEGATIVE_INFINITY, 0, 3) // this one must never stop
        },
      },
    )
    const long = results[1]!
    expect(long.stopped).toBe(false)
    expect(long.tokens.length).toBe(base.context - texts[1]!.length + 1)
    for (const row of [0, 2]) {
      expect(results[row]!.stopped).toBe(true)
      expect(results[row]!.tokens.findIndex((token) => token < 3)).toBe(results[row]!.tokens.length - 1)
    }
    await expect(
      sampledTexts(
        engine,
        parameters,
        { tokens: texts },
        { maxTokens: 1, process: (l) => l.fill(-Infinity) },
      ),
    ).rejects.toThrow(/ruled out/)
    await expect(engine.prefill(parameters, { tokens: [words(30)] })).rejects.toThrow(/context of 24/)
    await expect(engine.prefill(parameters, { tokens: [[]] })).rejects.toThrow(/without tokens/)
  })
})

test('images are encoded once and continued as text; a hidden image does not matter', async () => {
  const config = {
    decoder: base,
    connector: { kind: 'encoder' as const, width: 8, depth: 1, heads: 2, image: { size: 8, patch: 4 } },
  }
  const parameters = initialVisionLanguage(new Rng('vlm'), config)
  const encoder = imageEncoder(config, { threads: 1 })
  const engine = cachedDecoder(base, { ...options, taps: [0, 1] })
  const image = (seed: string) => {
    const own = new Rng(seed)
    return Float32Array.from({ length: 8 * 8 * 3 }, () => own.uniform())
  }
  const images = tensor(Float32Array.from([...image('a'), ...image('b')]), [2, 8, 8, 3])
  const read = async (dropped?: Tensor) => {
    const seen = await encoder.encode(parameters, images, dropped)
    return engine.prefill(parameters.decoder, { tokens: [texts[0]!, texts[0]!], prefix: seen })
  }
  const seen = await read()
  expect(seen.hidden.map(({ shape }) => [...shape])).toEqual([
    [2, 16],
    [2, 16],
  ])
  expect([...seen.logits.subarray(0, 13)]).not.toEqual([...seen.logits.subarray(13)])
  const hidden = await read(tensor([1, 1], [2]))
  expectClose(hidden.logits.subarray(0, 13), [...hidden.logits.subarray(13)])
  await encoder.dispose()
  await engine.dispose()
})
