import {
  groupOf,
  identityOf,
  type Reward,
  type Rng,
  type Sample,
  type Score,
  type ScoreContext,
  type UnscoredCode,
  unscored,
} from '../../core/index.ts'
import { scoresOf } from '../../rewards/scores-of.ts'
import { Overloaded, RequestProblem } from '../request-problem.ts'
import { LanePace } from './lane-pace.ts'
import type { ScoreRequest } from './scoring-service.ts'

export interface ScoringLaneOptions {
  readonly reward: Reward
  /** Samples in one call of the reward; groups stay whole and may exceed it. */
  readonly batchSize: number
  /** Calls of the reward at a time. */
  readonly concurrency: number
  /** Samples held at a time, waiting or being judged; what comes on top is refused. */
  readonly capacity: number
  /** Longest that a sample waits for company [ms]; only a slow reward that is asked often waits at all. */
  readonly windowMs: number
  /** Longest that the members of a group wait for each other [ms]. */
  readonly groupMs: number
  readonly rng: Rng
  readonly step?: number
  /** Told of every judgement once, however many asked for it. */
  readonly judged: (samples: readonly Sample[], scores: readonly Score[], milliseconds: number) => void
}

/** Somebody who waits for the scores of one request. */
interface Waiting {
  readonly scores: Score[]
  /** Says signal and deadline, which are looked at only when it takes longer. */
  readonly request: ScoreRequest
  readonly resolve: (scores: readonly Score[]) => void
  left: number
  isSettled: boolean
}

/** Which scores of a unit go where in a request. */
interface Taker {
  readonly waiting: Waiting
  readonly from: number
  readonly to: number
  readonly count: number
}

/** Samples that are judged in the same call: one, a group, or a stretch of a request to a fast reward. */
interface Unit {
  readonly samples: Sample[] | readonly Sample[]
  takers: Taker[]
  key: string | undefined
}

interface Call {
  readonly units: readonly Unit[]
  readonly stop: AbortController
}

/** A group whose members come one by one. */
interface OpenGroup extends Unit {
  readonly samples: Sample[]
  readonly size: number
  readonly closesAt: number
}

/** How often deadlines and callers that have gone are looked for [ms]. */
const sweepMs = 20

/** Requests of a slow reward that are answered in one turn. */
const portion = 4

/**
 * One reward's queue in the server. Whatever comes while no call is under way is judged at once, or where requests come
 * densely at the end of the turn of the event loop; what comes meanwhile is gathered and judged together. Equal samples of a slow reward that are asked for at the same time are judged once. A
 * call whose callers have all gone is aborted.
 */
export class ScoringLane {
  readonly #options: ScoringLaneOptions
  readonly #pace: LanePace
  readonly #isGrouped: boolean
  readonly #waiting = new Set<Waiting>()
  readonly #calls = new Set<Call>()
  readonly #inFlight = new Map<string, Unit>()
  readonly #groups = new Map<string, OpenGroup>()
  #queue: Unit[] = []
  #head = 0
  #held = 0
  #unkeyed = 0
  #sweep: NodeJS.Timeout | undefined
  #window: NodeJS.Timeout | undefined
  #isYielding = false
  #idle: (() => void)[] = []

  constructor(options: ScoringLaneOptions) {
    this.#options = options
    this.#pace = new LanePace(options)
    this.#isGrouped = options.reward.needs.includes('group')
  }

  /** Samples waiting or being judged. */
  get held(): number {
    return this.#held
  }

  /** Calls under way. */
  get running(): number {
    return this.#calls.size
  }

  /** Samples that were answered by the judgement of an equal one. */
  shared = 0

  submit(samples: readonly Sample[], request: ScoreRequest = {}): Promise<readonly Score[]> {
    const { capacity } = this.#options
    if (samples.length > capacity)
      throw new RequestProblem(
        413,
        'too-many-samples',
        `${samples.length} samples are more than ${capacity}.`,
        {
          fix: 'Send them in several requests.',
        },
      )
    if (this.#held + samples.length > capacity)
      throw new Overloaded(
        `${this.#held} samples of this reward are waiting already.`,
        this.#pace.secondsFor(this.#held),
      )
    if (samples.length === 0) return Promise.resolve([])
    return new Promise((resolve) => {
      const waiting: Waiting = {
        scores: new Array(samples.length),
        request,
        resolve,
        left: samples.length,
        isSettled: false,
      }
      this.#waiting.add(waiting)
      this.#pace.arrived()
      this.#add(samples, waiting, request.groupSize)
      // What else has come in this turn of the event loop is read first: one call for all, and their answers leave together.
      if (this.#pace.isDense) this.#yield()
      else this.#pump()
      this.#sweep ??= setInterval(() => this.#settleOverdue(), sweepMs).unref()
    })
  }

  /** Resolves when nothing is held. */
  async idle(): Promise<void> {
    while (this.#waiting.size > 0 || this.#calls.size > 0)
      await new Promise<void>((resolve) => this.#idle.push(resolve))
    if (this.#sweep) clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  #add(samples: readonly Sample[], waiting: Waiting, groupSize: number | undefined): void {
    const isSlow = this.#pace.isSlow
    if (this.#isGrouped) {
      if (groupSize === undefined) this.#addGroups(samples, waiting, isSlow)
      else
        samples.forEach((sample, to) => {
          this.#join(sample, to, waiting, groupSize)
        })
    } else if (isSlow)
      samples.forEach((sample, to) => {
        this.#enqueue([sample], [{ waiting, from: 0, to, count: 1 }], true)
      })
    else {
      const size = this.#pace.batchSize
      if (samples.length <= size)
        this.#enqueue(samples, [{ waiting, from: 0, to: 0, count: samples.length }], false)
      else
        for (let to = 0; to < samples.length; to += size) {
          const some = samples.slice(to, to + size)
          this.#enqueue(some, [{ waiting, from: 0, to, count: some.length }], false)
        }
    }
  }

  /** The groups of one request, as they are. */
  #addGroups(samples: readonly Sample[], waiting: Waiting, isSlow: boolean): void {
    const groups = Map.groupBy(samples.keys(), (index) => groupOf(samples[index]!))
    for (const members of groups.values())
      this.#enqueue(
        members.map((index) => samples[index]!),
        members.map((to, from) => ({ waiting, from, to, count: 1 })),
        isSlow,
      )
  }

  /** A member of a group that other requests complete. */
  #join(sample: Sample, to: number, waiting: Waiting, size: number): void {
    const name = groupOf(sample)
    let group = this.#groups.get(name)
    if (group === undefined) {
      const closesAt = performance.now() + this.#options.groupMs
      group = { samples: [], takers: [], key: undefined, size, closesAt }
      this.#groups.set(name, group)
    }
    group.takers.push({ waiting, from: group.samples.length, to, count: 1 })
    group.samples.push(sample)
    this.#held++
    if (group.samples.length < group.size) return
    this.#groups.delete(name)
    this.#held -= group.samples.length
    this.#enqueue(group.samples, group.takers, false)
  }

  #enqueue(samples: readonly Sample[], takers: Taker[], isSlow: boolean): void {
    const unit: Unit = { samples, takers, key: undefined }
    if (isSlow) {
      this.#keyWhatIsInFlight()
      unit.key = keyOf(unit)
      const twin = this.#inFlight.get(unit.key)
      if (twin !== undefined && isWanted(twin)) {
        twin.takers.push(...takers)
        this.shared += samples.length
        return
      }
      this.#inFlight.set(unit.key, unit)
    } else this.#unkeyed++
    this.#held += samples.length
    this.#queue.push(unit)
  }

  /** What was taken while the reward seemed fast gets its key once equal samples are looked for. */
  #keyWhatIsInFlight(): void {
    if (this.#unkeyed === 0) return
    this.#unkeyed = 0
    for (const units of [this.#queue.slice(this.#head), ...[...this.#calls].map(({ units }) => units)])
      for (const unit of units)
        if (unit.key === undefined) {
          unit.key = keyOf(unit)
          this.#inFlight.set(unit.key, unit)
        }
  }

  #pump(): void {
    if (this.#isYielding) return
    while (this.#calls.size < this.#options.concurrency && this.#head < this.#queue.length) {
      if (this.#waitsForCompany()) return
      const units = this.#take()
      if (units.length === 0) return
      const blockedMs = this.#judge(units)
      // A reward that computes in this thread lets others have their turn.
      if (blockedMs > 2 && this.#head < this.#queue.length) this.#yield()
      if (this.#isYielding) return
    }
  }

  #yield(): void {
    if (this.#isYielding) return
    this.#isYielding = true
    setImmediate(() => {
      this.#isYielding = false
      this.#pump()
    })
  }

  #waitsForCompany(): boolean {
    const windowMs = this.#pace.windowMs
    if (windowMs === 0 || this.#queue.length - this.#head >= this.#options.batchSize) return false
    this.#window ??= setTimeout(() => {
      this.#window = undefined
      this.#pace.hasWaited = true
      this.#pump()
      this.#pace.hasWaited = false
    }, windowMs)
    return true
  }

  /** The next units that somebody still waits for, as many as fit in a call. */
  #take(): Unit[] {
    const units: Unit[] = []
    const most = this.#pace.batchSize
    let size = 0
    while (this.#head < this.#queue.length) {
      const unit = this.#queue[this.#head]!
      if (isWanted(unit)) {
        if (size > 0 && size + unit.samples.length > most) break
        units.push(unit)
        size += unit.samples.length
      } else this.#forget(unit)
      this.#head++
    }
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    } else if (this.#head > 1024) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return units
  }

  /** Starts a call; how long it held this thread [ms]. */
  #judge(units: readonly Unit[]): number {
    const { reward, rng, step } = this.#options
    const call: Call = { units, stop: new AbortController() }
    this.#calls.add(call)
    const samples = units.length === 1 ? units[0]!.samples : units.flatMap((unit) => unit.samples)
    const { signal } = call.stop
    const context: ScoreContext = step === undefined ? { signal, rng } : { signal, rng, step }
    const started = this.#pace.starts()
    const scores = scoresOf(reward, samples, context)
    const blockedMs = performance.now() - started
    void scores.then((all) => this.#finish(call, samples, all, started, blockedMs))
    return blockedMs
  }

  #finish(
    call: Call,
    samples: readonly Sample[],
    scores: readonly Score[],
    started: number,
    blockedMs: number,
  ): void {
    const isAborted = call.stop.signal.aborted
    const spentMs = this.#pace.ends(started, samples.length, blockedMs, isAborted)
    this.#calls.delete(call)
    if (!isAborted) this.#options.judged(samples, scores, spentMs)
    this.#hand(call.units.values(), scores, 0)
    if (this.#head < this.#queue.length) this.#yield()
  }

  /**
   * Hands the scores of a call to those who wait for them. Those of a slow reward come in portions: many answers written
   * at once would hold up the requests to other rewards, and who has waited long does not notice.
   */
  #hand(units: Iterator<Unit>, scores: readonly Score[], first: number): void {
    const most = this.#pace.isSlow ? portion : Number.POSITIVE_INFINITY
    for (let handed = 0; ; handed++) {
      if (handed === most) {
        setImmediate(() => this.#hand(units, scores, first))
        return
      }
      const next = units.next()
      if (next.done) {
        for (const resolve of this.#idle.splice(0)) resolve()
        return
      }
      this.#forget(next.value)
      for (const taker of next.value.takers) this.#deliver(taker, scores, first)
      first += next.value.samples.length
    }
  }

  #deliver({ waiting, from, to, count }: Taker, scores: readonly Score[], first: number): void {
    if (waiting.isSettled) return
    for (let index = 0; index < count; index++) waiting.scores[to + index] = scores[first + from + index]!
    waiting.left -= count
    if (waiting.left === 0) this.#settle(waiting)
  }

  #settle(waiting: Waiting): void {
    waiting.isSettled = true
    this.#waiting.delete(waiting)
    waiting.resolve(waiting.scores)
  }

  #forget(unit: Unit): void {
    this.#held -= unit.samples.length
    if (unit.key === undefined) this.#unkeyed = Math.max(0, this.#unkeyed - 1)
    else if (this.#inFlight.get(unit.key) === unit) this.#inFlight.delete(unit.key)
  }

  /** Answers those whose time is over or who have gone, and stops what nobody waits for. */
  #settleOverdue(): void {
    const now = performance.now()
    let anyGone = false
    for (const waiting of this.#waiting) {
      const { signal, deadline = Number.POSITIVE_INFINITY } = waiting.request
      const isLate = now >= deadline
      if (!isLate && !signal?.aborted) continue
      anyGone = true
      this.#giveUp(waiting, isLate ? 'timeout' : 'cancelled')
    }
    for (const [name, group] of this.#groups) {
      if (anyGone)
        leave(group, (count) => {
          this.#held -= count
        })
      if (group.samples.length === 0) this.#groups.delete(name)
      else if (now >= group.closesAt) {
        this.#groups.delete(name)
        this.#held -= group.samples.length
        const reason = `${group.samples.length} of the ${group.size} samples of the group came within ${this.#options.groupMs} ms`
        const score = unscored('timeout', reason)
        const scores = group.samples.map(() => score)
        for (const taker of group.takers) this.#deliver(taker, scores, 0)
      }
    }
    if (anyGone) {
      for (const call of this.#calls) if (!call.units.some(isWanted)) call.stop.abort()
      this.#pump()
      if (this.#idle.length > 0) for (const resolve of this.#idle.splice(0)) resolve()
    }
    if (this.#waiting.size === 0 && this.#calls.size === 0) {
      clearInterval(this.#sweep)
      this.#sweep = undefined
    }
  }

  #giveUp(waiting: Waiting, code: UnscoredCode): void {
    const score = unscored(
      code,
      code === 'timeout' ? 'the time for the answer was over' : 'nobody waits for the answer any more',
    )
    for (let index = 0; index < waiting.scores.length; index++) waiting.scores[index] ??= score
    this.#settle(waiting)
  }
}

function isWanted(unit: Unit): boolean {
  for (const { waiting } of unit.takers) if (!waiting.isSettled) return true
  return false
}

/** Takes those who have gone out of a group that is not complete. */
function leave(group: OpenGroup, left: (count: number) => void): void {
  const staying = group.takers.filter(({ waiting }) => !waiting.isSettled)
  if (staying.length === group.takers.length) return
  left(group.takers.length - staying.length)
  const samples = staying.map(({ from }) => group.samples[from]!)
  group.samples.splice(0, group.samples.length, ...samples)
  group.takers = staying.map((taker, from) => ({ ...taker, from }))
}

function keyOf({ samples }: Unit): string {
  return identityOf(samples)
}
