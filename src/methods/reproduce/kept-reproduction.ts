import type { JsonObject } from '../../core/index.ts'
import type { KeptDocument } from '../../store/index.ts'
import { catalogueEntry } from '../catalogue/catalogue.ts'
import type { ReproductionResult } from './reproduce.ts'
import type { Reproduction } from './reproduction.ts'

/**
 * A reproduction as a document of the store: where its logs grow while it runs, and what it came to once it has ended.
 * A quick slice stands beside the whole one.
 */
export function reproductionDocument(
  { id, claim, arms }: Reproduction,
  {
    folder,
    quick,
    created,
    result,
  }: {
    /** Absolute. */
    readonly folder: string
    readonly quick: boolean
    readonly created: string
    /** Absent while it runs. */
    readonly result?: ReproductionResult
  },
): KeptDocument {
  const content = { claim, arms, folder, status: result === undefined ? 'running' : 'complete', result }
  return {
    kind: 'reproduction',
    id: quick ? `${id}-quick` : id,
    created,
    title: `${catalogueEntry(id).name}${quick ? ' (quick slice)' : ''}`,
    content: JSON.parse(JSON.stringify(content)) as JsonObject,
  }
}
