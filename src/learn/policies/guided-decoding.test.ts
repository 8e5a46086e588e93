import { expect, test } from 'vitest'
import { testVectors } from '../../../tests/vectors.ts'
import { Rng } from '../../core/index.ts'
import { cachedDecoder } from '../../nets/cached-decoder.ts'
import { initialDecoder } from '../../nets/decoder.ts'
import { guidedDecoder, guidedLogp, logSoftmax } from '../../nets/guided-decoder.ts'
import { sampledTexts } from '../../nets/sampling.ts'
import { type PartialText, valueGuidedDecoder } from '../../nets/value-guided-decoder.ts'
import { evaluated } from '../../tensor/evaluated.ts'
import { autoregressiveRewardLosses } from '../objectives/autoregressive-reward.ts'

const decode = ({ base, guides, normalised = false, temperature = 1 }: any) => {
  const logp = guidedLogp(base, guides, { normalised }).map((value) => value / temperature)
  return Array.from(logSoftmax(logp), Math.exp)
}
testVectors('genarm', {
  decode: (input) => decode(input),
  arm_loss: ({ beta, ...pairs }) => ({
    losses: evaluated(
      ({ logpChosen, logpRejected }: any) =>
        autoregressiveRewardLosses({ margins: logpChosen.sub(logpRejected) }, { beta }),
      pairs,
    ),
    chosen: pairs.logpChosen.map((logp: number) => beta * logp),
    rejected: pairs.logpRejected.map((logp: number) => beta * logp),
  }),
})

test('a token that a guide does not know has probability 0, whatever its weight', () => {
  for (const weight of [0, 0.5, 2]) {
    const logp = guidedLogp([1, 2, 3], [{ logits: [0, 1, -Infinity], weight }])
    expect(logp[2]).toBe(-Infinity)
    expect(Math.exp(logp[0]!) + Math.exp(logp[1]!)).toBeCloseTo(1, 5)
  }
  expect([...guidedLogp([1, 2], [{ logits: [5, 0], weight: 0 }])]).toEqual([...guidedLogp([1, 2], [])])
})

const options = { block: 4, threads: 1 }
const large = { width: 16, depth: 2, heads: 2, vocabulary: 13, context: 24 }
const small = { width: 8, depth: 1, heads: 2, vocabulary: 12, context: 20 }
/** Tokens are numbered the other way round, and the base's last is unknown. */
const tokenOf = (token: number) => (token === 12 ? undefined : 11 - token)
const prompts = [
  [1, 2, 3],
  [4, 5],
  [6, 7, 8, 9, 10],
]

test('texts are drawn from what the models come to together, each with a memory of its own', async () => {
  const [writer, guide] = [cachedDecoder(large, options), cachedDecoder(small, options)]
  const parameters = {
    base: initialDecoder(new Rng('writer'), large),
    guides: [initialDecoder(new Rng('guide'), small)],
  }
  const together = guidedDecoder(writer, [{ source: guide, weight: 3, tokenOf }])
  expect(together.config).toEqual({ vocabulary: 13, context: 20 })
  const texts = await sampledTexts(together, parameters, { tokens: prompts }, { maxTokens: 10, seed: 1 })
  for (const [row, { tokens, logp }] of texts.entries()) {
    expect(tokens).not.toContain(12)
    // read anew, without memories
    for (const place of [0, 5, 9]) {
      const before = [...prompts[row]!, ...tokens.slice(0, place)]
      const own = await writer.prefill(parameters.base, { tokens: [before] })
      const other = await guide.prefill(parameters.guides[0]!, {
        tokens: [before.map((token) => tokenOf(token)!)],
      })
      const heard = Array.from({ length: 13 }, (_, token) => other.logits[tokenOf(token) ?? -1] ?? -Infinity)
      const wanted = guidedLogp(own.logits, [{ logits: heard, weight: 3 }])
      expect(logp[place]).toBeCloseTo(wanted[tokens[place]!]!, 4)
    }
  }
  expect(() => guidedDecoder(writer, [{ source: guide, weight: 1 }])).toThrow(/12 tokens.*13/)
  await expect(sampledTexts(together, parameters, { tokens: [[12]] }, { maxTokens: 1 })).rejects.toThrow(
    /does not know token 12/,
  )
  await Promise.all([writer.dispose(), guide.dispose()])
})

test('values steer among the likeliest tokens, each text is asked about once', async () => {
  const writer = cachedDecoder(large, options)
  const parameters = initialDecoder(new Rng('writer'), large)
  const asked: PartialText[] = []
  const source = valueGuidedDecoder(writer, {
    weight: 100,
    top: 13,
    values: async (texts) => {
      asked.push(...texts)
      return texts.map(({ tokens }) => Number(tokens.at(-1) === 7))
    },
  })
  const greedy = { maxTokens: 6, temperature: 0 }
  const texts = await sampledTexts(source, parameters, { tokens: prompts }, greedy)
  for (const { tokens } of texts) expect(tokens).toEqual([7, 7, 7, 7, 7, 7])
  expect(asked.length).toBe(3 * 13 * 6)
  expect(new Set(asked.map((text) => JSON.stringify(text))).size).toBe(asked.length)

  const narrow = valueGuidedDecoder(writer, { weight: 100, top: 1, values: async (all) => all.map(() => 1) })
  const plain = await sampledTexts(writer, parameters, { tokens: prompts }, greedy)
  const steered = await sampledTexts(narrow, parameters, { tokens: prompts }, greedy)
  expect(steered.map(({ tokens }) => tokens)).toEqual(plain.map(({ tokens }) => tokens))
  await writer.dispose()
})
