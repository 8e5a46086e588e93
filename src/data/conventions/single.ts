import { isObject, type Json, type Message, type Turns } from '../../core/index.ts'
import { noMeta, objectIn, type Row } from '../row.ts'
import type { RawRecord } from '../rows.ts'
import { isBareMessage, isMessageLike } from '../turns.ts'
import { type Convention, hasAll, type Reading } from './convention.ts'

const nativeColumns = new Set(['id', 'prompt', 'output', 'reference', 'group', 'meta', 'image', 'images'])

/** guerdon's own files: one sample a row. */
export const guerdon: Convention = {
  name: 'guerdon',
  title: 'one sample a row',
  columns: 'prompt, output; optional id, reference, group, meta, image or images',
  unpaired: 'a row holds one output',
  matches: (record) => record.output !== undefined && record.prompt !== undefined,
  read: (row) => {
    const { record } = row
    const { group, output } = record
    const meta = row.textOnly && typeof record.meta === 'string' ? objectIn(record.meta) : record.meta
    if (meta !== undefined && meta !== null && !isObject(meta)) throw row.problem('meta', 'is not an object.')
    const rest = row.rest(nativeColumns)
    return {
      id: row.id(),
      prompt: row.prompt(row.turns('prompt')),
      candidates: [
        {
          output:
            isObject(output) && !isMessageLike(output)
              ? [{ type: 'json', json: output as Json }]
              : row.turns('output'),
        },
      ],
      reference: record.reference as Json | undefined,
      group: group === undefined || group === null ? undefined : String(group),
      meta: isObject(meta)
        ? rest === noMeta
          ? (meta as Reading['meta'])
          : { ...(meta as Reading['meta']), ...rest }
        : rest,
    }
  },
}

/** The gold answer, under the names that prompt and completion files use for it. */
export const referenceNames = ['reference', 'ground_truth', 'solution', 'answer'] as const

export function referenceOf(record: RawRecord): Json | undefined {
  for (const name of referenceNames) if (record[name] !== undefined) return record[name] as Json
  return undefined
}

const completionColumns = new Set(['id', 'prompt', 'completion', 'image', 'images', ...referenceNames])

/** TRL's prompt and completion, with a gold answer where there is one. */
export const promptCompletion: Convention = {
  name: 'trl-completion',
  title: 'prompt and completion',
  columns: `prompt, completion; optional id, ${referenceNames.join(' or ')}, image or images`,
  unpaired: 'a row holds one completion',
  matches: (record) => hasAll(record, 'prompt', 'completion'),
  read: (row) => ({
    id: row.id(),
    prompt: row.prompt(row.turns('prompt')),
    candidates: [{ output: row.turns('completion') }],
    reference: referenceOf(row.record),
    meta: row.rest(completionColumns),
  }),
}

const ktoColumns = new Set([...completionColumns, 'label'])

/** TRL's unpaired preferences (KTO, BCO): the label stands in `meta.label`. */
export const kto: Convention = {
  name: 'kto',
  title: 'a completion labelled good or bad (KTO, BCO)',
  columns: 'prompt, completion, label (true or false)',
  unpaired: 'labels stand for single completions',
  matches: (record) => hasAll(record, 'prompt', 'completion', 'label'),
  read: (row) => ({
    id: row.id(),
    prompt: row.prompt(row.turns('prompt')),
    candidates: [{ output: row.turns('completion') }],
    reference: referenceOf(row.record),
    meta: { label: labelOf(row), ...row.rest(ktoColumns) },
  }),
}

/** True or false, also as 0 and 1 or as text (CSV). */
function labelOf(row: Row): boolean {
  const { label } = row.record
  if (typeof label === 'boolean') return label
  const text = String(label).toLowerCase()
  if (text === '1' || text === 'true') return true
  if (text === '0' || text === 'false') return false
  throw row.problem('label', `is ${JSON.stringify(label)}.`, 'Write true or false.')
}

const verifiersColumns = new Set(['id', 'example_id', 'prompt', 'completion', 'answer', 'image', 'images'])

/** A `results.jsonl` of Prime Intellect's verifiers: rollouts of one example share a group. */
export const verifiers: Convention = {
  name: 'verifiers',
  title: 'rollouts of verifiers (results.jsonl)',
  columns: 'example_id, prompt, completion; optional answer, info, reward, metrics',
  unpaired: 'a row holds one rollout',
  matches: (record) => hasAll(record, 'example_id', 'prompt', 'completion'),
  read: (row) => ({
    id: row.id(),
    prompt: row.turns('prompt'),
    candidates: [{ output: row.turns('completion') }],
    reference: row.record.answer === '' ? undefined : (row.record.answer as Json | undefined),
    group: String(row.record.example_id),
    meta: row.rest(verifiersColumns),
  }),
}

const openrlhfColumns = new Set(['id', 'input', 'output', 'response', 'label', 'image', 'images'])

/** OpenRLHF's input and output columns; an empty label is no gold answer. */
export const openrlhf: Convention = {
  name: 'openrlhf',
  title: 'OpenRLHF rows with an output',
  columns: 'input, output or response; optional label',
  unpaired: 'a row holds one output',
  matches: (record) =>
    record.input !== undefined && (record.output !== undefined || record.response !== undefined),
  read: (row) => ({
    id: row.id(),
    prompt: row.prompt(row.turns('input')),
    candidates: [{ output: row.turns(row.record.output === undefined ? 'response' : 'output') }],
    reference: row.record.label === '' ? undefined : (row.record.label as Json | undefined),
    meta: row.rest(openrlhfColumns),
  }),
}

const verlOutputs = ['output', 'response', 'completion', 'solution_str'] as const
const verlColumns = new Set<string>(['id', 'prompt', 'image', 'images', ...verlOutputs])

/** verl's training rows; the gold answer is `reward_model.ground_truth`. Rows as they are shipped hold no output. */
export const verl: Convention = {
  name: 'verl',
  title: "verl's rows",
  columns: `prompt, reward_model.ground_truth; optional data_source, extra_info, ${verlOutputs.join(' or ')}`,
  unpaired: 'a row holds at most one output',
  matches: (record) => record.prompt !== undefined && isObject(record.reward_model),
  read: (row) => {
    const model = row.record.reward_model as Record<string, unknown>
    return {
      id: row.id(),
      prompt: row.prompt(row.turns('prompt')),
      candidates: [{ output: outputOf(row, verlOutputs) }],
      reference: model.ground_truth as Json | undefined,
      meta: row.rest(verlColumns),
    }
  },
}

const promptColumns = new Set<string>(['id', 'prompt', 'image', 'images', ...referenceNames])

/** TRL's prompt-only rows: tasks, not samples; read with `promptsOnly`. */
export const promptOnly: Convention = {
  name: 'trl-prompts',
  title: 'prompts only',
  columns: `prompt; optional id, ${referenceNames.join(' or ')}, image or images`,
  unpaired: 'a row holds no output',
  matches: (record) => record.prompt !== undefined,
  read: (row) => ({
    id: row.id(),
    prompt: row.prompt(row.turns('prompt')),
    candidates: [{ output: outputOf(row, []) }],
    reference: referenceOf(row.record),
    meta: row.rest(promptColumns),
  }),
}

function outputOf(row: Row, names: readonly string[]): Turns {
  const name = names.find((candidate) => row.has(candidate))
  if (name !== undefined) return row.turns(name)
  if (row.promptsOnly) return ''
  throw row.problem(
    names[0] ?? 'output',
    'is missing: the row holds a prompt and nothing to judge.',
    `Add the model's answer as "${names[0] ?? 'output'}", map it with \`mapping\`, or read prompts alone with promptsOnly.`,
  )
}

const chatColumns = new Set(['id', 'messages', 'reference', 'ground_truth', 'image', 'images'])

/** OpenAI chat rows (also eval-protocol's): the output is what follows the last user turn. */
export const messages: Convention = {
  name: 'messages',
  aliases: ['openai', 'eval-protocol'],
  title: 'a dialogue a row (OpenAI chat)',
  columns: 'messages; optional id, reference or ground_truth, image or images, tools',
  unpaired: 'a row holds one dialogue',
  matches: (record) => record.messages !== undefined,
  read: (row) => dialogueReading(row, 'messages', chatColumns),
}

const sharegptColumns = new Set(['id', 'conversations', 'reference', 'ground_truth', 'image', 'images'])

export const sharegpt: Convention = {
  name: 'sharegpt',
  title: 'a dialogue a row (ShareGPT)',
  columns: 'conversations (list of {from, value})',
  unpaired: 'a row holds one dialogue',
  matches: (record) => record.conversations !== undefined,
  read: (row) => dialogueReading(row, 'conversations', sharegptColumns),
}

function dialogueReading(row: Row, field: string, known: ReadonlySet<string>): Reading {
  const turns = row.messages(field)
  const cut = turns.findLastIndex((message) => message.role === 'user' || message.role === 'system') + 1
  if (cut === turns.length && !row.promptsOnly)
    throw row.problem(field, 'ends with no assistant turn: there is nothing to judge.', 'Add the answer.')
  const input = row.record.input_metadata
  const rowId = isObject(input) && typeof input.row_id === 'string' ? input.row_id : undefined
  return {
    id: row.has('id') || rowId === undefined ? row.id() : rowId,
    prompt: row.prompt(turns.slice(0, cut)),
    candidates: [{ output: plainIfOne(turns.slice(cut)) }],
    reference: (row.record.reference ?? row.record.ground_truth ?? undefined) as Json | undefined,
    meta: row.rest(known),
  }
}

/** One assistant turn with content alone is that content; tool calls, several turns and further keys stay messages. */
export function plainIfOne(turns: readonly Message[]): Turns {
  const [only] = turns
  return turns.length === 1 && only!.role === 'assistant' && isBareMessage(only!) ? only!.content : turns
}
