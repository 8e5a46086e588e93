import {
  messageOf,
  type Sample,
  type Score,
  type ScoreContext,
  type UnscoredCode,
  unscored,
} from '../../core/index.ts'
import type { FromChild, LoadMessage, RewardHead } from './protocol.ts'
import type { Ending, Runner, RunnerEvents } from './runner.ts'

export interface PoolLimits {
  readonly timeoutMs: number
  readonly cpuSeconds: number
  readonly memoryMb: number
  readonly loadTimeoutMs: number
  /** Runners at once. */
  readonly workers: number
}

/** Samples that stand or fall together: one, a group, or a batch that may be halved. */
export interface Unit {
  /** Positions in the call's samples. */
  readonly rows: readonly number[]
  readonly divisible: boolean
}

interface QueuedUnit extends Unit {
  readonly cost: number
  readonly id: number
  readonly call: Call
  readonly failures: number
}

interface Call {
  readonly samples: readonly Sample[]
  readonly scores: (Score | undefined)[]
  readonly context: ScoreContext
  left: number
  resolve(): void
}

/** Why a runner is being stopped, and at which unit. */
interface Cause {
  readonly unit: number
  readonly code: UnscoredCode
  readonly reason: string
  /** Its own fault beyond doubt, whatever ran in the same process before. */
  readonly certain?: boolean
}

interface Slot {
  readonly runner: Runner
  readonly outstanding: Map<number, QueuedUnit>
  /** Of what is outstanding. */
  cost: number
  ready: boolean
  startedAt: number
  completed: number
  /** The unit last seen, since when, and the CPU time used by then. */
  seen: { unit: number; since: number; cpuSeconds: number }
  cause?: Cause
  idleTimer?: NodeJS.Timeout
}

/** What a runner may have before it at once: 512 samples, or 8 MiB. */
const window = 512
const bytesPerCost = 16_384

const pollMs = 20
const idleCheckMs = 200
/** What samples and scores may take to travel, on top of the time limit. */
const transitMs = 5000

/**
 * Runners that judge units, watched. A unit that breaks a limit or its runner is unscored and the runner replaced;
 * what else the runner had before it goes back to the front of the queue. A unit that fails for memory, CPU time or
 * a crash after others ran in the same process gets a second try in a fresh one, since the others may be to blame.
 */
export class Pool {
  readonly head: Promise<RewardHead>
  readonly #limits: PoolLimits
  readonly #start: (events: RunnerEvents) => Runner
  readonly #load: LoadMessage
  readonly #slots = new Set<Slot>()
  readonly #queue: QueuedUnit[] = []
  readonly #calls = new Set<Call>()
  #head = Promise.withResolvers<RewardHead>()
  #nextId = 1
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(limits: PoolLimits, load: LoadMessage, start: (events: RunnerEvents) => Runner) {
    this.#limits = limits
    this.#load = load
    this.#start = start
    this.head = this.#head.promise
    this.#spawn()
  }

  async judge(samples: readonly Sample[], units: readonly Unit[], context: ScoreContext): Promise<Score[]> {
    if (samples.length === 0) return []
    if (this.#closed) return samples.map(() => unscored('cancelled', 'the isolated reward is closed'))
    if (context.signal?.aborted)
      return samples.map(() => unscored('cancelled', 'cancelled before it was judged'))
    const done = Promise.withResolvers<void>()
    const call: Call = {
      samples,
      scores: new Array(samples.length),
      context,
      left: samples.length,
      resolve: done.resolve,
    }
    this.#calls.add(call)
    for (const unit of units)
      this.#queue.push({ ...unit, id: this.#id(), call, failures: 0, cost: costOf(unit.rows, samples) })
    const abort = () => this.#cancel(call)
    context.signal?.addEventListener('abort', abort, { once: true })
    this.#pump()
    await done.promise
    context.signal?.removeEventListener('abort', abort)
    this.#calls.delete(call)
    return call.scores as Score[]
  }

  /** Stops every runner; pending samples are cancelled. */
  close(): void {
    this.#closed = true
    for (const slot of this.#slots) this.#stop(slot, { unit: 0, code: 'cancelled', reason: 'closed' })
    for (const call of this.#calls) this.#cancel(call)
    this.#head.reject(new Error('the isolated reward was closed while it was loading'))
  }

  #id(): number {
    const id = this.#nextId
    this.#nextId = id === 0x7fffffff ? 1 : id + 1
    return id
  }

  #spawn(): void {
    let runner: Runner
    try {
      runner = this.#start({
        message: (message) => this.#receive(slot, message),
        end: (ending) => this.#settle(slot, ending),
      })
    } catch (error) {
      this.#failToLoad({ unit: 0, code: 'crashed', reason: messageOf(error) })
      return
    }
    const slot: Slot = {
      runner,
      outstanding: new Map(),
      cost: 0,
      ready: false,
      startedAt: performance.now(),
      completed: 0,
      seen: { unit: 0, since: performance.now(), cpuSeconds: 0 },
    }
    this.#slots.add(slot)
    runner.send(this.#load)
    this.#watch()
  }

  /** Gives queued units to runners with room, and starts runners while there are units without. */
  #pump(): void {
    if (this.#closed) return
    for (const slot of this.#slots) {
      if (this.#queue.length === 0) break
      if (slot.ready && slot.cause === undefined) this.#feed(slot)
    }
    const loading = [...this.#slots].filter(({ ready }) => !ready).length
    const wanted = Math.min(this.#limits.workers - this.#slots.size, this.#queue.length - loading)
    for (let i = 0; i < wanted; i++) this.#spawn()
    this.#watch()
  }

  #feed(slot: Slot): void {
    while (this.#queue.length > 0 && slot.cost < window) {
      const { call } = this.#queue[0]!
      const units: QueuedUnit[] = []
      let cost = 0
      // Half the window at a time, so that the runner has the next half before it while this one travels back.
      while (this.#queue[units.length]?.call === call && (cost === 0 || cost < window / 2)) {
        const unit = this.#queue[units.length]!
        units.push(unit)
        cost += unit.cost
      }
      this.#queue.splice(0, units.length)
      if (slot.outstanding.size === 0) this.#see(slot, 0)
      clearTimeout(slot.idleTimer)
      for (const unit of units) slot.outstanding.set(unit.id, unit)
      slot.cost += cost
      this.#send(slot, call, units)
    }
  }

  #send(slot: Slot, call: Call, units: readonly QueuedUnit[]): void {
    const { step, rng } = call.context
    try {
      slot.runner.send({
        type: 'judge',
        units: units.map(({ id, rows }) => ({ id, samples: rows.map((row) => call.samples[row]!) })),
        ...(step === undefined ? {} : { step }),
        ...(rng === undefined ? {} : { seed: rng.seed }),
      })
    } catch (error) {
      if (units.length > 1) for (const unit of units) this.#send(slot, call, [unit])
      else
        this.#finish(slot, units[0]!, () =>
          unscored('bad-input', `the sample cannot be sent to another process: ${messageOf(error)}`),
        )
    }
  }

  #finish(slot: Slot, unit: QueuedUnit, scoreOf: (index: number) => Score): void {
    slot.outstanding.delete(unit.id)
    slot.cost -= unit.cost
    finish(unit, scoreOf)
  }

  #receive(slot: Slot, message: FromChild): void {
    if (message.type === 'ready') {
      slot.ready = true
      this.#head.resolve(message.head)
      this.#see(slot, 0)
    } else if (message.type === 'failed')
      this.#stop(slot, { unit: 0, code: 'crashed', reason: message.reason })
    else
      for (const [id, scores] of message.results) {
        const unit = slot.outstanding.get(id)
        if (unit === undefined) continue // cancelled meanwhile
        slot.completed += 1
        this.#finish(slot, unit, (index) => scores[index]!)
      }
    this.#pump()
    if (slot.ready && slot.outstanding.size === 0) this.#restIdle(slot)
  }

  /** Replaces a runner that goes on working with nothing to do: a thread that a reward left behind. */
  #restIdle(slot: Slot): void {
    clearTimeout(slot.idleTimer)
    const before = slot.runner.usage()
    slot.idleTimer = setTimeout(() => {
      const after = slot.runner.usage()
      if (before === undefined || after === undefined || slot.outstanding.size > 0) return
      if (after.cpuSeconds - before.cpuSeconds > (0.6 * idleCheckMs) / 1000)
        this.#stop(slot, { unit: 0, code: 'cancelled', reason: 'it worked on with nothing to do' })
      else this.#restIdle(slot)
    }, idleCheckMs).unref()
  }

  #watch(): void {
    this.#timer ??= setInterval(() => this.#poll(), pollMs)
  }

  #poll(): void {
    let busy = this.#queue.length > 0
    const now = performance.now()
    for (const slot of this.#slots) {
      busy ||= !slot.ready || slot.outstanding.size > 0
      if (slot.cause !== undefined) continue
      const breach = slot.ready ? this.#breach(slot, now) : undefined
      if (breach !== undefined) this.#stop(slot, breach)
      else if (!slot.ready && now - slot.startedAt > this.#limits.loadTimeoutMs)
        this.#stop(slot, {
          unit: 0,
          code: 'timeout',
          reason: `it did not load within ${this.#limits.loadTimeoutMs} ms`,
        })
    }
    if (busy && !this.#closed) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** What limit a runner breaks, if any. */
  #breach(slot: Slot, now: number): Cause | undefined {
    const { timeoutMs, cpuSeconds, memoryMb } = this.#limits
    const unit = slot.runner.unit()
    const usage = slot.runner.usage()
    if (unit !== slot.seen.unit) this.#see(slot, unit, usage?.cpuSeconds)
    if (usage !== undefined && usage.residentMb > memoryMb) {
      const used = `${Math.round(usage.residentMb)} MiB of memory`
      return { unit, code: 'memory', reason: `it used ${used}, over the limit of ${memoryMb} MiB` }
    }
    if (slot.outstanding.size === 0) return undefined
    if (now - slot.seen.since > timeoutMs + (unit === 0 ? transitMs : 0))
      return { unit, code: 'timeout', reason: `it took longer than ${timeoutMs} ms`, certain: unit !== 0 }
    if (usage !== undefined && unit !== 0 && usage.cpuSeconds - slot.seen.cpuSeconds > cpuSeconds)
      return { unit, code: 'timeout', reason: `it used more than ${cpuSeconds} s of CPU time` }
    return undefined
  }

  #see(slot: Slot, unit: number, cpuSeconds = slot.runner.usage()?.cpuSeconds ?? 0): void {
    slot.seen = { unit, since: performance.now(), cpuSeconds }
  }

  #stop(slot: Slot, cause: Cause): void {
    slot.cause ??= cause
    slot.runner.kill()
  }

  /** After a runner's end: decides about the unit that it was at, and gives the others back to the queue. */
  #settle(slot: Slot, ending: Ending): void {
    this.#slots.delete(slot)
    clearTimeout(slot.idleTimer)
    const cause: Cause = slot.cause ?? { unit: slot.runner.unit(), ...ending }
    slot.runner.dispose()
    if (!slot.ready) this.#failToLoad(cause)
    const back: QueuedUnit[] = []
    const blamed = this.#blamed(slot, cause)
    for (const unit of slot.outstanding.values())
      if (unit.id !== blamed) back.push(unit)
      else back.push(...this.#afterFailure(unit, cause, slot.completed === 0))
    this.#queue.unshift(...back)
    this.#pump()
  }

  /**
   * The unit it was at, unless that one got through at the last moment; between units the next one, or a runner that
   * always fails there would be tried for ever.
   */
  #blamed({ outstanding }: Slot, { code, unit }: Cause): number | undefined {
    if (code === 'cancelled') return undefined
    return unit === 0 ? outstanding.keys().next().value : unit
  }

  /** What is still to be tried of a unit that failed: nothing, itself once more, or its halves. */
  #afterFailure(unit: QueuedUnit, cause: Cause, fresh: boolean): QueuedUnit[] {
    if (unit.divisible && unit.rows.length > 1) {
      const middle = unit.rows.length >> 1
      return [unit.rows.slice(0, middle), unit.rows.slice(middle)].map((rows) => ({
        ...unit,
        rows,
        id: this.#id(),
        cost: costOf(rows, unit.call.samples),
      }))
    }
    if (!cause.certain && !fresh && unit.failures === 0) return [{ ...unit, id: this.#id(), failures: 1 }]
    finish(unit, () => unscored(cause.code, `stopped: ${cause.reason}`))
    return []
  }

  /** A reward that cannot be loaded: nobody can be served, unless by a runner that has loaded it before. */
  #failToLoad(cause: Cause): void {
    this.#head.reject(new Error(cause.reason))
    if ([...this.#slots].some(({ ready }) => ready)) return
    for (const unit of this.#queue.splice(0))
      finish(unit, () => unscored(cause.code, `the isolated reward did not load: ${cause.reason}`))
  }

  #cancel(call: Call): void {
    const cancelled = () => unscored('cancelled', 'cancelled while it was being judged')
    for (let i = this.#queue.length - 1; i >= 0; i--)
      if (this.#queue[i]!.call === call) finish(this.#queue.splice(i, 1)[0]!, cancelled)
    for (const slot of this.#slots) {
      const mine = [...slot.outstanding.values()].filter((unit) => unit.call === call)
      if (mine.length === 0) continue
      for (const unit of mine) this.#finish(slot, unit, cancelled)
      this.#stop(slot, { unit: 0, code: 'cancelled', reason: 'cancelled' })
    }
  }
}

function finish({ rows, call }: QueuedUnit, scoreOf: (index: number) => Score): void {
  rows.forEach((row, index) => {
    call.scores[row] = scoreOf(index)
  })
  call.left -= rows.length
  if (call.left === 0) call.resolve()
}

function costOf(rows: readonly number[], samples: readonly Sample[]): number {
  return rows.reduce((cost, row) => {
    const { prompt, output } = samples[row]!
    return cost + 1 + Math.floor((roughSize(prompt) + roughSize(output)) / bytesPerCost)
  }, 0)
}

/** Characters and bytes of what is long in a prompt or an output. */
function roughSize(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (value instanceof Uint8Array) return value.byteLength
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((size, inner) => size + roughSize(inner), 0)
}
