import { tree, valueAndGrad } from '@jax-js/jax'
import { expect, test } from 'vitest'
import { integers, normal } from '../../tests/engines.ts'
import { Rng } from '../core/index.ts'
import { compile } from '../tensor/compile.ts'
import { liveSessions } from '../tensor/session.ts'
import { type Tensor, type Tree, tensor } from '../tensor/tree.ts'
import { type DecoderConfig, decoder, decoderLoss, initialDecoder } from './decoder.ts'
import { addedLora, mergedLora } from './lora.ts'
import type { Hooks } from './transformer.ts'
import { initialVisionLanguage, visionLanguage } from './vision-language.ts'

// Options that are off cost nothing: the graph is the plain one, byte for byte. Equal graphs share a native session.

const config: DecoderConfig = { width: 8, depth: 2, heads: 2, vocabulary: 7, context: 6 }
const rng = new Rng('free options')
const parameters = initialDecoder(rng, config)
const tokens = integers(rng, 7, 2, 6)
const targetMask = tensor(new Float32Array(12).fill(1), [2, 6])

/** Different graphs among those of the functions, each with its arguments. */
async function graphs(...functions: [fn: (...args: any[]) => any, ...args: Tree<Tensor>[]][]) {
  const before = liveSessions()
  const compiled = []
  for (const [fn, ...args] of functions) compiled.push(await compile(fn, args, { threads: 1 }))
  const count = liveSessions() - before
  for (const one of compiled) await one.dispose()
  return count
}

const same: Hooks = { hidden: (states) => states, attention: (map) => map }
const logits = (hooks?: Hooks) => (p: any, ids: any) => decoder(p, config, { tokens: ids }, hooks)
const gradient = (options: object, inputs: object) => (p: any, ids: any, mask: any) =>
  valueAndGrad((q: any) => decoderLoss(q, config, { tokens: ids, targetMask: mask, ...inputs }, options))(
    tree.ref(p),
  )

test('hooks of a decoder', async () => {
  const given = [logits(), logits({}), logits(same), logits({ hidden: (states) => states })]
  expect(await graphs(...given.map((fn) => [fn, parameters, tokens] as [any, any, any]))).toBe(1)
  const scaled = logits({ hidden: (states, layer) => (layer === 0 ? states.mul(2) : states) })
  expect(await graphs([logits(), parameters, tokens], [scaled, parameters, tokens])).toBe(2)
})

test('hooks, smoothing, prefix, segments and window of a loss with its gradients', async () => {
  const off = { mask: undefined, positions: undefined, segments: undefined, prefix: undefined }
  const given = [
    gradient({}, {}),
    gradient({ labelSmoothing: 0, hooks: {} }, off),
    gradient({ hooks: same }, {}),
  ]
  const args = [parameters, tokens, targetMask] as const
  expect(await graphs(...given.map((fn) => [fn, ...args] as [any, any, any, any]))).toBe(1)
  expect(await graphs([given[0]!, ...args], [gradient({ labelSmoothing: 0.1 }, {}), ...args])).toBe(2)
})

test('LoRA that was merged', async () => {
  const adapted = addedLora(new Rng('lora'), parameters, { rank: 2 })
  expect(await graphs([logits(), parameters, tokens], [logits(), mergedLora(adapted), tokens])).toBe(1)
  expect(await graphs([logits(), parameters, tokens], [logits(), adapted, tokens])).toBe(2)
})

test('hooks and hidden images of a vision-language model', async () => {
  const image = { size: 4, patch: 2 }
  const model = {
    decoder: config,
    connector: { kind: 'encoder' as const, width: 8, depth: 1, heads: 2, image },
  }
  const seeing = initialVisionLanguage(rng, model)
  const answer = (extra: object, hooks?: Hooks) => (p: any, images: any, ids: any) =>
    visionLanguage(p, model, { images, tokens: ids, ...extra }, hooks)
  const args = [seeing, normal(rng, 2, 4, 4, 3), tokens] as const
  const given = [answer({}), answer({ dropped: undefined }, {}), answer({}, same)]
  expect(await graphs(...given.map((fn) => [fn, ...args] as [any, any, any, any]))).toBe(1)
})
