import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { GuerdonError, type Json, messageOf, Rng } from '../../../core/index.ts'
import type { Outcome, SandboxAnswer, SandboxJob, SandboxWorkerData } from './sandbox-worker.ts'

const defaultMemoryBytes = 64 << 20

export interface SandboxOptions {
  /** Wall-clock limit of the whole run [ms]. @default 1000 */
  readonly timeMs?: number
  /** Limit of all that the script allocates [bytes]. @default 64 MiB */
  readonly memoryBytes?: number
  /** Limit of the engine's stack [bytes]. @default 256 KiB */
  readonly stackBytes?: number
  /** Global variables of the script. */
  readonly globals?: Readonly<Record<string, Json>>
  /** Seed of Math.random. @default 0 */
  readonly seed?: string | number
  /** What the clock shows [ms since 1970]; only timers move it. @default 2024-01-01T00:00:00Z */
  readonly now?: number
  /** How much of what the script prints is kept [characters]. @default 10,000 */
  readonly consoleCharacters?: number
  /** Longest result [characters of JSON]. @default 1,000,000 */
  readonly resultCharacters?: number
  /**
   * Functions of the built-ins (JSON, Math, Array.prototype, ...) cannot be replaced, and a change to
   * Object.prototype and its like is reported as `tampered`. For scripts of which a later one judges an earlier one.
   * @default false
   */
  readonly lockBuiltins?: boolean
}

export interface SandboxRun {
  /**
   * `ok`: ran to its end. `error`: threw, or its promise was rejected. `unresolved`: its promise never settled.
   * `timeout`, `memory`, `stack`: hit that limit.
   */
  readonly status: 'ok' | 'error' | 'unresolved' | 'timeout' | 'memory' | 'stack'
  /** Of a run that is `ok`: the value of the last script (of its promise), absent where JSON cannot hold it. */
  readonly value?: Json
  /** Of a run that is `ok`: why its value could not be written as JSON (a bigint, a cycle, too long). */
  readonly unreadable?: string
  readonly error?: { readonly name: string; readonly message: string }
  /** The first lines printed, within `consoleCharacters`; `consoleDropped` counts the lines cut or left out. */
  readonly console: readonly { readonly level: string; readonly text: string }[]
  readonly consoleDropped: number
  /** Calls of console.assert and of assert's functions. */
  readonly assertions: {
    readonly passed: number
    readonly failed: number
    readonly failures: readonly string[]
  }
  /** With `lockBuiltins`: the property that was replaced. */
  readonly tampered?: string
}

/**
 * Runs untrusted JavaScript (ECMAScript 2023, as a classic script) in QuickJS, a JavaScript engine of its own inside
 * WebAssembly, in a thread of its own: no access to the host, no modules, no network; the same result on every
 * machine, apart from where a time limit falls. `code` may be several scripts, which share their globals and run in
 * turn. Promises and timers (on a virtual clock, so no time passes) run until nothing is left. There are a bounded
 * console, `assert` and `require('assert')`; a rejected promise that nobody waits for goes unnoticed unless it is the
 * last script's value.
 *
 * What the code does wrong is in the result. Rejects with a `GuerdonError` (`sandbox-unavailable`) only where no
 * sandbox can be started, and with the signal's reason when aborted.
 *
 * @example await runInSandbox('x * 2', { globals: { x: 21 } }) // { status: 'ok', value: 42, ... }
 */
export async function runInSandbox(
  code: string | readonly string[],
  options: SandboxOptions = {},
  signal?: AbortSignal,
): Promise<SandboxRun> {
  signal?.throwIfAborted()
  const rng = new Rng(options.seed ?? 0)
  const job: SandboxJob = {
    scripts: typeof code === 'string' ? [code] : code,
    timeMs: options.timeMs ?? 1000,
    memoryBytes: options.memoryBytes ?? defaultMemoryBytes,
    stackBytes: options.stackBytes ?? 256 << 10,
    settings: JSON.stringify({
      random: [rng.uint32(), rng.uint32(), rng.uint32(), rng.uint32() | 1],
      now: options.now ?? Date.UTC(2024, 0, 1),
      consoleCharacters: options.consoleCharacters ?? 10_000,
      resultCharacters: options.resultCharacters ?? 1_000_000,
      lockBuiltins: options.lockBuiltins ?? false,
      globals: options.globals ?? {},
    }),
  }
  const thread = await borrowThread()
  try {
    signal?.throwIfAborted()
    return runOf(await thread.run(job))
  } finally {
    returnThread(thread)
  }
}

function runOf({ failure, report }: Outcome): SandboxRun {
  const seen = {
    console: report?.console ?? [],
    consoleDropped: report?.dropped ?? 0,
    assertions: {
      passed: report?.passed ?? 0,
      failed: report?.failed ?? 0,
      failures: report?.failures ?? [],
    },
    ...(report?.tampered === undefined ? {} : { tampered: report.tampered }),
  }
  if (failure !== undefined)
    return { status: failure.kind, ...(failure.error && { error: failure.error }), ...seen }
  if (report!.state === 'pending') return { status: 'unresolved', ...seen }
  if (report!.state === 'rejected') return { status: 'error', error: report!.error!, ...seen }
  if (report!.unreadable !== undefined) return { status: 'ok', unreadable: report!.unreadable, ...seen }
  return { status: 'ok', ...(report!.value === undefined ? {} : { value: report!.value as Json }), ...seen }
}

/** Threads that wait for work, and callers that wait for a thread. There are at most as many threads as cores. */
const idle: SandboxThread[] = []
const waiting: ((thread: SandboxThread) => void)[] = []
let threadCount = 0

async function borrowThread(): Promise<SandboxThread> {
  for (let ready = idle.pop(); ready !== undefined; ready = idle.pop()) {
    if (ready.isUsable) return ready
    threadCount--
  }
  if (threadCount >= availableParallelism()) return new Promise((resolve) => waiting.push(resolve))
  threadCount++
  return new SandboxThread()
}

function returnThread(thread: SandboxThread): void {
  const next = thread.isUsable ? thread : new SandboxThread()
  const waiter = waiting.shift()
  if (waiter !== undefined) waiter(next)
  else if (thread.isUsable) idle.push(next)
  else threadCount--
}

/** Beyond its time limit a job gets this much [ms] to be stopped by the engine before its thread is ended. */
const graceMs = 500

type Received = SandboxAnswer | { readonly died: string }

class SandboxThread {
  #worker: Worker | undefined
  /** Takes what the worker says last about what it was asked, or the reason why it says nothing. */
  #receive: (answer: Received) => void = () => {}
  /** Called when the job begins to run. */
  #began: () => void = () => {}

  /** False after the thread was ended or died: whoever holds it lets it go. */
  isUsable = true

  async run(job: SandboxJob): Promise<Outcome> {
    this.#worker ??= await this.#start()
    const worker = this.#worker
    worker.ref()
    let overdue: NodeJS.Timeout | undefined
    this.#began = () => {
      const give = () => this.#receive({ failure: { kind: 'timeout' }, broken: true })
      overdue = setTimeout(give, job.timeMs + graceMs)
    }
    const answer = await this.#ask(() => worker.postMessage(job))
    clearTimeout(overdue)
    worker.unref()
    if ('unavailable' in answer) throw this.#unavailable(answer.unavailable)
    const outcome: Outcome =
      'died' in answer
        ? { failure: { kind: 'error', error: { name: 'EngineError', message: answer.died } }, broken: true }
        : (answer as Outcome)
    if (outcome.broken) {
      this.isUsable = false
      void worker.terminate()
    }
    return outcome
  }

  #ask(question: () => void): Promise<Received> {
    return new Promise((resolve) => {
      this.#receive = resolve
      question()
    })
  }

  #unavailable(why: string): GuerdonError {
    this.isUsable = false
    void this.#worker?.terminate()
    return new GuerdonError('sandbox-unavailable', `the sandbox cannot start: ${why}.`, {
      fix: 'Check that the packages quickjs-emscripten-core and @jitl/quickjs-wasmfile-release-sync are installed, and that there is memory for the limit.',
    })
  }

  async #start(): Promise<Worker> {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    let worker: Worker | undefined
    const answer = await this.#ask(() => {
      worker = new Worker(new URL(`./sandbox-worker.${extension}`, import.meta.url), {
        workerData: { memoryBytes: defaultMemoryBytes } satisfies SandboxWorkerData,
        env: {},
        execArgv: [],
        resourceLimits: { stackSizeMb: 8 },
      })
      const died = (why: string) => {
        this.isUsable = false
        this.#receive({ died: why })
      }
      worker.on('message', (said: SandboxAnswer) => ('running' in said ? this.#began() : this.#receive(said)))
      worker.on('error', (error) => died(messageOf(error)))
      worker.on('exit', (code) => died(`the sandbox's thread ended with code ${code}`))
    }).catch((error) => ({ died: messageOf(error) }))
    if (worker !== undefined && 'ready' in answer) return worker
    throw this.#unavailable(
      'unavailable' in answer ? answer.unavailable : 'died' in answer ? answer.died : 'no answer',
    )
  }
}
