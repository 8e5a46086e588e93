import { groupOf, type Rng } from '../../core/index.ts'
import type { Pool } from '../../rewards/learned/reward-manifest.ts'
import { pooled, type Reading, type RewardReader } from '../../rewards/learned/reward-reader.ts'
import { type Tensor, type Tree, tensor } from '../../tensor/tree.ts'
import type { Comparison, Label, RewardExamples } from './reward-examples.ts'

/** Comparisons and labels of one batch, as the loss takes them. States are numbered row by row, place by place. */
export type RewardTargets<Leaf> = {
  /** Int[P]: states of better and worse. */
  readonly better: Leaf
  readonly worse: Leaf
  /** Float[P] each; 0 weight where the batch is not full. */
  readonly weight: Leaf
  readonly confidence: Leaf
  readonly margin: Leaf
  /** Int[P]: dimension or user. */
  readonly view: Leaf
}

export type LabelTargets<Leaf> = {
  /** Int[Q]: states. */
  readonly state: Leaf
  readonly target: Leaf
  readonly weight: Leaf
  readonly view: Leaf
}

/** What a batch is made of, for auxiliary losses that place things in it. */
export interface DrawnBatch {
  readonly readings: readonly Reading[]
  /** Rows of better and worse. */
  readonly pairs: readonly (readonly [better: number, worse: number])[]
  /** Tokens of a row, padding included; 0 without tokens. */
  readonly length: number
  readonly rng: Rng
}

export interface BatchOptions {
  /** Answers of one batch. */
  readonly rows: number
  /** Comparisons of one batch at most. */
  readonly comparisons: number
  readonly pool: Pool
  /** Share of the tokens that are blanked out, and by which token. */
  readonly blank?: { readonly share: number; readonly token: number }
}

/**
 * Batches at random: prompts are drawn by the number of their comparisons, and as many of a prompt's as find room for
 * their answers are taken, so that answers which are compared with many others are read once.
 */
export function rewardBatches(
  examples: RewardExamples,
  readings: readonly (Reading | undefined)[],
  reader: RewardReader,
  { rows, comparisons: most, pool, blank }: BatchOptions,
): (rng: Rng) => { readonly batch: Tree<Tensor>; readonly drawn: DrawnBatch } {
  const stepEnds = new Map(
    [...examples.steps].map(([answer, texts]) => [answer, endsOf(readings[answer], texts, reader)] as const),
  )
  const placesEach = 1 + Math.max(0, ...[...stepEnds.values()].map((ends) => ends.length))
  const isRead = (answer: number) => readings[answer] !== undefined
  const comparisons = examples.comparisons.filter(({ better, worse }) => isRead(better) && isRead(worse))
  const labels = examples.labels.filter(({ answer }) => isRead(answer))
  const groups = [...Map.groupBy(comparisons, ({ better }) => groupOf(examples.answers[better]!)).values()]
  const labelled = [...Map.groupBy(labels, ({ answer }) => answer).values()]
  const starts = cumulative(groups.map((group) => group.length))
  // an answer may have been labelled more than once
  const labelsEach = Math.max(0, ...labelled.map((own) => own.length))
  const labelRows = comparisons.length === 0 ? rows : labels.length === 0 ? 0 : rows >> 1

  const labelCount = labelRows * labelsEach

  return (rng) => {
    const rowOf = new Map<number, number>()
    const add = (answer: number) => {
      if (!rowOf.has(answer)) rowOf.set(answer, rowOf.size)
    }
    const taken: Comparison[] = []
    const takenLabels: Label[] = []
    if (labelRows > 0)
      for (const own of rng.sample(labelled, Math.min(labelled.length, labelRows))) {
        add(own[0]!.answer)
        takenLabels.push(...own)
      }
    if (groups.length > 0)
      for (let attempt = 0; attempt < 4 * rows && rowOf.size < rows - 1 && taken.length < most; attempt++) {
        const group = groups[drawn(starts, rng)]!
        for (const each of rng.shuffled(group)) {
          if (taken.length === most) break
          const fresh = Number(!rowOf.has(each.better)) + Number(!rowOf.has(each.worse))
          if (rowOf.size + fresh > rows) continue
          add(each.better)
          add(each.worse)
          taken.push(each)
        }
      }
    const answers = [...rowOf.keys()]
    const own = answers.map((answer) => blanked(readings[answer]!, rng, blank))
    const filled = Array.from({ length: rows }, (_, row) => own[row] ?? own[0]!)
    const answerAt = Array.from({ length: rows }, (_, row) => answers[row] ?? answers[0]!)
    let next = 0
    const given = reader.rows(filled, (reading, length) => {
      const ends = stepEnds.get(answerAt[next++]!) ?? []
      return [
        pooled(pool, reading, length),
        ...Array.from({ length: placesEach - 1 }, (_, index) => {
          const reads = new Float32Array(length)
          if (index < ends.length) reads[ends[index]!] = 1
          return reads
        }),
      ]
    })
    const stateOf = (answer: number, place = 0) => rowOf.get(answer)! * placesEach + place
    return {
      batch: {
        rows: given as Tree<Tensor>,
        ...(comparisons.length === 0 ? {} : { comparisons: comparisonTensors(taken, most, stateOf) }),
        ...(labelCount === 0 ? {} : { labels: labelTensors(takenLabels, labelCount, stateOf) }),
      },
      drawn: {
        readings: filled,
        pairs: taken.map(({ better, worse }) => [rowOf.get(better)!, rowOf.get(worse)!] as const),
        length: given.tokens?.shape[1] ?? 0,
        rng,
      },
    }
  }
}

function comparisonTensors(
  taken: readonly Comparison[],
  size: number,
  stateOf: (answer: number) => number,
): RewardTargets<Tensor> {
  const ints = (of: (each: Comparison) => number) => filledTensor(taken.map(of), size, 'int32')
  const floats = (of: (each: Comparison) => number) => filledTensor(taken.map(of), size, 'float32')
  return {
    better: ints(({ better }) => stateOf(better)),
    worse: ints(({ worse }) => stateOf(worse)),
    weight: floats(({ weight }) => weight),
    confidence: floats(({ confidence }) => confidence),
    margin: floats(({ margin }) => margin),
    view: ints(({ view }) => view),
  }
}

function labelTensors(
  taken: readonly Label[],
  size: number,
  stateOf: (answer: number, place: number) => number,
): LabelTargets<Tensor> {
  return {
    state: filledTensor(
      taken.map(({ answer, place }) => stateOf(answer, place)),
      size,
      'int32',
    ),
    target: filledTensor(
      taken.map(({ target }) => target),
      size,
      'float32',
    ),
    weight: filledTensor(
      taken.map(({ weight }) => weight),
      size,
      'float32',
    ),
    view: filledTensor(
      taken.map(({ view }) => view),
      size,
      'int32',
    ),
  }
}

function filledTensor(values: readonly number[], size: number, dtype: 'int32' | 'float32'): Tensor {
  const data = dtype === 'int32' ? new Int32Array(size) : new Float32Array(size)
  data.set(values)
  return tensor(data, [size], dtype)
}

/** Places of the last token of each step. */
function endsOf(reading: Reading | undefined, texts: readonly string[], reader: RewardReader): number[] {
  if (reading === undefined || reader.tokenizer === undefined) return []
  let end = reading.start - 1
  return texts.map((text) => {
    end += reader.tokenizer!.encode(text).length
    return Math.min(end, reading.tokens.length - 1)
  })
}

function blanked(reading: Reading, rng: Rng, blank: BatchOptions['blank']): Reading {
  if (blank === undefined || blank.share === 0) return reading
  const last = reading.tokens.length - 1
  return {
    ...reading,
    tokens: reading.tokens.map((token, place) =>
      place >= reading.start && place < last && rng.chance(blank.share) ? blank.token : token,
    ),
  }
}

function cumulative(counts: readonly number[]): number[] {
  let sum = 0
  return counts.map((count) => {
    sum += count
    return sum
  })
}

function drawn(sums: readonly number[], rng: Rng): number {
  const at = rng.uniform() * sums.at(-1)!
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sums[middle]! > at) high = middle
    else low = middle + 1
  }
  return low
}
