import { type Context, Hono } from 'hono'
import {
  isObject,
  type Json,
  type Message,
  retryableCodes,
  type Sample,
  type Score,
} from '../../core/index.ts'
import { plainIfOne } from '../../data/conventions/single.ts'
import type { Environment } from '../../worlds/environment.ts'
import { textOfBlocks } from '../environments/blocks.ts'
import { LiveSession } from '../environments/live-session.ts'
import { lastText, messagesOfItems } from '../environments/responses-items.ts'
import { objectBody, routeRequest } from '../environments/route-request.ts'
import { type ServedEnvironments, seedIn, taskNamed } from '../environments/served-environments.ts'
import { SessionStore, type SessionStoreOptions } from '../environments/session-store.ts'
import { actsOf, replay } from '../environments/trajectory.ts'
import { parsedJson } from '../json-body.ts'
import { defineProtocol, type Protocol, type ServeApp, type ServeEnv } from '../protocol.ts'
import { problemOf, RequestProblem } from '../request-problem.ts'
import { judge, unnamedSample } from '../scoring/judging.ts'
import type { ServeContext } from '../serve-context.ts'
import { aggregateMetrics } from './nemo-gym-metrics.ts'
import { steadyParts } from './steady-parts.ts'

export interface NemoGymOptions {
  readonly environments: ServedEnvironments
  readonly sessions?: SessionStoreOptions
}

const cookieName = 'guerdon_session'

/**
 * A resources server of NeMo Gym: for an environment sessions, a route for each tool and `/verify`; for a reward `/verify`
 * over any trajectory. Also the variant of Gymnasium servers, `/reset` and `/step`. The callers take no path, so that a
 * port serves one of them: `guerdon serve --protocol nemo-gym`. Sessions are cookies, sent with every answer.
 */
export function nemoGym({ environments, sessions: options }: NemoGymOptions): Protocol {
  const sessions = new SessionStore<LiveSession>(options)
  return defineProtocol({
    id: 'nemo-gym',
    title: 'NeMo Gym resources server',
    names: ({ scoring }) => [
      ...environments.names,
      ...scoring.rewards().flatMap(({ name }) => (environments.has(name) ? [] : [name])),
    ],
    routes: (context, name) => {
      sessions.closeOn(context.closing)
      const isEnvironment = name === undefined ? environments.names.length > 0 : environments.has(name)
      return isEnvironment
        ? environmentApp(context, environments.named(name), sessions)
        : rewardApp(context, context.scoring.rewardNamed(name).name)
    },
    problemBody: ({ message, fix }) => ({ detail: fix === undefined ? message : `${message} ${fix}` }),
    setup: ({ url, name }) => {
      const { hostname, port } = new URL(url)
      return [
        `${name.replaceAll('-', '_')}:`,
        '  resources_servers:',
        '    guerdon:            # no entrypoint: it runs already',
        `      host: ${hostname}`,
        `      port: ${port}`,
        '      domain: other',
      ]
    },
  })
}

type Request = Context<ServeEnv>

/** Routes under `/` and under `/ng-rollout/{id}/`, where callers put them when they are being observed. */
function routes(answers: Readonly<Record<string, (c: Request) => Promise<Response>>>): ServeApp {
  const app = new Hono<ServeEnv>()
  for (const prefix of ['', '/ng-rollout/:rollout']) {
    app.get(`${prefix}/`, (c) => c.json({ status: 'ok' }))
    // Deterministic: the same trajectory always gets the same reward.
    app.get(`${prefix}/reverify_mode`, (c) => c.json('stateless'))
    for (const [path, answer] of Object.entries(answers)) app.post(`${prefix}${path}`, answer)
  }
  return app
}

async function rawBody(
  c: Request,
): Promise<{ readonly text: string; readonly row: Record<string, unknown> }> {
  const bytes = Buffer.from(await c.req.arrayBuffer())
  return { row: objectBody(parsedJson(bytes)), text: bytes.toString('utf8') }
}

/**
 * The body as it came with keys added. It is not written anew: the training sample is made of what is echoed, so that every
 * number keeps its text. A key that stands twice means the last to every reader.
 */
export function echoed(text: string, added: Readonly<Record<string, unknown>>): string {
  const open = text.slice(0, text.lastIndexOf('}')).trimEnd()
  const extra = JSON.stringify(added).slice(1)
  return `${open}${open === '{' || extra === '}' ? '' : ','}${extra}`
}

function jsonText(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } })
}

async function answerMetrics(c: Request): Promise<Response> {
  return c.json(aggregateMetrics((await rawBody(c)).row.verify_responses))
}

// --- a reward

function rewardApp(context: ServeContext, reward: string): ServeApp {
  const parts = steadyParts(context, { protocol: 'nemo-gym', reward })
  return routes({
    '/seed_session': async (c) => c.json({}),
    '/verify': async (c) => {
      const { text, row } = await rawBody(c)
      const request = routeRequest(c, context.config, row)
      const [score] = await judge(context, reward, [sampleOfRow(row)], request)
      return jsonText(echoed(text, verdictOf(context, reward, score!, row, parts)))
    },
    '/aggregate_metrics': answerMetrics,
  })
}

const referenceColumns = [
  'reference',
  'expected_answer',
  'ground_truth',
  'solution',
  'answer',
  'label',
  'verifier_metadata',
]

/** A row with its trajectory as a sample: what follows the input is the output, the gold answer stands in a column. */
export function sampleOfRow(row: Readonly<Record<string, unknown>>): Sample {
  const { responses_create_params, response, ...columns } = row
  const params = objectIn(responses_create_params, 'responses_create_params')
  const { output } = objectIn(response, 'response')
  const system: Message[] =
    typeof params.instructions === 'string' ? [{ role: 'system', content: params.instructions }] : []
  const referenceColumn = referenceColumns.find(
    (name) => columns[name] !== undefined && columns[name] !== null,
  )
  return unnamedSample({
    prompt: [...system, ...messagesOfItems(params.input ?? [], 'responses_create_params.input')],
    output: plainIfOne(messagesOfItems(output ?? [], 'response.output')),
    ...(referenceColumn === undefined ? {} : { reference: columns[referenceColumn] as Json }),
    meta: columns as Sample['meta'],
  })
}

function objectIn(value: unknown, field: string): Record<string, unknown> {
  if (isObject(value)) return value
  throw new RequestProblem(422, 'bad-body', `"${field}" is not an object.`, { field })
}

/**
 * What is added to a row. No score is a failure here, with reward 0 that the collector leaves out of every mean: one that
 * may pass when it is tried again, or one for good. So is a score without the parts that others have. With `unscoredAs`
 * what asking again does not mend is that number.
 */
function verdictOf(
  { config, metrics }: ServeContext,
  reward: string,
  score: Score,
  row: Readonly<Record<string, unknown>>,
  parts: ReturnType<typeof steadyParts>,
): Record<string, unknown> {
  const verdict = (value: number) => {
    const columns = Object.entries(parts([score]))
    return rewardKeys(value, Object.fromEntries(columns.map(([name, [part]]) => [name, part])), row)
  }
  if (score.value !== null)
    try {
      return verdict(score.value)
    } catch (error) {
      const { code, message } = problemOf(error)
      return failure(`${code}: ${message}`, false)
    }
  const retryable = retryableCodes.has(score.code)
  if (retryable || config.unscoredAs === undefined)
    return failure(`${score.code}: ${score.reason}`, retryable)
  substituted(metrics, reward, score.code)
  return verdict(config.unscoredAs)
}

function failure(reason: string, retryable: boolean): Record<string, unknown> {
  return {
    reward: 0,
    _ng_failure_class: 'judge_failed',
    _ng_failure_judge_error: reason,
    ...(retryable ? {} : { _ng_failure_terminal: true }),
  }
}

function substituted(metrics: ServeContext['metrics'], reward: string, code: string): void {
  metrics
    .counter(
      'guerdon_substituted_total',
      'Samples without a score that were answered with the number for unscored ones.',
      ['reward', 'protocol', 'code'],
    )
    .labels(reward, 'nemo-gym', code)
    .inc()
}

/** Components stand in an object and beside it, since aggregation reads top-level numbers only. A row's own keys stay. */
function rewardKeys(
  reward: number,
  components: Readonly<Record<string, number | undefined>>,
  row: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const beside = Object.entries(components).filter(([name]) => name !== 'reward' && !Object.hasOwn(row, name))
  return { ...Object.fromEntries(beside), reward, reward_components: components }
}

// --- an environment

function environmentApp(
  context: ServeContext,
  environment: Environment,
  sessions: SessionStore<LiveSession>,
): ServeApp {
  const owner = (c: Request) => c.env.admitted.token
  const idOf = (c: Request) =>
    new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]+)`).exec(c.req.header('cookie') ?? '')?.[1]
  const sessionOf = (c: Request) => {
    const id = idOf(c)
    return id === undefined ? undefined : sessions.get(owner(c), id)
  }
  /** Every answer sends the cookie again: callers keep those of the last answer only. */
  const withCookie = (response: Response, id: string | undefined) => {
    if (id !== undefined)
      response.headers.append('set-cookie', `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Lax`)
    return response
  }
  const open = async (c: Request) => {
    const { row } = await rawBody(c)
    const given = taskColumns(row)
    const session = await LiveSession.open(environment, taskNamed(environment, given), seedIn(given))
    return { session, id: sessions.add(owner(c), session) }
  }
  /** The last answer of each session and the key that it was asked under: sent again, a step is not taken twice. */
  const lastAnswers = new WeakMap<LiveSession, { readonly key: string; readonly answer: Promise<unknown> }>()
  const once = <Answer>(c: Request, session: LiveSession, work: () => Promise<Answer>): Promise<Answer> => {
    const key = c.req.header('idempotency-key')
    const last = lastAnswers.get(session)
    if (key !== undefined && last?.key === key) return last.answer as Promise<Answer>
    const answer = work()
    if (key !== undefined) lastAnswers.set(session, { key, answer })
    return answer
  }
  const components = ({ parts }: LiveSession) =>
    Object.fromEntries(environment.rewardParts.map((part) => [part, parts[part] ?? 0]))
  const rewardOf = (session: LiveSession) => {
    if (session.reward !== null) return session.reward
    substituted(context.metrics, environment.name, 'not-applicable')
    return context.config.unscoredAs ?? 0
  }

  const answers: Record<string, (c: Request) => Promise<Response>> = {
    '/seed_session': async (c) => {
      const { session, id } = await open(c)
      return withCookie(c.json({ observation: textOfBlocks(await session.prompt()), task: session.task }), id)
    },
    '/verify': async (c) => {
      const { text, row } = await rawBody(c)
      const messages = messagesOfItems(objectIn(row.response, 'response').output ?? [], 'response.output')
      let session = sessionOf(c)
      if (session === undefined || session.steps === 0) {
        // No session, or one that the trajectory went past: the trajectory itself is played again.
        const given = taskColumns(row)
        session = await replay(environment, taskNamed(environment, given), actsOf(messages), seedIn(given))
      } else if (environment.textTool.answers && !session.isFinished) {
        const answer = lastText(messages)
        if (answer !== undefined) await session.say(answer)
      }
      // The rollout is over: nobody says so otherwise. Asked again, the trajectory is played again.
      const id = idOf(c)
      if (id !== undefined) sessions.delete(owner(c), id)
      return withCookie(jsonText(echoed(text, rewardKeys(rewardOf(session), components(session), row))), id)
    },
    '/aggregate_metrics': async (c) => withCookie(await answerMetrics(c), idOf(c)),
    '/reset': async (c) => {
      const { session, id } = await open(c)
      return withCookie(
        c.json({ observation: textOfBlocks(await session.prompt()), info: { task: session.task } }),
        id,
      )
    },
    '/step': async (c) => {
      const { row } = await rawBody(c)
      const session = sessionOf(c)
      if (session === undefined)
        throw new RequestProblem(400, 'no-session', 'there is no session in the cookies.', {
          fix: 'POST /reset first.',
        })
      const messages = messagesOfItems(objectIn(row.response, 'response').output ?? [], 'response.output')
      return withCookie(c.json(await once(c, session, () => stepBody(session, messages))), idOf(c))
    },
  }
  for (const { name } of environment.tools)
    answers[`/${name}`] = async (c) => {
      const session = sessionOf(c)
      const { row } = await rawBody(c)
      if (session === undefined) return c.text('There is no session: POST /seed_session first.')
      const acted = await once(c, session, () => session.act(name, row))
      return withCookie(c.text(acted.ok ? textOfBlocks(acted.step.content) : acted.message), idOf(c))
    }
  return routes(answers)
}

/** Where a row names its task: in a column of its own, in the metadata, or at the top. */
function taskColumns(row: Readonly<Record<string, unknown>>): unknown {
  return isObject(row.task) ? row.task : isObject(row.verifier_metadata) ? row.verifier_metadata : row
}

/** All that the policy's latest turn does, as one step of a Gymnasium server. */
async function stepBody(session: LiveSession, messages: readonly Message[]): Promise<object> {
  const seen: string[] = []
  let reward = 0
  for (const act of actsOf(messages)) {
    const acted = 'tool' in act ? await session.act(act.tool, act.input) : await session.say(act.text)
    seen.push(acted.ok ? textOfBlocks(acted.step.content) : acted.message)
    if (acted.ok) reward += acted.step.reward ?? 0
  }
  const { terminated, truncated, parts } = session
  return {
    observation: seen.length === 0 ? null : seen.join('\n'),
    reward,
    terminated,
    truncated,
    info: { parts, episode_reward: session.reward },
  }
}
