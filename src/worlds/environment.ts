import { GuerdonError, type Json, type JsonObject, nearest, type Part, type Range } from '../core/index.ts'

export interface Split {
  readonly name: string
  readonly type: 'train' | 'validation' | 'test'
  /** Number of tasks. */
  readonly tasks: number
}

/** One task as callers see and keep it. `split` and `index` name it; the other keys tell people and data sets about it. */
export type EnvironmentTask = {
  readonly split: string
  readonly index: number
  readonly [key: string]: Json
}

/** Something a policy can do, as function-calling models are told. */
export interface Tool {
  /** An identifier in Python too, since trainers make methods of tools. */
  readonly name: string
  readonly description: string
  /** JSON Schema of an object. */
  readonly input: JsonObject
}

export interface ToolUse {
  readonly tool: string
  readonly input: JsonObject
}

/** What came of one use of a tool. */
export interface EnvironmentStep {
  /** What the policy sees now. */
  readonly content: readonly Part[]
  /** null: nothing to say about this step, which is not 0. */
  readonly reward: number | null
  /** The task came to its end. */
  readonly terminated: boolean
  /** The episode was cut off (a limit of steps), which says nothing about how it would have ended. */
  readonly truncated: boolean
  /** Every named term of the reward: always the environment's `rewardParts`, null where a term says nothing yet. */
  readonly parts: Readonly<Record<string, number | null>>
  /** Why nothing was done, for the policy to read. A reward may still be paid for it. */
  readonly problem?: string
}

export interface OpenOptions {
  /** Of all chance in the episode. @default the task's own: the same task goes the same way */
  readonly seed?: string | number
}

/** One episode. */
export interface Session {
  readonly task: EnvironmentTask
  /** The task and the first observation, for the policy. */
  prompt(): Promise<readonly Part[]>
  /**
   * Uses a tool. What a policy may get wrong (an illegal move, a wrong argument) is in the step. Throws only for the
   * programmer: a tool that does not exist, input that does not fit its schema, a step after the end.
   */
  act(use: ToolUse): Promise<EnvironmentStep>
  /** Everything, hidden things included: for people, tests and oracles, never for the policy. */
  state(): Json
  close(): Promise<void>
}

/**
 * A world that takes several steps: tasks in splits, tools, and a reward with every step. Deterministic: task, seed and
 * the uses of tools give the same steps on every machine.
 */
export interface Environment {
  /** kebab-case. */
  readonly name: string
  /** One line. */
  readonly summary: string
  /** Changes whenever a step or a reward may change. */
  readonly version: string
  readonly splits: readonly Split[]
  /** The same for all tasks, at least one. */
  readonly tools: readonly Tool[]
  /**
   * Where plain text of the policy goes: the text becomes this argument of this tool. `answers`: whether a message that
   * uses no tool is meant for it too, as the answer that ends a rollout.
   */
  readonly textTool: { readonly tool: string; readonly argument: string; readonly answers: boolean }
  /** How the rewards of the steps make the episode's one reward: added up, or the last that is not null. */
  readonly finalReward: 'sum' | 'last'
  /** Of the episode's reward. */
  readonly rewardRange: Range
  readonly rewardParts: readonly string[]
  /** Throws a `GuerdonError` where there is no such split or index. */
  task(split: string, index: number): EnvironmentTask
  open(task: EnvironmentTask, options?: OpenOptions): Promise<Session>
}

/** The split of a name. Throws a `GuerdonError` that lists the names. */
export function splitNamed<Known extends Pick<Split, 'name'>>(splits: readonly Known[], name: string): Known {
  const found = splits.find((split) => split.name === name)
  if (found !== undefined) return found
  const names = splits.map((split) => split.name)
  const guess = nearest(name, names)
  throw new GuerdonError('unknown-split', `there is no split "${name}".`, {
    fix: `${guess === undefined ? '' : `Did you mean "${guess}"? `}Splits: ${names.join(', ')}.`,
  })
}

/** Throws a `GuerdonError` unless the split has a task of this index. */
export function checkIndex({ name, tasks }: Split, index: number): void {
  if (Number.isInteger(index) && index >= 0 && index < tasks) return
  throw new GuerdonError('unknown-task', `the split "${name}" has no task ${index}.`, {
    fix: `Its tasks are 0 to ${tasks - 1}.`,
  })
}

/** The episode's reward so far: null while no step has paid any. */
export function episodeReward(
  rewards: readonly (number | null)[],
  rule: Environment['finalReward'],
): number | null {
  const paid = rewards.filter((reward) => reward !== null)
  if (paid.length === 0) return null
  return rule === 'last' ? paid.at(-1)! : paid.reduce((sum, reward) => sum + reward, 0)
}
