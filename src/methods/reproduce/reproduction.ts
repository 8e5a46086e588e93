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
  /** Whether the module exports `prepare`: what all arms of a seed start from, made once. @default false */
  readonly prepared?: boolean
  /** Arms of the quick slice. @default all */
  readonly quickArms?: readonly string[]
  /** How each arm was tuned, and other things that a reader must know. */
  readonly notes: readonly string[]
  /** The card's rule. Validity comes first: where it fails, nothing is said about the claim. */
  readonly criteria: (results: SeedResults) => readonly Criterion[]
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

/** What is plain data for one run. */
export interface ArmOptions {
  readonly arm: string
  readonly seed: number
  /** The slice for the suite: a fraction of the steps, no claim about the outcome. */
  readonly quick: boolean
  /** Where this run may write. */
  readonly folder: string
  /** What `prepare` gave for this seed. */
  readonly start?: Json
}

export interface ArmResult {
  /** Final measurements on held-out tasks, by name. */
  readonly metrics: Readonly<Record<string, number>>
  /** What was measured along the way, by name. */
  readonly curves?: Readonly<Record<string, readonly number[]>>
  /** A few outputs to look at. */
  readonly examples?: readonly { readonly prompt: string; readonly output: string; readonly note?: string }[]
  /** What the run spent: responses sampled or examples read, and calls of the reward. Equal across compared arms. */
  readonly samples: number
  readonly rewardCalls: number
}

export type RunArm = (options: ArmOptions) => Promise<ArmResult>
export type Prepare = (options: Omit<ArmOptions, 'arm' | 'start'>) => Promise<Json>

/** By the criteria: all claims and controls must hold, and the set-up must be valid. */
export function verdictOf(criteria: readonly Criterion[]): Verdict {
  if (criteria.some(({ kind, holds }) => kind === 'validity' && !holds)) return 'invalid set-up'
  return criteria.every(({ holds }) => holds) ? 'reproduced' : 'not reproduced at this scale'
}
