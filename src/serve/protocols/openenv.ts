import { Hono } from 'hono'
import type { WebSocket } from 'ws'
import { isObject, messageOf } from '../../core/index.ts'
import type { Environment } from '../../worlds/environment.ts'
import { McpTools } from '../environments/mcp-tools.ts'
import { OpenEnvEpisode } from '../environments/openenv-episode.ts'
import { openEnvSchemas } from '../environments/openenv-forms.ts'
import type { ServedEnvironments } from '../environments/served-environments.ts'
import { SessionStore, type SessionStoreOptions } from '../environments/session-store.ts'
import { parsedJson } from '../json-body.ts'
import { defineProtocol, type Protocol, type ServeEnv } from '../protocol.ts'
import { problemOf, RequestProblem } from '../request-problem.ts'

export interface OpenEnvOptions {
  readonly environments: ServedEnvironments
  /** Sockets at a time, each with an episode of its own. @default 1024 */
  readonly mostSockets?: number
  /** Of sessions that are created through MCP over HTTP. */
  readonly sessions?: SessionStoreOptions
}

/**
 * OpenEnv: `/ws` is the protocol, a socket is an episode. `/reset` and `/step` over HTTP are there for probes and keep
 * nothing, as in the reference server: a step is one on a fresh episode.
 */
export function openEnv({ environments, mostSockets = 1024, sessions: options }: OpenEnvOptions): Protocol {
  const sessions = new SessionStore<OpenEnvEpisode>(options)
  let sockets = 0
  /** Episodes that name no task and no seed take one after another. */
  let next = 0
  const episode = (environment: Environment) => new OpenEnvEpisode(environment, () => next++)
  const admit = (
    environment: Environment,
    socket: WebSocket,
    answer: (text: string) => Promise<string | null>,
    close: () => Promise<void>,
  ) => {
    const send = (value: object) => socket.send(JSON.stringify(value))
    if (sockets >= mostSockets) {
      send(
        errorFrame('CAPACITY_REACHED', `${environment.name} has all the sockets that it may have.`, {
          active_sessions: sockets,
          max_sessions: mostSockets,
        }),
      )
      socket.close()
      return
    }
    sockets++
    // One message is answered after the other, whatever the caller sends in the meantime.
    let last: Promise<unknown> = Promise.resolve()
    let waiting = 0
    socket.on('message', (data) => {
      if (++waiting > mostWaiting) return socket.close(1008, 'too many messages without waiting for answers')
      last = last.then(async () => {
        const reply = await answer(String(data))
        waiting--
        if (reply === null) socket.close()
        else if (socket.readyState === socket.OPEN) socket.send(reply)
      })
    })
    socket.on('error', () => {}) // a frame that is too large closes the socket; so does a caller that goes
    socket.on('close', () => {
      sockets--
      void last.then(close).catch(() => {})
    })
  }
  return defineProtocol({
    id: 'openenv',
    title: 'OpenEnv (environments)',
    names: () => environments.names,
    endpoints: (_, name) => {
      const environment = environments.named(name)
      return [
        {
          method: 'GET',
          path: '/health',
          summary: 'Whether the environment is there (OpenEnv)',
          answer: async () => ({ body: { status: 'healthy' } }),
        },
        {
          method: 'GET',
          path: '/metadata',
          summary: 'What the environment is (OpenEnv)',
          answer: async () => ({
            body: { name: environment.name, description: environment.summary, version: environment.version },
          }),
        },
        {
          method: 'GET',
          path: '/schema',
          summary: 'Schemas of actions, observations and state (OpenEnv)',
          answer: async () => ({ body: openEnvSchemas(environment) }),
        },
        {
          method: 'GET',
          path: '/state',
          summary: 'The state of a fresh episode (OpenEnv)',
          answer: async () => ({ body: episode(environment).state() }),
        },
      ]
    },
    routes: (context, name) => {
      const environment = environments.named(name)
      sessions.closeOn(context.closing)
      const app = new Hono<ServeEnv>()
      const body = async (c: {
        req: { arrayBuffer(): Promise<ArrayBuffer> }
      }): Promise<Record<string, unknown>> => {
        const bytes = Buffer.from(await c.req.arrayBuffer())
        const value = bytes.length === 0 ? {} : parsedJson(bytes)
        if (isObject(value)) return value
        throw new RequestProblem(422, 'bad-body', 'the body is not a JSON object.')
      }
      app.post('/reset', async (c) => {
        const one = episode(environment)
        const answer = await one.reset(await body(c))
        await one.close()
        return c.json(answer)
      })
      app.post('/step', async (c) => {
        const { action } = await body(c)
        const one = episode(environment)
        await one.reset({})
        const answer = await one.step(action)
        await one.close()
        return c.json(answer)
      })
      app.post('/mcp', async (c) => {
        const owner = c.env.admitted.token
        const tools = new McpTools(environment, {
          create: async (parameters) => {
            const one = episode(environment)
            await one.reset(parameters)
            return sessions.add(owner, one)
          },
          close: async (id) => sessions.delete(owner, id),
          episode: async (id) => (id === undefined ? undefined : sessions.get(owner, id)),
        })
        const text = Buffer.from(await c.req.arrayBuffer()).toString('utf8')
        const answer = await tools.answerText(text)
        return answer === undefined ? c.body(null, 202) : c.json(answer)
      })
      return app
    },
    sockets: (_, name) => {
      const environment = environments.named(name)
      return [
        {
          path: '/ws',
          accept: (socket) => {
            const one = episode(environment)
            const tools = McpTools.of(environment, one)
            admit(
              environment,
              socket,
              (text) => answerFrame(one, tools, text),
              () => one.close(),
            )
          },
        },
        {
          path: '/mcp',
          accept: (socket) => {
            const one = episode(environment)
            const tools = McpTools.of(environment, one)
            admit(
              environment,
              socket,
              async (text) => JSON.stringify((await tools.answerText(text)) ?? {}),
              () => one.close(),
            )
          },
        },
      ]
    },
    problemBody: ({ message, fix, field }) => ({
      detail: [
        {
          loc: ['body', ...(field?.split('.') ?? [])],
          msg: fix === undefined ? message : `${message} ${fix}`,
          type: 'value_error',
        },
      ],
    }),
    setup: ({ url, name }) => [
      'from openenv.core.generic_client import GenericEnvClient',
      `env = GenericEnvClient(base_url="${url}")   # ${name}`,
      'env.reset(seed=7); env.step({"message": "..."})',
    ],
  })
}

/** Messages that a socket may send ahead. */
const mostWaiting = 64

function errorFrame(code: string, message: string, more: object = {}): object {
  return { type: 'error', data: { message, code, ...more } }
}

/** The reply to one frame; null to close the socket. Errors keep it open. */
async function answerFrame(episode: OpenEnvEpisode, tools: McpTools, text: string): Promise<string | null> {
  const reply = (value: object) => JSON.stringify(value)
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    return reply(errorFrame('INVALID_JSON', 'the frame is not JSON (NaN and Infinity are none either).'))
  }
  if (!isObject(frame)) return reply(errorFrame('INVALID_JSON', 'the frame is not a JSON object.'))
  try {
    switch (frame.type) {
      case 'reset':
        return reply({ type: 'observation', data: await episode.reset(frame.data ?? {}) })
      case 'step':
        return reply({ type: 'observation', data: await episode.step(frame.data) })
      case 'state':
        return reply({ type: 'state', data: episode.state() })
      case 'mcp':
        return reply({ type: 'mcp', data: (await tools.answer(frame.data)) ?? {} })
      case 'close':
        return null
      default:
        return reply(
          errorFrame(
            'UNKNOWN_TYPE',
            `there is no message type ${JSON.stringify(frame.type)?.slice(0, 100)}.`,
          ),
        )
    }
  } catch (error) {
    const problem = problemOf(error)
    const said = problem.status === 500 ? messageOf(problem.cause ?? problem) : problem.message
    if (problem.status === 422)
      return reply(
        errorFrame('VALIDATION_ERROR', said, {
          errors: [{ loc: problem.field?.split('.') ?? [], msg: said, type: 'value_error' }],
        }),
      )
    return reply(errorFrame('EXECUTION_ERROR', problem.fix === undefined ? said : `${said} ${problem.fix}`))
  }
}
