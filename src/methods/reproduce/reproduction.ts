import type { Json } from '../../core/index.ts'
import type { SeedResults } from './results.ts'

/**
 * The small-scale proof of a published system: arms that share a start, run over seeds, and criteria on what was
 * measured. Its module exports the jobs, so that each run has a process of its own.
 */
export interface Reproduction {
  /** Of the method. */
  readonly id: string
  /** What is to be shown, as a sentence. */
  readonly claim: string
  /** `import.meta.url` of the module that exports `runArm` (a `RunArm`) and, when there is one, `prepare`. */
  readonly module: string
  /** What each arm is, in a phrase; the baselines and controls are arms too. */
  readonly arms: Readonly<Record<string, string>>
  /** @default 5 */
  readonly seeds?: number
  /** Everything that decides what runs come to, as plain data: results of other settings are not mixed with these. */
  readonly settings: Json
  /** What is tuned before the verdict's runs. @default nothing */
  readonly tuning?: Tuning
  /** Arms that are compared at equal cost: the set-up is invalid unless they spend equally many samples. */
  readonly equalSamples?: readonly string[]
  /** Whether the module exports `prepare`: what all arms of a seed start from, made once. @default false */
  readonly prepared?: boolean
  /** Arms of the quick slice. @default all */
  readonly quickArms?: readonly string[]
  /** Things that a reader must know beside claim, arms and tuning. */
  readonly notes: readonly string[]
  /** The card's rule. Validity comes first: where it fails, nothing is said about the claim. */
  readonly criteria: (results: SeedResults) => readonly Criterion[]
}

/**
 * One setting, tuned for method and baselines alike: every value of one grid, on seeds that the verdict does not use.
 * The runs of an arm are told the value that its trials chose (`tuned`).
 */
export interface Tuning {
  /** What is tuned, such as `learning rate`. */
  readonly what: string
  readonly grid: readonly number[]
  /** The metric whose mean over the seeds is to be greatest; of equal ones the first value wins. */
  readonly metric: string
  /** Seeds of each trial. @default 1 */
  readonly seeds?: number
  /** Arms whose values are tried, each with the other arms that take its value over. */
  readonly arms: Readonly<Record<string, readonly string[]>>
}

export interface Criterion {
  readonly name: string
  /** `validity`: whether the set-up can show anything; `claim`: what the paper says; `control`: what must not happen. */
  readonly kind: 'validity' | 'claim' | 'control'
  readonly holds: boolean
  /** The measured numbers that decide. */
  readonly measured: string
}

export type Verdict = 'reproduced' | 'not reproduced at this scale' | 'invalid set-up'

/** Trials of a tuning use seeds from here on, the verdict those from 0. */
export const firstTuningSeed = 1000

/** What is plain data for one run. */
export interface ArmOptions {
  readonly arm: string
  readonly seed: number
  /** The slice for the suite: a fraction of the steps, no claim about the outcome. */
  readonly quick: boolean
  /** Where this run may write; what it finds there is its own, of an attempt that was interrupted. */
  readonly folder: string
  /** The value that its trials chose, or that this trial tries; absent for an arm that is not tuned. */
  readonly tuned?: number
  /** What `prepare` gave for this seed. */
  readonly start?: Json
}

export interface ArmResult {
  /** Final measurements on held-out tasks, by name; null is what this run could not measure. */
  readonly metrics: Readonly<Record<string, number | null>>
  /** What was measured along the way, by name. */
  readonly curves?: Readonly<Record<string, readonly (number | null)[]>>
  /** A few outputs to look at. */
  readonly examples?: readonly ExampleOutput[]
  /** What the run spent: responses sampled or examples read, and calls of the reward. Equal across compared arms. */
  readonly samples: number
  readonly rewardCalls: number
}

export interface ExampleOutput {
  readonly prompt: string
  readonly output: string
  readonly note?: string
  /** The iteration that wrote it; absent for the trained policy. */
  readonly iteration?: number
}

/** How far a run is. */
export interface RunProgress {
  readonly done: number
  readonly all: number
  /** What is seen just now, such as `reward 0.52`. */
  readonly note?: string
}

export interface RunContext {
  progress(progress: RunProgress): void
  readonly signal: AbortSignal
}

export type RunArm = (options: ArmOptions, context: RunContext) => Promise<ArmResult>
export type Prepare = (
  options: Pick<ArmOptions, 'seed' | 'quick' | 'folder'>,
  context: RunContext,
) => Promise<Json>

/** By the criteria: all claims and controls must hold, and the set-up must be valid. */
export function verdictOf(criteria: readonly Criterion[]): Verdict {
  if (criteria.some(({ kind, holds }) => kind === 'validity' && !holds)) return 'invalid set-up'
  return criteria.every(({ holds }) => holds) ? 'reproduced' : 'not reproduced at this scale'
}
