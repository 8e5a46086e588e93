import { GuerdonError, isObject, type JsonObject, Rng } from '../../core/index.ts'
import {
  checkIndex,
  type Environment,
  type EnvironmentStep,
  type EnvironmentTask,
  type OpenOptions,
  type Session,
  type Split,
  splitNamed,
} from '../environment.ts'
import { categoryOf } from './lexicon.ts'
import { callAgreement, type ReadCall } from './tool-check.ts'
import { drawToolRequest, type TextToolCall, type ToolRequest, toolPrompt, tools } from './tools.ts'
import { textVocabulary, toolWords } from './vocabulary.ts'

export interface ToolEnvironmentOptions {
  /** Fewest and most requests of the user, one after another. @default [1, 3] */
  readonly requests?: readonly [fewest: number, most: number]
  /** Fewest and most calls that a request takes. @default [1, 2] */
  readonly calls?: readonly [fewest: number, most: number]
  /** Uses of tools in an episode at most. @default 24 */
  readonly stepLimit?: number
}

const partNames = ['names', 'parameters', 'values', 'exact', 'reported'] as const
type Parts = Record<(typeof partNames)[number], number>

/**
 * A user who asks for things, tools that do them, and answers to give: calls bring results, and `reply` ends a request
 * and must say what was found out. A request pays, with its reply, the mean of four shares in [0, 1] over the number of
 * requests: tool names, parameter names and values (as `judgeTools` has them, any order), and results reported. Tools work with
 * whatever they are given, so that a wrong call brings a result too.
 */
export function toolEnvironment(options: ToolEnvironmentOptions = {}): Environment {
  const { stepLimit = 24 } = options
  const splits: readonly Split[] = [
    { name: 'train', type: 'train', tasks: 100_000 },
    { name: 'test', type: 'test', tasks: 10_000 },
  ]
  return {
    name: 'tool-calls',
    summary: 'Carry out what a user asks for, turn by turn, with six tools.',
    version: '1',
    splits,
    tools: [
      ...Object.entries(tools).map(([name, { description, parameters }]) => ({
        name,
        description,
        input: inputSchema(parameters),
      })),
      {
        name: 'reply',
        description: 'Ends the request, with what the user asked to know.',
        input: {
          type: 'object',
          properties: { text: { type: 'string' } },
          required: ['text'],
          additionalProperties: false,
        },
      },
    ],
    textTool: { tool: 'reply', argument: 'text', answers: true },
    finalReward: 'sum',
    rewardRange: [0, 1],
    rewardParts: partNames,
    task: (split, index) => {
      checkIndex(splitNamed(splits, split), index)
      return { split, index, requests: requestsOf(split, index, options).length }
    },
    open: async (task, open) =>
      openToolSession(task, requestsOf(task.split, task.index, options), stepLimit, open),
  }
}

/** What the user will ask, in order: for oracles and tests. */
export function requestsOf(
  split: string,
  index: number,
  options: ToolEnvironmentOptions = {},
): ToolRequest[] {
  const { requests: [fewest, most] = [1, 3], calls = [1, 2] } = options
  const rng = new Rng(`tool-calls/${split}/${index}`)
  return Array.from({ length: rng.int(fewest, most + 1) }, () => drawToolRequest(rng, { calls }))
}

/** Arguments are not held to the known values: a wrong city is the policy's mistake, and is paid as one. */
function inputSchema(
  parameters: Readonly<
    Record<string, { readonly values: readonly (string | number)[]; readonly optional?: boolean }>
  >,
): JsonObject {
  const entries = Object.entries(parameters)
  return {
    type: 'object',
    properties: Object.fromEntries(
      entries.map(([name, { values }]) => [
        name,
        { type: typeof values[0] === 'number' ? 'integer' : 'string' },
      ]),
    ),
    required: entries.flatMap(([name, { optional }]) => (optional ? [] : [name])),
    additionalProperties: false,
  }
}

const skies = ['cold', 'warm', 'rain', 'sun'] as const

/** What a tool answers, and the words of it that a reply must report. The seed decides about time and weather. */
export function toolResult(
  { name, parameters }: { readonly name: string; readonly parameters: Readonly<Record<string, unknown>> },
  seed: string | number,
): { readonly text: string; readonly report: string | null } {
  switch (name) {
    case 'clock': {
      const hour = String(new Rng(`${seed}/clock`).int(1, 13))
      return { text: `it is ${hour}`, report: hour }
    }
    case 'weather': {
      const sky = new Rng(`${seed}/weather/${parameters.city}`).pick(skies)
      return (toolWords.cities as readonly unknown[]).includes(parameters.city)
        ? { text: `${sky} in ${parameters.city}`, report: sky }
        : { text: 'no such city', report: null }
    }
    case 'search': {
      const category = categoryOf.get(String(parameters.query))
      return category === undefined
        ? { text: 'nothing found', report: null }
        : { text: `${parameters.query} is one of the ${category}`, report: category }
    }
    default:
      return { text: 'done', report: null }
  }
}

/** The reply that reports everything that a request's calls find out: for oracles and tests. */
export function goldReply({ calls }: ToolRequest, seed: string | number): string {
  const reports = calls.flatMap((call) => toolResult(call, seed).report ?? [])
  return ['done', ...reports].join(' , ')
}

function openToolSession(
  task: EnvironmentTask,
  requests: readonly ToolRequest[],
  stepLimit: number,
  { seed = `tool-calls/${task.split}/${task.index}` }: OpenOptions = {},
): Session {
  let current = 0
  let steps = 0
  let total = 0
  let calls: ReadCall[] = []
  const isOver = () => current >= requests.length || steps >= stepLimit
  const ask = () => ({
    type: 'text' as const,
    text: `user: ${textVocabulary.join(toolPrompt(requests[current]!))}`,
  })
  const nothingYet = Object.fromEntries(partNames.map((part) => [part, null]))
  const reply = (text: string): EnvironmentStep => {
    const parts = judge(requests[current]!, calls, text, seed)
    const reward = (parts.names + parts.parameters + parts.values + parts.reported) / 4 / requests.length
    total += reward
    current++
    calls = []
    const terminated = current >= requests.length
    return {
      content: [terminated ? { type: 'text', text: 'user: thank you .' } : ask()],
      reward,
      terminated,
      truncated: !terminated && steps >= stepLimit,
      parts,
    }
  }
  return {
    task,
    prompt: async () => [ask()],
    act: async ({ tool, input }) => {
      if (isOver())
        throw new GuerdonError('episode-over', 'the user has asked for everything.', {
          fix: 'Start another episode.',
        })
      steps++
      if (tool === 'reply') return reply(String(input.text))
      const call = { name: tool, parameters: input as Readonly<Record<string, unknown>> }
      calls.push(call)
      return {
        content: [{ type: 'text', text: toolResult(call, seed).text }],
        reward: null,
        terminated: false,
        truncated: steps >= stepLimit,
        parts: nothingYet,
      }
    },
    state: () => ({
      steps,
      total,
      current,
      requests: requests.map(({ calls: wanted }) => wanted as readonly TextToolCall[] as never),
      calls: calls.filter((call) => isObject(call.parameters)) as never,
    }),
    close: async () => {},
  }
}

function judge(request: ToolRequest, calls: readonly ReadCall[], text: string, seed: string | number): Parts {
  const words = new Set(text.toLowerCase().match(/[a-z]+|\d+/g) ?? [])
  const reports = request.calls.flatMap((call) => toolResult(call, seed).report ?? [])
  const reported = reports.filter((word) => words.has(word)).length
  return {
    ...callAgreement(request.calls, calls),
    // A reply that lists every possible result would report them all: beyond twice as many words it reports nothing.
    reported: reports.length === 0 ? 1 : words.size > 2 * reports.length + 12 ? 0 : reported / reports.length,
  }
}
