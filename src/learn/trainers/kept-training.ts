import { basename, relative, resolve } from 'node:path'
import { identityOf, type JsonObject } from '../../core/index.ts'
import type { KeptDocument } from '../../store/index.ts'

/** Something measured of what was trained. */
export interface Measured {
  readonly name: string
  /** null where it could not be measured. */
  readonly value: number | null
  /** Of its interval. */
  readonly low?: number
  readonly high?: number
  /** Over how many. */
  readonly n?: number
}

export interface TrainingDocumentOptions {
  /**
   * Folder of the logs, JSON lines that trainers write (`log`). Each file is an arm by the folders and the name that it has
   * below; `seed-0` among them is a seed of the arm. Also `examples.jsonl`: {prompt, output, note, iteration}.
   */
  readonly logs: string
  /** @default the folder, as seen from here */
  readonly title?: string
  /** ISO 8601, UTC. */
  readonly created: string
  /** What is trained and why, in a sentence. */
  readonly claim?: string
  /** What each arm is, by name. */
  readonly arms?: Readonly<Record<string, string>>
  /** @default not known: logs are followed */
  readonly status?: 'running' | 'complete' | 'stopped'
  readonly measured?: readonly Measured[]
  /** Sentences about what was measured. */
  readonly notes?: readonly string[]
}

/**
 * A training as a document of the store, which the page in the browser follows while its logs grow; kept again, it takes
 * the place of the one with the same folder.
 *
 * @example await store.documents.keep(trainingDocument({ logs: 'runs/grpo', created: new Date().toISOString() }))
 */
export function trainingDocument({
  logs,
  title,
  created,
  ...content
}: TrainingDocumentOptions): KeptDocument {
  const folder = resolve(logs)
  return {
    kind: 'training',
    id: `${basename(folder)}-${identityOf(folder).slice(0, 6)}`,
    created,
    title: title ?? (relative('.', folder) || basename(folder)),
    content: JSON.parse(JSON.stringify({ ...content, folder })) as JsonObject,
  }
}
