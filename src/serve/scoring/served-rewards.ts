import { AsyncLocalStorage } from 'node:async_hooks'
import {
  GuerdonError,
  nearest,
  type Reward,
  Rng,
  rewardIdentity,
  type Sample,
  type Score,
  type StepReward,
  type Unscored,
} from '../../core/index.ts'
import { withoutImageFiles } from '../../data/image-files.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { Overloaded, RequestProblem } from '../request-problem.ts'
import { AnswersKept } from './answers-kept.ts'
import { type ComponentDrift, Drift } from './drift.ts'
import type { References } from './references.ts'
import { ScoringLane } from './scoring-lane.ts'
import type { ScoreRequest, ScoringService, ServedReward } from './scoring-service.ts'
import { Shadow, type ShadowReport } from './shadow.ts'

export interface ServedRewardsOptions {
  /** By the name under which each is served; the first one is meant where a request names none. */
  readonly rewards: Readonly<Record<string, Reward>>
  /** Rewards that listen beside one that answers, by name. */
  readonly shadows?: Readonly<Record<string, { readonly beside: string; readonly reward: Reward }>>
  /** Process rewards, by name: they answer where a protocol asks for steps. */
  readonly steps?: Readonly<Record<string, StepReward>>
  /** Where references are looked up that a request does not bring. */
  readonly references?: References
  /** Samples in one call of a reward. @default 256 */
  readonly batchSize?: number
  /** Calls of each reward at a time. @default 8 */
  readonly concurrency?: number
  /** Samples of each reward that may wait or be judged at a time. @default 65536 */
  readonly capacity?: number
  /** Longest that a sample of a slow reward waits for company [ms]. @default 5 */
  readonly windowMs?: number
  /** Longest that the members of a group wait for each other [ms]. @default 60000 */
  readonly groupMs?: number
  /** Of all randomness; a sample's own comes from its id. @default '0' */
  readonly seed?: string
  /** Training step, for rewards with a schedule. */
  readonly step?: number
  readonly metrics: Metrics
  readonly log: Log
}

interface StepDesk {
  readonly drift: Drift
  readonly score: StepReward['scoreSteps']
}

interface Desk extends ServedReward {
  readonly lane: ScoringLane
  readonly drift: Drift
  readonly shadows: Shadow[]
}

/** Rewards that answer requests, each in a lane of its own, so that a slow one never holds up another. */
export class ServedRewards implements ScoringService {
  readonly #desks = new Map<string, Desk>()
  readonly #steps = new Map<string, StepDesk>()
  readonly #answers = new AnswersKept()
  readonly #references: References | undefined
  readonly #rng: Rng
  readonly #capacity: number
  /** Samples that process rewards are judging. */
  #stepsHeld = 0

  /** Throws a `GuerdonError` for a name that cannot stand in a path, and a shadow of nothing. */
  constructor(options: ServedRewardsOptions) {
    const names = Object.keys(options.rewards)
    this.#references = options.references
    this.#rng = new Rng(options.seed ?? '0')
    this.#capacity = options.capacity ?? 65_536
    for (const [name, reward] of Object.entries(options.rewards))
      this.#desks.set(name, this.#desk(name, reward, options))
    for (const [name, { beside, reward }] of Object.entries(options.shadows ?? {})) {
      const desk = this.#desks.get(beside)
      if (desk === undefined)
        throw new GuerdonError(
          'unknown-reward',
          `the shadow "${name}" stands beside "${beside}", which is not served.`,
          {
            fix: `Served are ${names.join(', ')}.`,
          },
        )
      desk.shadows.push(this.#shadow(name, beside, reward, options))
    }
    const here = AsyncLocalStorage.snapshot()
    for (const [name, steps] of Object.entries(options.steps ?? {})) {
      checkName(name)
      this.#steps.set(name, {
        drift: new Drift(name),
        score: (samples, context) => here(() => withoutImageFiles(() => steps.scoreSteps(samples, context))),
      })
    }
    this.#register(options.metrics)
  }

  score(name: string, samples: readonly Sample[], request: ScoreRequest = {}): Promise<readonly Score[]> {
    let desk: Desk
    try {
      desk = this.#deskNamed(name)
      const complete = this.#references?.complete(samples) ?? samples
      const { idempotencyKey } = request
      if (idempotencyKey === undefined) return desk.lane.submit(complete, request)
      // What is asked again may be asked by another connection: the first one's end does not stop it.
      const { deadline, groupSize } = request
      const rest = {
        ...(deadline === undefined ? {} : { deadline }),
        ...(groupSize === undefined ? {} : { groupSize }),
      }
      return this.#answers.answer(`${name} ${idempotencyKey}`, complete, () =>
        desk.lane.submit(complete, rest),
      )
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async scoreSteps(
    name: string,
    samples: readonly Sample[],
    { signal, deadline }: Pick<ScoreRequest, 'signal' | 'deadline'> = {},
  ): Promise<readonly (readonly Score[] | Unscored)[]> {
    const desk = this.#steps.get(name)
    if (desk === undefined) throw unknownReward(name, [...this.#steps.keys()])
    if (this.#stepsHeld + samples.length > this.#capacity)
      throw new Overloaded(`${this.#stepsHeld} samples of process rewards are being judged already.`, 1)
    const signals = [
      ...(signal === undefined ? [] : [signal]),
      ...(deadline === undefined || deadline === Number.POSITIVE_INFINITY
        ? []
        : [AbortSignal.timeout(Math.max(0, Math.ceil(deadline - performance.now())))]),
    ]
    this.#stepsHeld += samples.length
    try {
      const rows = await desk.score(samples, { signal: AbortSignal.any(signals), rng: this.#rng })
      for (const row of rows) desk.drift.add('code' in row ? [row as Unscored] : (row as readonly Score[]))
      return rows
    } finally {
      this.#stepsHeld -= samples.length
    }
  }

  stepRewards(): readonly string[] {
    return [...this.#steps.keys()]
  }

  rewards(): readonly ServedReward[] {
    return [...this.#desks.values()]
  }

  rewardNamed(name?: string): ServedReward {
    return this.#deskNamed(name)
  }

  drift(): readonly ComponentDrift[] {
    return [...this.#desks.values(), ...this.#steps.values()].flatMap(({ drift }) => drift.report())
  }

  partsOf(reward: string): readonly string[] {
    return this.#deskNamed(reward).drift.parts
  }

  shadows(): readonly ShadowReport[] {
    return [...this.#desks.values()].flatMap(({ shadows }) => shadows.map((shadow) => shadow.report()))
  }

  /** Resolves when nothing is waiting or being judged, shadows included. */
  async idle(): Promise<void> {
    for (const { lane, shadows } of this.#desks.values()) {
      await lane.idle()
      for (const shadow of shadows) await shadow.idle()
    }
  }

  #deskNamed(name?: string): Desk {
    const desk = name === undefined ? this.#desks.values().next().value : this.#desks.get(name)
    if (desk !== undefined) return desk
    throw unknownReward(name, [...this.#desks.keys()])
  }

  #desk(name: string, reward: Reward, options: ServedRewardsOptions): Desk {
    checkName(name)
    const drift = new Drift(name)
    const { metrics } = options
    const samples = metrics.counter('guerdon_samples_total', 'Samples judged, by what came of it.', [
      'reward',
      'code',
    ])
    const seconds = metrics.histogram('guerdon_reward_seconds', 'Time of one call of a reward.', ['reward'])
    const size = metrics.histogram(
      'guerdon_batch_size',
      'Samples in one call of a reward.',
      ['reward'],
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    )
    const scored = samples.labels(name, 'scored')
    const [secondsOfIt, sizeOfIt] = [seconds.labels(name), size.labels(name)]
    const shadows: Shadow[] = []
    const lane = this.#lane(reward, options, (judged, scores, milliseconds) => {
      drift.add(scores)
      secondsOfIt.observe(milliseconds / 1000)
      sizeOfIt.observe(judged.length)
      let count = 0
      for (const score of scores)
        if (score.value === null) samples.labels(name, score.code).inc()
        else count++
      scored.inc(count)
      for (const shadow of shadows) void shadow.compare(judged, scores)
    })
    return { name, reward, identity: rewardIdentity(reward), lane, drift, shadows }
  }

  #shadow(name: string, beside: string, reward: Reward, options: ServedRewardsOptions): Shadow {
    const compared = options.metrics.counter(
      'guerdon_shadow_compared_total',
      'Samples that a shadow judged too.',
      ['shadow', 'beside'],
    )
    const different = options.metrics.counter(
      'guerdon_shadow_different_total',
      'Of these, judged differently.',
      ['shadow', 'beside'],
    )
    return new Shadow({
      name,
      beside,
      lane: this.#lane(reward, options, () => {}),
      differed: (differences, count) => {
        compared.labels(name, beside).inc(count)
        different.labels(name, beside).inc(differences)
        if (differences > 0)
          options.log.info({ shadow: name, beside, differences, compared: count }, 'shadow differs')
      },
    })
  }

  #lane(
    reward: Reward,
    options: ServedRewardsOptions,
    judged: (samples: readonly Sample[], scores: readonly Score[], milliseconds: number) => void,
  ): ScoringLane {
    const { batchSize = 256, concurrency = 8, capacity = 65_536, windowMs = 5, groupMs = 60_000 } = options
    // Rewards are asked where this was made, with its models, limits and budget, whoever the caller; and what a request
    // holds never names a file of this machine.
    const here = AsyncLocalStorage.snapshot()
    return new ScoringLane({
      reward: {
        ...reward,
        score: (samples, context) => here(() => withoutImageFiles(() => reward.score(samples, context))),
      },
      batchSize,
      concurrency,
      capacity,
      windowMs,
      groupMs,
      rng: this.#rng,
      ...(options.step === undefined ? {} : { step: options.step }),
      judged,
    })
  }

  #register(metrics: Metrics): void {
    const desks = () => [...this.#desks.values()]
    metrics.gauge('guerdon_queue_samples', 'Samples waiting or being judged.', ['reward'], () =>
      desks().map(({ name, lane }) => [{ reward: name }, lane.held]),
    )
    metrics.gauge(
      'guerdon_shared_samples',
      'Samples answered by the judgement of an equal one.',
      ['reward'],
      () => desks().map(({ name, lane }) => [{ reward: name }, lane.shared]),
    )
    metrics.gauge('guerdon_answers_kept', 'Scores kept under idempotency keys.', [], () => [
      [{}, this.#answers.size],
    ])
    const components = () => this.drift()
    const component = (name: string, help: string, read: (drift: ComponentDrift) => number | null) =>
      metrics.gauge(name, help, ['reward', 'component'], () =>
        components().flatMap((drift) => {
          const value = read(drift)
          return value === null
            ? []
            : [[{ reward: drift.reward, component: drift.component }, value] as const]
        }),
      )
    component('guerdon_component_count', 'Scores that have this component.', ({ count }) => count)
    component('guerdon_component_mean', 'Mean since the server began.', ({ mean }) => mean)
    component(
      'guerdon_component_deviation',
      'Standard deviation since the server began.',
      ({ deviation }) => deviation,
    )
    component('guerdon_component_recent_mean', 'Mean of the latest scores.', ({ recentMean }) => recentMean)
    component(
      'guerdon_component_stability_index',
      'Population stability index of the latest scores against the first 1,000: above 0.25 is a shift.',
      ({ stabilityIndex }) => stabilityIndex,
    )
    metrics.gauge(
      'guerdon_component_recent_share',
      'Share of the latest scores at or above the lower edge and below the upper one.',
      ['reward', 'component', 'from', 'to'],
      () =>
        components().flatMap(({ reward, component, recent }) =>
          recent === null
            ? []
            : recent.shares.map(
                (share, bin) =>
                  [
                    {
                      reward,
                      component,
                      from: edge(recent.edges[bin - 1], '-Inf'),
                      to: edge(recent.edges[bin], '+Inf'),
                    },
                    share,
                  ] as const,
              ),
        ),
    )
  }
}

function checkName(name: string): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return
  throw new GuerdonError('bad-name', `"${name}" cannot stand in an address.`, {
    fix: 'Name the reward: --reward NAME=EXPRESSION, with letters, digits, _ . and -.',
  })
}

function unknownReward(name: string | undefined, names: readonly string[]): RequestProblem {
  if (names.length === 0) return new RequestProblem(404, 'unknown-reward', 'no such reward is served.')
  const guess = name === undefined ? undefined : nearest(name, names)
  return new RequestProblem(404, 'unknown-reward', `no reward "${name}" is served.`, {
    fix: `${guess ? `Did you mean "${guess}"? ` : ''}Served are ${names.join(', ')}.`,
  })
}

function edge(value: number | undefined, none: string): string {
  return value === undefined ? none : String(value)
}
