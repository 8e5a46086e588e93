import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Reward } from '../src/core/index.ts'
import { type EnvironmentProtocolOptions, environmentProtocols } from '../src/serve/environments/index.ts'
import {
  createLog,
  Metrics,
  type Protocol,
  type RunningServer,
  ServedRewards,
  type ServerOptions,
  startServer,
} from '../src/serve/index.ts'
import { openStore } from '../src/store/index.ts'
import type { Environment } from '../src/worlds/index.ts'

export interface EnvironmentServerOptions extends EnvironmentProtocolOptions {
  readonly environments?: readonly Environment[]
  readonly served?: Readonly<Record<string, Reward>>
  readonly protocols?: readonly Protocol[]
  readonly server?: Partial<ServerOptions>
}

/** A server on a free port of this machine with environments and rewards, and a store that is thrown away. */
export async function environmentServer({
  environments = [],
  served = {},
  protocols = [],
  server = {},
  ...options
}: EnvironmentServerOptions): Promise<RunningServer> {
  const metrics = new Metrics()
  const log = createLog({ level: 'silent' })
  const store = await openStore(join(mkdtempSync(join(tmpdir(), 'guerdon-')), 'store.db'))
  return startServer({
    scoring: new ServedRewards({ rewards: served, metrics, log }),
    store,
    metrics,
    log,
    protocols: [...protocols, ...environmentProtocols(environments, options)],
    ...server,
  })
}
