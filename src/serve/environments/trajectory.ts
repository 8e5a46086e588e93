import type { Message } from '../../core/index.ts'
import type { Environment, EnvironmentTask, OpenOptions } from '../../worlds/environment.ts'
import { LiveSession } from './live-session.ts'

/** One thing that a policy did: a call with its arguments, or text without a call. */
export type PolicyAct = { readonly tool: string; readonly input: unknown } | { readonly text: string }

/** What a policy did in a conversation, in order. */
export function actsOf(messages: readonly Message[]): PolicyAct[] {
  return messages.flatMap((message): PolicyAct[] => {
    if (message.role !== 'assistant') return []
    const calls = message.toolCalls ?? []
    if (calls.length > 0)
      return calls.map(({ name, arguments: input }) => ({ tool: bareToolName(name), input: parsed(input) }))
    const { content } = message
    const text =
      typeof content === 'string'
        ? content
        : content.map((part) => (part.type === 'text' ? part.text : '')).join('')
    return [{ text }]
  })
}

/** Tools that a model knows through MCP are called `mcp__server__tool`. */
export function bareToolName(name: string): string {
  return /^mcp__.+?__(.+)$/.exec(name)?.[1] ?? name
}

/** Arguments are JSON text in many conversations. */
function parsed(input: unknown): unknown {
  if (typeof input !== 'string') return input
  try {
    return JSON.parse(input)
  } catch {
    return input
  }
}

/**
 * An episode as a recorded trajectory went: the same task and seed, the same acts, one after another, until it ends. Calls
 * that are none of the environment's do nothing, as they did then. Of text, only a last message counts, and only where the
 * environment takes text for an answer.
 */
export async function replay(
  environment: Environment,
  task: EnvironmentTask,
  acts: readonly PolicyAct[],
  options?: OpenOptions,
): Promise<LiveSession> {
  const session = await LiveSession.open(environment, task, options)
  for (const [index, act] of acts.entries()) {
    if (session.isFinished) break
    if ('tool' in act) await session.act(act.tool, act.input)
    else if (environment.textTool.answers && index === acts.length - 1) await session.say(act.text)
  }
  return session
}
