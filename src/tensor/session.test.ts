import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { nn, numpy as np, valueAndGrad } from '@jax-js/jax'
import { beforeAll, describe, expect, test } from 'vitest'
import { normal } from '../../tests/engines.ts'
import { Rng } from '../core/index.ts'
import { compile } from './compile.ts'
import { bucketSize, compileByShape } from './compile-by-shape.ts'
import { liveSessions, missingModule } from './session.ts'
import { type Tensor, tensor } from './tree.ts'

const rng = new Rng('session')
const double = (x: any) => [x.mul(2)]

test('the same function of the same shapes shares one native session until the last is disposed of', async () => {
  const before = liveSessions()
  const x = normal(rng, 2, 3)
  const [first, second] = await Promise.all([
    compile<any, Tensor[]>(double, [x]),
    compile<any, Tensor[]>(double, [x]),
  ])
  const other = await compile<any, Tensor[]>(double, [normal(rng, 3, 2)])
  expect(liveSessions()).toBe(before + 2)
  await first.dispose()
  await first.dispose()
  expect(Number((await second.run(x))[0]!.data[0])).toBeCloseTo(2 * Number(x.data[0]), 6)
  await second.dispose()
  await other.dispose()
  expect(liveSessions()).toBe(before)
  await expect(second.run(x)).rejects.toThrow(/disposed/)
})

describe('compileByShape', () => {
  const total = (x: any, mask: any) => [x.mul(mask).sum()]
  const ones = (...shape: number[]) =>
    tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1), shape)

  test('pads to buckets, compiles each once and keeps the last used', async () => {
    const before = liveSessions()
    const summed = compileByShape<any, Tensor[]>(total, {
      bucket: (_path, [rows, columns]) => [rows!, bucketSize(columns!)],
      limit: 2,
    })
    const sum = async (...shape: number[]) =>
      Number((await summed.run(ones(...shape), ones(...shape)))[0]!.data[0])
    expect(await sum(2, 5)).toBe(10)
    expect(await sum(2, 7)).toBe(14)
    expect(summed.size).toBe(1)
    expect(await Promise.all([sum(2, 9), sum(2, 13), sum(2, 17), sum(2, 8)])).toEqual([18, 26, 34, 16])
    expect(summed.size).toBe(2)
    await summed.dispose()
    expect(liveSessions()).toBe(before)
  })
  test('padding keeps every element in its place', async () => {
    const same = compileByShape<any, Tensor[]>((x: any) => [x], { bucket: () => [2, 3, 4] })
    const [padded] = await same.run(tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]))
    expect([...padded!.data]).toEqual([
      1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 5, 6, 0, 0, 7, 8, 0, 0, 0, 0, 0, 0,
    ])
    await expect(same.run(ones(3, 1, 1))).rejects.toThrow(/bucket \[2,3,4\] of argument 0 is smaller/)
    await same.dispose()
  })
  test('a shape that cannot be traced is not kept', async () => {
    const products = compileByShape<any, Tensor[]>((a: any, b: any) => [np.matmul(a, b)])
    await expect(products.run(ones(2, 3), ones(2, 3))).rejects.toThrow(/traced/)
    expect(products.size).toBe(0)
    expect(await products.run(ones(2, 3), ones(3, 2))).toHaveLength(1)
    await products.dispose()
  })
  test('bucket sizes waste at most a third', () => {
    for (let size = 9; size < 3000; size++) {
      expect(bucketSize(size)).toBeGreaterThanOrEqual(size)
      expect(size / bucketSize(size)).toBeGreaterThan(2 / 3)
    }
    expect([1, 8, 9, 12, 13, 16, 17, 24, 25].map(bucketSize)).toEqual([8, 8, 12, 12, 16, 16, 24, 24, 32])
  })
})

describe('nothing leaks', () => {
  /** Arrays that jax-js's device holds: its backend is watched, for jax-js itself tells no number. */
  const references = new Map<number, number>()
  beforeAll(async () => {
    await (await compile(double, [normal(rng, 2)])).dispose() // starts the device
    const folder = new URL('.', import.meta.resolve('@jax-js/jax'))
    const file = readdirSync(folder).find((name) => /^backend-.*\.js$/.test(name))!
    const exports: Record<string, unknown> = await import(new URL(file, folder).href)
    const getBackend = Object.values(exports).find(
      (value): value is (device: string) => any => typeof value === 'function' && value.name === 'getBackend',
    )!
    const backend = getBackend('wasm')
    const { malloc, incRef, decRef } = backend
    backend.malloc = (...args: any[]) => {
      const slot = malloc.apply(backend, args)
      references.set(slot, 1)
      return slot
    }
    backend.incRef = (slot: number) => {
      incRef.call(backend, slot)
      if (references.has(slot)) references.set(slot, references.get(slot)! + 1)
    }
    backend.decRef = (slot: number) => {
      decRef.call(backend, slot)
      const left = (references.get(slot) ?? 0) - 1
      if (left > 0) references.set(slot, left)
      else references.delete(slot)
    }
  })

  test('the watch sees an array that is kept, and that it went', () => {
    const before = references.size
    const kept = np.array([1, 2, 3])
    kept.ref.dataSync()
    expect(references.size).toBe(before + 1)
    kept.dispose()
    expect(references.size).toBe(before)
  })

  const loss = (weights: any, x: any) =>
    nn
      .gelu(np.matmul(nn.standardize(x), weights))
      .add(np.arange(3).astype(np.float32))
      .mean()
  const step = (weights: any, x: any) => {
    const [value, gradient] = valueAndGrad((w: any) => loss(w, x))(weights.ref) as any
    return [value, weights.sub(gradient.mul(0.1))]
  }

  test.each(['ort', 'jax'] as const)('of jax-js arrays, compiled and run with %s', async (backend) => {
    const [weights, x] = [normal(rng, 4, 3), normal(rng, 5, 4)]
    const once = async () => {
      const compiled = await compile<any, Tensor[]>(step, [weights, x], { backend })
      await compiled.run(weights, x)
      await compiled.dispose()
    }
    await once() // jax-js keeps what its own jit functions (tanh, gelu) were traced with
    const before = references.size
    for (let count = 0; count < 5; count++) await once()
    expect(references.size).toBe(before)
  })

  test('when tracing fails', async () => {
    const failing = (a: any, b: any) => [np.matmul(a, b)]
    const before = references.size
    for (let count = 0; count < 3; count++)
      await expect(compile(failing, [normal(rng, 2, 3), normal(rng, 2, 3)])).rejects.toThrow()
    expect(references.size).toBe(before)
  })

  test('of memory, over 1500 steps', async () => {
    const x = normal(rng, 64, 128)
    let weights: Tensor = normal(rng, 128, 3)
    const compiled = await compile<any, Tensor[]>(step, [weights, x])
    const resident: number[] = []
    for (let count = 0; count < 1500; count++) {
      weights = (await compiled.run(weights, x))[1]!
      if (count % 250 === 249) resident.push(process.memoryUsage.rss() / 2 ** 20)
    }
    await compiled.dispose()
    expect(resident.at(-1)! - resident[1]!).toBeLessThan(30)
  })
})

test('a native module that is absent or broken is said in one sentence', () => {
  const absent = missingModule(
    'onnxruntime-node',
    new Error("Cannot find package 'onnxruntime-node' imported from x"),
  )
  expect(absent.message).toMatch(/needs the package onnxruntime-node, which is not installed/)
  const broken = missingModule(
    'onnxruntime-node',
    new Error('libonnxruntime.so.1: cannot open shared object file\nat x'),
  )
  expect(broken.message).toMatch(/cannot be loaded \(libonnxruntime.so.1: cannot open shared object file\)/)
})

test('without ONNX Runtime, compiling ends in one sentence', () => {
  const absent = `import { registerHooks } from 'node:module'
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier !== 'onnxruntime-node') return next(specifier, context)
        throw new Error("Cannot find package 'onnxruntime-node' imported from here")
      },
    })`
  const script = `import { compile, tensor } from ${JSON.stringify(new URL('index.ts', import.meta.url).href)}
    const [x] = [tensor([1], [1])]
    await compile((a) => [a.mul(2)], [x]).catch(({ message }) => console.log(message))
    const jax = await compile((a) => [a.mul(2)], [x], { backend: 'jax' })
    console.log((await jax.run(x))[0].data[0])`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(absent)}`, '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  expect(stdout).toMatch(
    /^.*needs the package onnxruntime-node, which is not installed.*npm install onnxruntime-node.*\n2\n$/s,
  )
})

test('too little memory is said in one sentence', async () => {
  const huge = await compile(
    (x: any) => [np.matmul(x.ref.reshape([1 << 21, 1]), x.reshape([1, 1 << 21])).sum()],
    [tensor(new Float32Array(1 << 21), [1 << 21])],
  )
  await expect(huge.run(tensor(new Float32Array(1 << 21), [1 << 21]))).rejects.toThrow(
    /not enough memory for the tensors of one run/,
  )
  await huge.dispose()
})
