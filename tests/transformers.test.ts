import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from '../src/models/chat-model.ts'
import { cosineSimilarity } from '../src/models/embedder.ts'
import { succeeded } from '../src/models/outcome.ts'
import { transformersEmbedder } from '../src/models/transformers/transformers-embedder.ts'
import { transformersModel } from '../src/models/transformers/transformers-model.ts'
import { transformersPackage } from '../src/models/transformers/transformers-package.ts'
import { OnnxGraph, type ValueInfo } from '../src/tensor/onnx.ts'

// Models of a few numbers, written as transformers.js wants its files, so that nothing is fetched.
const words = ['<pad>', '<eos>', 'is', 'the', 'sky', 'blue', 'yes', 'no', 'red']
const id = (word: string) => words.indexOf(word)
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'transformers-'))
  const { env } = await transformersPackage()
  env.localModelPath = folder
  env.allowRemoteModels = false
  env.allowLocalModels = true
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function written(
  name: string,
  config: Record<string, unknown>,
  graphs: Readonly<Record<string, Uint8Array>>,
  further: Readonly<Record<string, unknown>> = {},
): string {
  const at = join(folder, 'tests', name)
  mkdirSync(join(at, 'onnx'), { recursive: true })
  const json = (file: string, value: unknown) => writeFileSync(join(at, file), JSON.stringify(value))
  json('config.json', config)
  json('tokenizer.json', {
    version: '1.0',
    added_tokens: [0, 1].map((token) => ({ id: token, content: words[token], special: true })),
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(words.map((word, token) => [word, token])),
      unk_token: '<pad>',
    },
  })
  json('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizerFast',
    pad_token: '<pad>',
    eos_token: '<eos>',
    model_max_length: 32,
  })
  for (const [file, value] of Object.entries(further)) json(file, value)
  for (const [file, bytes] of Object.entries(graphs)) writeFileSync(join(at, 'onnx', file), bytes)
  return `tests/${name}`
}

const any = -1
const ids: ValueInfo = { name: 'input_ids', dtype: 'int64', shape: [any, any] }

/** Rows of a table chosen by the token ids. */
function gathered(graph: OnnxGraph, rows: readonly (readonly number[])[]): string {
  const table = graph.constant('float32', [rows.length, rows[0]!.length], Float32Array.from(rows.flat()))
  return graph.emit('Gather', [table, 'input_ids'], { axis: 0 })
}

function named(graph: OnnxGraph, value: string, name: string): string {
  return graph.emitAll('Identity', [value], [name])[0]!
}

const directions = words.map((_, token) => [Math.cos(token), Math.sin(token), 0.5])

test('an encoder of texts: means of its hidden states as unit vectors', async () => {
  const graph = new OnnxGraph()
  named(graph, gathered(graph, directions), 'last_hidden_state')
  const output: ValueInfo = { name: 'last_hidden_state', dtype: 'float32', shape: [any, any, 3] }
  const name = written('encoder', { model_type: 'bert' }, { 'model.onnx': graph.model([ids], [output]) })
  const model = await transformersEmbedder(name)
  const [blue, pair, again] = succeeded(await model.embedText(['blue', 'blue red', 'blue']))
  expect(Math.hypot(...blue!)).toBeCloseTo(1, 5)
  expect(cosineSimilarity(blue!, again!)).toBeCloseTo(1, 6)
  const mean = directions[id('blue')]!.map((value, axis) => (value + directions[id('red')]![axis]!) / 2)
  const length = Math.hypot(...mean)
  pair!.forEach((value, axis) => {
    expect(value).toBeCloseTo(mean[axis]! / length, 5)
  })
  expect(model.dimensions).toBe(3)
  expect(model.embedImage).toBeUndefined()
})

test('CLIP: texts and images in one space', async () => {
  const text = new OnnxGraph()
  named(
    text,
    text.emit('ReduceMean', [gathered(text, directions), text.int64s([1])], { keepdims: 0 }),
    'text_embeds',
  )
  const image = new OnnxGraph()
  named(
    image,
    image.emit('ReduceMean', ['pixel_values', image.int64s([2, 3])], { keepdims: 0 }),
    'image_embeds',
  )
  const name = written(
    'clip',
    { model_type: 'clip', text_config: {}, vision_config: {} },
    {
      'text_model.onnx': text.model([ids], [{ name: 'text_embeds', dtype: 'float32', shape: [any, 3] }]),
      'vision_model.onnx': image.model(
        [{ name: 'pixel_values', dtype: 'float32', shape: [any, 3, any, any] }],
        [{ name: 'image_embeds', dtype: 'float32', shape: [any, 3] }],
      ),
    },
    {
      'preprocessor_config.json': {
        image_processor_type: 'CLIPImageProcessor',
        do_resize: false,
        do_center_crop: false,
        do_rescale: true,
        rescale_factor: 1 / 255,
        do_normalize: false,
      },
    },
  )
  const model = await transformersEmbedder(name)
  const red = {
    width: 2,
    height: 2,
    data: Uint8Array.from({ length: 16 }, (_, at) => (at % 4 === 0 || at % 4 === 3 ? 255 : 0)),
  }
  const clear = { width: 2, height: 2, data: new Uint8Array(16) }
  const [first, white] = succeeded(await model.embedImage!([red, clear]))
  expect([...first!].map(Math.round)).toEqual([1, 0, 0])
  for (const value of white!) expect(value).toBeCloseTo(1 / Math.sqrt(3), 5)
  const [sky] = succeeded(await model.embedText(['sky']))
  expect(sky).toHaveLength(3)
})

test('a language model answers, and tells the probabilities of what it might say', async () => {
  // what follows a word: a table of logits
  const follows: Record<string, Record<string, number>> = {
    '?': {},
    blue: { yes: 2, no: 1, red: 0 },
    yes: { '<eos>': 5 },
    no: { '<eos>': 5 },
  }
  const rows = words.map((word) => words.map((next) => follows[word]?.[next] ?? -3))
  const graph = new OnnxGraph()
  named(graph, gathered(graph, rows), 'logits')
  const output: ValueInfo = { name: 'logits', dtype: 'float32', shape: [any, any, words.length] }
  const config = {
    model_type: 'gpt2',
    architectures: ['GPT2LMHeadModel'],
    vocab_size: words.length,
    n_layer: 0,
    n_head: 1,
    n_embd: 1,
    eos_token_id: 1,
  }
  const name = written(
    'bigram',
    config,
    { 'model.onnx': graph.model([ids], [output]) },
    { 'generation_config.json': { eos_token_id: 1, pad_token_id: 0 } },
  )
  const model = await transformersModel(name)
  const question = ask('is the sky blue')
  const logits = rows[id('blue')]!
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0))
  const [scores] = succeeded(
    await model.logProbabilities([{ prompt: question, answer: 'no' }], { ended: true }),
  )
  expect(scores!.tokens).toEqual([id('no'), 1])
  expect(scores!.logp[0]).toBeCloseTo(1 - total, 5)
  const [found] = succeeded(await model.choices([question], { yes: ['yes'], no: ['no', 'red'] }))
  expect(found!.full.yes).toBeCloseTo(Math.exp(2 - total), 5)
  expect(found!.full.no).toBeCloseTo(Math.exp(1 - total) + Math.exp(-total), 5)
  expect(found!.bounds).toBeUndefined()
  const [reply, seen] = await model.chat(
    [question, ask('blue', { width: 1, height: 1, data: new Uint8Array(4) })],
    { maxTokens: 4 },
  )
  expect(reply).toMatchObject({ text: 'yes', finish: 'stop' })
  expect(seen).toMatchObject({ text: null, failure: { code: 'bad-input' } })
  expect((await model.chat([question], { temperature: 1 }))[0]!.failure?.reason).toMatch(/cannot be seeded/)
})
