import { GuerdonError, type Rng } from '../../core/index.ts'
import { type Tensor, tensor } from '../../tensor/tree.ts'
import type { LanguagePolicy, PolicyBatch, PolicyRow } from '../policies/language-policy.ts'

/** The batch with the mask of each row times its weight: rows of weight 0 teach nothing. */
export function weightedRows(batch: PolicyBatch<Tensor>, weights: readonly number[]): PolicyBatch<Tensor> {
  const [, columns] = batch.mask.shape as [number, number]
  const mask = (batch.mask.data as Float32Array).map(
    (value, index) => value * weights[Math.floor(index / columns)]!,
  )
  return { ...batch, mask: tensor(mask, batch.mask.shape) }
}

/** Numbers of each response's tokens in the columns of a batch, Float[B, C]; 0 elsewhere. */
export function alignedRows<Row extends PolicyRow>(
  policy: LanguagePolicy,
  { mask: { shape } }: PolicyBatch<Tensor>,
  rows: readonly Row[],
  numbersOf: (row: Row, index: number) => ArrayLike<number>,
): Tensor {
  const [count, columns] = shape as [number, number]
  const data = new Float32Array(count * columns)
  rows.forEach((row, index) => {
    data.set(numbersOf(row, index), index * columns + row.tokens.length - policy.firstColumn)
  })
  return tensor(data, shape)
}

/** Indices in random order, in `count` parts of one size. */
export function partsOf(rows: number, count: number, rng: Rng): number[][] {
  if (rows % count !== 0)
    throw new GuerdonError(
      'bad-option',
      `${rows} rollouts cannot be cut into ${count} minibatches of one size.`,
    )
  const all = Array.from({ length: rows }, (_, row) => row)
  const order = count === 1 ? all : rng.shuffled(all)
  const size = rows / count
  return Array.from({ length: count }, (_, part) => order.slice(part * size, (part + 1) * size))
}
