import type { Json, JsonObject, Reward, Sample, Score, UnscoredCode, Usage } from '../core/index.ts'

/**
 * Where runs, samples, scores, cached model calls and votes are kept. Everything is batch-first and asynchronous;
 * one embedded SQLite file implements it (`openStore`), a shared database can. All methods may throw a
 * `GuerdonError` with one of the codes `store-locked`, `store-full`, `store-read-only`, `store-corrupt`,
 * `store-newer`, `store-failed`; what was written before stays.
 */
export interface Store {
  /** The file (or the address, without a password) that holds it, for messages. */
  readonly location: string
  /** What `openStore` opens again, in another thread or process. It may hold a password: not for messages. */
  readonly address: string
  readonly runs: Runs
  readonly samples: Samples
  readonly calls: Calls
  readonly votes: Votes
  readonly documents: Documents
  close(): Promise<void>
}

/** `running` is also what a killed run is left with; `stopped` was asked to stop; both can be resumed. */
export type RunStatus = 'running' | 'stopped' | 'complete'

export interface NewRun {
  readonly id: string
  /** ISO 8601, UTC. */
  readonly created: string
  /** What was read: a path or an address, for people. */
  readonly source?: string
  /** Identity of the data as a whole, where it was known before the run. */
  readonly dataHash?: string
  /** Everything else that determines the scores: seed, step, how the data was read. */
  readonly config: JsonObject
}

export interface StoredRun extends NewRun {
  readonly status: RunStatus
  readonly rewards: readonly StoredReward[]
}

/** A reward under the name that it has in one run. */
export interface StoredReward extends Pick<Reward, 'range' | 'version' | 'params'> {
  /** In the run. */
  readonly name: string
  /** The reward's own name. */
  readonly reward: string
  /** `rewardIdentity` of it. */
  readonly identity: string
}

/** A sample where it stood in the data. */
export interface PlacedSample {
  /** Unique within a run, and in the order of the data; what it counts is up to the writer. */
  readonly position: number
  readonly sample: Sample
}

/** Scores of one reward for the samples at `positions`. */
export interface RewardScores {
  /** Name of the reward in the run. */
  readonly reward: string
  readonly positions: readonly number[]
  /** One for each position. Values must be finite or null. */
  readonly scores: readonly Score[]
  /** Also replace final scores (of group rewards, whose scores depend on each other). @default false */
  readonly replace?: boolean
}

/** A row of the data that is not a sample: unreadable, incomplete, or of an id that stood before. */
export interface BadRow {
  readonly position: number
  /** A kebab-case word to count by, such as `bad-row` or `duplicate-id`. */
  readonly kind: string
  readonly message: string
}

/** A row that was read, but not all as it was written, such as an integer that a double rounds. */
export type RowWarning = BadRow

/** What one transaction adds to a run: all of it is kept or none. Giving the same batch twice changes nothing. */
export interface RunBatch {
  readonly samples?: readonly PlacedSample[]
  readonly scores?: readonly RewardScores[]
  readonly badRows?: readonly BadRow[]
  readonly warnings?: readonly RowWarning[]
  /** Parts of the data that these rewards have now been asked about completely. */
  readonly finishedSegments?: readonly { readonly segment: number; readonly rewards: readonly string[] }[]
}

/** What a run holds at a stretch of positions, for resuming. */
export interface StoredStretch {
  /** Positions of the samples that are there. */
  readonly samples: ReadonlySet<number>
  /** By the reward's name in the run: positions with a score that will not be asked for again. */
  readonly settled: Readonly<Record<string, ReadonlySet<number>>>
  /** Positions of rows that are no samples because their id stood before. */
  readonly duplicates: ReadonlySet<number>
}

/** A sample of a run with its scores by the rewards' names in the run; a reward not yet asked is absent. */
export interface PlacedScores extends PlacedSample {
  readonly scores: Readonly<Record<string, Score>>
}

/** A sample that a reward could not judge. */
export interface UnscoredExample {
  readonly position: number
  readonly sample: string
  readonly reason: string
}

/** What a run says about one reward. `samples` = `scored` + `unscored` + `waiting`. */
export interface RewardTotals {
  readonly scored: number
  readonly unscored: number
  readonly unscoredBy: Readonly<Partial<Record<UnscoredCode, number>>>
  /** For each code the first sample of the data that has it. */
  readonly firstUnscoredBy: Readonly<Partial<Record<UnscoredCode, UnscoredExample>>>
  /** Of the unscored: how many the reward itself declined. */
  readonly abstained: number
  /** Of the unscored: how many a resumed run tries again. */
  readonly retryable: number
  /** Samples that this reward has not been asked about. */
  readonly waiting: number
  /** Over the scored samples; null when there are none. */
  readonly mean: number | null
  readonly minimum: number | null
  readonly maximum: number | null
  readonly usage: Usage
}

/** Of the groups with at least two scored samples: how many give every sample the same value. */
export interface GroupTotals {
  readonly groups: number
  readonly zeroVariance: number
}

export interface RunTotals {
  readonly samples: number
  readonly badRows: number
  readonly badRowsBy: Readonly<Record<string, number>>
  readonly warnings: number
  readonly warningsBy: Readonly<Record<string, number>>
  /** By the reward's name in the run. */
  readonly rewards: Readonly<Record<string, RewardTotals>>
}

export interface Runs {
  /** Fails with `run-exists` when the id is taken. */
  create(run: NewRun): Promise<StoredRun>
  find(id: string): Promise<StoredRun | undefined>
  /** Newest first. */
  list(): Promise<StoredRun[]>
  setStatus(id: string, status: RunStatus): Promise<void>
  /** Names not yet in the run are added; a name that stands for another reward fails with `reward-changed`. */
  addRewards(id: string, rewards: readonly StoredReward[]): Promise<void>
  /** Forgets the run with its samples and scores. */
  remove(id: string): Promise<void>

  /**
   * Adds to a run in one transaction. A sample that is there stays; so does a score, unless it is a failure that
   * may be tried again (`retryableCodes`) or `replace` says otherwise: however many processes work on a run, each
   * score is there once.
   */
  record(id: string, batch: RunBatch): Promise<void>
  /** What is there from position `first` to `last`, both included. */
  stretch(id: string, first: number, last: number): Promise<StoredStretch>
  /** The samples from position `first` to `last`, both included. */
  samples(id: string, first: number, last: number): Promise<PlacedSample[]>
  /** Samples with their scores in order of position, from the first position after `after`. */
  page(id: string, page: { readonly after: number; readonly limit: number }): Promise<PlacedScores[]>
  /** By the reward's name in the run: the segments finished, and positions of failures to be tried again. */
  progress(
    id: string,
  ): Promise<
    Record<string, { readonly segments: ReadonlySet<number>; readonly retryable: readonly number[] }>
  >
  /** The first ones in the order of the data. */
  badRows(id: string, limit: number): Promise<BadRow[]>
  warnings(id: string, limit: number): Promise<RowWarning[]>
  /**
   * Turns every sample whose id stands at an earlier position into a bad row `duplicate-id`; returns how many.
   * `among` names the ids to look at.
   */
  dropDuplicates(
    id: string,
    message: (sample: string, position: number, first: number) => string,
    among: readonly string[] | 'all',
  ): Promise<number>
  totals(id: string): Promise<RunTotals>
  /** By the reward's name in the run. */
  groupTotals(id: string): Promise<Record<string, GroupTotals>>
}

/** Which samples of a run; all that is named must hold. */
export interface SampleFilter {
  /** Judged by the reward, with a value between the bounds, both included. @default any bound: none */
  readonly values?: readonly { readonly reward: string; readonly low?: number; readonly high?: number }[]
  /** Not judged by the reward, for this reason or for any. */
  readonly unscored?: { readonly reward: string; readonly code?: UnscoredCode }
  /** Of the group of the sample at this position, itself included. */
  readonly groupOf?: number
  /**
   * Said by the sample: in its id, its group, or in any text of prompt, output, reference and meta (keys and bytes of
   * images are no text). Case is ignored, at least of the letters of ASCII.
   */
  readonly text?: string
  /** The value of a field of `meta`: a text as it is, any other value as its JSON. */
  readonly meta?: { readonly field: string; readonly value: string }
  readonly ids?: readonly string[]
}

/**
 * In what order; of ties, those that stand first in the data. A value order has the judged samples alone. `gap` is the value of
 * `first` minus that of `second`, each in its own standard deviations from its own mean over the run (of a reward that
 * gives every sample the same value: 0); `disagreement` is the size of that. Both have the samples that both judged.
 * With `second.run` the second value is that of the sample of the same id in another run; of the same reward there, the gap is
 * the difference as it is.
 */
export type SampleOrder =
  | { readonly by: 'position' }
  | { readonly by: 'value'; readonly reward: string }
  | {
      readonly by: 'gap' | 'disagreement'
      readonly first: string
      readonly second: { readonly reward: string; readonly run?: string }
    }

export interface SampleQuery {
  readonly filter?: SampleFilter
  /** @default by position */
  readonly order?: SampleOrder
  /** The whole order from its end, ties too. @default false */
  readonly descending?: boolean
  /** `next` of the page before. A cursor of another order or run fails with `bad-cursor`. */
  readonly after?: string
  /** @default 50 */
  readonly limit?: number
}

export interface FoundSample extends PlacedScores {
  /** By which it stands where it does: the value or the gap; absent in the order of the data. */
  readonly key?: number
  /** The other run's score of the same id, where the order looks there. */
  readonly other?: Score
}

export interface SamplePage {
  readonly samples: readonly FoundSample[]
  /** Where the next page begins; null at the end. */
  readonly next: string | null
}

/** Counts of values in bins of one width from `low` to `high`; the last bin includes `high`. */
export interface Histogram {
  /** Null when nothing was judged. */
  readonly low: number | null
  readonly high: number | null
  readonly counts: readonly number[]
  /** Samples that the reward was asked about and has no number for (of the part). */
  readonly unscored: number
}

/** Looking through a run: pages, counts and distributions, quick at 100,000 samples. All throw `unknown-run` and `unknown-reward`. */
export interface Samples {
  page(run: string, query?: SampleQuery): Promise<SamplePage>
  count(run: string, filter?: SampleFilter): Promise<number>
  /** Of a reward, or of one part of its scores. @param bins at most; equal values make one bin. @default 30 */
  histogram(
    run: string,
    of: { readonly reward: string; readonly part?: string; readonly bins?: number },
  ): Promise<Histogram>
  /** Names of the parts that the reward's first thousand scores have, in their order. */
  parts(run: string, reward: string): Promise<string[]>
  /** The values of a field of `meta` as `SampleFilter.meta` takes them, most frequent first. @param limit @default 50 */
  metaValues(
    run: string,
    field: string,
    limit?: number,
  ): Promise<{ readonly value: string; readonly count: number }[]>
  /** How the values of a reward differ from those of the samples of the same ids in another run, where both were judged. */
  differences(
    run: string,
    of: { readonly reward: string; readonly run: string; readonly filter?: SampleFilter },
  ): Promise<Differences>
}

export interface Differences {
  /** Samples that both runs have a value of. */
  readonly pairs: number
  /** Mean value here; null without pairs, as what follows. */
  readonly here: number | null
  readonly there: number | null
  /** Standard deviation of here - there (with n - 1; 0 of one pair). */
  readonly deviation: number | null
  /** Samples whose value is higher here, and lower. */
  readonly higher: number
  readonly lower: number
}

/** The answer of a model, kept under everything that determines it. */
export interface CachedCall {
  /**
   * `identityOf` of all that determines the answer: model and endpoint, messages (images by their bytes), sampling
   * parameters, seed, and which draw it is when several are taken.
   */
  readonly key: string
  readonly model: string
  readonly answer: Json
  readonly usage?: Usage
}

export interface FailedCall {
  readonly key: string
  readonly model: string
  readonly code: UnscoredCode
  readonly reason: string
}

/** Cached model calls. A failed call is counted and can be looked up, and is never returned as an answer. */
export interface Calls {
  /** The answers there are, by key. */
  find(keys: readonly string[]): Promise<ReadonlyMap<string, CachedCall>>
  /** An answer that is there stays, so that all who ask see the same one; a failure is replaced. */
  keep(calls: readonly CachedCall[]): Promise<void>
  /** Never replaces an answer. */
  keepFailures(calls: readonly FailedCall[]): Promise<void>
  failures(keys: readonly string[]): Promise<ReadonlyMap<string, FailedCall>>
  totals(): Promise<{ readonly answers: number; readonly failures: number; readonly usage: Usage }>
  /** Forgets the calls of one model, or all. */
  clear(model?: string): Promise<void>
}

/** A person's judgement of a pair. */
export interface Vote {
  /** A vote given twice under one id counts once. */
  readonly id: string
  /** ISO 8601, UTC. */
  readonly created: string
  /** What was asked, so that votes on one question can be read together. */
  readonly question: string
  /** The two that were compared: sample ids or model names. */
  readonly a: string
  readonly b: string
  /** 1 = a is better, 0 = b, 0.5 = a tie; null = the voter passed. */
  readonly choice: 1 | 0 | 0.5 | null
  readonly voter?: string
  readonly meta: JsonObject
}

export interface Votes {
  add(votes: readonly Vote[]): Promise<void>
  /** In the order in which they came. */
  list(question?: string): Promise<Vote[]>
}

/** Something made from judgements that is kept as a whole: an audit, a leaderboard, a reproduction, a training, a task of votes. */
export interface KeptDocument {
  /** A kebab-case word. */
  readonly kind: string
  /** Unique among its kind. */
  readonly id: string
  /** ISO 8601, UTC. */
  readonly created: string
  /** For people. */
  readonly title: string
  readonly content: JsonObject
}

export interface Documents {
  /** In the place of the document of the same kind and id, if there is one. */
  keep(document: KeptDocument): Promise<void>
  find(kind: string, id: string): Promise<KeptDocument | undefined>
  /** Newest first, of one kind or of all. */
  list(kind?: string): Promise<Omit<KeptDocument, 'content'>[]>
  remove(kind: string, id: string): Promise<void>
}
