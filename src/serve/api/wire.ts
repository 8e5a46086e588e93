import type { Evidence, Json, JsonObject, Score, UnscoredCode } from '../../core/index.ts'
import type { GroupTotals, Histogram, RewardTotals, RunStatus } from '../../store/index.ts'

/**
 * What the API says, shared with the page. Everything in it is data to be shown as text; addresses of pictures are made
 * by the server and never come from a sample.
 */

/** A picture of a sample, or why there is none. */
export type ShownImage =
  | { readonly url: string; readonly width: number; readonly height: number }
  | { readonly problem: string }

export type ShownPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly image?: ShownImage }
  | { readonly type: 'video'; readonly frames: readonly ShownImage[]; readonly framesPerSecond?: number }
  | { readonly type: 'json'; readonly json: Json }

export interface ShownMessage {
  /** Absent where the content is no dialogue. */
  readonly role?: string
  readonly name?: string
  readonly parts: readonly ShownPart[]
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: Json }[]
  /** The message that spans of evidence refer to. */
  readonly isJudged: boolean
}

/** Texts are cut where they are long; `cut` says how many characters are missing. */
export interface ShownTurns {
  readonly messages: readonly ShownMessage[]
  readonly cut: number
}

export interface ShownSample {
  readonly run: string
  readonly position: number
  readonly id: string
  readonly prompt: ShownTurns
  readonly output: ShownTurns
  readonly reference?: Json
  readonly group?: string
  readonly meta: JsonObject
  readonly scores: Readonly<Record<string, Score>>
  /** The pictures of evidence that may be shown, and of the output where it is a drawing or a chart. */
  readonly renders: readonly Render[]
  readonly boxes: readonly Extract<Evidence, { kind: 'box' }>[]
  readonly masks: ShownMasks
  readonly key?: number
  /** The sample of the same id in the run that the order looks into. */
  readonly beside?: ShownSample
}

/** Masks of a sample: those that rewards point at, and those that reference, output and meta hold. */
export interface ShownMasks {
  readonly shown: readonly ShownMask[]
  /** That are not shown: there are too many, or they cannot be read. */
  readonly left: number
}

export interface ShownMask {
  /** Index among the sample's pictures. */
  readonly image: number
  /** `row`: what the row itself says, in `meta`. */
  readonly role: 'reference' | 'predicted' | 'row'
  readonly label?: string
  readonly good?: boolean
  /** The data of an SVG path. */
  readonly path: string
  readonly fillRule: 'nonzero' | 'evenodd'
  /** What the path's units fill the picture with; null for the picture's own pixels. */
  readonly size: { readonly width: number; readonly height: number } | null
  /** Pixels, of `size` or of the picture. */
  readonly area: number
}

export interface Render {
  readonly role: string
  /** A picture as a data address; absent where it could not be drawn. */
  readonly dataUrl?: string
  readonly problem?: string
}

export interface RunHead {
  readonly id: string
  readonly created: string
  readonly status: RunStatus
  readonly source: string | null
  readonly rewards: readonly RewardHead[]
}

export interface RewardHead {
  readonly name: string
  readonly reward: string
  /** Null for an infinite bound. */
  readonly range: readonly [low: number | null, high: number | null]
}

export interface RunDetail extends RunHead {
  readonly samples: number
  readonly badRows: number
  readonly warnings: number
  readonly totals: Readonly<Record<string, RewardTotals & { readonly groups: GroupTotals }>>
  readonly parts: Readonly<Record<string, readonly string[]>>
  /** Fields of `meta` that sort samples into few kinds, with their values. */
  readonly kinds: readonly {
    readonly field: string
    readonly values: readonly { readonly value: string; readonly count: number }[]
  }[]
}

export interface SamplesPage {
  readonly samples: readonly ShownSample[]
  readonly next: string | null
}

/** How the values of one reward differ between two runs, over the samples that both have judged. */
export interface RunDifference {
  readonly reward: string
  readonly pairs: number
  /** Mean values. */
  readonly here: number | null
  readonly there: number | null
  /** Of here - there: mean, and its 95% interval where there are two pairs (samples taken as independent). */
  readonly difference: { readonly mean: number; readonly low: number; readonly high: number } | null
  readonly higher: number
  readonly lower: number
}

export interface SampleDetail {
  readonly sample: ShownSample
  /** The samples of the same group, itself included, in the order of the data. */
  readonly group: readonly {
    readonly position: number
    readonly id: string
    readonly values: Readonly<Record<string, number | null>>
    readonly kind: string | null
  }[]
}

export type { Histogram, UnscoredCode }

export interface DocumentHead {
  readonly kind: string
  readonly id: string
  readonly created: string
  readonly title: string
}

export interface Overview {
  readonly store: string
  readonly runs: readonly (RunHead & { readonly samples: number })[]
  readonly documents: readonly DocumentHead[]
  readonly votes: number
}

// --- Votes

export interface VoteCriterion {
  readonly id: string
  readonly text: string
}

export interface NewVoteTask {
  readonly title: string
  /** What voters are asked, as a sentence. */
  readonly question: string
  readonly criteria: readonly VoteCriterion[]
  readonly run: string
  /** Which pairs: of one group at random, or those that two rewards order most differently. */
  readonly choose: 'random' | { readonly first: string; readonly second: string }
  readonly pairs: number
  /** Votes wanted of each pair, each by another voter. */
  readonly votesPerPair: number
  /** What is rated: a field of meta (such as model), or null for the samples themselves. */
  readonly rated: string | null
  readonly attentionChecks: boolean
}

export interface VoteTaskHead extends DocumentHead {
  readonly run: string
  readonly pairs: number
  readonly votesPerPair: number
  readonly votes: number
  readonly voters: number
}

export interface VoteTaskDetail extends VoteTaskHead {
  readonly question: string
  readonly criteria: readonly VoteCriterion[]
  readonly rated: string | null
  readonly attentionChecks: boolean
}

/** Two answers, and nothing that says whose. */
export interface BlindedPair {
  readonly pair: number
  readonly prompt: ShownTurns
  readonly left: BlindedSide
  readonly right: BlindedSide
}

export interface BlindedSide {
  readonly output: ShownTurns
  readonly renders: readonly Render[]
  readonly boxes: readonly Extract<Evidence, { kind: 'box' }>[]
  readonly masks: ShownMasks
}

export interface NextPairs {
  readonly pairs: readonly BlindedPair[]
  /** By this voter. */
  readonly done: number
  readonly total: number
}

export type VoteChoice = 'left' | 'right' | 'tie' | 'skip'

export interface SubmittedVote {
  /** Chosen by the voter's page, so that what is sent twice counts once. */
  readonly id: string
  readonly pair: number
  readonly criterion: string
  readonly choice: VoteChoice
  readonly voter: string
  readonly created: string
  readonly seconds: number
}

export interface VoteResults {
  readonly votes: number
  readonly voters: readonly {
    readonly voter: string
    readonly votes: number
    readonly skipped: number
    readonly checks: number
    readonly checksPassed: number
    readonly leftShare: number | null
    /** Failed too many attention checks: in no figure below. */
    readonly leftOut: boolean
  }[]
  readonly criteria: readonly CriterionResults[]
}

export interface CriterionResults {
  readonly criterion: string
  readonly decided: number
  readonly ties: number
  readonly pairsWithTwo: number
  /** Krippendorff's alpha over left / tie / right by sample; null where nothing was voted on twice. */
  readonly alpha: number | null
  readonly ratings: readonly {
    readonly name: string
    readonly rating: number
    readonly low: number
    readonly high: number
    readonly votes: number
    readonly place: number
  }[]
  /** How often each reward of the run agrees with the majority; ties left out. */
  readonly rewards: readonly {
    readonly reward: string
    readonly agree: number
    readonly pairs: number
    readonly low: number
    readonly high: number
  }[]
}

// --- Playground

export interface Playground {
  readonly kinds: readonly PlaygroundKind[]
  /** Rewards of whoever started the server, to be judged by whatever the sample. */
  readonly given: readonly GivenReward[]
}

export interface GivenReward {
  readonly name: string
  /** It asks a model: not with every key. */
  readonly asksModel: boolean
}

export interface PlaygroundKind {
  readonly id: string
  readonly title: string
  readonly rewards: readonly string[]
  readonly sample: PlaygroundSample
}

export interface PlaygroundSample {
  readonly prompt: string
  /** A picture as a data address. */
  readonly image?: { readonly dataUrl: string; readonly width: number; readonly height: number }
  readonly output: string
  readonly reference: Json | null
  readonly meta: JsonObject
}

export interface PlaygroundAnswer {
  readonly scores: readonly {
    readonly reward: string
    readonly range: readonly [low: number | null, high: number | null]
    readonly score: Score | null
    /** Why the expression is no reward. */
    readonly problem?: string
  }[]
  readonly renders: readonly Render[]
}

export interface RewardTypeHead {
  readonly name: string
  readonly description: string
}
