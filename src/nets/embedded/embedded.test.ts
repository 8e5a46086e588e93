import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Rng } from '../../core/index.ts'
import { ask } from '../../models/chat-model.ts'
import { isFailed, succeeded } from '../../models/outcome.ts'
import type { Raster } from '../../models/raster.ts'
import { logSoftmax } from '../../models/token-model.ts'
import { saveCheckpoint } from '../../tensor/checkpoint.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { initialDecoder } from '../decoder.ts'
import { initialDenoiser } from '../denoiser.ts'
import { initialDualEncoder } from '../dual-encoder.ts'
import { initialVisionLanguage } from '../vision-language.ts'
import type { EmbeddedDualEncoder } from './dual-embedder.ts'
import type { EmbeddedImageGenerator } from './image-generator.ts'
import type { EmbeddedLanguageModel } from './language-model.ts'
import { loadEmbedded } from './load-embedded.ts'
import { type Manifest, manifestMetadata } from './manifest.ts'

const tokens = ['<bos>', '<eos>', '.', 'yes', 'no', 'a', 'red', 'cat', 'is', 'there']
const tower = { width: 8, depth: 2, heads: 2 }
const image = { size: 8, patch: 4 }
const decoder = { ...tower, vocabulary: tokens.length, context: 24 }
const vision = { decoder, connector: { kind: 'encoder' as const, ...tower, depth: 1, image } }
const twins = {
  image: { ...tower, image },
  text: { ...tower, vocabulary: tokens.length, context: 6 },
  dimensions: 5,
}
const noise = {
  ...tower,
  image,
  text: { ...tower, vocabulary: tokens.length, context: 6 },
  schedule: 'cosine' as const,
  steps: 50,
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedded-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function written(network: Manifest['network'], parameters: Tree<Tensor>): Promise<string> {
  const path = join(folder, `${network.kind}.safetensors`)
  const manifest: Manifest = {
    name: network.kind,
    network,
    tokenizer: { tokens, marks: ['<bos>', '<eos>'], leaning: ['.'] },
    dialogue: { before: [], between: ['<bos>'], end: '<eos>' },
    training: { seed: '0', steps: 0, command: 'none' },
  }
  await saveCheckpoint(path, parameters, { precision: 'float16', metadata: manifestMetadata(manifest) })
  return path
}

function raster(seed: number): Raster {
  const rng = new Rng(seed)
  return {
    width: 8,
    height: 8,
    data: Uint8Array.from({ length: 256 }, (_, i) => (i % 4 === 3 ? 255 : rng.int(0, 256))),
  }
}

const options = { threads: 1 }
const language = async () =>
  (await loadEmbedded(
    await written({ kind: 'decoder', config: decoder }, initialDecoder(new Rng(1), decoder)),
    options,
  )) as EmbeddedLanguageModel
const seeing = async () =>
  (await loadEmbedded(
    await written({ kind: 'vision-language', config: vision }, initialVisionLanguage(new Rng(2), vision)),
    options,
  )) as EmbeddedLanguageModel

test('log-probabilities of a given answer are those of stepwise decoding', async () => {
  for (const [model, question] of [
    [await language(), ask('is there a cat')],
    [await seeing(), ask('is there a cat', raster(1))],
  ] as const) {
    const [scores] = succeeded(
      await model.logProbabilities([{ prompt: question, answer: 'yes.' }], { ended: true }),
    )
    expect(scores!.tokens).toEqual([3, 2, 1])
    let view = await model.open([question])
    for (const [index, token] of scores!.tokens!.entries()) {
      expect(scores!.logp[index]).toBeCloseTo(logSoftmax(view.logits[0]!)[token]!, 4)
      view = await view.append([token])
    }
    await model.dispose()
  }
})

test('choices: variants are added, one that continues another adds nothing, and the image matters', async () => {
  const model = await seeing()
  const variants = { yes: ['yes', 'a cat', 'yes.', 'yes'], no: ['no'] }
  const [seen, other, blind] = succeeded(
    await model.choices(
      [ask('is there a cat', raster(1)), ask('is there a cat', raster(2)), ask('is there a cat')],
      variants,
    ),
  )
  const scores = succeeded(
    await model.logProbabilities(
      ['yes', 'a cat', 'no'].map((answer) => ({ prompt: ask('is there a cat', raster(1)), answer })),
    ),
  )
  const [yes, cat, no] = scores.map(({ logp }) => Math.exp(logp.reduce((a, b) => a + b, 0)))
  expect(seen!.full.yes).toBeCloseTo(yes! + cat!, 6)
  expect(seen!.full.no).toBeCloseTo(no!, 6)
  expect(seen!.among.yes + seen!.among.no).toBeCloseTo(1, 12)
  expect(other!.full.yes).not.toBeCloseTo(seen!.full.yes, 8)
  expect(blind!.full.yes).not.toBeCloseTo(seen!.full.yes, 8)
  await model.dispose()
})

test('a view is not changed by its continuations; rows can be chosen; hidden states are tapped', async () => {
  const model = await language()
  const view = await model.open([ask('a red cat'), ask('no')], { taps: [0, 1] })
  const [a, b] = [await view.append([3, 3]), await view.append([4, 4])]
  const again = await view.append([3, 3])
  expect(again.logits[1]).toEqual(a.logits[1])
  expect(b.logits[1]).not.toEqual(a.logits[1])
  expect(view.hidden.map((rows) => rows.map(({ length }) => length))).toEqual([
    [8, 8],
    [8, 8],
  ])
  const swapped = await view.select([1, 0, 1])
  expect(swapped.logits[0]).toEqual(view.logits[1])
  expect(swapped.hidden[1]![1]).toEqual(view.hidden[1]![0])
  const next = await swapped.append([3, 3, 3])
  expect(next.logits[1]![5]).toBeCloseTo(a.logits[0]![5]!, 5)
  await expect(model.open([ask('no')], { taps: [2] })).rejects.toThrow(/no block 2/)
  await model.dispose()
})

test('replies are reproducible, and a row does not depend on its neighbours', async () => {
  const model = await language()
  const questions = [ask('a red cat'), ask('no'), ask('is there')]
  const settings = { temperature: 1, seed: 3, maxTokens: 8 }
  const first = await model.chat(questions, settings)
  expect(await model.chat(questions, settings)).toEqual(first)
  expect(await model.chat(questions.slice(0, 1), settings)).toEqual(first.slice(0, 1))
  const own = await model.chat(questions, { ...settings, seed: ['a', 'b', 'c'] })
  const turned = await model.chat([...questions].reverse(), { ...settings, seed: ['c', 'b', 'a'] })
  expect([...turned].reverse()).toEqual(own)
  const stopping = await model.chat(questions, { ...settings, stop: ['cat', 'is'] })
  stopping.forEach(({ text }, index) => {
    expect(text).toBe(/^(.*?)(?:\s*(?:cat|is).*)?$/.exec(first[index]!.text!)![1])
  })
  const [, unread, last] = await model.chat([questions[0]!, ask('a dog'), questions[2]!], settings)
  expect(unread).toMatchObject({ text: null, finish: 'failed', failure: { code: 'bad-input' } })
  expect(last).toEqual(first[2])
  const [sampled] = await model.generate(['a red cat'], { seed: 3, steps: 8 })
  expect(sampled!.output).toBe(first[0]!.text)
  const given = succeeded(await model.logProbabilities([{ prompt: questions[0]!, answer: 'yes no' }]))
  expect(given[0]!.logp).toHaveLength(2)
  expect(await model.chat([])).toEqual([])
  await model.dispose()
})

test('a conversation that the model cannot read fails alone', async () => {
  const model = await language()
  const long = Array.from({ length: 30 }, () => 'cat').join(' ')
  const unread = [
    ask('a dog'),
    ask('a cat', raster(1)),
    [{ role: 'assistant' as const, text: 'yes' }],
    ask(long),
  ]
  const reasons = [
    /"dog" is not in the vocabulary/,
    /sees no images/,
    /ends with a message of the user/,
    /31 tokens/,
  ]
  const replies = await model.chat([...unread, ask('a cat')], { maxTokens: 2 })
  const choices = await model.choices([...unread, ask('a cat')], { yes: ['yes'] })
  const scored = await model.logProbabilities(
    [...unread, ask('a cat')].map((prompt) => ({ prompt, answer: 'yes' })),
  )
  for (const outcomes of [replies, choices, scored] as readonly (readonly object[])[]) {
    reasons.forEach((reason, index) => {
      expect(outcomes[index]).toMatchObject({
        failure: { code: 'bad-input', reason: expect.stringMatching(reason) },
      })
    })
    expect(isFailed(outcomes[4])).toBe(false)
  }
  const stopped = await model.chat([ask('a cat')], { signal: AbortSignal.abort() })
  expect(stopped).toMatchObject([{ text: null, failure: { code: 'cancelled' } }])
  const eyes = await seeing()
  const small = { width: 2, height: 2, data: new Uint8Array(16) }
  const [tiny, two] = await eyes.chat([ask('a cat', small), ask('a cat', raster(1), raster(2))])
  expect(tiny!.failure?.reason).toMatch(/2 x 2 pixels, the model sees 8 x 8/)
  expect(two!.failure?.reason).toMatch(/one at most/)
  await model.dispose()
  await eyes.dispose()
})

test('a dual encoder gives unit vectors that do not depend on their batch', async () => {
  const path = await written({ kind: 'dual-encoder', config: twins }, initialDualEncoder(new Rng(3), twins))
  const model = (await loadEmbedded(path, options)) as EmbeddedDualEncoder
  const [unread, ...texts] = await model.embedText(['a dog', 'a red cat', 'no', 'is there a cat'])
  expect(unread).toMatchObject({ failure: { code: 'bad-input' } })
  const images = await model.embedImage([raster(1), raster(2)])
  for (const vector of succeeded([...texts, ...images])) {
    expect(vector).toHaveLength(5)
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
  }
  const [alone, second] = succeeded([...(await model.embedText(['no'])), texts[1]!])
  alone!.forEach((value, index) => {
    expect(value).toBeCloseTo(second![index]!, 5)
  })
  await model.dispose()
})

test('a generator of images is reproducible and says how likely its steps were', async () => {
  const path = await written({ kind: 'denoiser', config: noise }, initialDenoiser(new Rng(4), noise))
  const model = (await loadEmbedded(path, options)) as EmbeddedImageGenerator
  const settings = { steps: 4, seed: 1 }
  const made = await model.generate(['a red cat', 'no'], settings)
  expect(made).toEqual(await model.generate(['a red cat', 'no'], settings))
  expect(made[0]!.output).toMatchObject({ width: 8, height: 8 })
  // a batch is its singles, but for the last bits; a prompt that comes again is painted anew
  const [again, alone, other] = [
    ...(await model.generate(['no'], settings)),
    ...(await model.generate(['no', 'no'], settings)),
  ]
  for (const one of [again!, alone!]) {
    one.logp.forEach((value, step) => {
      expect(value).toBeCloseTo(made[1]!.logp[step]!, 4)
    })
    one.output.data.forEach((value, index) => {
      expect(Math.abs(value - made[1]!.output.data[index]!)).toBeLessThanOrEqual(1)
    })
  }
  expect(other!.output).not.toEqual(alone!.output)
  expect(made[0]!.logp).toHaveLength(4)
  const [still] = await model.generate(['no'], { ...settings, temperature: 0 })
  expect(still!.logp.every(Number.isNaN)).toBe(true)
  await model.dispose()
})

test('damaged and foreign files are refused', async () => {
  const path = await written({ kind: 'decoder', config: decoder }, initialDecoder(new Rng(1), decoder))
  const bytes = await readFile(path)
  const changed = Buffer.from(bytes)
  changed[changed.length - 5]! ^= 1
  const damaged = join(folder, 'damaged.safetensors')
  await writeFile(damaged, changed)
  await expect(loadEmbedded(damaged)).rejects.toThrow(/differ from their checksum/)
  await writeFile(damaged, bytes.subarray(0, bytes.length - 100))
  await expect(loadEmbedded(damaged)).rejects.toThrow(/checksum|outside the file/)
  const foreign = join(folder, 'foreign.safetensors')
  await saveCheckpoint(foreign, initialDecoder(new Rng(1), decoder))
  await expect(loadEmbedded(foreign)).rejects.toThrow(/no field "guerdon"/)
  const wrong: Manifest['network'] = { kind: 'decoder', config: { ...decoder, width: 16 } }
  await expect(loadEmbedded(await written(wrong, initialDecoder(new Rng(1), decoder)))).rejects.toThrow(
    /in the checkpoint/,
  )
  await expect(loadEmbedded('no-such-model')).rejects.toThrow(/no weights of "no-such-model"/)
})
