import { grad, lax, nn, numpy as np, valueAndGrad } from '@jax-js/jax'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  expectAgreement,
  integers as integersOf,
  normal as normalOf,
  type Traced,
} from '../../tests/engines.ts'
import { Rng } from '../core/index.ts'
import { compile } from './compile.ts'
import { release } from './crossing.ts'
import { leavesOf, type Tensor, tensor } from './tree.ts'

const rng = new Rng('tensor')
const normal = (...shape: number[]) => normalOf(rng, ...shape)
const integers = (high: number, ...shape: number[]) => integersOf(rng, high, ...shape)

const cases: Record<string, [Traced, ...Tensor[]]> = {
  'broadcasting arithmetic': [(a, b) => [a.ref.add(b.ref).mul(b).sub(a)], normal(4, 1, 3), normal(2, 3)],
  'division and powers': [(a, b) => [a.div(b.ref.mul(b).add(1))], normal(3, 4), normal(4)],
  'unary functions': [
    (a) => [
      np.exp(a.ref),
      np.log(np.abs(a.ref).add(1)),
      np.sin(a.ref),
      np.cos(a.ref),
      np.tanh(a.ref),
      np.sqrt(np.abs(a.ref)),
      np.floor(a.ref),
      np.ceil(a),
    ],
    normal(5, 3),
  ],
  'comparisons and where': [
    (a, b) => [np.where(a.ref.less(b.ref), a.ref, b.ref), a.ref.greaterEqual(b.ref), a.notEqual(b)],
    normal(3, 4),
    normal(1, 4),
  ],
  'integer arithmetic': [
    (a, b) => [a.ref.mul(b.ref).add(3), np.maximum(a, b)],
    integers(9, 6),
    integers(9, 6),
  ],
  casts: [(a) => [a.ref.astype(np.int32), a.ref.less(0).astype(np.float32).add(a)], normal(7)],
  'reductions over stored and broadcast dims': [
    (a) => {
      const wide = np.broadcastTo(a.ref.reshape([3, 1, 4]), [3, 5, 4])
      return [
        np.sum(wide.ref, 1),
        np.mean(wide.ref, [0, 1]),
        np.max(wide, [1, 2]),
        np.min(a.ref, 0),
        np.prod(a, 1),
      ]
    },
    normal(3, 4),
  ],
  'sum of everything is a scalar': [(a) => [a.sum()], normal(3, 4)],
  'transpose, reshape across dims, transpose': [
    (a) => [np.transpose(np.transpose(a, [1, 0, 2]).reshape([6, 4]), [1, 0]).reshape([2, 2, 6])],
    normal(2, 3, 4),
  ],
  'reshape of a broadcast': [
    (a) => [
      np
        .broadcastTo(a.reshape([2, 1, 3]), [2, 4, 3])
        .reshape([8, 3])
        .mul(2),
    ],
    normal(2, 3),
  ],
  'many small tensors in and out, of every rank, transposed, scaled and constant': [
    (a, b, c, d, e) => [
      a.ref.transpose().mul(3),
      a.ref.sum(),
      np.broadcastTo(b.ref, [2, 1, 3]),
      np.ones([2, 2]),
      c.ref,
      d.add(1),
      a
        .mul(b.reshape([1, 3]))
        .mul(c)
        .add(e.sum()),
    ],
    normal(4, 3),
    normal(3),
    normal(),
    integers(9, 2),
    normal(1, 2, 1),
  ],
  'small and large tensors mixed': [
    (a, b, c, d) => [np.matmul(a.ref, b), a.sum(1), c.add(d.ref), d],
    normal(80, 60),
    normal(60, 80),
    normal(2),
    normal(1),
  ],
  'matrix products in all four orientations': [
    (a, b) => [
      np.matmul(a.ref, b.ref),
      np.matmul(b.ref.transpose(), a.ref.transpose()),
      np.matmul(a.ref.transpose(), a),
      np.matmul(b.ref, b.transpose()),
    ],
    normal(4, 3),
    normal(3, 5),
  ],
  'batched products with broadcast batch': [(a, b) => [np.matmul(a, b)], normal(2, 1, 4, 3), normal(5, 3, 2)],
  'vector products': [(a, b) => [np.dot(a.ref, b.ref), np.outer(a, b)], normal(6), normal(6)],
  einsum: [(a, b) => [np.einsum('bthd,bshd->bhts', a, b)], normal(2, 3, 2, 4), normal(2, 5, 2, 4)],
  'concatenate, split, stack': [
    (a, b) => {
      const both = np.concatenate([a.ref, b.ref], 1)
      const [left, right] = np.split(both, [2], 1)
      return [left, right, np.stack([a, b])]
    },
    normal(3, 4),
    normal(3, 4),
  ],
  'slices, padding, flips': [
    (a) => [
      a.ref.slice([1, 3], 2),
      np.pad(a.ref, [
        [1, 2],
        [0, 1],
      ] as never),
      np.flip(a, 1),
    ],
    normal(4, 5),
  ],
  'gather rows': [(table, ids) => [np.take(table, ids, 0)], normal(7, 3), integers(7, 2, 4)],
  'softmax and log-softmax': [(a) => [nn.softmax(a.ref, -1), nn.logSoftmax(a, 0)], normal(5, 6)],
  'standardise and GELU': [(a) => [nn.standardize(a.ref, -1), nn.gelu(a)], normal(5, 6)],
  attention: [
    (q, k, v) => [nn.dotProductAttention(q, k, v, { isCausal: true })],
    normal(2, 4, 2, 3),
    normal(2, 4, 2, 3),
    normal(2, 4, 2, 3),
  ],
  'sort and argsort': [(a) => [np.sort(a.ref), np.argsort(a)], normal(3, 8)],
  'one-hot and cumulative sum': [
    (a) => [nn.oneHot(a, 5), np.cumsum(np.arange(6).astype(np.float32))],
    integers(5, 4),
  ],
  convolution: [(x, w) => [lax.conv(x, w, [1, 1], 'SAME')], normal(2, 3, 6, 6), normal(4, 3, 3, 3)],
  'strided convolution': [
    (x, w) => [lax.conv(x, w, [2, 2], 'VALID')],
    normal(2, 3, 7, 7),
    normal(4, 3, 3, 3),
  ],
}

describe('ONNX Runtime agrees with jax-js', () => {
  for (const [title, [fn, ...args]] of Object.entries(cases)) test(title, () => expectAgreement(fn, args))

  test('gradient of a convolution, strided', () =>
    expectAgreement(
      (x, w) => valueAndGrad((weights: any) => np.square(lax.conv(x.ref, weights, [2, 2], 'VALID')).sum())(w),
      [normal(2, 3, 7, 7), normal(4, 3, 3, 3)],
    ))
  test('gradient of an embedding look-up scatters and adds', () =>
    expectAgreement(
      (table, ids) => [grad((t: any) => np.square(np.take(t, ids, 0)).sum())(table)],
      [normal(6, 3), tensor([1, 4, 1, 1], [4], 'int32')],
    ))
  test('gradient of a layer: matrix product, GELU, normalisation, cross-entropy', () =>
    expectAgreement(
      (parameters, x, y) =>
        valueAndGrad((p: any) => {
          const hidden = nn.gelu(np.matmul(nn.standardize(x.ref, -1), p.a))
          return np.mean(nn.logSoftmax(np.matmul(hidden, p.b), -1).mul(y.ref).sum(-1)).mul(-1)
        })(parameters),
      [{ a: normal(6, 8), b: normal(8, 5) }, normal(4, 3, 6), normal(4, 3, 5)],
    ))
})

test('random chains of views and element-wise operations agree', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
      const choose = new Rng(seed)
      const chain: Traced = (a, b) => {
        const own = new Rng(seed)
        let x = a
        for (let step = 0; step < 6; step++) {
          const shape: number[] = x.shape
          switch (own.int(0, 6)) {
            case 0:
              x = np.transpose(x, own.shuffled(shape.map((_, dim) => dim)))
              break
            case 1:
              x = x.reshape(reshapes(own, shape))
              break
            case 2:
              x = x.add(np.sum(x.ref, own.int(0, shape.length), { keepdims: true }))
              break
            case 3:
              x = x.mul(b.ref.sum()).add(1)
              break
            case 4:
              x = np.tanh(x)
              break
            default:
              x = np.sum(np.broadcastTo(x.reshape([1, ...shape]), [2, ...shape]), 0)
          }
        }
        b.dispose()
        return [x]
      }
      await expectAgreement(
        chain,
        [
          tensor(
            Float32Array.from({ length: 24 }, () => choose.normal()),
            [2, 3, 4],
          ),
          tensor([0.3], [1]),
        ],
        1e-3,
      )
    }),
    { numRuns: 40, seed: 7 },
  )
})

/** Another shape of as many elements. */
function reshapes(own: Rng, shape: readonly number[]): number[] {
  const primes = shape.flatMap((size) =>
    size === 4
      ? [2, 2]
      : size === 6
        ? [2, 3]
        : size === 12
          ? [2, 2, 3]
          : size === 8
            ? [2, 2, 2]
            : size === 24
              ? [2, 2, 2, 3]
              : size === 1
                ? []
                : [size],
  )
  const mixed = own.shuffled(primes)
  const result: number[] = []
  for (const prime of mixed) {
    if (result.length > 0 && own.chance(0.4)) result[result.length - 1]! *= prime
    else result.push(prime)
  }
  return own.chance(0.3) ? [1, ...result] : result
}

// jax-js computes exp in the precision of float32 even in float64: its steps must be wider.
test.each([
  ['ort', 1e-5, 1e-8],
  ['jax', 3e-3, 2e-4],
] as const)('gradients in float64 are those of finite differences (%s)', async (backend, by, tolerance) => {
  const double = (...shape: number[]) =>
    tensor(Float64Array.from(normal(...shape).data as Float32Array), shape, 'float64')
  const [x, first, second] = [double(4, 3), double(3, 6), double(6, 5)]
  const weights = tensor(new Float64Array([0, 1, 2, 3, 4]), [5], 'float64')
  const loss: Traced = (w, v, input, each) => {
    const hidden = nn.gelu(nn.standardize(np.matmul(input, w)))
    return nn.logSoftmax(np.matmul(hidden, v)).mul(each).mean()
  }
  const run = await compile<any, any>(
    (w: any, v: any, input: any, each: any) => valueAndGrad((p: any) => loss(p, v, input, each))(w) as any,
    [first, second, x, weights],
    { backend },
  )
  const at = (w: Tensor) => run.run(w, second, x, weights)
  const gradient = (await at(first))[1].data
  for (let index = 0; index < 18; index += 5) {
    const lossAt = async (change: number) => {
      const data = Float64Array.from(first.data as Float64Array)
      data[index]! += change
      return Number((await at(tensor(data, first.shape, 'float64')))[0].data[0])
    }
    const difference = ((await lossAt(by)) - (await lossAt(-by))) / (2 * by)
    expect(Math.abs(gradient[index] - difference)).toBeLessThan(tolerance)
  }
  await run.dispose()
})

describe('release', () => {
  const twice = (x: any) => [x.ref.mul(2), x.sum()]

  test('gives back what a run returned; using it afterwards is an error', async () => {
    const given = normal(80, 80)
    const double = await compile<any, Tensor[]>(twice, [given])
    const [once] = await double.run(given)
    const [again] = await double.run(once)
    release(once!)
    expect(Number(again!.data[0])).toBeCloseTo(4 * Number(given.data[0]), 5)
    expect(once!.data.length).toBe(0)
    await expect(double.run(once)).rejects.toThrow(/argument 0 was released/)
    await double.dispose()
  })

  test('leaves alone what no run made', async () => {
    const given = normal(80, 80)
    release({ given, again: given })
    expect(given.data.length).toBe(6400)
  })
})

describe('what goes wrong is said', () => {
  test('data that do not fill the shape', async () => {
    const double = await compile((x: any) => [np.add(x, 1)], [normal(2, 3)])
    const short = { ...normal(2, 3), data: new Float32Array(5) }
    await expect(double.run(short)).rejects.toThrow(/argument 0 has the shape \[2,3\] and holds 5 numbers/)
    await double.dispose()
  })
  test('a shape mismatch names the argument and both shapes', async () => {
    const double = await compile((x: any) => [np.add(x, 1)], [normal(2, 3)])
    await expect(double.run(normal(3, 2))).rejects.toThrow(
      'argument 0 is float32[3,2], but the function was compiled for float32[2,3]',
    )
    await double.dispose()
  })
  test.each<[string, Traced, RegExp]>([
    ['a product', (x, y) => [np.matmul(x, y)], /\[3\] != \[2\] \(in matmul, at .*compile\.test\.ts:\d+/],
    ['a sum', (x, y) => [x.add(y.reshape([6]))], /2,3 vs 6 \(in add, at .*compile\.test\.ts:\d+/],
    ['a reshape', (x, _) => [x.reshape([5])], /\[2,3\] -> \[5\] \(in reshape, at .*compile\.test\.ts:\d+/],
    [
      'joining',
      (x, y) => [np.concatenate([x, y.reshape([6])], 0)],
      /\[2,3\] and float32\[6\].*in concatenate, at/,
    ],
  ])('tracing %s of shapes that do not fit names operation, shapes and line', async (_, fn, message) => {
    const arguments_ = [normal(2, 3), normal(2, 3)]
    await expect(compile(fn, arguments_)).rejects.toThrow(message)
    await expect(compile(fn, arguments_, { backend: 'jax' })).rejects.toThrow(message)
  })
  test('a primitive without a lowering is named, and the other backend runs it', async () => {
    const fn: Traced = (x) => [lax.linalg.cholesky(x)]
    const matrix = tensor([4, 2, 2, 3], [2, 2])
    await expect(compile(fn, [matrix])).rejects.toThrow(/cholesky/)
    const reference = await compile(fn, [matrix], { backend: 'jax' })
    expect(Number(leavesOf(await reference.run(matrix))[0]!.leaf.data[0])).toBeCloseTo(2, 5)
    await reference.dispose()
  })
})
