import { grad, type Array as JaxArray, nn, numpy as np, tree } from '@jax-js/jax'
import { describe, expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { compile } from '../tensor/compile.ts'
import { train } from '../tensor/train.ts'
import { leavesOf, partitioned, type Tensor, type Tree, tensor } from '../tensor/tree.ts'
import { crossEntropy, targetLogp } from './cross-entropy.ts'
import {
  type Decoder,
  decoder,
  decoderLoss,
  initialDecoder,
  initialSoftPrompt,
  softPrefix,
} from './decoder.ts'
import { type DenoiserConfig, denoiser, denoiserLoss, initialDenoiser } from './denoiser.ts'
import { gelu, softmax, standardise, tanh } from './derivative.ts'
import { imageSampler, textTensors } from './image-sampler.ts'
import { dropout, layerNorm } from './layers.ts'
import { addedLora, loraParameters, mergedLora, unmergedLora } from './lora.ts'
import type { Hooks } from './transformer.ts'
import {
  imagesOf,
  initialPatchEncoder,
  mostSalient,
  patchEncoder,
  patchesOf,
  patchShape,
  visualConnector,
} from './visual-connector.ts'

const config = { width: 16, depth: 2, heads: 2, vocabulary: 11, context: 8 }
const parameters = initialDecoder(new Rng('options'), config)
const rng = new Rng('inputs')
const tokens = tensor(
  Int32Array.from({ length: 16 }, () => rng.int(0, 11)),
  [2, 8],
  'int32',
)
const targetMask = tensor(new Float32Array(16).fill(1), [2, 8])
const normal = (...shape: number[]) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    shape,
  )

async function run(
  fn: (...args: any[]) => unknown,
  ...args: Tree<Tensor>[]
): Promise<{ all: number[][]; nodes: number }> {
  const compiled = await compile(fn as never, args, { threads: 1 })
  const all = leavesOf((await compiled.run(...args)) as Tree<Tensor>).map(({ leaf }) =>
    Array.from(leaf.data as Float32Array),
  )
  await compiled.dispose()
  return { all, nodes: compiled.nodeCount }
}
const expectClose = (given: readonly number[], wanted: readonly number[], tolerance = 1e-5) => {
  expect(given.length).toBe(wanted.length)
  given.forEach((value, index) => {
    expect(Math.abs(value - wanted[index]!)).toBeLessThanOrEqual(tolerance)
  })
}

/** A hook that keeps what it sees and changes nothing. */
const recorded = (seen: JaxArray[]) => (array: JaxArray) => {
  seen.push(array.ref)
  return array
}

describe('functions with their own derivative equal those without', () => {
  const x = normal(4, 6)
  const weights = normal(4, 6)
  const cases: [string, (x: JaxArray) => JaxArray, (x: JaxArray) => JaxArray][] = [
    ['GELU', gelu, (x) => nn.gelu(x)],
    ['hyperbolic tangent', tanh, (x) => np.tanh(x)],
    ['softmax', softmax, (x) => nn.softmax(x, -1)],
    ['standardise', standardise, (x) => nn.standardize(x, -1)],
  ]
  for (const [name, own, plain] of cases)
    test(name, async () => {
      const both = (fn: (x: JaxArray) => JaxArray) =>
        run((a: any, w: any) => [fn(a.ref), grad((q: any) => fn(q).mul(w.ref).sum())(a)], x, weights)
      const [given, wanted] = [await both(own), await both(plain)]
      expectClose(given.all[0]!, wanted.all[0]!)
      expectClose(given.all[1]!, wanted.all[1]!, 2e-5)
    })
  test('target log-probability, smoothed', async () => {
    const targets = tensor([0, 5, 2, 2], [4], 'int32')
    const plain = (logits: any, ids: any) => {
      const smooth = nn
        .oneHot(ids, 6)
        .mul(0.9)
        .add(0.1 / 6)
      return nn.logSoftmax(logits, -1).mul(smooth).sum(-1)
    }
    const own = (logits: any, ids: any) => targetLogp(logits, ids, { labelSmoothing: 0.1 })
    const both = (fn: any) =>
      run((a: any, ids: any) => [fn(a.ref, ids.ref), grad((q: any) => fn(q, ids).mean())(a)], x, targets)
    const [given, wanted] = [await both(own), await both(plain)]
    expectClose(given.all.flat(), wanted.all.flat())
  })
})

test('masked cross-entropy counts the targets of the mask only; none give 0', async () => {
  const logits = tensor([2, 0, 0, 0, 3, 0], [2, 3])
  const targets = tensor([0, 0], [2], 'int32')
  const loss = async (mask: number[]) =>
    (
      await run(
        (l: any, t: any, m: any) => [crossEntropy(l, t, { mask: m })],
        logits,
        targets,
        tensor(mask, [2]),
      )
    ).all[0]![0]!
  expect(await loss([1, 0])).toBeCloseTo(Math.log(1 + 2 * Math.exp(-2)), 5)
  expect(await loss([0, 0])).toBe(0)
})

describe('hooks', () => {
  const logits = (hooks?: Hooks) => (p: any, ids: any) => decoder(p, config, { tokens: ids }, hooks)

  test('absent or empty, they leave the graph as it is', async () => {
    const plain = await run(logits(), parameters, tokens)
    expect((await run(logits({}), parameters, tokens)).nodes).toBe(plain.nodes)
    const untouched = await run(logits({ hidden: (h) => h, attention: (m) => m }), parameters, tokens)
    expect(untouched.nodes).toBe(plain.nodes)
    expect(untouched.all).toEqual(plain.all)
  })

  test('taps show hidden states; an offset at a block changes what follows', async () => {
    const tapped = (p: any, ids: any) => {
      const seen: JaxArray[] = []
      const out = decoder(p, config, { tokens: ids }, { hidden: recorded(seen) })
      return [out, ...seen]
    }
    const { all } = await run(tapped, parameters, tokens)
    expect(all.map(({ length }) => length)).toEqual([2 * 8 * 11, 2 * 8 * 16, 2 * 8 * 16])
    const shifted = logits({ hidden: (h, layer) => (layer === 1 ? h.add(np.ones([16])) : h) })
    // the last norm takes the mean away, so a shift by ones is invisible; by a ramp it is not
    expectClose((await run(shifted, parameters, tokens)).all[0]!, all[0]!, 2e-4)
    const ramp = logits({ hidden: (h, layer) => (layer === 1 ? h.add(np.arange(16).astype(np.float32)) : h) })
    expect((await run(ramp, parameters, tokens)).all[0]).not.toEqual(all[0])
  })

  test('attention maps are causal, sum to 1 and have gradients', async () => {
    const maps = (p: any, ids: any) => {
      const seen: JaxArray[] = []
      decoder(p, config, { tokens: ids }, { attention: recorded(seen) })
      return seen
    }
    const [first] = (await run(maps, parameters, tokens)).all
    expect(first!.length).toBe(2 * 2 * 8 * 8)
    for (let row = 0; row < 32; row++) {
      const own = first!.slice(row * 8, row * 8 + 8)
      expect(own.reduce((a, b) => a + b)).toBeCloseTo(1, 5)
      expect(own.slice((row % 8) + 1).every((weight) => weight === 0)).toBe(true)
    }
    // with respect to an offset of 0 on the map
    const gradient = (p: any, ids: any, zero: any) =>
      grad((offset: any) => {
        const attention = (m: JaxArray, layer: number) => (layer === 0 ? m.add(offset.ref) : m)
        return decoder(p, config, { tokens: ids }, { attention }).slice([0, 1], [7, 8], [3, 4]).sum()
      })(zero)
    const { all } = await run(gradient, parameters, tokens, tensor(new Float32Array(256), [2, 2, 8, 8]))
    expect(all[0]!.slice(0, 128).some((value) => Math.abs(value) > 1e-6)).toBe(true)
    expect(all[0]!.slice(128).every((value) => value === 0)).toBe(true) // the other text
  })
})

describe('LoRA', () => {
  test('begins as nothing, trains alone, and merged equals unmerged', async () => {
    const adapted = addedLora(new Rng('lora'), parameters, {
      rank: 2,
      alpha: 4,
      layers: /attention|feedForward/,
    })
    const logits = (p: any, ids: any) => decoder(p, config, { tokens: ids })
    const before = (await run(logits, parameters, tokens)).all[0]!
    expectClose((await run(logits, adapted, tokens)).all[0]!, before)
    const trained = await train({
      loss: (p, batch) => decoderLoss(p, config, batch),
      parameters: adapted,
      trainable: loraParameters,
      batches: () => ({ tokens, targetMask }),
      steps: 30,
      schedule: 0.02,
      threads: 1,
    })
    const { matching, others } = partitioned(trained.parameters, loraParameters)
    expect(Object.keys(matching).length).toBe(2 * 2 * 4)
    const start = partitioned(adapted, loraParameters).others
    for (const [path, leaf] of Object.entries(others)) expect(leaf, path).toBe(start[path])
    const after = (await run(logits, trained.parameters, tokens)).all[0]!
    expect(Math.max(...after.map((value, i) => Math.abs(value - before[i]!)))).toBeGreaterThan(0.1)
    const merged = mergedLora(trained.parameters)
    expect(leavesOf(merged).map(({ path }) => path)).toEqual(leavesOf(parameters).map(({ path }) => path))
    expectClose((await run(logits, merged, tokens)).all[0]!, after, 2e-4)
    const unmerged = unmergedLora(merged, trained.parameters)
    expectClose((await run(logits, unmerged, tokens)).all[0]!, after, 2e-4)
    expect(
      leavesOf(unmerged)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(
      leavesOf(trained.parameters)
        .map(({ path }) => path)
        .sort(),
    )
  })
  test('a pattern that names no layer is refused', () => {
    expect(() => addedLora(new Rng(1), parameters, { rank: 2, layers: /nothing/ })).toThrow(/no linear layer/)
  })
})

test('a soft prompt alone teaches a frozen model', async () => {
  const loss = ({ prompt, model }: any, { tokens: ids, targetMask: mask }: any) =>
    decoderLoss(model, config, { tokens: ids, targetMask: mask, prefix: softPrefix(prompt, 2) })
  const reports: number[] = []
  const { parameters: trained } = await train({
    loss,
    parameters: { prompt: initialSoftPrompt(new Rng(2), config, 3), model: parameters as Decoder<Tensor> },
    trainable: /^prompt$/,
    batches: () => ({ tokens, targetMask }),
    steps: 60,
    schedule: 0.05,
    threads: 1,
    onStep: (report) => reports.push(report.loss),
  })
  expect(reports.at(-1)!).toBeLessThan(reports[0]! - 0.2)
  expect(trained.model).toEqual(parameters)
})

test('heads that do not divide the width, and patches that do not fill an image, are refused', () => {
  expect(() => initialDecoder(new Rng(1), { ...config, heads: 3 })).toThrow(
    /3 heads do not divide a width of 16/,
  )
  expect(() => patchShape({ size: 10, patch: 4 })).toThrow(/do not fill/)
})

test('dropout keeps the mean and drops by the noise given', async () => {
  const x = tensor([1, 1, 1, 1], [4])
  const { all } = await run(
    (a: any, noise: any) => [dropout(a, noise, 0.5)],
    x,
    tensor([0.1, 0.49, 0.5, 0.9], [4]),
  )
  expect(all[0]).toEqual([0, 0, 2, 2])
})

test('patches are the pixels of their squares, and go back', async () => {
  const image = { size: 4, patch: 2, channels: 1 }
  const pixels = tensor(
    Float32Array.from({ length: 16 }, (_, i) => i),
    [1, 4, 4, 1],
  )
  const { all } = await run(
    (x: any) => [patchesOf(x.ref, image), imagesOf(patchesOf(x, image), image)],
    pixels,
  )
  expect(all[0]).toEqual([0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15])
  expect(all[1]).toEqual([...(pixels.data as Float32Array)])
})

test('a patch read with its neighbours sees one step around and grey beyond the image', async () => {
  const image = { size: 6, patch: 2, channels: 1, reach: 1 }
  const encoder = { width: 8, depth: 0, heads: 1, image }
  const parameters = initialPatchEncoder(new Rng('reach'), encoder)
  expect(parameters.patch.weight.shape).toEqual([9 * 4, 8])
  const changed = (at: number) =>
    tensor(
      Float32Array.from({ length: 36 }, (_, i) => (i === at ? 1 : 0.5)),
      [1, 6, 6, 1],
    )
  const encode = (p: any, x: any) => [patchEncoder(p, encoder, patchesOf(x, image))]
  const patch = (all: number[][], index: number) => all[0]!.slice(index * 8, index * 8 + 8)
  const [none, corner, middle] = await Promise.all(
    [-1, 0, 14].map(async (at) => (await run(encode, parameters, changed(at))).all),
  )
  const differing = (all: number[][]) =>
    Array.from({ length: 9 }, (_, index) => index).filter(
      (index) => String(patch(all, index)) !== String(patch(none!, index)),
    )
  expect(differing(corner!)).toEqual([0, 1, 3, 4])
  expect(differing(middle!)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  // an all-grey image: only positions are left, so what is beyond the border is as what is within
  const positions = await run((p: any) => [layerNorm(p.transformer.norm, p.positions.ref)], parameters)
  expectClose(none![0]!, positions.all[0]!)
})

test('the most salient tokens are shown, the first of equals first, and teach no salience', async () => {
  const tokens = tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 4, 1])
  const salience = tensor([0, 2, 2, 5, 1, 1, 1, 0], [2, 4])
  const { all } = await run(
    (x: any, s: any) => {
      const slope = grad((given: JaxArray) => mostSalient(x.ref, given, 3).sum())(s.ref)
      return [mostSalient(x, s, 3), slope]
    },
    tokens,
    salience,
  )
  expect(all[0]).toEqual([4, 2, 3, 5, 6, 7])
  expect(all[1]!.every((value) => value === 0)).toBe(true)
  expect(() =>
    visualConnector({ kind: 'encoder', width: 8, depth: 0, heads: 1, image: { size: 4, patch: 2 }, most: 5 }),
  ).toThrow(/5 of 4 image tokens/)
})

test('texts that share a row do not see each other, only the prefix', async () => {
  const prefix = normal(1, 3, 16)
  const [a, b] = [
    [1, 2, 3],
    [4, 5, 6, 7, 8],
  ]
  const row = (numbers: readonly number[]) => tensor(Int32Array.from(numbers), [1, numbers.length], 'int32')
  const logits = (inputs: Record<string, Tensor>) =>
    run(
      (p: any, x: any, i: any) => [decoder(p, config, { ...i, prefix: { tokens: x } })],
      parameters,
      prefix,
      inputs,
    )
  const alone = [await logits({ tokens: row(a!) }), await logits({ tokens: row(b!) })]
  const packed = {
    tokens: row([...a!, ...b!]),
    positions: row([0, 1, 2, 0, 1, 2, 3, 4]),
    segments: row([1, 1, 1, 2, 2, 2, 2, 2]),
  }
  const together = await logits(packed)
  expectClose(together.all[0]!, [...alone[0]!.all[0]!, ...alone[1]!.all[0]!])
  const joined = await logits({ ...packed, segments: row([1, 1, 1, 1, 1, 1, 1, 1]) })
  expect(joined.all[0]!.slice(33)).not.toEqual(together.all[0]!.slice(33))
})

for (const [prediction, figures] of [
  ['velocity', false],
  ['x0', false],
  ['x0', true],
] as const)
  test(`a denoiser (${prediction}${figures ? ', figures on a ground' : ''}) that has learnt two pictures paints the one its text asks for`, async () => {
    const small = {
      ...{ width: 16, depth: 1, heads: 2, image: { size: 4, patch: 2 }, prediction, figures },
      ...{ schedule: 'cosine' as const, steps: 50 },
      text: { width: 8, depth: 1, heads: 1, vocabulary: 3, context: 1 },
    }
    const { standardNormal } = await import('./diffusion.ts')
    const batches = (_: number, own: Rng): Tree<Tensor> => {
      const words = Array.from({ length: 16 }, () => own.int(1, 3))
      return {
        images: tensor(
          Float32Array.from(words.flatMap((word) => new Array(48).fill(word === 1 ? 0.8 : -0.8))),
          [16, 4, 4, 3],
        ),
        noise: tensor(standardNormal(own, 16 * 48), [16, 4, 4, 3]),
        times: tensor(
          words.map(() => own.int(0, 50)),
          [16],
        ),
        dropped: tensor(
          words.map(() => +own.chance(0.1)),
          [16],
        ),
        ...textTensors(
          words.map((word) => [word]),
          1,
        ),
      }
    }
    const { averaged } = await train({
      loss: (p, b) => denoiserLoss(p, small, b, { mostWeight: 5 }),
      parameters: initialDenoiser(new Rng('paint'), small),
      batches,
      steps: 300,
      schedule: 0.01,
      average: 0.98,
      threads: 1,
    })
    const sampler = imageSampler(small, { threads: 1 })
    for (const how of [{}, { guidance: 2 }, { eta: 1, steps: 25 }]) {
      const { images, trajectory } = await sampler.sample(averaged!, [[1], [2]], { seed: 3, ...how })
      const means = [0, 1].map(
        (row) => (images.data as Float32Array).slice(row * 48, (row + 1) * 48).reduce((a, b) => a + b) / 48,
      )
      expect(means[0]).toBeGreaterThan(0.5)
      expect(means[1]).toBeLessThan(-0.5)
      expect(trajectory.every(({ logp }) => logp.every(Number.isFinite))).toBe('eta' in how)
      const again = await sampler.sample(averaged!, [[1], [2]], { seed: 3, ...how })
      expect([...(again.images.data as Float32Array)]).toEqual([...(images.data as Float32Array)])
    }
    await sampler.dispose()
  })

test('pixels of figures lie between the ground, which is one, and their patch; extreme shares keep gradients finite', async () => {
  const drawing: DenoiserConfig = {
    ...{ width: 8, depth: 1, heads: 1, image: { size: 4, patch: 2 }, prediction: 'x0', figures: true },
    ...{ schedule: 'cosine', steps: 50 },
    text: { width: 8, depth: 1, heads: 1, vocabulary: 3, context: 1 },
  }
  const random = new Rng('figures')
  const first = initialDenoiser(random, drawing)
  const at = (bias: number) => ({
    ...first,
    output: { ...first.output!, bias: tensor(new Float32Array(4).fill(bias), [4]) },
  })
  const inputs = { images: normal(2, 4, 4, 3), times: tensor([10, 40], [2]), ...textTensors([[1], [2]], 1) }
  const drawn = async (bias: number) => {
    const { all } = await run((p: any, i: any) => [denoiser(p, drawing, i)], at(bias), inputs)
    return Array.from({ length: 32 }, (_, pixel) => all[0]!.slice(pixel * 3, pixel * 3 + 3))
  }
  const [ground, figure, both] = [await drawn(-200), await drawn(200), await drawn(0)]
  for (const image of [0, 16]) {
    const pixels = (from: readonly number[][]) => from.slice(image, image + 16)
    expect(new Set(pixels(ground).map(String)).size).toBe(1)
    expect(new Set(pixels(figure).map(String)).size).toBe(4)
  }
  both.forEach((colour, pixel) => {
    colour.forEach((value, channel) => {
      const ends = [ground[pixel]![channel]!, figure[pixel]![channel]!]
      expect(value).toBeGreaterThanOrEqual(Math.min(...ends) - 1e-6)
      expect(value).toBeLessThanOrEqual(Math.max(...ends) + 1e-6)
    })
  })
  const noise = normal(2, 4, 4, 3)
  for (const bias of [-200, 200]) {
    const slope = (p: any, batch: any) => grad((q: any) => denoiserLoss(q, drawing, batch))(p).output.bias
    const { all } = await run((p: any, i: any) => [slope(p, i)], at(bias), { ...inputs, noise })
    expect(all[0]!.every(Number.isFinite)).toBe(true)
  }
})

test('arrays of a trace are not left behind', async () => {
  // tree.ref and grad borrow parameters: tracing the same function twice must not consume them
  const twice = (p: any, ids: any) => {
    const first = decoder(tree.ref(p), config, { tokens: ids.ref })
    return [first, decoder(p, config, { tokens: ids })]
  }
  const { all } = await run(twice, parameters, tokens)
  expect(all[0]).toEqual(all[1])
})
