import { isObject, type Part } from '../../core/index.ts'
import type { Environment } from '../../worlds/environment.ts'
import { RequestProblem } from '../request-problem.ts'
import { imagesOfBlocks, textOfBlocks } from './blocks.ts'
import type { Acted, LiveSession } from './live-session.ts'

/** How OpenEnv sends an observation: reward and done stand beside it, and its metadata is dropped. */
export interface OpenEnvObservation {
  readonly observation: Readonly<Record<string, unknown>>
  readonly reward: number | null
  readonly done: boolean
}

export type OpenEnvAction =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'use'; readonly tool: string; readonly input: unknown }
  /** As MCP environments are asked. */
  | { readonly kind: 'call'; readonly tool: string; readonly input: unknown }
  | { readonly kind: 'list' }

/**
 * An action: `{message}` is text of the policy, `{tool, arguments}` a use of a tool; `{type: "call_tool", tool_name,
 * arguments}` and `{type: "list_tools"}` are the forms of MCP environments. `metadata` is allowed and ignored. Throws a
 * `RequestProblem` (422) for anything else.
 */
export function actionOf(given: unknown): OpenEnvAction {
  const problem = (what: string, field?: string) =>
    new RequestProblem(422, 'bad-action', what, {
      ...(field === undefined ? {} : { field }),
      fix: 'Send {"message": text} or {"tool": name, "arguments": {...}}.',
    })
  if (!isObject(given)) throw problem('an action is an object.')
  const { metadata: _, ...action } = given
  const only = (...fields: readonly string[]) => {
    const other = Object.keys(action).find((key) => !fields.includes(key))
    if (other !== undefined) throw problem(`"${other.slice(0, 100)}" is no field of an action.`, other)
  }
  if (action.type === 'list_tools') {
    only('type')
    return { kind: 'list' }
  }
  if (action.type === 'call_tool') {
    only('type', 'tool_name', 'arguments')
    if (typeof action.tool_name !== 'string') throw problem('"tool_name" is not text.', 'tool_name')
    return { kind: 'call', tool: action.tool_name, input: action.arguments ?? {} }
  }
  if (typeof action.message === 'string') {
    only('message')
    return { kind: 'say', text: action.message }
  }
  if (typeof action.tool === 'string') {
    only('tool', 'arguments')
    return { kind: 'use', tool: action.tool, input: action.arguments ?? {} }
  }
  only('message', 'tool', 'arguments')
  throw problem('an action has a "message" or a "tool".')
}

export function promptObservation(
  content: readonly Part[],
  { rewardParts }: Environment,
): OpenEnvObservation {
  return {
    observation: {
      ...shown(content),
      reward_components: Object.fromEntries(rewardParts.map((part) => [part, null])),
      episode_reward: null,
      problem: null,
    },
    reward: null,
    done: false,
  }
}

/** The observation after an act: what is not said of the reward elsewhere is a field of it. */
export function observationOf(session: LiveSession, acted: Acted, action: OpenEnvAction): OpenEnvObservation {
  const content: readonly Part[] = acted.ok ? acted.step.content : [{ type: 'text', text: acted.message }]
  const problem = acted.ok ? (acted.step.problem ?? null) : acted.message
  const rewards = {
    reward_components: acted.ok ? acted.step.parts : session.parts,
    episode_reward: session.reward,
  }
  const head = { reward: acted.ok ? acted.step.reward : null, done: session.isFinished }
  if (action.kind === 'call')
    return {
      observation: {
        tool_name: action.tool,
        result: acted.ok ? shown(content) : null,
        error: acted.ok ? null : { error_type: acted.reason.replaceAll('-', '_'), message: acted.message },
        ...rewards,
      },
      ...head,
    }
  return { observation: { ...shown(content), ...rewards, problem }, ...head }
}

function shown(content: readonly Part[]): { text: string; images: object[] } {
  return {
    text: textOfBlocks(content.filter(({ type }) => type !== 'image' && type !== 'video')),
    images: imagesOfBlocks(content).map(({ data, mediaType }) => ({ data, mime_type: mediaType })),
  }
}

export function toolList({ tools }: Environment): object[] {
  return tools.map(({ name, description, input }) => ({ name, description, input_schema: input }))
}

/** JSON Schemas of what goes over the wire. */
export function openEnvSchemas({ tools, rewardParts }: Environment): object {
  const nullable = (type: string) => ({ anyOf: [{ type }, { type: 'null' }] })
  return {
    action: {
      type: 'object',
      title: 'Action',
      additionalProperties: false,
      properties: {
        metadata: { type: 'object' },
        message: { type: 'string', description: 'Text of the policy.' },
        tool: { type: 'string', enum: tools.map(({ name }) => name) },
        arguments: { type: 'object', description: 'Of the tool.' },
      },
    },
    observation: {
      type: 'object',
      title: 'Observation',
      properties: {
        text: { type: 'string' },
        images: {
          type: 'array',
          items: { type: 'object', properties: { data: { type: 'string' }, mime_type: { type: 'string' } } },
        },
        reward_components: {
          type: 'object',
          properties: Object.fromEntries(rewardParts.map((part) => [part, nullable('number')])),
        },
        episode_reward: nullable('number'),
        problem: nullable('string'),
        done: { type: 'boolean' },
        reward: nullable('number'),
        metadata: { type: 'object' },
      },
    },
    state: {
      type: 'object',
      title: 'State',
      properties: {
        episode_id: nullable('string'),
        step_count: { type: 'integer', minimum: 0 },
        task: nullable('object'),
        episode_reward: nullable('number'),
      },
    },
  }
}
