import { z } from 'zod'
import {
  defineReward,
  type Evidence,
  type Preference,
  type Reward,
  Rng,
  type Sample,
  textOf,
  unscored,
} from '../../core/index.ts'
import type { Instruction } from './instruction.ts'
import { language, untranslate } from './languages.ts'
import { attributes, type Category, categories } from './lexicon.ts'
import { tokenJudgements } from './oracle.ts'
import {
  type Candidate,
  type CandidateOptions,
  categoryOfTask,
  drawCandidate,
  judgeTask,
  type TaskOptions,
  type TextTask,
  taskAt,
  taskPrompt,
} from './task.ts'
import type { TokenSpan } from './tokenizer.ts'
import { toolNames } from './tools.ts'
import { marks, textVocabulary } from './vocabulary.ts'

/** A task and one answer as a sample: the task is the reference, the oracle's verdict is in `meta`. */
export function taskSample(id: string, task: TextTask, { recipe, tokens }: Candidate): Sample {
  const { total, parts } = judgeTask(task, tokens)
  const prompt = textVocabulary.join(taskPrompt(task))
  return {
    id,
    group: id.split('#')[0]!,
    prompt,
    output: textVocabulary.join(tokens),
    reference: task,
    meta: { world: 'text', category: categoryOfTask(task), recipe, quality: total, parts },
  }
}

export interface TextSamplesOptions extends TaskOptions {
  /** @default 0 */
  readonly seed?: string | number
  /** @default 100 */
  readonly prompts?: number
  /** Answers to each prompt, of random quality. @default 4 */
  readonly answers?: number
  readonly candidates?: CandidateOptions
}

/** Samples with ids `text-3#0`: prompt 3, answer 0. The answers of a prompt are a group. */
export function textSamples(options: TextSamplesOptions = {}): Sample[] {
  const { seed = 0, prompts = 100, answers = 4, candidates, ...tasks } = options
  const samples: Sample[] = []
  for (let index = 0; index < prompts; index++) {
    const task = taskAt(seed, index, tasks)
    for (let answer = 0; answer < answers; answer++) {
      const rng = new Rng(`text/${seed}/${index}/answer/${answer}`)
      samples.push(taskSample(`text-${index}#${answer}`, task, drawCandidate(task, rng, candidates)))
    }
  }
  return samples
}

/** A preference between two answers to a task; `meta` has the oracle's totals of both. */
export function taskPreference(
  id: string,
  task: TextTask,
  chosen: Candidate,
  rejected: Candidate,
  margin?: number,
): Preference {
  return {
    id,
    prompt: textVocabulary.join(taskPrompt(task)),
    chosen: textVocabulary.join(chosen.tokens),
    rejected: textVocabulary.join(rejected.tokens),
    ...(margin === undefined ? {} : { margin }),
    meta: {
      world: 'text',
      category: categoryOfTask(task),
      chosenRecipe: chosen.recipe,
      rejectedRecipe: rejected.recipe,
      chosenQuality: judgeTask(task, chosen.tokens).total,
      rejectedQuality: judgeTask(task, rejected.tokens).total,
    },
  }
}

const categoryNames = Object.keys(categories) as [Category, ...Category[]]
const attribute = z.enum(attributes as [(typeof attributes)[number], ...(typeof attributes)[number][]])
const taskSchema = z.discriminatedUnion('task', [
  z.object({
    task: z.literal('instruction'),
    facts: z.array(z.object({ item: z.string(), attribute, value: z.string() })),
    ask: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('describe'), items: z.array(z.string()).min(1) }),
      z.object({ kind: z.literal('lookup'), item: z.string(), attribute }),
      z.object({ kind: z.literal('name'), category: z.enum(categoryNames), count: z.int().min(1).max(3) }),
      z.object({ kind: z.literal('refuse'), danger: z.string() }),
    ]),
    avoid: z.array(z.string()),
    mostWords: z.int().positive().nullable(),
    format: z.enum(['list', 'numbered']).nullable(),
    polite: z.boolean(),
    phrasing: z.int(),
  }),
  z.object({
    task: z.literal('arithmetic'),
    start: z.int().nonnegative(),
    operations: z.array(z.object({ operator: z.enum(['+', '-', '*']), value: z.int().nonnegative() })).min(1),
    style: z.enum(['symbols', 'words']),
    unit: z.string().nullable(),
    answerAs: z.enum(['chain', 'direct', 'tagged']),
    phrasing: z.int(),
  }),
  z.object({
    task: z.literal('tools'),
    calls: z
      .array(
        z.object({
          name: z.enum(toolNames as [(typeof toolNames)[number], ...(typeof toolNames)[number][]]),
          parameters: z.record(z.string(), z.union([z.string(), z.number()])),
        }),
      )
      .min(1),
    phrasing: z.int(),
  }),
])

/** A task from JSON, or a sentence about what is wrong with it. */
export function readTask(value: unknown): TextTask | string {
  const read = taskSchema.safeParse(value)
  if (read.success) return read.data
  const { path, message } = read.error.issues[0]!
  return `the reference is not a task of the text world: ${path.length === 0 ? '' : `"${path.join('.')}": `}${message}`
}

export interface TextOracleOptions {
  /** Number of the language that outputs are in; they are translated back before they are judged. @default 0 */
  readonly language?: number
}

/**
 * The oracle as a reward in [0, 1]: the reference is the task, the output is judged as text of the closed vocabulary
 * (other words count as noise). `parts` has every named part; evidence marks what is good or bad about an answer to
 * an instruction in the base language. Unscored (`bad-input`) where the reference is no task.
 */
export function textOracle({ language: spoken = 0 }: TextOracleOptions = {}): Reward {
  const from = language(spoken)
  return defineReward({
    name: 'text-oracle',
    params: { language: spoken },
    needs: ['reference'],
    judge: ({ output, reference }) => {
      const task = readTask(reference)
      if (typeof task === 'string') return unscored('bad-input', task)
      const text = textOf(output)
      const places = textVocabulary.spans(text, { unknown: marks.unknown })
      const written = places.map(({ start, end }) => text.slice(start, end))
      const tokens = untranslate(written, from)
      const { total, parts } = judgeTask(task, tokens)
      const evidence = task.task === 'instruction' && spoken === 0 ? evidenceOf(task, tokens, places) : []
      return { value: total, parts, ...(evidence.length === 0 ? {} : { evidence }) }
    },
  })
}

function evidenceOf(
  instruction: Instruction,
  tokens: readonly string[],
  places: readonly TokenSpan[],
): Evidence[] {
  return tokenJudgements(instruction, tokens).map(({ start, end, part, good }) => ({
    kind: 'span',
    in: 'output',
    start: places[start]!.start,
    end: places[end - 1]!.end,
    label: part,
    good,
  }))
}
