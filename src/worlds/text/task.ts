import { GuerdonError, Rng } from '../../core/index.ts'
import { type AnswerMix, drawAnswer, goodAnswer } from './answers.ts'
import {
  type ArithmeticOptions,
  type ArithmeticProblem,
  arithmeticPrompt,
  drawArithmetic,
  goldArithmetic,
  operatorPattern,
} from './arithmetic.ts'
import { arithmeticFaults, faultyArithmetic, judgeArithmetic } from './arithmetic-check.ts'
import { isHeldOut } from './held-out.ts'
import {
  constraintsOf,
  drawInstruction,
  type Instruction,
  type InstructionOptions,
  promptTokens,
} from './instruction.ts'
import { judgeAnswer } from './oracle.ts'
import { faultyTools, judgeTools, toolFaults } from './tool-check.ts'
import {
  drawToolRequest,
  goldTools,
  type ToolRequest,
  type ToolRequestOptions,
  toolCombination,
  toolPrompt,
} from './tools.ts'
import { pickWeighted, weights } from './weighted.ts'

/** Anything that the text world asks. Plain JSON; `task` says which kind. */
export type TextTask = Instruction | ArithmeticProblem | ToolRequest
export type TaskKind = TextTask['task']

/**
 * `train`: for training. `test`: the same kinds of combination, other prompts. `unseen`: combinations (of what is asked
 * with two or more constraints, of two or more operators, of two or more tools) that `train` and `test` never have.
 * Which of the three a task belongs to depends on the task alone, so splits are disjoint whatever the seeds.
 */
export type Split = 'train' | 'test' | 'unseen'

export interface TaskOptions {
  /** Weights of the kinds. @default instruction 1, the others 0 */
  readonly kinds?: Partial<Readonly<Record<TaskKind, number>>>
  readonly instruction?: InstructionOptions
  readonly arithmetic?: ArithmeticOptions
  readonly tools?: ToolRequestOptions
  /** @default any */
  readonly split?: Split
}

const instructionsOnly: NonNullable<TaskOptions['kinds']> = { instruction: 1 }

/** A random task of the wanted split. Throws a `GuerdonError` when the options leave that split (nearly) empty. */
export function drawTask(rng: Rng, options: TaskOptions = {}): TextTask {
  const kinds = weights(options.kinds ?? instructionsOnly)
  for (let attempt = 0; attempt < 2000; attempt++) {
    const task = makers[pickWeighted(rng, kinds)](rng, options)
    if (options.split === undefined || splitOf(task) === options.split) return task
  }
  throw new GuerdonError('bad-config', `these options leave no task in the split "${options.split}".`, {
    fix: 'Unseen combinations need at least two constraints, operators or tools.',
  })
}

const makers: Readonly<Record<TaskKind, (rng: Rng, options: TaskOptions) => TextTask>> = {
  instruction: (rng, options) => drawInstruction(rng, options.instruction),
  arithmetic: (rng, options) => drawArithmetic(rng, options.arithmetic),
  tools: (rng, options) => drawToolRequest(rng, options.tools),
}

/** Task number `index` of a seed: the same whichever others are made. */
export function taskAt(seed: string | number, index: number, options: TaskOptions = {}): TextTask {
  return drawTask(new Rng(`text/${seed}/${index}`), options)
}

export function textTasks(seed: string | number, count: number, options: TaskOptions = {}): TextTask[] {
  return Array.from({ length: count }, (_, index) => taskAt(seed, index, options))
}

/** Share of the combinations that are `unseen`, and of the other prompts that are `test`. */
const heldOutShare = { combinations: 0.2, prompts: 0.15 }

export function splitOf(task: TextTask): Split {
  const { key, size } = combinationOf(task)
  if (size > 1 && isHeldOut(key, heldOutShare.combinations)) return 'unseen'
  const plain = taskPrompt({ ...task, phrasing: 0 }).join(' ')
  return isHeldOut(plain, heldOutShare.prompts) ? 'test' : 'train'
}

/** What is combined in a task, as a key, and how many things that are. */
export function combinationOf(task: TextTask): { readonly key: string; readonly size: number } {
  switch (task.task) {
    case 'instruction': {
      const constraints = constraintsOf(task)
      return { key: `${task.ask.kind}|${constraints.join('+')}`, size: constraints.length }
    }
    case 'arithmetic':
      return { key: operatorPattern(task), size: task.operations.length }
    case 'tools':
      return { key: toolCombination(task), size: task.calls.length }
  }
}

export const taskCategories = [
  'describe one',
  'describe several',
  'look up colour',
  'look up place',
  'look up owner',
  'name',
  'refuse',
  'arithmetic in symbols',
  'arithmetic in words',
  'tools',
] as const
export type TaskCategory = (typeof taskCategories)[number]

export function categoryOfTask(task: TextTask): TaskCategory {
  if (task.task === 'tools') return 'tools'
  if (task.task === 'arithmetic') return `arithmetic in ${task.style}`
  const { ask } = task
  if (ask.kind === 'describe') return ask.items.length === 1 ? 'describe one' : 'describe several'
  return ask.kind === 'lookup' ? `look up ${ask.attribute}` : ask.kind
}

/** The prompt's tokens. */
export function taskPrompt(task: TextTask): string[] {
  switch (task.task) {
    case 'instruction':
      return promptTokens(task)
    case 'arithmetic':
      return arithmeticPrompt(task)
    case 'tools':
      return toolPrompt(task)
  }
}

export interface TaskVerdict {
  /** Every named part, in [0, 1]. */
  readonly parts: Readonly<Record<string, number>>
  /** In [0, 1]; 1 = faultless. */
  readonly total: number
}

/** The exact oracle: judges any tokens as an answer to a task. */
export function judgeTask(task: TextTask, tokens: readonly string[]): TaskVerdict {
  switch (task.task) {
    case 'instruction':
      return judgeAnswer(task, tokens)
    case 'arithmetic':
      return judgeArithmetic(task, tokens)
    case 'tools':
      return judgeTools(task, tokens)
  }
}

/** A faultless answer (one of them), or undefined for an instruction in conflict, which has none. */
export function goldAnswer(task: TextTask, rng: Rng): readonly string[] | undefined {
  switch (task.task) {
    case 'instruction':
      return goodAnswer(task, rng)?.tokens
    case 'arithmetic':
      return goldArithmetic(task)
    case 'tools':
      return goldTools(task)
  }
}

/** An answer and how it was made: `good`, the name of its one fault, or the name of an attack. */
export interface Candidate {
  readonly recipe: string
  readonly tokens: readonly string[]
}

export interface CandidateOptions extends AnswerMix {
  /** Share of faultless answers to arithmetic and tool requests. @default 0.4 */
  readonly good?: number
}

/** One answer of random quality. */
export function drawCandidate(task: TextTask, rng: Rng, options: CandidateOptions = {}): Candidate {
  if (task.task === 'instruction') return drawAnswer(task, rng, options)
  const { good = 0.4 } = options
  if (rng.chance(good)) return { recipe: 'good', tokens: goldAnswer(task, rng)! }
  for (let attempt = 0; attempt < 40; attempt++) {
    const made = task.task === 'arithmetic' ? faulty(task, rng) : faultyCalls(task, rng)
    if (made !== undefined) return made
  }
  return { recipe: 'empty', tokens: [] }
}

function faulty(problem: ArithmeticProblem, rng: Rng): Candidate | undefined {
  const fault = rng.pick(arithmeticFaults)
  const made = faultyArithmetic(problem, fault, rng)
  return made && { recipe: fault, tokens: made.tokens }
}

function faultyCalls(request: ToolRequest, rng: Rng): Candidate | undefined {
  const fault = rng.pick(toolFaults)
  const tokens = faultyTools(request, fault, rng)
  return tokens && { recipe: fault, tokens }
}
