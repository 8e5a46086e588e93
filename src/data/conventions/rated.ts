import { isObject, type Json, type Turns } from '../../core/index.ts'
import { numberFrom, type Row } from '../row.ts'
import { type Convention, hasAll, orderingsByScore, type Reading } from './convention.ts'

const helpsteer2Columns = new Set(['id', 'prompt', 'response_1', 'response_2'])

/** HelpSteer2's preference folder; a negative strength prefers response 1. */
export const helpsteer2Preference: Convention = {
  name: 'helpsteer-2-preference',
  title: 'HelpSteer2 preferences',
  columns: 'prompt, response_1, response_2, preference_strength (-3 to 3)',
  matches: (record) => hasAll(record, 'prompt', 'response_1', 'response_2'),
  read: (row) =>
    strengthReading(
      row,
      row.turns('prompt'),
      ['response_1', 'response_2'],
      'preference_strength',
      helpsteer2Columns,
    ),
}

const helpsteer3Columns = new Set(['id', 'context', 'response1', 'response2'])

/** HelpSteer3's preferences; a negative overall preference prefers response 1 (the sign is unverified). */
export const helpsteer3: Convention = {
  name: 'helpsteer-3',
  title: 'HelpSteer3 preferences',
  columns: 'context, response1, response2, overall_preference (-3 to 3)',
  matches: (record) => hasAll(record, 'context', 'response1', 'response2'),
  read: (row) =>
    strengthReading(
      row,
      row.turns('context'),
      ['response1', 'response2'],
      'overall_preference',
      helpsteer3Columns,
    ),
}

function strengthReading(
  row: Row,
  prompt: Turns,
  [first, second]: readonly [string, string],
  field: string,
  known: ReadonlySet<string>,
): Reading {
  const strength = numberFrom(row.record[field])
  const label = (side: number) =>
    strength === null || strength === 0
      ? {}
      : { meta: { label: strength < 0 === (side === 0) ? 'chosen' : 'rejected' } }
  return {
    id: row.id(),
    prompt,
    candidates: [
      { output: row.turns(first), ...label(0) },
      { output: row.turns(second), ...label(1) },
    ],
    meta: row.rest(known),
    ...(strength === null
      ? {}
      : strength === 0
        ? { ties: 1 }
        : {
            orderings: [
              strength < 0
                ? { chosen: 0, rejected: 1, margin: -strength }
                : { chosen: 1, rejected: 0, margin: strength },
            ],
          }),
  }
}

const rewardBench2Columns = new Set([
  'id',
  'prompt',
  'chosen',
  'rejected',
  'num_correct',
  'total_completions',
])

/**
 * RewardBench 2: every correct answer against every wrong one. The order of the outputs says which are correct: a
 * judge that sees several at once needs them shuffled. (`models` and `num_incorrect` are unverified: kept in meta.)
 */
export const rewardBench2: Convention = {
  name: 'rewardbench-2',
  title: 'RewardBench 2: correct and wrong answers',
  columns: 'prompt, chosen (list of texts), rejected (list of texts), num_correct, total_completions',
  matches: ({ prompt, chosen, rejected }) =>
    prompt !== undefined && Array.isArray(rejected) && Array.isArray(chosen) && typeof chosen[0] === 'string',
  read: (row) => {
    const chosen = row.list('chosen')
    const rejected = row.list('rejected')
    const { num_correct, total_completions } = row.record
    if (num_correct !== undefined && num_correct !== chosen.length)
      throw row.problem('num_correct', `is ${num_correct} while "chosen" has ${chosen.length} answers.`)
    if (total_completions !== undefined && total_completions !== chosen.length + rejected.length)
      throw row.problem(
        'total_completions',
        `is ${total_completions} while the row has ${chosen.length + rejected.length} answers.`,
      )
    const side = (field: 'chosen' | 'rejected', items: readonly unknown[]) =>
      items.map((item, index) => ({ output: row.turns(`${field}.${index}`, item), meta: { label: field } }))
    return {
      id: row.id(),
      prompt: row.turns('prompt'),
      candidates: [...side('chosen', chosen), ...side('rejected', rejected)],
      meta: row.rest(rewardBench2Columns),
      orderings: chosen.flatMap((_, i) =>
        rejected.map((_, j) => ({ chosen: i, rejected: chosen.length + j })),
      ),
      several: true,
    }
  },
}

const vlRewardBenchColumns = new Set(['id', 'query', 'image', 'images', 'response'])

/**
 * VL-RewardBench: two answers with `human_ranking` 0 (the better one) and 1. For two answers a rank per answer and an
 * order of indices are the same list.
 */
export const vlRewardBench: Convention = {
  name: 'vl-rewardbench',
  title: 'VL-RewardBench: two ranked answers on an image',
  columns: 'query, image, response (list), human_ranking',
  matches: (record) => hasAll(record, 'query', 'response', 'human_ranking'),
  read: (row) => {
    const responses = row.texts('response')
    const ranks = row.list('human_ranking').map(numberFrom)
    if (ranks.length !== responses.length)
      throw row.problem('human_ranking', `has ${ranks.length} ranks for ${responses.length} answers.`)
    return {
      id: row.id(),
      prompt: row.prompt(row.turns('query')),
      candidates: responses.map((output, index) => ({ output, meta: { rank: ranks[index] ?? null } })),
      meta: row.rest(vlRewardBenchColumns),
      ...orderingsWithoutMargin(ranks.map((rank) => (rank === null ? null : -rank))),
      several: true,
    }
  },
}

/** Ranks say which is better, not by how much. */
function orderingsWithoutMargin(scores: readonly (number | null)[]) {
  const { orderings, ties } = orderingsByScore(scores)
  return { orderings: orderings.map(({ chosen, rejected }) => ({ chosen, rejected })), ties }
}

const ultrafeedbackColumns = new Set(['id', 'instruction', 'completions'])

/** UltraFeedback as OpenBMB ships it: completions with an `overall_score` (unverified in detail). */
export const ultrafeedback: Convention = {
  name: 'ultrafeedback',
  title: 'UltraFeedback: rated completions',
  columns: 'instruction, completions (list of {response, overall_score, model, ...})',
  matches: (record) => hasAll(record, 'instruction', 'completions'),
  read: (row) => {
    const scores: (number | null)[] = []
    const candidates = row.list('completions').map((item, index) => {
      if (!isObject(item) || typeof item.response !== 'string')
        throw row.problem(`completions.${index}.response`, 'is missing or not text.')
      const { response, ...meta } = item
      const score = numberFrom(item.overall_score)
      scores.push(score)
      return { output: response, meta: { ...(meta as Record<string, Json>), score } }
    })
    return {
      id: row.id(),
      prompt: row.turns('instruction'),
      candidates,
      meta: row.rest(ultrafeedbackColumns),
      ...orderingsByScore(scores),
      several: true,
    }
  },
}

const distilabelColumns = new Set([
  'id',
  'instruction',
  'generations',
  'ratings',
  'rationales',
  'generation_models',
])

/** distilabel's UltraFeedback task: parallel lists of generations, ratings and rationales. */
export const distilabel: Convention = {
  name: 'distilabel',
  title: 'distilabel: rated generations',
  columns: 'instruction, generations; optional ratings, rationales, generation_models',
  matches: (record) => hasAll(record, 'instruction', 'generations'),
  read: (row) => {
    const generations = row.texts('generations')
    const beside = (field: string) => {
      if (!row.has(field)) return undefined
      const list = row.list(field)
      if (list.length !== generations.length)
        throw row.problem(field, `has ${list.length} items for ${generations.length} generations.`)
      return list
    }
    const ratings = beside('ratings')?.map(numberFrom)
    const rationales = beside('rationales')
    const models = beside('generation_models')
    return {
      id: row.id(),
      prompt: row.turns('instruction'),
      candidates: generations.map((output, index) => ({
        output,
        meta: {
          ...(ratings ? { score: ratings[index] ?? null } : {}),
          ...(rationales ? { rationale: rationales[index] as Json } : {}),
          ...(models ? { model: models[index] as Json } : {}),
        },
      })),
      meta: row.rest(distilabelColumns),
      ...orderingsByScore(ratings ?? []),
      several: true,
    }
  },
}

const helpsteerColumns = new Set(['id', 'prompt', 'response'])

/** HelpSteer and HelpSteer2: one rated response a row; the attributes are ratings, not preferences. */
export const helpsteer: Convention = {
  name: 'helpsteer',
  title: 'HelpSteer: one response a row, rated 0 to 4 in five attributes',
  columns: 'prompt, response, helpfulness, correctness, coherence, complexity, verbosity',
  unpaired: 'its attributes rate single responses',
  matches: (record) => hasAll(record, 'prompt', 'response', 'helpfulness'),
  read: (row) => ({
    id: row.id(),
    prompt: row.turns('prompt'),
    candidates: [{ output: row.turns('response') }],
    meta: row.rest(helpsteerColumns),
  }),
}
