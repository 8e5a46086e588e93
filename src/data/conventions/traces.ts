import { isDeepStrictEqual } from 'node:util'
import { isDialogue, isObject, type Json, type Message } from '../../core/index.ts'
import type { Row } from '../row.ts'
import type { Convention } from './convention.ts'
import { plainIfOne } from './single.ts'

const episodeColumns = new Set(['id', 'traces'])

/**
 * A `traces.jsonl` of verifiers 1: one episode a line, its traces with messages as a graph. Of each trace the last branch is
 * the output; what stands before the first message that a model wrote is the prompt. `meta.reward` is the sum of score times
 * weight over the rewards that were judged (the file holds no sum), null where none was. Token ids are not kept.
 */
export const verifiersTraces: Convention = {
  name: 'verifiers-traces',
  title: 'episodes of verifiers 1 (traces.jsonl)',
  columns: 'traces (nodes, rewards, metrics), task; optional id, env, group',
  unpaired: 'a row holds rollouts and no choice among them',
  matches: (record) => Array.isArray(record.traces) && isObject(record.task),
  read: (row) => {
    const traces = row.list('traces').map((trace, index) => readTrace(row, trace, `traces.${index}`))
    const [first] = traces
    if (first === undefined) throw row.problem('traces', 'is empty: there is nothing to judge.')
    const other = traces.findIndex(({ prompt }) => !isDeepStrictEqual(prompt, first.prompt))
    if (other > 0)
      throw row.problem(
        `traces.${other}`,
        'begins with another prompt than the first trace: agents of several kinds are not read.',
      )
    const task = row.record.task as Record<string, unknown>
    const data = isObject(task.data) ? task.data : {}
    return {
      id: row.id(),
      prompt: first.prompt,
      candidates: traces.map(({ output, meta }) => ({ output: plainIfOne(output), meta })),
      reference: (data.answer === '' ? undefined : data.answer) as Json | undefined,
      group: typeof task.key === 'string' ? task.key : undefined,
      meta: row.rest(episodeColumns),
    }
  },
}

const keptOfTrace = ['rewards', 'metrics', 'info', 'is_completed', 'ok', 'stop_condition', 'errors'] as const

function readTrace(row: Row, trace: unknown, field: string) {
  if (!isObject(trace) || !Array.isArray(trace.nodes)) throw row.problem(field, 'is not a trace with nodes.')
  const path: Record<string, unknown>[] = []
  // Nodes come in the order in which they were written: the last one ends the last branch.
  for (let at = trace.nodes.length - 1; at >= 0; ) {
    const node: unknown = trace.nodes[at]
    if (!isObject(node)) throw row.problem(`${field}.nodes.${at}`, 'is not an object.')
    path.unshift(node)
    const parent = node.parent ?? -1
    if (typeof parent !== 'number' || parent >= at)
      throw row.problem(`${field}.nodes.${at}.parent`, 'is no earlier node.')
    at = parent
  }
  const turns = row.turns(
    `${field}.nodes`,
    path.map(({ message }) => message),
  )
  const messages: readonly Message[] = isDialogue(turns) ? turns : []
  const sampled = path.findIndex((node) => node.sampled === true)
  const written = sampled >= 0 ? sampled : messages.findIndex(({ role }) => role === 'assistant')
  if (written < 0) throw row.problem(`${field}.nodes`, 'holds nothing that a model wrote.')
  return {
    prompt: messages.slice(0, written),
    output: messages.slice(written),
    meta: {
      ...Object.fromEntries(
        keptOfTrace.flatMap((key) => (trace[key] === undefined ? [] : [[key, trace[key] as Json]])),
      ),
      reward: weightedSum(trace.rewards),
    },
  }
}

function weightedSum(rewards: unknown): number | null {
  let sum: number | null = null
  for (const reward of Object.values(isObject(rewards) ? rewards : {}))
    if (isObject(reward) && typeof reward.score === 'number')
      sum = (sum ?? 0) + reward.score * (typeof reward.weight === 'number' ? reward.weight : 1)
  return sum
}
