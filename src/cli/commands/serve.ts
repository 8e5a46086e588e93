import { hostname } from 'node:os'
import { GuerdonError, type Reward } from '../../core/index.ts'
import { imageFilesVariable } from '../../data/image-files.ts'
import { resolveReward } from '../../methods/resolve.ts'
import { type IsolatedReward, isolate } from '../../rewards/isolate.ts'
import { environmentProtocols } from '../../serve/environments/index.ts'
import { createLog } from '../../serve/log.ts'
import { Metrics } from '../../serve/metrics.ts'
import type { Mount, Protocol } from '../../serve/protocol.ts'
import { protocols as rewardProtocols } from '../../serve/protocols/registry.ts'
import { References } from '../../serve/scoring/references.ts'
import { ServedRewards, type ServedRewardsOptions } from '../../serve/scoring/served-rewards.ts'
import { isLoopback } from '../../serve/security/gate.ts'
import { defaultTokenPath, scopes, TokenBook, tokenRecord } from '../../serve/security/tokens.ts'
import type { ServeContext, ServeLimits } from '../../serve/serve-context.ts'
import { type RunningServer, startServer } from '../../serve/server.ts'
import { environmentNamed } from '../../worlds/environments.ts'
import { type ModelCallOptions, withModelCalls } from '../model-calls.ts'
import {
  type GlobalOptions,
  interruptible,
  isolationLimits,
  namedExpressions,
  referenceTo,
  type Session,
  wantedExpressions,
  withSession,
} from '../session.ts'
import { counted } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface ServeCommandOptions extends GlobalOptions, ModelCallOptions {
  readonly reward?: readonly string[]
  readonly environment?: readonly string[]
  readonly rewardsAtEnd?: boolean
  readonly protocol?: readonly string[]
  readonly host: string
  readonly port: number
  readonly token?: string
  readonly tokens?: string
  readonly unscoredAs?: number
  readonly shadow?: readonly string[]
  readonly references?: string
  readonly imageUrls?: boolean
  readonly cors?: readonly string[]
  readonly rateLimit?: number
  readonly maxBody?: number
  readonly timeout?: number
  readonly groupWait?: number
  readonly batch?: number
  readonly isolate?: string | true
  readonly workers?: number
  readonly seed?: string
  readonly step?: number
  readonly ui?: boolean
  readonly log: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

/** `guerdon serve`: rewards and environments over HTTP, until it is asked to end; then what was asked is still answered. */
export function serveCommand(options: ServeCommandOptions, terminal: Terminal): Promise<ExitCode> {
  return withSession<ExitCode>(options, (session) =>
    withModelCalls<ExitCode>(session, options, terminal, async (calls) => {
      const made = await servedRewards(session, options)
      try {
        const server = await listening(session, made, options)
        tell(server, options, terminal)
        calls.signal.addEventListener('abort', () =>
          terminal.problem(
            'the budget of model calls is used up: rewards that ask models have no scores from now on',
          ),
        )
        await interruptible(
          terminal,
          (signal) => aborted(signal),
          'ending: what was asked is answered (again to end at once)',
        )
        const cut = await server.close()
        if (cut > 0) terminal.problem(`${counted(cut, 'request')} cut off`)
        return 0
      } finally {
        for (const reward of Object.values(made.rewards)) (reward as Partial<IsolatedReward>).close?.()
      }
    }),
  )
}

type Made = Required<Pick<ServedRewardsOptions, 'rewards' | 'shadows'>> &
  Pick<ServedRewardsOptions, 'references'>

async function servedRewards(session: Session, options: ServeCommandOptions): Promise<Made> {
  const only = options.environment !== undefined && options.reward === undefined
  const expressions = only ? {} : wantedExpressions(session, options)
  const rewards: Record<string, Reward> = {}
  for (const [name, expression] of Object.entries(expressions))
    rewards[name] =
      options.isolate === undefined
        ? resolveReward(expression, session.config.rewards)
        : await isolate(referenceTo(session, expression), {
            ...isolationLimits(options.isolate),
            ...(options.workers === undefined ? {} : { workers: options.workers }),
            environment: { [imageFilesVariable]: 'off' },
          })
  const shadows: Record<string, { beside: string; reward: Reward }> = {}
  for (const text of options.shadow ?? []) {
    const [, old, rest] = /^(?:([\w.-]+):)?(.+)$/s.exec(text)!
    for (const [name, expression] of Object.entries(namedExpressions([rest!])))
      shadows[name] = {
        beside: old ?? Object.keys(rewards)[0] ?? '',
        reward: resolveReward(expression, session.config.rewards),
      }
  }
  return {
    rewards,
    shadows,
    ...(options.references === undefined ? {} : { references: await References.read(options.references) }),
  }
}

async function listening(session: Session, made: Made, options: ServeCommandOptions): Promise<RunningServer> {
  const { config, store } = session
  const log = createLog({ level: options.log })
  const metrics = new Metrics({ process: true })
  const scoring = new ServedRewards({
    ...made,
    ...(config.steps === undefined ? {} : { steps: config.steps }),
    ...(options.batch === undefined ? {} : { batchSize: options.batch }),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    ...(options.groupWait === undefined ? {} : { groupMs: options.groupWait * 1000 }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.step === undefined ? {} : { step: options.step }),
    metrics,
    log,
  })
  const tokens = new TokenBook({
    path: options.tokens ?? defaultTokenPath,
    tokens: [options.token ?? process.env.GUERDON_TOKEN].flatMap((token) =>
      token === undefined ? [] : [tokenRecord(token, scopes)],
    ),
  })
  const environments = (options.environment ?? []).map((name) => environmentNamed(name))
  const protocols: Protocol[] = [
    ...rewardProtocols,
    ...environmentProtocols(environments, options.rewardsAtEnd ? { rewards: 'at-end' } : {}),
  ]
  const roots = [...(options.protocol ?? []), 'guerdon']
  if (made.references !== undefined)
    log.info({ prompts: made.references.size, ambiguous: made.references.ambiguous }, 'references read')
  return startServer({
    scoring,
    store,
    metrics,
    log,
    protocols,
    roots,
    tokens,
    host: options.host,
    port: options.port,
    limits: limitsOf(options),
    mounts: options.ui ? (context) => pageMounts(session, made.rewards, context) : [],
    ...(options.unscoredAs === undefined ? {} : { unscoredAs: options.unscoredAs }),
    ...(options.imageUrls === undefined ? {} : { imageUrls: options.imageUrls }),
    ...(options.cors === undefined ? {} : { origins: options.cors }),
  })
}

async function pageMounts(
  { store, config }: Session,
  given: Made['rewards'],
  { closing }: ServeContext,
): Promise<Mount[]> {
  const { uiMounts } = await import('../../serve/ui-server.ts')
  return uiMounts({ store, closing, given, ...(config.rewards === undefined ? {} : { own: config.rewards }) })
}

function limitsOf({ rateLimit, maxBody, timeout }: ServeCommandOptions): Partial<ServeLimits> {
  for (const [name, value] of Object.entries({
    '--rate-limit': rateLimit,
    '--max-body': maxBody,
    '--timeout': timeout,
  }))
    if (value !== undefined && !(value > 0))
      throw new GuerdonError('bad-option', `${name} is ${value}.`, { fix: 'Give a number above 0.' })
  return {
    ...(rateLimit === undefined ? {} : { requestsPerSecond: rateLimit }),
    ...(maxBody === undefined ? {} : { bodyBytes: maxBody * 2 ** 20 }),
    ...(timeout === undefined ? {} : { answerMs: timeout * 1000 }),
  }
}

function tell(
  { url, port, context, protocols }: RunningServer,
  options: ServeCommandOptions,
  terminal: Terminal,
): void {
  // What trainers on other machines would write.
  const shown = isLoopback(options.host) ? url : `http://${hostname()}:${port}`
  const mounted = protocols.flatMap((protocol) =>
    (protocol.names?.(context) ?? context.scoring.rewards().map(({ name }) => name)).map((name) => {
      const path = `/p/${protocol.id}/${name}`
      const secret = context.needsToken ? '/t/TOKEN' : ''
      const lines =
        protocol.setup?.({ url: `${shown}${path}`, withSecret: `${shown}${secret}${path}`, name }) ?? []
      return { protocol: protocol.id, title: protocol.title, name, url: `${shown}${path}`, setup: lines }
    }),
  )
  if (options.json) {
    terminal.result(JSON.stringify({ url: shown, mounted }))
    return
  }
  terminal.result(`listening on ${shown}`)
  let title = ''
  for (const each of mounted) {
    if (each.title !== title) terminal.result(`\n${each.title}`)
    title = each.title
    for (const line of each.setup) terminal.result(`  ${line}`)
  }
  terminal.note('')
  if (context.needsToken)
    terminal.note('Callers need a token: "Authorization: Bearer TOKEN", or /t/TOKEN before the path.')
  if (options.unscoredAs === undefined && context.scoring.rewards().length > 0)
    terminal.note(
      'Where a protocol wants a number for what cannot be judged, the request is refused; --unscored-as VALUE answers that instead.',
    )
  terminal.note('Ctrl+C ends it.')
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
