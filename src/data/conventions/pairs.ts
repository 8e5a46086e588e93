import { isDeepStrictEqual } from 'node:util'
import { isDialogue, type Json, type Message, type Turns } from '../../core/index.ts'
import { jsonFrom, numberFrom, type Row } from '../row.ts'
import { commonTurns, splitImplicit } from '../transcript.ts'
import { type Convention, hasAll, type Ordering, type Reading } from './convention.ts'
import { plainIfOne } from './single.ts'

const chosenFirst: readonly Ordering[] = [{ chosen: 0, rejected: 1 }]

/** Columns that say more of the chosen and of the rejected output, by what guerdon calls them. */
const pairDetails = {
  score: [
    ['chosen_rating', 'rejected_rating'],
    ['score_chosen', 'score_rejected'],
    ['chosen_score', 'rejected_score'],
  ],
  model: [['chosen_model', 'rejected_model']],
} as const

const pairColumns = new Set(['id', 'prompt', 'chosen', 'rejected', 'image', 'images', 'margin'])

/**
 * Prompt, chosen and rejected: TRL with an explicit prompt, ultrafeedback_binarized and distilabel (whose chosen and
 * rejected repeat the prompt: it is taken out), RewardBench, HHH. Two samples a row; `meta.label` is `chosen` or
 * `rejected`.
 */
export const trl: Convention = {
  name: 'trl',
  aliases: ['preference', 'ultrafeedback-binarized', 'distilabel-dpo', 'rewardbench', 'trl-conversational'],
  title: 'a chosen and a rejected answer (TRL, ultrafeedback_binarized, distilabel, RewardBench)',
  columns: 'prompt, chosen, rejected; optional id, margin, image or images, scores, models',
  matches: (record) => hasAll(record, 'prompt', 'chosen', 'rejected'),
  read: (row) => {
    const { prompt, chosen, rejected, note } = withoutPrompt(
      row.turns('prompt'),
      row.turns('chosen'),
      row.turns('rejected'),
    )
    const rest = row.rest(pairColumns)
    const meta = note ? { ...rest, prompt: jsonFrom(row.record.prompt) } : rest
    return pairReading(row, row.prompt(prompt), chosen, rejected, meta)
  },
}

/**
 * Takes the prompt out of full dialogues. The row's own prompt stays when it says what they share; otherwise it gives
 * way to the shared turns, and `note` asks to keep it in meta where they do not say it.
 */
function withoutPrompt(
  prompt: Turns,
  chosen: Turns,
  rejected: Turns,
): { prompt: Turns; chosen: Turns; rejected: Turns; note?: boolean } {
  if (!isDialogue(chosen) || !isDialogue(rejected)) return { prompt, chosen, rejected }
  const whole = chosen[0]!.role !== 'assistant' && rejected[0]!.role !== 'assistant'
  if (!whole) return { prompt, chosen, rejected }
  const shared = commonTurns(chosen, rejected)
  if (shared === 0) return { prompt, chosen, rejected }
  const lead = chosen.slice(0, shared)
  const tails = { chosen: chosen.slice(shared), rejected: rejected.slice(shared) }
  if (isDialogue(prompt)) {
    const same = isDeepStrictEqual(prompt.slice(-shared), lead) // a system turn may stand in the prompt alone
    return same ? { prompt, ...tails } : { prompt: lead, ...tails, note: true }
  }
  const last = lead.findLast(({ role }) => role === 'user')
  if (lead.length === 1 && last?.content === prompt) return { prompt, ...tails }
  return { prompt: lead, ...tails, note: last?.content !== prompt }
}

function pairReading(
  row: Row,
  prompt: Turns,
  chosen: Turns,
  rejected: Turns,
  meta: Reading['meta'],
): Reading {
  const details = detailsOf(row)
  const margin = numberFrom(row.record.margin)
  const [a = null, b = null] = details.scores
  const tied = (a !== null && a === b) || isDeepStrictEqual(chosen, rejected)
  const byScore = a !== null && b !== null ? a - b : undefined
  const distance = margin ?? byScore
  const given = margin === null ? {} : { margin }
  return {
    id: row.id(),
    prompt,
    candidates: [
      { output: chosen, meta: { label: 'chosen', ...details.chosen, ...given } },
      { output: rejected, meta: { label: 'rejected', ...details.rejected, ...given } },
    ],
    meta,
    ...(tied
      ? { ties: 1 }
      : { orderings: distance === undefined ? chosenFirst : [{ chosen: 0, rejected: 1, margin: distance }] }),
  }
}

function detailsOf({ record }: Row) {
  const chosen: Record<string, Json> = {}
  const rejected: Record<string, Json> = {}
  let scores: (number | null)[] = []
  const columns = pairDetails.score.find(([a]) => record[a] !== undefined)
  if (columns) {
    scores = columns.map((column) => numberFrom(record[column]))
    chosen.score = scores[0]!
    rejected.score = scores[1]!
  }
  for (const [a, b] of pairDetails.model)
    if (record[a] !== undefined) {
      chosen.model = record[a] as Json
      rejected.model = (record[b] ?? null) as Json
    }
  return { chosen, rejected, scores }
}

const implicitColumns = new Set(['id', 'chosen', 'rejected', 'image', 'images', 'margin'])

/**
 * Chosen and rejected with the prompt inside both (TRL's implicit form, hh-rlhf): the prompt is what they share, by
 * whole turns for messages and for `Human:`/`Assistant:` transcripts, by characters for other text.
 */
export const trlImplicit: Convention = {
  name: 'trl-implicit',
  aliases: ['hh-rlhf'],
  title: 'a chosen and a rejected dialogue, the prompt inside both (TRL implicit, hh-rlhf)',
  columns: 'chosen, rejected',
  matches: (record) => hasAll(record, 'chosen', 'rejected'),
  read: (row) => {
    const { prompt, chosen, rejected } = splitImplicit(row.turns('chosen'), row.turns('rejected'))
    return pairReading(row, row.prompt(prompt), chosen, rejected, row.rest(implicitColumns))
  },
}

const questionColumns = new Set(['id', 'question', 'chosen', 'rejected', 'image', 'images', 'margin'])

export const rlaifV: Convention = {
  name: 'rlaif-v',
  title: 'RLAIF-V: a question on an image, a chosen and a rejected answer',
  columns: 'question, chosen, rejected, image',
  matches: (record) => hasAll(record, 'question', 'chosen', 'rejected'),
  read: (row) =>
    pairReading(
      row,
      row.prompt(row.turns('question')),
      row.turns('chosen'),
      row.turns('rejected'),
      row.rest(questionColumns),
    ),
}

const swiftColumns = new Set(['id', 'messages', 'rejected_response', 'rejected_messages', 'image', 'images'])

/** ms-swift: `messages` ends with the chosen answer; the rejected one stands beside it. */
export const msSwift: Convention = {
  name: 'ms-swift',
  title: 'ms-swift preferences',
  columns: 'messages, rejected_response or rejected_messages',
  matches: ({ messages, rejected_response, rejected_messages }) =>
    messages !== undefined && (rejected_response ?? rejected_messages ?? undefined) !== undefined,
  read: (row) => {
    const turns = row.messages('messages')
    const full = row.has('rejected_messages') ? row.messages('rejected_messages') : undefined
    const shared = full
      ? commonTurns(turns, full)
      : turns.findLastIndex(({ role }) => role === 'user' || role === 'tool') + 1
    return pairReading(
      row,
      row.prompt(turns.slice(0, shared)),
      plainIfOne(turns.slice(shared)),
      full ? plainIfOne(full.slice(shared)) : row.turns('rejected_response'),
      row.rest(swiftColumns),
    )
  },
}

const alpacaColumns = new Set(['id', 'instruction', 'input', 'system', 'history', 'image', 'images'])

/** LLaMA-Factory's alpaca layout: the prompt is the instruction and, on a new line, the input. */
function alpacaPrompt(row: Row): Turns {
  const { input, system, history } = row.record
  const instruction = row.text('instruction')
  const text = typeof input === 'string' && input !== '' ? `${instruction}\n${input}` : instruction
  const turns: Message[] = []
  if (typeof system === 'string' && system !== '') turns.push({ role: 'system', content: system })
  if (Array.isArray(history))
    for (const [index, pair] of history.entries()) {
      if (!Array.isArray(pair) || typeof pair[0] !== 'string' || typeof pair[1] !== 'string')
        throw row.problem(`history.${index}`, 'is not a pair of texts.')
      turns.push({ role: 'user', content: pair[0] }, { role: 'assistant', content: pair[1] })
    }
  return turns.length === 0 ? text : [...turns, { role: 'user', content: text }]
}

/** An instruction file of Alpaca's layout. */
export const alpaca: Convention = {
  name: 'alpaca',
  title: 'Alpaca instructions',
  columns: 'instruction, output; optional input, system, history',
  unpaired: 'a row holds one output',
  matches: (record) => hasAll(record, 'instruction', 'output'),
  read: (row) => ({
    id: row.id(),
    prompt: row.prompt(alpacaPrompt(row)),
    candidates: [{ output: row.turns('output') }],
    meta: row.rest(new Set([...alpacaColumns, 'output'])),
  }),
}

const llamaFactoryColumns = new Set([...alpacaColumns, 'chosen', 'rejected', 'margin', 'conversations'])

/** LLaMA-Factory's ranking files: alpaca layout, or ShareGPT `conversations` with one message each. */
export const llamaFactory: Convention = {
  name: 'llama-factory',
  title: 'LLaMA-Factory ranking',
  columns: 'instruction or conversations, chosen, rejected; optional input, system, history',
  matches: (record) =>
    hasAll(record, 'chosen', 'rejected') &&
    (record.instruction !== undefined || record.conversations !== undefined),
  read: (row) => {
    const prompt = row.has('conversations') ? row.messages('conversations') : alpacaPrompt(row)
    return pairReading(
      row,
      row.prompt(prompt),
      answer(row, 'chosen'),
      answer(row, 'rejected'),
      row.rest(llamaFactoryColumns),
    )
  },
}

function answer(row: Row, field: string): Turns {
  const turns = row.turns(field)
  return isDialogue(turns) ? plainIfOne(turns) : turns
}
