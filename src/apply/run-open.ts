import { randomBytes } from 'node:crypto'
import { canonicalJson, GuerdonError, type JsonObject, type Reward, rewardIdentity } from '../core/index.ts'
import type { ReadOptions } from '../data/read.ts'
import type { RunStatus, Store, StoredReward, StoredRun } from '../store/index.ts'
import { type Survey, segmentBytes } from './run-survey.ts'

export interface RunTerms {
  /** @default a new id */
  readonly runId?: string | undefined
  readonly resume?: boolean | undefined
  readonly source: string | undefined
  readonly survey: Survey | undefined
  readonly read: ReadOptions
  readonly seed: string | undefined
  readonly step: number | undefined
  readonly rewards: ReadonlyMap<string, Reward>
}

/**
 * Starts the run or finds it again; `before` is the status that it was found with.
 *
 * @throws GuerdonError `data-changed`, `run-changed` or `reward-changed` when it is not the run it was
 */
export async function openRun(
  store: Store,
  terms: RunTerms,
): Promise<{ readonly id: string; readonly before: RunStatus | undefined }> {
  const { source, survey, rewards } = terms
  const { signal: _signal, batchSize: _batchSize, ...read } = terms.read
  const config: JsonObject = {
    seed: terms.seed ?? null,
    step: terms.step ?? null,
    read: JSON.parse(canonicalJson(read)),
    segmentBytes,
  }
  const unfinished = terms.resume ? await unfinishedRun(store, config, terms) : undefined
  const id = terms.runId ?? unfinished ?? timedId()
  let run = await store.runs.find(id)
  const before = run?.status
  if (run === undefined) {
    const fresh = {
      id,
      created: new Date().toISOString(),
      config,
      ...(source === undefined ? {} : { source }),
      ...(survey === undefined ? {} : { dataHash: survey.dataHash }),
    }
    try {
      run = await store.runs.create(fresh)
    } catch (error) {
      if (!(error instanceof GuerdonError && error.code === 'run-exists')) throw error
      run = (await store.runs.find(id))! // another process was faster
    }
  }
  checkUnchanged(run, config, terms)
  await store.runs.addRewards(id, storedRewards(rewards))
  await store.runs.setStatus(id, 'running')
  return { id, before }
}

/** Rewards by their names in a run, as the store keeps them. */
export function storedRewards(rewards: ReadonlyMap<string, Reward>): StoredReward[] {
  return [...rewards].map(([name, reward]) => ({
    name,
    reward: reward.name,
    version: reward.version,
    params: reward.params,
    range: reward.range,
    identity: rewardIdentity(reward),
  }))
}

/** The newest run of the same file, terms and rewards that was stopped or killed. */
async function unfinishedRun(
  store: Store,
  config: JsonObject,
  { source, survey, rewards }: RunTerms,
): Promise<string | undefined> {
  if (survey === undefined) return undefined // nothing shows that the data are the same
  const wanted = canonicalJson([...rewards].map(([name, reward]) => [name, rewardIdentity(reward)]).sort())
  const found = (await store.runs.list()).find(
    (run) =>
      run.status !== 'complete' &&
      run.source === source &&
      run.dataHash === survey.dataHash &&
      canonicalJson(run.config) === canonicalJson(config) &&
      canonicalJson(run.rewards.map(({ name, identity }) => [name, identity]).sort()) === wanted,
  )
  return found?.id
}

function checkUnchanged(run: StoredRun, config: JsonObject, { source, survey }: RunTerms): void {
  if (run.dataHash !== survey?.dataHash)
    throw new GuerdonError('data-changed', `is not the data that run "${run.id}" was started with.`, {
      place: source === undefined ? {} : { file: source },
      fix: 'Start a new run for it, or bring back the data of this run.',
    })
  const changed = Object.keys(config).filter(
    (key) => canonicalJson(config[key]) !== canonicalJson(run.config[key]),
  )
  if (changed.length > 0)
    throw new GuerdonError(
      'run-changed',
      `run "${run.id}" was started with another ${changed
        .map((key) => `${key} (${JSON.stringify(run.config[key])}, now ${JSON.stringify(config[key])})`)
        .join(', ')}.`,
      { fix: 'Start a new run, or go back to what this one was started with.' },
    )
}

/** Sorts by time of creation, and says it: 20260131-142501-4f09ab. */
export function timedId(): string {
  const [day, time] = new Date().toISOString().replaceAll(/[-:]/g, '').slice(0, 15).split('T')
  return `${day}-${time}-${randomBytes(3).toString('hex')}`
}
