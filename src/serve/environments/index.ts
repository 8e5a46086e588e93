import type { Environment } from '../../worlds/environment.ts'
import type { Protocol } from '../protocol.ts'
import { nemoGym } from '../protocols/nemo-gym.ts'
import { openEnv } from '../protocols/openenv.ts'
import { type OrsOptions, ors } from '../protocols/ors.ts'
import { ServedEnvironments } from './served-environments.ts'
import type { SessionStoreOptions } from './session-store.ts'

export interface EnvironmentProtocolOptions extends Pick<OrsOptions, 'rewards'> {
  readonly sessions?: SessionStoreOptions
}

/** The protocols of environments. Without any, NeMo Gym's remains, for rewards. Throws a `GuerdonError` for a name given twice. */
export function environmentProtocols(
  environments: readonly Environment[],
  { rewards, sessions }: EnvironmentProtocolOptions = {},
): readonly Protocol[] {
  const served = new ServedEnvironments(environments)
  const shared = { environments: served, ...(sessions === undefined ? {} : { sessions }) }
  const gym = nemoGym(shared)
  if (environments.length === 0) return [gym]
  return [ors({ ...shared, ...(rewards === undefined ? {} : { rewards }) }), gym, openEnv(shared)]
}
