import { type Context, Hono } from 'hono'
import { z } from 'zod'
import type { JsonObject } from '../../core/index.ts'
import type { Environment, EnvironmentTask, Split } from '../../worlds/environment.ts'
import { eventText, resultEvents, waitingStream } from '../environments/event-stream.ts'
import { LingeringCalls } from '../environments/lingering-calls.ts'
import { type Acted, LiveSession } from '../environments/live-session.ts'
import { orsBlocks } from '../environments/ors-blocks.ts'
import { type ServedEnvironments, seedIn, taskNamed } from '../environments/served-environments.ts'
import { type Closable, SessionStore, type SessionStoreOptions } from '../environments/session-store.ts'
import { decoded, parsedJson } from '../json-body.ts'
import { defineProtocol, type Protocol, type ServeApp, type ServeEnv } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'

export interface OrsOptions {
  readonly environments: ServedEnvironments
  /**
   * When rewards are paid. Callers differ in how they combine the rewards of an episode (TRL takes the last, others add
   * up): with `at-end` all but the last step pay nothing (null) and the last pays the episode's reward, which both read
   * alike. Then an episode that its caller breaks off pays nothing. @default 'each-step'
   */
  readonly rewards?: 'each-step' | 'at-end'
  readonly sessions?: SessionStoreOptions
  /** Time between comments in a stream that waits [ms]. @default 10000 */
  readonly heartbeatMs?: number
}

/** A session before and after `/create`. */
class OrsSession implements Closable {
  environment: Environment | undefined
  /** Rejects when the environment could not be opened; the first that asks is told. */
  live: Promise<LiveSession> | undefined

  async close(): Promise<void> {
    await (await this.live)?.close()
  }
}

const listLimit = 10_000

const splitRequest = z.object({ split: z.string() })
const taskRequest = z.object({ split: z.string(), index: z.int() })
const rangeRequest = z.object({ split: z.string(), start: z.int().nullish(), stop: z.int().nullish() })
const createRequest = z.looseObject({
  env_name: z.string().nullish(),
  task_spec: z.record(z.string(), z.unknown()).nullish(),
  split: z.string().nullish(),
  index: z.int().nullish(),
})
const callRequest = z.object({
  name: z.string(),
  input: z.unknown(),
  task_id: z.string().nullish(),
})

/**
 * The Open Reward Standard, for the SDKs `ors` and `openreward`, TRL's `OpenRewardSpec` and inspect-openreward: sessions
 * named by the header `X-Session-ID`, tools that pay rewards, long answers as Server-Sent Events. Paths with the
 * environment's name and without it (then the first is meant) are served alike.
 */
export function ors({
  environments,
  rewards = 'each-step',
  heartbeatMs = 10_000,
  ...options
}: OrsOptions): Protocol {
  const sessions = new SessionStore<OrsSession>(options.sessions)
  const calls = new LingeringCalls()
  return defineProtocol({
    id: 'ors',
    title: 'Open Reward Standard (environments)',
    names: () => environments.names,
    routes: (context, name) => {
      sessions.closeOn(context.closing)
      return orsApp({ environments, rewards, heartbeatMs, sessions, calls, name })
    },
    problemBody: ({ message, fix }) => ({ detail: fix === undefined ? message : `${message} ${fix}` }),
    setup: ({ url, name }) => [
      `export OPENREWARD_API_URL=${url} OPENREWARD_SESSION_URL=${url}`,
      `OpenRewardSpec("${url}", env_name="${name}", num_tasks=64, split="train")   # TRL`,
    ],
  })
}

interface OrsApp extends Required<Pick<OrsOptions, 'environments' | 'rewards' | 'heartbeatMs'>> {
  readonly sessions: SessionStore<OrsSession>
  readonly calls: LingeringCalls
  readonly name: string | undefined
}

type Request = Context<ServeEnv>

function orsApp({ environments, rewards, heartbeatMs, sessions, calls, name }: OrsApp): ServeApp {
  const app = new Hono<ServeEnv>()
  const environmentOf = (c: Request) => environments.named(c.req.param('env') ?? name)
  const owner = (c: Request) => c.env.admitted.token
  const stream = (body: ReadableStream | string) =>
    new Response(body, {
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      },
    })

  const idOf = (c: Request) => {
    const id = c.req.header('x-session-id')
    if (id === undefined || id === '')
      throw new RequestProblem(400, 'no-session', 'the header X-Session-ID is missing.', {
        fix: 'POST /create_session gives one.',
      })
    return id
  }
  const sessionOf = (c: Request) => {
    const id = idOf(c)
    const session = sessions.get(owner(c), id)
    if (session !== undefined) return session
    if (sessions.hasEnded(owner(c), id))
      throw new RequestProblem(410, 'session-ended', 'the session is terminated.')
    throw new RequestProblem(404, 'unknown-session', 'there is no such session.')
  }
  /** The episode of a session, perhaps still being set up; on a path that names an environment, of that one. */
  const episodeOf = (c: Request): Promise<LiveSession> => {
    const session = sessionOf(c)
    if (session.live === undefined)
      throw new RequestProblem(400, 'no-episode', 'the session has no task yet.', {
        fix: 'POST /create with a task first.',
      })
    if (c.req.param('env') !== undefined && environmentOf(c) !== session.environment)
      throw new RequestProblem(
        400,
        'other-environment',
        `the session is one of "${session.environment!.name}".`,
      )
    return session.live
  }

  const both = (
    method: 'get' | 'post',
    path: string,
    answer: (c: Request) => Promise<Response> | Response,
  ) => {
    app[method](path, answer)
    app[method](`/:env${path}`, answer)
  }

  app.get('/health', (c) => c.json({ status: 'ok' }))
  app.get('/version', (c) => c.json({ protocol: 'ors', server: 'guerdon' }))
  app.get('/list_environments', (c) => c.json(name === undefined ? environments.names : [name]))
  both('get', '/tools', (c) => c.json(toolsBody(environmentOf(c))))
  both('get', '/task_tools', (c) => c.json(toolsBody(environmentOf(c))))
  both('get', '/splits', (c) => c.json(environmentOf(c).splits.map(({ name, type }) => ({ name, type }))))
  both('post', '/num_tasks', async (c) =>
    c.json({ num_tasks: splitOf(environmentOf(c), (await bodyOf(c, splitRequest)).split).tasks }),
  )
  both('post', '/task', async (c) => {
    const environment = environmentOf(c)
    const task = taskNamed(environment, await bodyOf(c, taskRequest))
    return c.json({ task, env_name: environment.name })
  })
  both('post', '/tasks', async (c) => {
    const environment = environmentOf(c)
    const split = splitOf(environment, (await bodyOf(c, splitRequest)).split)
    return c.json({ tasks: await tasksOf(environment, split, 0, split.tasks), env_name: environment.name })
  })
  both('post', '/task_range', async (c) => {
    const environment = environmentOf(c)
    const { split: asked, start, stop } = await bodyOf(c, rangeRequest)
    const split = splitOf(environment, asked)
    const [from, to] = [placeIn(split, start, 0), placeIn(split, stop, split.tasks)]
    return c.json({ tasks: await tasksOf(environment, split, from, to), env_name: environment.name })
  })

  app.post('/create_session', (c) => {
    const id = sessions.add(owner(c), new OrsSession())
    const accepts = c.req.header('accept') ?? ''
    // The specification's text shows JSON; the SDKs read events.
    if (accepts.includes('application/json') && !accepts.includes('text/event-stream'))
      return c.json({ sid: id })
    return stream(eventText('task_id', id) + resultEvents(null))
  })
  app.post('/create', async (c) => {
    const session = sessionOf(c)
    const body = await bodyOf(c, createRequest)
    if (session.live !== undefined)
      throw new RequestProblem(400, 'session-exists', 'the session has a task already.', {
        fix: 'Create another session.',
      })
    const environment = environments.named(body.env_name ?? name)
    const given = body.task_spec ?? { split: body.split, index: body.index }
    const task = taskNamed(environment, given)
    session.environment = environment
    session.live = LiveSession.open(environment, task, seedIn(given))
    session.live.catch(() => {}) // told by whoever asks first
    return c.json({ sid: idOf(c) })
  })
  both('get', '/prompt', async (c) => c.json(orsBlocks(await (await episodeOf(c)).prompt())))
  both('post', '/call', async (c) => {
    const caller = `${owner(c) ?? ''} ${idOf(c)}`
    const { name: tool, input, task_id } = await bodyOf(c, callRequest)
    if (task_id !== undefined && task_id !== null) {
      const events = calls.find(caller, task_id)
      return stream(
        events === undefined
          ? eventText('error', 'unknown task_id')
          : waitingStream(eventText('task_id', task_id), events, heartbeatMs),
      )
    }
    const episode = episodeOf(c)
    const { id, events } = calls.start(caller, async () => {
      const live = await episode
      return callBody(live, await live.act(tool, input), rewards)
    })
    // A session whose call takes long is in use.
    const [whose, session] = [owner(c), idOf(c)]
    const kept = setInterval(() => sessions.get(whose, session), 60_000)
    kept.unref()
    void events.then(() => clearInterval(kept))
    return stream(waitingStream(eventText('task_id', id), events, heartbeatMs))
  })
  app.post('/ping', (c) => {
    sessionOf(c)
    return c.json({ status: 'ok' })
  })
  for (const path of ['/delete', '/delete_session'])
    app.post(path, (c) => {
      sessions.delete(owner(c), idOf(c))
      return c.json({ sid: idOf(c) })
    })
  return app
}

async function bodyOf<Schema extends z.ZodType>(c: Request, schema: Schema): Promise<z.output<Schema>> {
  try {
    return decoded(schema, parsedJson(Buffer.from(await c.req.arrayBuffer())))
  } catch (error) {
    if (!(error instanceof RequestProblem) || error.code !== 'bad-body') throw error
    throw new RequestProblem(
      422,
      error.code,
      error.message,
      error.field === undefined ? {} : { field: error.field },
    )
  }
}

function splitOf(environment: Environment, name: string): Split {
  const split = environment.splits.find((each) => each.name === name)
  if (split !== undefined) return split
  throw new RequestProblem(400, 'unknown-split', `there is no split "${name.slice(0, 100)}".`, {
    fix: `Splits: ${environment.splits.map((each) => each.name).join(', ')}.`,
  })
}

/** As Python slices: negative places count from the end, and what lies beyond an end is the end. */
function placeIn({ tasks }: Split, place: number | null | undefined, otherwise: number): number {
  if (place === null || place === undefined) return otherwise
  return Math.min(tasks, Math.max(0, place < 0 ? tasks + place : place))
}

async function tasksOf(
  environment: Environment,
  split: Split,
  from: number,
  to: number,
): Promise<EnvironmentTask[]> {
  if (to - from > listLimit)
    throw new RequestProblem(
      400,
      'too-many-tasks',
      `the split "${split.name}" has ${split.tasks} tasks, which are not listed.`,
      {
        fix: `Ask for /num_tasks and /task, or for up to ${listLimit} with /task_range.`,
      },
    )
  const tasks: EnvironmentTask[] = []
  for (let index = from; index < to; index++) {
    tasks.push(environment.task(split.name, index))
    if (tasks.length % 256 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return tasks
}

/** The tools of an environment as ORS tells them. */
export function toolsBody({ tools, textTool }: Environment): object {
  return {
    tools: tools.map(({ name, description, input }) => ({ name, description, input_schema: input })),
    ...(textTool.answers
      ? {
          terminal_tool: {
            name: textTool.tool,
            arg: textTool.argument,
            description: tools.find(({ name }) => name === textTool.tool)!.description,
          },
        }
      : {}),
  }
}

const reasons = {
  'not-found': 'not_found',
  'input-validation': 'input_validation',
  'bad-input-shape': 'bad_input_shape',
} as const

/** The answer of a call: an output with its reward, or why nothing was done, for the model to read. */
export function callBody(
  session: Pick<LiveSession, 'reward' | 'environment'>,
  acted: Acted,
  rewards: NonNullable<OrsOptions['rewards']>,
): object {
  if (!acted.ok) {
    const reason = acted.reason === 'finished' ? undefined : reasons[acted.reason]
    return { ok: false, error: acted.message, ...(reason === undefined ? {} : { reason }) }
  }
  const { step } = acted
  const finished = step.terminated || step.truncated
  const metadata: JsonObject = {
    parts: step.parts,
    episode_reward: session.reward,
    reward_rule: session.environment.finalReward,
    truncated: step.truncated,
  }
  return {
    ok: true,
    output: {
      blocks: orsBlocks(step.content),
      metadata,
      reward: rewards === 'each-step' ? step.reward : finished ? session.reward : null,
      finished,
    },
  }
}
