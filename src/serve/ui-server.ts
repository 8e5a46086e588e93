import type { Reward } from '../core/index.ts'
import type { OwnRewards } from '../methods/resolve.ts'
import type { Store } from '../store/index.ts'
import { apiScope, uiApi } from './api/api.ts'
import { createLog } from './log.ts'
import { Metrics } from './metrics.ts'
import { uiPage } from './page.ts'
import type { Mount } from './protocol.ts'
import { ServedRewards } from './scoring/served-rewards.ts'
import type { TokenBook } from './security/tokens.ts'
import { type RunningServer, type ServerOptions, startServer } from './server.ts'

export type { RunningServer }

export interface UiOptions extends Pick<ServerOptions, 'host' | 'port' | 'limits'> {
  readonly store: Store
  /** Rewards of the user's configuration, for the playground. */
  readonly own?: OwnRewards
  /** Rewards that the playground offers first, by name; they may ask models. */
  readonly given?: Readonly<Record<string, Reward>>
  readonly tokens?: TokenBook
}

/** The page in the browser and its API, for any server to carry. `closing`: aborted when that server begins to end. */
export async function uiMounts(context: Parameters<typeof uiApi>[0]): Promise<Mount[]> {
  return [
    { path: '/v1', app: uiApi(context), scope: apiScope },
    { path: '/', app: await uiPage(), scope: 'public' },
  ]
}

/** A server of the page alone: no reward is served. Throws as `startServer` and `uiPage` do. */
export async function startUi({ store, own, given, ...options }: UiOptions): Promise<RunningServer> {
  const log = createLog({ level: 'error' })
  const metrics = new Metrics()
  const closing = new AbortController()
  const server = await startServer({
    ...options,
    store,
    log,
    metrics,
    scoring: new ServedRewards({ rewards: {}, metrics, log }),
    protocols: [],
    mounts: await uiMounts({
      store,
      closing: closing.signal,
      ...(own === undefined ? {} : { own }),
      ...(given === undefined ? {} : { given }),
    }),
  })
  return {
    ...server,
    close: () => {
      closing.abort()
      return server.close()
    },
  }
}
