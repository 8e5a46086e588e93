import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { numpy as np, tree, valueAndGrad } from '@jax-js/jax'
import { expect, test } from 'vitest'
import { Rng } from '../core/index.ts'
import { loadCheckpoint, restored, saveCheckpoint } from './checkpoint.ts'
import { compile } from './compile.ts'
import { adamW, clippedByGlobalNorm, movedAverage, type Optimiser, sgd, warmupCosine } from './optimiser.ts'
import { leavesOf, type Tensor, tensor } from './tree.ts'

const rng = new Rng('training')
const normal = (...shape: number[]) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
    shape,
  )
const numbers = (value: unknown) =>
  leavesOf(value as Tensor).flatMap(({ leaf }) => [...(leaf.data as Float32Array)])

test('AdamW follows the update rule, decaying matrices only', async () => {
  const parameters = { matrix: tensor([1, -2], [1, 2]), bias: tensor([0.5], [1]) }
  const optimiser = adamW({ weightDecay: 0.1 })
  const state = optimiser.initialState(parameters)
  const compiled = await compile(
    (p, s, g, rate) => optimiser.update(g, s, p, rate) as never,
    [parameters, state, parameters, tensor([0.01], [])],
  )
  const gradients = [
    { matrix: [0.3, -0.1], bias: [2] },
    { matrix: [-0.2, 0.4], bias: [1] },
  ]
  // The same in plain float64, as the paper writes it.
  const reference = { matrix: [1, -2], bias: [0.5] }
  const moments = {
    matrix: [
      [0, 0],
      [0, 0],
    ],
    bias: [[0], [0]],
  }
  let current: any = { parameters, state }
  gradients.forEach((gradient, index) => {
    for (const key of ['matrix', 'bias'] as const) {
      reference[key].forEach((value, i) => {
        const g = gradient[key][i]!
        const [m, v] = moments[key] as [number[], number[]]
        m[i] = 0.9 * m[i]! + 0.1 * g
        v[i] = 0.999 * v[i]! + 0.001 * g * g
        const direction =
          m[i]! / (1 - 0.9 ** (index + 1)) / (Math.sqrt(v[i]! / (1 - 0.999 ** (index + 1))) + 1e-8)
        reference[key][i] = value - 0.01 * (direction + (key === 'matrix' ? 0.1 * value : 0))
      })
    }
  })
  for (const gradient of gradients)
    current = await compiled.run(
      current.parameters,
      current.state,
      { matrix: tensor(gradient.matrix, [1, 2]), bias: tensor(gradient.bias, [1]) },
      tensor([0.01], []),
    )
  numbers(current.parameters.matrix).forEach((value, i) => {
    expect(value).toBeCloseTo(reference.matrix[i]!, 5)
  })
  numbers(current.parameters.bias).forEach((value, i) => {
    expect(value).toBeCloseTo(reference.bias[i]!, 5)
  })
  await compiled.dispose()
})

test('momentum, clipping and moving averages', async () => {
  const optimiser = sgd({ momentum: 0.5 })
  const p = { w: tensor([1, 1], [2]) }
  const compiled = await compile(
    (parameters, state, gradients, rate) => {
      const { gradients: clipped, norm } = clippedByGlobalNorm(gradients, 1)
      const average = movedAverage(tree.ref(parameters), tree.ref(clipped as never), 0.9)
      return { ...optimiser.update(clipped, state, parameters, rate), norm, average } as never
    },
    [p, optimiser.initialState(p), p, tensor([0.1], [])],
  )
  const result: any = await compiled.run(
    p,
    { velocity: { w: tensor([1, 0], [2]) } },
    { w: tensor([3, 4], [2]) },
    tensor([0.1], []),
  )
  expect(numbers(result.norm)[0]).toBeCloseTo(5, 5)
  // clipped gradient (0.6, 0.8); velocity (1.1, 0.8)
  expect(numbers(result.parameters).map((x) => Math.round(x * 1e4) / 1e4)).toEqual([0.89, 0.92])
  expect(numbers(result.average).map((x) => Math.round(x * 1e4) / 1e4)).toEqual([0.96, 0.98])
  await compiled.dispose()
})

test('leaves of all sizes and ranks are updated as each would be alone', async () => {
  const shapes = { big: [70, 70], matrix: [3, 4], scalar: [], vector: [5], other: [4, 3], wide: [1, 5000] }
  const trees = () =>
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, normal(...shape)]))
  const [parameters, gradients] = [trees(), trees()]
  const rate = tensor([0.1], [])
  const updated = async (optimiser: Optimiser, p: any, g: any) => {
    const two = await compile<any, any>(
      (from: any, state: any, gradient: any, size: any) => {
        const average = tree.ref(from)
        const first = optimiser.update(tree.ref(gradient), state, from, size.ref)
        const second = optimiser.update(gradient, first.state, first.parameters, size) as any
        return { ...second, average: movedAverage(average, tree.ref(second.parameters), 0.9) }
      },
      [p, optimiser.initialState(p), g, rate],
    )
    const result = await two.run(p, optimiser.initialState(p), g, rate)
    await two.dispose()
    return result
  }
  for (const optimiser of [adamW({ weightDecay: 0.1 }), sgd({ momentum: 0.9 }), sgd()]) {
    const all = await updated(optimiser, parameters, gradients)
    for (const name of Object.keys(shapes)) {
      const alone = await updated(optimiser, { one: parameters[name] }, { one: gradients[name] })
      expect(all.parameters[name].shape).toEqual(parameters[name]!.shape)
      expect(numbers(all.parameters[name]), name).toEqual(numbers(alone.parameters.one))
      expect(numbers(all.average[name]), name).toEqual(numbers(alone.average.one))
    }
  }
})

test('schedules', () => {
  const rate = warmupCosine({ peak: 1, warmup: 4, total: 12, final: 0.1 })
  expect([0, 3, 4, 8, 12, 99].map(rate)).toEqual([
    0.25,
    1,
    1,
    expect.closeTo(0.55, 9),
    expect.closeTo(0.1, 9),
    expect.closeTo(0.1, 9),
  ])
})

test('a small regression is learnt, and training resumed from a checkpoint goes on bit for bit', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-'))
  const optimiser = adamW()
  const start = { w1: normal(3, 8), w2: normal(8, 1) }
  const batch = [normal(16, 3), normal(16, 1)] as const
  const step = await compile(
    (p, state, x, y, rate) => {
      const [loss, gradients] = valueAndGrad((q: any) =>
        np.square(np.matmul(np.tanh(np.matmul(x.ref, q.w1)), q.w2).sub(y.ref)).mean(),
      )(tree.ref(p)) as any
      x.dispose()
      y.dispose()
      return { loss, ...optimiser.update(gradients, state, p, rate) } as never
    },
    [start, optimiser.initialState(start), ...batch, tensor([0.01], [])],
  )
  const train = async (from: any, steps: number) => {
    let current = from
    for (let i = 0; i < steps; i++)
      current = await step.run(current.parameters, current.state, ...batch, tensor([0.02], []))
    return current
  }
  const begin: any = { parameters: start, state: optimiser.initialState(start) }
  const whole = await train(begin, 60)
  const half = await train(begin, 30)
  expect(numbers(whole.loss)[0]!).toBeLessThan(0.5 * numbers((await train(begin, 1)).loss)[0]!)
  const path = join(folder, 'half.safetensors')
  const saved = { parameters: half.parameters, state: half.state }
  await saveCheckpoint(path, saved, { metadata: { step: '30' } })
  const checkpoint = await loadCheckpoint(path)
  expect(checkpoint.metadata.step).toBe('30')
  const resumed = await train(restored(saved, checkpoint), 30)
  expect(numbers(resumed.parameters)).toEqual(numbers(whole.parameters))
  await step.dispose()
})

test('a damaged, foreign or missing checkpoint is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-'))
  const path = join(folder, 'w.safetensors')
  const weights = { a: normal(4, 4), b: tensor([1, 2, 3], [3], 'int32') }
  await saveCheckpoint(path, weights)
  const bytes = readFileSync(path)
  expect(numbers(restored(weights, await loadCheckpoint(path)))).toEqual(numbers(weights))
  const changed = Buffer.from(bytes)
  changed[changed.length - 1]! ^= 1
  writeFileSync(path, changed)
  await expect(loadCheckpoint(path)).rejects.toThrow(/checksum/)
  writeFileSync(path, bytes)
  truncateSync(path, bytes.length - 5)
  await expect(loadCheckpoint(path)).rejects.toThrow(/checksum/)
  truncateSync(path, 20)
  await expect(loadCheckpoint(path)).rejects.toThrow(/inside its header/)
  // of the header: a shape, a name, a number in the metadata
  for (const [from, to] of [
    ['"shape":[4,4]', '"shape":[2,8]'],
    ['"a":{', '"z":{'],
    ['"step":"7"', '"step":"9"'],
  ] as const) {
    await saveCheckpoint(path, weights, { metadata: { step: '7' } })
    const text = readFileSync(path, 'latin1')
    expect(text).toContain(from)
    writeFileSync(path, text.replace(from, to), 'latin1')
    await expect(loadCheckpoint(path)).rejects.toThrow(/header differs from its checksum/)
  }
  await expect(loadCheckpoint(join(folder, 'none'))).rejects.toThrow(/cannot be read/)
  writeFileSync(path, bytes)
  const checkpoint = await loadCheckpoint(path)
  expect(() => restored({ a: weights.a }, checkpoint)).toThrow(/holds b/)
  expect(() => restored({ ...weights, c: weights.a }, checkpoint)).toThrow(/lacks c/)
  expect(() => restored({ ...weights, a: normal(2, 8) }, checkpoint)).toThrow(/\[4,4\] in the checkpoint/)
})

const python = '/usr/bin/python3'
const hasReader =
  existsSync(python) &&
  (() => {
    try {
      execFileSync(python, ['-c', 'import numpy'], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })()

test.runIf(hasReader)('the layout is what Python readers of safetensors expect', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'guerdon-')), 'w.safetensors')
  await saveCheckpoint(
    path,
    { layers: [{ w: tensor([1, 2, 3, 4, 5, 6], [2, 3]) }] },
    { precision: 'float16' },
  )
  const script = `import json,struct,sys,numpy as np
b=open(sys.argv[1],'rb').read();n=struct.unpack('<Q',b[:8])[0];h=json.loads(b[8:8+n]);t=h['layers.0.w'];s,e=t['data_offsets']
print(n%8,t['dtype'],np.frombuffer(b[8+n+s:8+n+e],dtype=np.float16).reshape(t['shape']).tolist())`
  expect(execFileSync(python, ['-c', script, path], { encoding: 'utf8' }).trim()).toBe(
    '0 F16 [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]',
  )
})
