import type { JsonObject, Reward, Sample } from '../../core/index.ts'
import type { Row } from '../../data/row.ts'
import type { AggregateOptions } from './aggregate.ts'
import type { ItemResult } from './item-result.ts'
import type { PublishedCheck, PublishedTable } from './published.ts'

interface ItemHead {
  /** Unique in its benchmark. */
  readonly id: string
  /** The part of the benchmark that it counts in. */
  readonly subset: string
  /** Items of one cluster (of one prompt, one picture) are not independent: intervals resample them together. @default each its own */
  readonly cluster?: string
  readonly meta?: JsonObject
}

/** Two answers to one prompt. */
export interface PreferenceItem extends ItemHead {
  readonly kind: 'preference'
  readonly a: Sample
  readonly b: Sample
  /** Above 0: a is better, below 0: b, by so much; 0: people call it a tie. */
  readonly label: number
}

/** Answers to one prompt, some of them right: a right one is to come first. */
export interface BestOfItem extends ItemHead {
  readonly kind: 'best-of'
  readonly candidates: readonly Sample[]
  /** Of each candidate. */
  readonly correct: readonly boolean[]
}

/** Answers to one prompt with gold values, more being better: they are to be put in order. */
export interface ListItem extends ItemHead {
  readonly kind: 'list'
  readonly candidates: readonly Sample[]
  readonly gold: readonly number[]
}

/** One output that is good or not. */
export interface BinaryItem extends ItemHead {
  readonly kind: 'binary'
  readonly sample: Sample
  readonly good: boolean
}

/** A question that whoever is tested answers itself (its output is empty); the benchmark's scorer judges the answer. */
export interface AnswerItem extends ItemHead {
  readonly kind: 'answer'
  readonly sample: Sample
}

export type BenchmarkItem = PreferenceItem | BestOfItem | ListItem | BinaryItem | AnswerItem

/** The files of a benchmark, opened. */
export interface BenchmarkFiles {
  /** Rows of a further file of the set (`files`), in order; one `Row` object serves them all. */
  rows(role: string): AsyncIterable<Row>
}

export interface GenerateOptions {
  /** @default 0 */
  readonly seed?: string | number
  /** Items of each subset. @default the benchmark's own */
  readonly size?: number
}

/** A benchmark: where its data are, what a row says, and how it is scored. One small file each. */
export interface BenchmarkSpec<Joined = unknown> {
  /** kebab-case, as people call it. */
  readonly name: string
  readonly title: string
  /** Paper or address. */
  readonly source: string
  /** One sentence: what a high score means. */
  readonly summary: string
  /** Of the items. */
  readonly kind: BenchmarkItem['kind']
  /** What an answer by chance earns, in the units of the headline. */
  readonly chance?: number
  /** Addresses of the data on the hub, read one after the other (`hf://owner/name/split`). */
  readonly hub?: readonly string[]
  /** Folder below `GUERDON_DATA` where the data may be. */
  readonly folder?: string
  /** File names by role, without `.gz`; of `items` all that are there are read. */
  readonly files?: Readonly<Record<string, readonly string[]>>
  /** How to get the data, as a sentence, where they are not on the hub. */
  readonly how?: string
  /** Reads what other files say before the items. */
  join?(files: BenchmarkFiles): Promise<Joined>
  /** The items of one row of `items`; none for a row that is no item. `file` is its name without extensions. */
  read?(row: Row, joined: Joined, file: string): readonly BenchmarkItem[]
  /** Makes the items: such a benchmark needs no data. */
  generate?(options: GenerateOptions): Iterable<BenchmarkItem> | Promise<Iterable<BenchmarkItem>>
  readonly aggregation: Omit<AggregateOptions, 'measures'>
  /** Rules that differ where a comparator is asked. */
  readonly comparatorRules?: Omit<AggregateOptions, 'measures'>
  /** Scores of subsets that are not a mean of credits. */
  readonly measures?: Readonly<Record<string, (results: readonly ItemResult[]) => number | null>>
  /** Independent judgements that the official protocol asks a comparator for, each in a random order. @default 1 */
  readonly votes?: number
  /** A candidate without a score: the item is unresolved, or that candidate cannot win. @default 'unresolved' */
  readonly unscoredCandidate?: 'unresolved' | 'loses'
  /** Judges the answers of answer items; credit is its value as a share of its range. */
  scorer?(): Reward
  /** Rows that the authors published, and what follows from each. */
  readonly published?: PublishedTable
  /** Numbers that the authors published and that the data let one compute again. */
  recompute?(files: BenchmarkFiles): Promise<readonly PublishedCheck[]>
}

/** Checks a spec's types where it is written. */
export function defineBenchmark<Joined = undefined>(spec: BenchmarkSpec<Joined>): BenchmarkSpec {
  return spec as BenchmarkSpec
}
