import { defineReward, type Reward, textOf } from '../src/core/index.ts'
import { resolveReward } from '../src/methods/resolve.ts'
import {
  createLog,
  Metrics,
  protocols,
  type RunningServer,
  ServedRewards,
  type ServedRewardsOptions,
  type ServerOptions,
  startServer,
} from '../src/serve/index.ts'
import type { Store } from '../src/store/index.ts'

export interface TestServer extends RunningServer {
  readonly metrics: Metrics
  readonly scoring: ServedRewards
  /** Lines of the log. */
  readonly lines: readonly string[]
  post(
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: any; headers: Headers }>
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; text: string }>
}

/** A server of its own on a free port; a text as body is sent as it is. */
export async function testServer(
  options: Partial<ServerOptions> & { readonly rewards?: Record<string, Reward> } & Pick<
      ServedRewardsOptions,
      'shadows' | 'steps' | 'references' | 'capacity' | 'groupMs'
    > = {},
): Promise<TestServer> {
  const {
    rewards = { math: resolveReward('math') },
    shadows,
    steps,
    references,
    capacity,
    groupMs,
    ...rest
  } = options
  const metrics = new Metrics()
  const lines: string[] = []
  const log = createLog({ level: 'debug', write: (line) => lines.push(line) })
  const scoring = new ServedRewards({
    rewards,
    metrics,
    log,
    ...(shadows ? { shadows } : {}),
    ...(steps ? { steps } : {}),
    ...(references ? { references } : {}),
    ...(capacity ? { capacity } : {}),
    ...(groupMs ? { groupMs } : {}),
  })
  const server = await startServer({ scoring, store: {} as Store, metrics, log, protocols, ...rest })
  return {
    ...server,
    metrics,
    scoring,
    lines,
    post: async (path, body, headers = {}) => {
      const response = await fetch(server.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })
      const text = await response.text()
      return {
        status: response.status,
        body: text === '' ? null : JSON.parse(text),
        headers: response.headers,
      }
    },
    get: async (path, headers = {}) => {
      const response = await fetch(server.url + path, { headers })
      return { status: response.status, text: await response.text() }
    },
  }
}

/** The length of an output, after a while. */
export function slowLength(
  milliseconds: number,
  asked: (size: number, signal: AbortSignal) => void = () => {},
): Reward {
  return {
    ...defineReward({ name: 'slow-length', range: [0, 1e6], judge: () => 0 }),
    score: async (samples, context) => {
      asked(samples.length, context!.signal!)
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      return samples.map(({ output }) => ({ value: textOf(output).length }))
    },
  }
}
