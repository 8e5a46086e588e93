import { isObject, messageOf } from '../../core/index.ts'
import type { Environment } from '../../worlds/environment.ts'
import { problemOf } from '../request-problem.ts'
import { imagesOfBlocks, textOfBlocks } from './blocks.ts'
import type { OpenEnvEpisode } from './openenv-episode.ts'

/** Where episodes come from: a session that the caller names, or none. */
export interface McpSessions {
  create(parameters: Readonly<Record<string, unknown>>): Promise<string>
  close(id: string): Promise<boolean>
  episode(id: string | undefined): Promise<OpenEnvEpisode | undefined>
}

const noSessions = -32000

/** An environment's tools over JSON-RPC, as the Model Context Protocol has them, and OpenEnv's sessions beside. */
export class McpTools {
  readonly #environment: Environment
  readonly #sessions: McpSessions

  constructor(environment: Environment, sessions: McpSessions) {
    this.#environment = environment
    this.#sessions = sessions
  }

  /** Over a socket: its episode is the session, begun with the first call. */
  static of(environment: Environment, episode: OpenEnvEpisode): McpTools {
    return new McpTools(environment, {
      create: async (parameters) => {
        await episode.reset(parameters)
        return 'socket'
      },
      close: async () => {
        await episode.close()
        return true
      },
      episode: async () => {
        if (episode.session === undefined) await episode.reset({})
        return episode
      },
    })
  }

  /** The answer to a text of JSON; undefined for a notification. */
  async answerText(text: string): Promise<object | undefined> {
    let request: unknown
    try {
      request = JSON.parse(text)
    } catch {
      return failure(null, -32700, 'the request is not JSON.')
    }
    return this.answer(request)
  }

  async answer(request: unknown): Promise<object | undefined> {
    if (!isObject(request) || request.jsonrpc !== '2.0' || typeof request.method !== 'string')
      return failure(
        isObject(request) ? (request.id ?? null) : null,
        -32600,
        'this is no JSON-RPC 2.0 request.',
      )
    const { id, method } = request
    const parameters = isObject(request.params) ? request.params : {}
    if (id === undefined) return undefined
    try {
      switch (method) {
        case 'initialize':
          return success(id, {
            protocolVersion:
              typeof parameters.protocolVersion === 'string' ? parameters.protocolVersion : '2025-06-18',
            capabilities: { tools: {} },
            serverInfo: { name: this.#environment.name, version: this.#environment.version },
          })
        case 'ping':
          return success(id, {})
        case 'tools/list':
          return success(id, {
            tools: this.#environment.tools.map(({ name, description, input }) => ({
              name,
              description,
              inputSchema: input,
            })),
          })
        case 'tools/call':
          return await this.#call(id, parameters)
        case 'openenv/session/create':
          return success(id, { session_id: await this.#sessions.create(parameters) })
        case 'openenv/session/close': {
          const closed = await this.#sessions.close(String(parameters.session_id))
          return closed ? success(id, {}) : failure(id, noSessions, 'there is no such session.')
        }
        default:
          return failure(id, -32601, `there is no method "${method.slice(0, 100)}".`)
      }
    } catch (error) {
      const problem = problemOf(error)
      if (problem.status < 500) return failure(id, -32602, problem.message)
      return failure(id, problem.status === 500 ? -32603 : noSessions, messageOf(problem.cause ?? problem))
    }
  }

  async #call(id: unknown, { name, arguments: input, session_id }: Record<string, unknown>): Promise<object> {
    if (typeof name !== 'string') return failure(id, -32602, '"name" is not text.')
    const episode = await this.#sessions.episode(typeof session_id === 'string' ? session_id : undefined)
    if (episode === undefined)
      return failure(id, noSessions, 'there is no such session: openenv/session/create gives a session_id.')
    const acted = await episode.act({ tool: name, input: input ?? {} })
    const session = episode.session!
    if (!acted.ok) return success(id, { content: [{ type: 'text', text: acted.message }], isError: true })
    const { content, reward, parts } = acted.step
    return success(id, {
      content: [
        { type: 'text', text: textOfBlocks(content.filter(({ type }) => type !== 'image')) },
        ...imagesOfBlocks(content).map(({ data, mediaType }) => ({
          type: 'image',
          data,
          mimeType: mediaType,
        })),
      ],
      isError: false,
      structuredContent: {
        reward,
        done: session.isFinished,
        reward_components: parts,
        episode_reward: session.reward,
      },
    })
  }
}

function success(id: unknown, result: object): object {
  return { jsonrpc: '2.0', id, result }
}

function failure(id: unknown, code: number, message: string): object {
  return { jsonrpc: '2.0', id, error: { code, message } }
}
