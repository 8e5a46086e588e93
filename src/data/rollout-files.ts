import {
  type Content,
  GuerdonError,
  isDialogue,
  isObject,
  type Json,
  type JsonObject,
  type Message,
  nearest,
  type Sample,
  type Score,
  type Turns,
} from '../core/index.ts'
import { messageRecords } from './turns.ts'
import { mapped, type WriteOptions, writeRecords } from './write.ts'

/** An output and what it was judged; without a score what the sample's own meta says is written. */
export interface Rollout {
  readonly sample: Sample
  readonly score?: Score
}

/** Row number and rollout to the record that a tool reads. */
type Layout = (rollout: Rollout, index: number) => JsonObject

/**
 * A row of `results.jsonl` of verifiers. Metrics stand in `metrics` and again at the top, as verifiers writes them; a part
 * whose name the row itself needs stands in `metrics` alone. What could not be judged has reward 0, which is what the format
 * has for it, and an `error` that says so.
 */
const verifiersRow: Layout = ({ sample, score }, index) => {
  const { meta, reference, group } = sample
  const own: JsonObject = {
    example_id: exampleId(group, index),
    prompt: turnsOf(sample.prompt, 'user'),
    completion: turnsOf(sample.output, 'assistant'),
    ...(reference === undefined ? {} : { answer: reference }),
  }
  const rest = without(meta, ['example_id', 'prompt', 'completion', 'answer'])
  if (score === undefined) return { ...own, ...rest }
  // Metrics of an older judgement, and their copies, make way.
  const old = isObject(rest.metrics) ? Object.keys(rest.metrics) : []
  const kept = without(rest, [...old, 'metrics', 'reward', 'error'])
  const metrics = { ...score.parts }
  const beside = Object.entries(metrics).filter(
    ([name]) => !Object.hasOwn(own, name) && !Object.hasOwn(kept, name) && !rowKeys.has(name),
  )
  return {
    ...own,
    reward: score.value ?? 0,
    metrics,
    is_completed: true,
    is_truncated: false,
    stop_condition: null,
    tool_defs: null,
    error: score.value === null ? { type: score.code, message: score.reason } : null,
    ...kept,
    ...Object.fromEntries(beside),
  }
}

const rowKeys = new Set([
  'reward',
  'metrics',
  'error',
  'info',
  'timing',
  'task',
  'trajectory',
  'token_usage',
  'is_completed',
  'is_truncated',
  'stop_condition',
  'tool_defs',
])

/**
 * A row of eval-protocol (`EvaluationRow`): what could not be judged is `is_score_valid: false`. Parts outside 0 to 1 are
 * refused by its readers as metrics, and stand in `trajectory_info.parts` instead.
 */
const evaluationRow: Layout = ({ sample, score }) => {
  const { meta, reference } = sample
  const own: JsonObject = {
    messages: [...messagesOf(sample.prompt, 'user'), ...messagesOf(sample.output, 'assistant')],
    ...(reference === undefined || reference === null
      ? {}
      : { ground_truth: typeof reference === 'string' ? reference : JSON.stringify(reference) }),
  }
  const input = isObject(meta.input_metadata)
    ? (meta.input_metadata as JsonObject)
    : { completion_params: {} }
  const rest = without(meta, ['messages', 'ground_truth', 'input_metadata'])
  const head = { ...own, input_metadata: { ...input, row_id: sample.id } }
  if (score === undefined) return { ...head, ...rest }
  const parts = Object.entries(score.parts ?? {})
  const fits = ([, part]: [string, number | null]) => part === null || (part >= 0 && part <= 1)
  const outside = parts.filter((part) => !fits(part))
  return {
    ...head,
    ...without(rest, ['evaluation_result']),
    evaluation_result: {
      score: score.value ?? 0,
      is_score_valid: score.value !== null,
      reason: score.value === null ? `${score.code}: ${score.reason}` : (score.rationale ?? null),
      metrics: Object.fromEntries(
        parts
          .filter(fits)
          .map(([name, part]) => [name, { score: part ?? 0, is_score_valid: part !== null, reason: '' }]),
      ),
      ...(outside.length === 0 ? {} : { trajectory_info: { parts: Object.fromEntries(outside) } }),
    },
  }
}

const layouts = { verifiers: verifiersRow, 'eval-protocol': evaluationRow } satisfies Record<string, Layout>

export type RolloutLayout = keyof typeof layouts

/** Names of the layouts that `writeRollouts` writes. */
export const rolloutLayouts = Object.keys(layouts) as readonly RolloutLayout[]

/**
 * Writes judged outputs as other tools read them, one row each, and returns how many there were. What was read in a layout
 * and is written in it without new scores keeps every value. Throws a `GuerdonError` for a layout that there is none of.
 */
export async function writeRollouts(
  path: string,
  rollouts: Iterable<Rollout> | AsyncIterable<Rollout>,
  { layout: name, ...options }: WriteOptions & { readonly layout: RolloutLayout },
): Promise<number> {
  const layout: Layout | undefined = Object.hasOwn(layouts, name) ? layouts[name] : undefined
  if (layout === undefined) {
    const guess = nearest(name, rolloutLayouts)
    throw new GuerdonError('unknown-convention', `rollouts are not written as "${name}".`, {
      fix: `${guess === undefined ? '' : `Did you mean "${guess}"? `}Layouts: ${rolloutLayouts.join(', ')}.`,
    })
  }
  let count = 0
  await writeRecords(
    path,
    mapped(rollouts, (rollout) => layout(rollout, count++)),
    options,
  )
  return count
}

/** verifiers numbers examples: a group that is a number keeps it, others are numbered by row. */
function exampleId(group: string | undefined, index: number): number {
  return group !== undefined && /^\d{1,15}$/.test(group) ? Number(group) : index
}

/** Text stays text, as completion models have it. */
function turnsOf(turns: Turns, role: 'user' | 'assistant'): Json {
  return typeof turns === 'string' ? turns : messagesOf(turns, role)
}

function messagesOf(turns: Turns, role: 'user' | 'assistant'): JsonObject[] {
  const messages: readonly Message[] = isDialogue(turns) ? turns : [{ role, content: turns as Content }]
  return messageRecords(messages)
}

function without(record: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)))
}
