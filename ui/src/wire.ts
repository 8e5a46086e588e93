export type {
  KeptAttack,
  KeptAudit,
  KeptBenchmark,
  KeptCase,
  KeptLeaderboard,
  KeptOutcome,
  KeptScore,
} from '../../src/apply/kept-documents.ts'
export type { Evidence, Json, JsonObject, Score } from '../../src/core/index.ts'
export type { Measured } from '../../src/learn/trainers/kept-training.ts'
export type * from '../../src/serve/api/wire.ts'
export type { SampleFilter, SampleOrder } from '../../src/store/store.ts'

/** A kept document whose content is known. */
export interface KeptDocumentOf<Content> {
  readonly kind: string
  readonly id: string
  readonly created: string
  readonly title: string
  readonly content: Content
}
