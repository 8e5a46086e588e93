import { grad, lax, nn, numpy as np, random } from '@jax-js/jax'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { expectAgreement, expectClose, integers, normal, type Traced } from '../../../tests/engines.ts'
import { Rng } from '../../core/index.ts'
import { compile } from '../compile.ts'
import { type Tensor, tensor } from '../tree.ts'

const rng = new Rng('primitives')
const floats = (...shape: number[]) => normal(rng, ...shape)
const below = (high: number, ...shape: number[]) => integers(rng, high, ...shape)
const whole = (...values: number[]) => tensor(Int32Array.from(values), [values.length], 'int32')
const unsigned = (...values: number[]) => tensor(Uint32Array.from(values), [values.length], 'uint32')
const truths = (...shape: number[]) =>
  tensor(
    Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Number(rng.chance(0.5))),
    shape,
    'bool',
  )
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number
const derivative = (fn: Traced) => (x: any) => [grad((y: any) => fn(y).sum())(x)]

const cases: Record<string, [Traced, ...Tensor[]]> = {
  'uint32 wraps around': [
    (a, b) => [a.ref.add(b.ref), a.ref.mul(b.ref), np.negative(a), b],
    unsigned(4e9, 7, 2 ** 31),
    unsigned(4e9, 9, 2 ** 31 + 1),
  ],
  'booleans add and multiply': [
    (a, b) => [a.ref.add(b.ref), a.ref.mul(b.ref), np.maximum(a.ref, b.ref), a.equal(b)],
    truths(9),
    truths(9),
  ],
  'booleans reduced': [(a) => [np.any(a.ref, 0), np.all(a.ref, 1), np.sum(a)], truths(4, 5)],
  'choice of every type': [
    (c, b, u, i) => [
      np.where(c.ref, b.ref, c.ref),
      np.where(c.ref, u.ref, u),
      np.where(c.ref, i, -3),
      np.where(c, 1.5, 2),
      b,
    ],
    truths(3),
    truths(3),
    unsigned(1, 2, 4e9),
    whole(1, 2, 3),
  ],
  'functions of numbers are folded': [
    (a) => [a.add(np.exp(np.ones([3]))).mul(np.sqrt(np.full([3], 4)))],
    floats(3),
  ],
  'sorting whole numbers': [(a) => [np.sort(a.ref), np.argsort(a)], below(4, 3, 6)],
  'NaN sorts behind infinity': [
    (a) => [np.sort(a.ref), np.argsort(a)],
    tensor([3, nan, infinity, -infinity, 1, nan, 2, infinity], [8]),
  ],
  'place of extremes': [(a) => [np.argmax(a.ref, 1), np.argmin(a.ref, 0), np.argmax(a)], below(3, 4, 5)],
  'cumulative sums and products': [(a) => [np.cumsum(a.ref, 1), np.cumprod(a, 0)], floats(4, 5)],
  'a long cumulative sum': [(a) => [np.cumsum(a, 0)], floats(300)],
  'remainders keep the sign': [
    (a, b, x, y) => [np.fmod(a.ref, b.ref), np.remainder(a, b), np.fmod(x.ref, y.ref), np.remainder(x, y)],
    whole(-7, 7, -7, 7),
    whole(3, -3, -3, 3),
    floats(6),
    floats(6),
  ],
  'bits of whole numbers': [
    (a, b) => [np.bitwiseAnd(a.ref, b.ref), np.bitwiseOr(a.ref, b.ref), np.bitwiseXor(a, b)],
    below(1000, 6),
    below(1000, 6),
  ],
  'uniform draws': [(key) => [random.uniform(key, [3, 4])], unsigned(0, 7)],
  'normal draws': [(key) => [random.normal(key, [7])], unsigned(3, 7)],
  'categorical draws': [(key, logits) => [random.categorical(key, logits)], unsigned(5, 9), floats(5, 4)],
  'keys split': [(key) => [random.split(key, 3)], unsigned(3, 7)],
  'two indices': [(t, i, j) => [t.slice(i, j)], floats(5, 6, 3), below(5, 4), below(6, 4)],
  'two indices around a whole dim': [
    (t, i, j) => [t.slice(i, [], j)],
    floats(5, 6, 3),
    below(5, 4),
    below(3, 4),
  ],
  'indices that broadcast': [
    (t, i, j) => [t.slice(i.reshape([4, 1]), j)],
    floats(5, 6, 3),
    below(5, 4),
    below(6, 3),
  ],
  'gradient through two indices': [
    (t, i, j) => [grad((q: any) => np.square(q.slice(i.ref, j.ref)).sum())(t)],
    floats(5, 6, 3),
    below(5, 4),
    below(6, 4),
  ],
  'one index per row and its gradient': [
    (t, i) => [grad((q: any) => np.square(np.takeAlongAxis(q, i.ref, 1)).sum())(t)],
    floats(4, 6),
    below(6, 4, 2),
  ],
  'gradient of a choice that hides NaN': [
    derivative((x) => np.where(x.ref.greater(0), np.sqrt(np.maximum(x, 1e-6)), 0)),
    tensor([-1, 2, 3, -4], [4]),
  ],
  'NaN stays NaN': [
    (a) => [np.log(a.ref), np.sqrt(a.ref), np.where(a.ref.less(0), np.log(a), 0)],
    tensor([-1, 0, 3, 4], [4]),
  ],
  'gradient of clipping': [derivative((x) => np.clip(x, -0.5, 0.5)), floats(8)],
  'gradient of extremes': [derivative((x) => np.max(x.ref, 1).add(np.min(x, 1))), floats(4, 5)],
  'gradient of products': [derivative((x) => np.prod(x, 1)), floats(4, 5)],
  'gradient of flips and padding': [
    derivative((x) =>
      np.square(
        np.flip(
          np.pad(x, [
            [1, 2],
            [0, 1],
          ] as never),
          1,
        ),
      ),
    ),
    floats(2, 3),
  ],
  'quotients of one shape, scaled, and of numbers': [
    (a, b) => [
      a.ref.mul(3).div(b.ref.mul(-2)),
      np.ones([3, 4]).div(b.ref),
      grad((x: any) => x.div(b.ref).sum())(a.ref),
      grad((y: any) => a.ref.div(y).sum())(b),
      a,
    ],
    floats(3, 4),
    floats(3, 4),
  ],
  'zero by zero, and by it': [
    (a, b) => [a.div(b)],
    tensor([0, 1, -1, infinity], [4]),
    tensor([0, 0, 0, infinity], [4]),
  ],
  'parts joined again: all, in another order, some, twice': [
    (a) => {
      const parts = () => np.split(a.ref, 3, 0) as any[]
      const result = [
        np.concatenate(parts(), 0),
        np.concatenate(parts().toReversed(), 0),
        np.concatenate(parts().slice(1), 0),
        np.concatenate([...parts(), ...parts()], 0),
        np.concatenate([...parts().slice(2), ...parts()], 0),
        np.concatenate(
          parts().map((part) => part.reshape([8])),
          0,
        ),
      ]
      a.dispose()
      return result
    },
    floats(6, 4),
  ],
  'three products': [
    (a, b, c) => [np.einsum('ij,jk,kl->il', a, b, c)],
    floats(2, 3),
    floats(3, 4),
    floats(4, 5),
  ],
  'products of whole numbers': [(a, b) => [np.matmul(a, b)], below(9, 3, 4), below(9, 4, 2)],
  'variance, triangles, repetition': [
    (a) => [np.var_(a.ref, 1), np.tril(a.ref), np.repeat(a.ref, 2, 1), np.tile(a, [2, 1])],
    floats(4, 4),
  ],
  'error function, powers, signs': [
    (a) => [lax.erf(a.ref), nn.gelu(a.ref, { approximate: false }), np.power(np.abs(a.ref), 2.5), np.sign(a)],
    floats(6),
  ],
  activations: [
    (a) => [nn.silu(a.ref), nn.relu(a.ref), nn.softplus(a.ref), nn.sigmoid(a.ref), np.tanh(a)],
    floats(6),
  ],
  'tanh far from zero': [
    (a) => [np.tanh(a.ref), grad((x: any) => np.tanh(x).sum())(a)],
    tensor([-30, -5, 0, 5, 30], [5]),
  ],
  'gradients of recognised functions': [
    (a, w) => [
      grad((x: any) => np.square(np.tanh(x)).mul(w.ref).sum())(a.ref),
      grad((x: any) => nn.softmax(x).mul(w.ref).sum())(a.ref),
      grad((x: any) => nn.gelu(x).mul(w.ref).sum())(a.ref),
      grad((x: any) => nn.standardize(x).mul(w).sum())(a),
    ],
    floats(3, 6),
    floats(3, 6),
  ],
  'recognised functions of transposed arrays': [
    (a) => {
      const turned = np.transpose(a, [1, 0])
      return [nn.softmax(turned.ref), nn.softmax(turned.ref, 0), nn.standardize(turned)]
    },
    floats(3, 6),
  ],
  'softmax with nothing visible': [
    (a) => [nn.softmax(np.where(np.tri(4, 4, -1, { dtype: np.bool }), a, -infinity))],
    floats(4, 4),
  ],
  'an argument as result, twice, and numbers as results': [
    (a) => [a.ref, a.ref, a.add(0), np.ones([3]), np.zeros([2, 2])],
    floats(3),
  ],
  'rank 0 throughout': [(a, b) => [a.ref.mul(b.ref), np.where(a.ref.less(b.ref), a, b)], floats(), floats()],
}

describe('every primitive agrees with jax-js', () => {
  for (const [title, [fn, ...args]] of Object.entries(cases)) test(title, () => expectAgreement(fn, args))
})

test('float32 from bits, infinities and NaN included', async () => {
  const bits = unsigned(0, 0x3f800000, 0xbf800001, 0x7f800000, 0xff800000, 0x7fc00001, 0x00800000)
  const fn: Traced = (x) => [lax.bitcastConvertType(x, np.float32)]
  const compiled = await compile<any, Tensor[]>(fn, [bits])
  const [given] = await compiled.run(bits)
  expectClose(given!.data, new Float32Array((bits.data as Uint32Array).buffer), 0)
  await compiled.dispose()
})

test('uint32 compares as unsigned, unlike jax-js', async () => {
  const [a, b] = [unsigned(1, 4e9), unsigned(4e9, 1)]
  const compiled = await compile<any, Tensor[]>((x, y) => [np.maximum(x.ref, y.ref), x.less(y)], [a, b])
  const [largest, less] = await compiled.run(a, b)
  expect([...largest!.data, ...less!.data]).toEqual([4e9, 4e9, 1, 0])
  await compiled.dispose()
})

test('sorting passes gradients back to where elements came from', async () => {
  const x = tensor([3, 1, 2], [1, 3])
  const weights = tensor([10, 20, 30], [1, 3])
  const fn: Traced = (a, w) => [grad((y: any) => np.sort(y).mul(w.ref).sum())(a)]
  const compiled = await compile<any, Tensor[]>(fn, [x, weights])
  expect([...(await compiled.run(x, weights))[0]!.data]).toEqual([30, 10, 20])
  await compiled.dispose()
})

test('an index outside of its dim fails the run; a negative one counts from the end', async () => {
  const table = floats(5, 3)
  const take = await compile<any, Tensor[]>((t, i) => [np.take(t, i, 0)], [table, whole(0, 0)])
  const [rows] = await take.run(table, whole(-1, 4))
  expect([...rows!.data.slice(0, 3)]).toEqual([...rows!.data.slice(3)])
  await expect(take.run(table, whole(0, 5))).rejects.toThrow(/idx=5 must be within the inclusive range/)
  await take.dispose()
})

test('whole numbers divided by zero do not end the process', async () => {
  const [a, b] = [whole(7, -7, 7), whole(2, 2, 0)]
  const compiled = await compile<any, Tensor[]>((x, y) => [np.fmod(x, y)], [a, b])
  const [remainder] = await compiled.run(a, b)
  expect([...remainder!.data.slice(0, 2)].map(Number)).toEqual([1, -1])
  await compiled.dispose()
})

test('tensors without elements are refused by name', async () => {
  await expect(compile((x: any) => [x.sum()], [tensor([], [0, 3])])).rejects.toThrow(
    /shape \[0,3\] has no elements/,
  )
})

test('random products agree in every shape, orientation and broadcast', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
      const choose = new Rng(seed)
      const letters = ['a', 'b', 'c', 'd', 'e']
      const sizes = Object.fromEntries(letters.map((letter) => [letter, choose.int(1, 4)]))
      const subset = () => choose.shuffled(letters).slice(0, choose.int(1, 5))
      const [left, right] = [subset(), subset()]
      const all = [...new Set([...left, ...right])]
      const kept = choose.shuffled(all.filter(() => choose.chance(0.6)))
      const formula = `${left.join('')},${right.join('')}->${kept.join('')}`
      const shapeOf = (names: readonly string[]) => names.map((name) => sizes[name]!)
      await expectAgreement(
        (a, b) => [
          np.einsum(formula, a.ref, b.ref),
          grad((x: any) => np.square(np.einsum(formula, x, b.ref)).sum())(a),
          b,
        ],
        [normal(choose, ...shapeOf(left)), normal(choose, ...shapeOf(right))],
        1e-3,
      )
    }),
    { numRuns: 25, seed: 11 },
  ))

test('gradients of random graphs agree', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
      const choose = new Rng(seed)
      await expectAgreement(
        (a, b) => [grad((x: any) => np.square(randomGraph(new Rng(seed), x, b.ref)).mean())(a), b],
        [normal(choose, 3, 4), normal(choose, 4)],
        2e-3,
      )
    }),
    { numRuns: 40, seed: 5 },
  ))

/** A chain of operations on Float[3, 4] (or its transpose) and Float[4], values kept moderate. */
function randomGraph(own: Rng, start: any, other: any): any {
  let x = start
  const earlier: any[] = []
  for (let step = 0; step < 6; step++) {
    switch (own.int(0, 10)) {
      case 0:
        x = np.tanh(x)
        break
      case 1:
        x = nn.softmax(x, -1)
        break
      case 2:
        x = nn.standardize(x, -1)
        break
      case 3:
        x = np.transpose(x, [1, 0])
        break
      case 4:
        x = x.shape[1] === 4 ? x.add(other.ref) : x.mul(other.ref.reshape([4, 1]))
        break
      case 5:
        x = nn.gelu(x)
        break
      case 6:
        x = np.where(x.ref.less(0.1), x.ref.mul(-0.3), x)
        break
      case 7:
        x = np.matmul(np.matmul(x.ref, np.transpose(x.ref, [1, 0])), x).mul(0.3)
        break
      case 8:
        earlier.push(x.ref)
        x = np.exp(x.ref.mul(0.1).sub(np.max(x, -1, { keepdims: true }).mul(0.05)))
        break
      default: {
        const before = earlier.pop()
        x = x.mul(0.5)
        if (before !== undefined)
          x = before.shape[0] === x.shape[0] ? x.add(before) : x.add(before.transpose())
      }
    }
  }
  for (const unused of earlier) unused.dispose()
  other.dispose()
  return x
}
