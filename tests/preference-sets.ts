import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { PairTable } from '../src/apply/index.ts'
import { jaccard } from '../src/rewards/verifiable/text/jaccard.ts'
import { textLength } from '../src/rewards/verifiable/text/length.ts'
import { duplicateShare } from '../src/rewards/verifiable/text/repetition.ts'
import { rougeL } from '../src/rewards/verifiable/text/rouge.ts'
import { tokenise } from '../src/rewards/verifiable/text/tokens.ts'
import { ngrams } from '../src/rewards/verifiable/text/words.ts'

/** Two texts for one prompt, and what people said: 1 = a is better, -1 = b, 0 = a tie. */
export interface HumanPair {
  readonly id: string
  readonly prompt: string
  readonly a: string
  readonly b: string
  readonly label: number
  /** A model answer, where the set has one. */
  readonly reference?: string
  /** What is resampled: pairs of one cluster are not independent. */
  readonly cluster: string
}

/** A published judge: how much better it finds a (1, 0, -1; null = no verdict), with a shown first and, if asked, with b. */
export interface PublishedJudge {
  readonly judge: string
  readonly aFirst: readonly (number | null)[]
  readonly bFirst?: readonly (number | null)[]
}

export interface PreferenceSet {
  readonly name: string
  readonly pairs: readonly HumanPair[]
  readonly judges: readonly PublishedJudge[]
}

export type PublishedRow = any

/** The rows of a JSON Lines file, gzipped or not. */
export function rowsOf(folder: string, file: string): PublishedRow[] {
  const bytes = readFileSync(join(folder, file))
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** 1 or -1 for the choice of the first or second output, 0 for a tie, null for anything else. */
function choice(verdict: unknown): number | null {
  return { '1': 1, '2': -1, '0': 0, Tie: 0, tie: 0 }[String(verdict)] ?? null
}

/** One set for each subset: Natural, and the adversarial ones. */
export function llmbar(folder: string): PreferenceSet[] {
  const subsets = Map.groupBy(rowsOf(folder, 'pairs.jsonl.gz'), ({ subset }) => String(subset))
  const verdicts = rowsOf(folder, 'verdicts.jsonl.gz')
  return [...subsets].map(([subset, rows]) => twoOutputs(`llmbar ${subset}`, rows, verdicts))
}

export function mtbench(folder: string): PreferenceSet {
  const answers = new Map(
    rowsOf(folder, 'mtbench-reference-answers.jsonl').map(({ question_id, choices }) => [
      question_id,
      String(choices[0].turns[0]),
    ]),
  )
  const references = new Map(
    rowsOf(folder, 'mtbench-questions.jsonl').map(({ question_id, turns }) => [
      String(turns[0]).trim(),
      answers.get(question_id),
    ]),
  )
  const set = twoOutputs(
    'mtbench',
    rowsOf(folder, 'mtbench-pairs.jsonl.gz'),
    rowsOf(folder, 'mtbench-verdicts.jsonl'),
  )
  return {
    ...set,
    pairs: set.pairs.map((pair) => {
      const reference = references.get(pair.prompt.trim())
      return reference === undefined ? pair : { ...pair, reference }
    }),
  }
}

function twoOutputs(
  name: string,
  rows: readonly PublishedRow[],
  verdicts: readonly PublishedRow[],
): PreferenceSet {
  const pairs = rows.map(
    ({ id, input, output_1, output_2, label }): HumanPair => ({
      id: String(id),
      prompt: input,
      a: output_1,
      b: output_2,
      label: choice(label)!,
      cluster: input,
    }),
  )
  const place = new Map(pairs.map(({ id }, index) => [id, index]))
  const judges = new Map<string, { aFirst: (number | null)[]; bFirst: (number | null)[] }>()
  for (const { id, evaluator, strategy, winner, winner_swapped } of verdicts) {
    const index = place.get(String(id))
    if (index === undefined) continue
    const judge = `${evaluator} ${strategy}`
    let lists = judges.get(judge)
    if (lists === undefined) {
      lists = { aFirst: pairs.map(() => null), bFirst: pairs.map(() => null) }
      judges.set(judge, lists)
    }
    lists.aFirst[index] = choice(winner)
    lists.bFirst[index] = choice(winner_swapped)
  }
  return { name, pairs, judges: [...judges].map(([judge, lists]) => ({ judge, ...lists })) }
}

/** The label is the majority of three annotators, a tie where they all differ. */
export function pandalm(folder: string): PreferenceSet {
  const rows = rowsOf(folder, 'pairs.jsonl.gz')
  return {
    name: 'pandalm',
    pairs: rows.map(
      (row): HumanPair => ({
        id: String(row.idx),
        prompt: [row.instruction, row.input].filter(Boolean).join('\n'),
        // A few responses are JSON booleans in the published file.
        a: String(row.response1),
        b: String(row.response2),
        label: choice(majority([row.annotator1, row.annotator2, row.annotator3]))!,
        cluster: `${row.instruction}\n${row.input}`,
      }),
    ),
    judges: [
      { judge: 'GPT-3.5', aFirst: rows.map((row) => choice(row.gpt35_verdict)) },
      { judge: 'PandaLM-7B', aFirst: rows.map((row) => choice(row.pandalm_verdict)) },
    ],
  }
}

/** The value that two or more of three share, 0 when there is none. */
export function majority(votes: readonly number[]): number {
  return votes.find((vote, i) => votes.indexOf(vote) !== i) ?? 0
}

/** Dialogues that share all but the last answer. */
export function hhRlhf(folder: string): PreferenceSet {
  return {
    name: 'hh-rlhf harmless',
    pairs: rowsOf(folder, 'pairs.jsonl.gz').map(({ row, chosen, rejected }): HumanPair => {
      const [prompt, a] = lastTurn(chosen)
      return { id: String(row), prompt, a, b: lastTurn(rejected)[1], label: 1, cluster: prompt }
    }),
    judges: [],
  }
}

function lastTurn(dialogue: string): [prompt: string, answer: string] {
  const mark = '\n\nAssistant:'
  const at = dialogue.lastIndexOf(mark)
  return [dialogue.slice(0, at), dialogue.slice(at + mark.length).trim()]
}

/** Arguments on one side of a topic; a topic's side is one cluster, since its arguments meet many times. */
export function ukp(folder: string): PreferenceSet {
  const texts = new Map(
    rowsOf(folder, 'arguments.jsonl').map(({ topic, side, id, text }) => [
      `${topic}/${side}/${id}`,
      String(text),
    ]),
  )
  return {
    name: 'ukp-convarg',
    pairs: rowsOf(folder, 'pairs.jsonl.gz').map(
      ({ topic, side, a1, a2, label }): HumanPair => ({
        id: `${topic}/${side}/${a1}_${a2}`,
        prompt: `${topic} ${side}`.replaceAll('-', ' '),
        a: texts.get(`${topic}/${side}/${a1}`)!,
        b: texts.get(`${topic}/${side}/${a2}`)!,
        label: label === 'a1' ? 1 : -1,
        cluster: `${topic}/${side}`,
      }),
    ),
    judges: [],
  }
}

const tokens = (text: string) => tokenise(text, 'unicode', true)

/**
 * What a text shows without being understood: a number for each text (more is preferred), or null where the pair has
 * no reference to compare with.
 */
export const heuristics: Readonly<Record<string, (text: string, pair: HumanPair) => number | null>> = {
  'longer wins': (text) => textLength(text, 'characters'),
  'less repetition wins': (text) => -duplicateShare(ngrams(tokens(text), 3)),
  'more words of the prompt win': (text, { prompt }) => jaccard(tokens(text), tokens(prompt)),
  'ROUGE-L with the prompt wins': (text, { prompt }) => rougeL(tokens(text), tokens(prompt)).f1,
  'ROUGE-L with the reference wins': (text, { reference }) =>
    reference === undefined ? null : rougeL(tokens(text), tokens(reference)).f1,
}

/**
 * The heuristics and the published judges (the mean of both orders, where there are two) as judges of one table, in
 * that order; only those of `names`, when given.
 */
export function tableOf({ pairs, judges }: PreferenceSet, names?: readonly string[]): PairTable {
  const isWanted = (name: string) => names === undefined || names.includes(name)
  return {
    ids: pairs.map(({ id }) => id),
    labels: pairs.map(({ label }) => label),
    clusters: pairs.map(({ cluster }) => cluster),
    judges: {
      ...Object.fromEntries(
        Object.entries(heuristics)
          .filter(([name]) => isWanted(name))
          .map(([name, value]) => [
            name,
            pairs.map((pair) => {
              const [a, b] = [value(pair.a, pair), value(pair.b, pair)]
              return a === null || b === null ? null : a - b
            }),
          ]),
      ),
      ...Object.fromEntries(
        judges
          .filter(({ judge }) => isWanted(judge))
          .map(({ judge, aFirst, bFirst }) => [
            judge,
            bFirst === undefined
              ? aFirst
              : aFirst.map((verdict, i) =>
                  verdict === null || bFirst[i] == null ? null : (verdict + bFirst[i]) / 2,
                ),
          ]),
      ),
    },
  }
}
