import { parentPort, workerData } from 'node:worker_threads'
import type {
  QuickJSContext,
  QuickJSHandle,
  QuickJSRuntime,
  QuickJSSyncVariant,
  QuickJSWASMModule,
} from 'quickjs-emscripten-core'
import { messageOf } from '../../../core/index.ts'
import { sandboxPrelude } from './sandbox-prelude.ts'

// The thread in which sandboxed code runs. It answers one job after another; whoever sends them ends the thread when
// an answer is overdue, since some loops inside the engine (a search through an endless array-like) check no clock.

/** What the thread is started with: the memory limit of its first jobs, most likely. */
export interface SandboxWorkerData {
  readonly memoryBytes: number
}

export interface SandboxJob {
  readonly scripts: readonly string[]
  readonly timeMs: number
  readonly memoryBytes: number
  readonly stackBytes: number
  /** What `sandboxPrelude` reads, as JSON. */
  readonly settings: string
}

export type SandboxFailure = {
  readonly kind: 'error' | 'timeout' | 'memory' | 'stack'
  readonly error?: ErrorRecord
}

export interface ErrorRecord {
  readonly name: string
  readonly message: string
}

/** What the prelude's `report` writes. */
export interface SandboxReport {
  readonly state: 'fulfilled' | 'pending' | 'rejected'
  readonly value?: unknown
  readonly unreadable?: string
  readonly error?: ErrorRecord
  readonly console: readonly { readonly level: string; readonly text: string }[]
  readonly dropped: number
  readonly passed: number
  readonly failed: number
  readonly failures: readonly string[]
  readonly tampered?: string
}

/** `report` is missing where the engine could not even be asked; `broken`: this thread must not be used again. */
export interface Outcome {
  readonly failure?: SandboxFailure
  readonly report?: SandboxReport
  readonly broken?: boolean
}

/** `ready` comes once, `running` before each outcome: what comes before it is not the job's time. */
export type SandboxAnswer =
  | { readonly ready: true }
  | { readonly unavailable: string }
  | { readonly running: true }
  | Outcome

if (parentPort !== null) void serve(parentPort)

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  // The engine asks the host for the offset of local time; a result must not depend on the machine's time zone.
  Date.prototype.getTimezoneOffset = () => 0
  let engine: Engine
  try {
    engine = await startEngine((workerData as SandboxWorkerData).memoryBytes)
  } catch (error) {
    port.postMessage({ unavailable: messageOf(error) } satisfies SandboxAnswer)
    return
  }
  port.on('message', async (job: SandboxJob) => {
    try {
      const used = engine.memory.buffer.byteLength - ownBytes
      if (engine.memoryBytes !== job.memoryBytes || used > job.memoryBytes / 2)
        engine = await startEngine(job.memoryBytes)
    } catch (error) {
      port.postMessage({ unavailable: messageOf(error) } satisfies SandboxAnswer)
      return
    }
    port.postMessage({ running: true } satisfies SandboxAnswer)
    port.postMessage(answer(engine, job))
  })
  port.postMessage({ ready: true } satisfies SandboxAnswer)
}

/**
 * QuickJS with a memory that cannot grow beyond `memoryBytes`. (The engine's own limit does not see what stands in
 * array buffers, and as built here it does not add up small objects.)
 */
interface Engine {
  readonly quickjs: QuickJSWASMModule
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly memoryBytes: number
}

// TypeScript knows WebAssembly only together with a browser's whole library.
const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: MemoryConstructor } }).WebAssembly
type MemoryConstructor = new (pages: { initial: number; maximum: number }) => Engine['memory']

const pageBytes = 65536
/** What the engine occupies before any script runs. */
const ownBytes = 256 * pageBytes

async function startEngine(memoryBytes: number): Promise<Engine> {
  const { newQuickJSWASMModuleFromVariant, newVariant } = await import('quickjs-emscripten-core')
  const { default: variant } = await import('@jitl/quickjs-wasmfile-release-sync')
  const memory = new Memory({
    initial: ownBytes / pageBytes,
    maximum: Math.ceil((ownBytes + memoryBytes) / pageBytes),
  })
  const limited = newVariant(variant as unknown as QuickJSSyncVariant, { wasmMemory: memory })
  return { quickjs: await newQuickJSWASMModuleFromVariant(limited), memory, memoryBytes }
}

function answer(engine: Engine, job: SandboxJob): SandboxAnswer {
  try {
    const runtime = engine.quickjs.newRuntime()
    const context = runtime.newContext()
    const ran = run(runtime, context, job)
    context.dispose()
    runtime.dispose()
    const error = ran.failure === undefined ? ran.report?.error : ran.failure.error
    const kind = error && limitReached(error, engine)
    return kind === undefined ? ran : { ...ran, failure: { kind } }
  } catch (error) {
    // The engine itself fell over, and its memory cannot be trusted any more.
    const overflow = error instanceof RangeError && /call stack/.test(error.message)
    return {
      failure: {
        kind: overflow ? 'stack' : 'error',
        error: { name: 'EngineError', message: messageOf(error) },
      },
      broken: true,
    }
  }
}

/** The limit behind an error of the engine. Without memory for an error object it throws null, or an error without text. */
function limitReached(
  { name, message }: ErrorRecord,
  { memory, memoryBytes }: Engine,
): 'memory' | 'stack' | undefined {
  if (/^(Internal|Syntax)Error$/.test(name) && message === 'stack overflow') return 'stack'
  if (name === 'InternalError' && message === 'out of memory') return 'memory'
  const full = memory.buffer.byteLength > (ownBytes + memoryBytes) * 0.95
  return full && (message === '' || message === 'null') ? 'memory' : undefined
}

function run(runtime: QuickJSRuntime, context: QuickJSContext, job: SandboxJob): Outcome {
  runtime.setMaxStackSize(job.stackBytes)
  const deadline = performance.now() + job.timeMs
  let expired = false
  runtime.setInterruptHandler(() => {
    expired = performance.now() > deadline
    return expired
  })
  const prelude = context.evalCode(sandboxPrelude, 'prelude.js')
  if (prelude.error) return { failure: failureOf(context, prelude.error, () => expired) }
  const settings = context.newString(job.settings)
  const started = context.callFunction(prelude.value, context.undefined, settings)
  settings.dispose()
  prelude.value.dispose()
  if (started.error) return { failure: failureOf(context, started.error, () => expired) }
  const control = started.value
  const failure = drive(runtime, context, control, job.scripts, () => expired || performance.now() > deadline)
  // Reading the outcome may run code of the sample (toJSON), so it has a little time of its own.
  expired = false
  const readingDeadline = performance.now() + 100
  runtime.setInterruptHandler(() => performance.now() > readingDeadline)
  const reported = callControl(context, control, 'report')
  control.dispose()
  let report: SandboxReport | undefined
  if (reported.error) reported.error.dispose()
  else {
    report = JSON.parse(context.getString(reported.value))
    reported.value.dispose()
  }
  if (failure === undefined && report === undefined)
    return { failure: { kind: 'error', error: { name: 'Error', message: 'the result could not be read' } } }
  return { ...(failure && { failure }), ...(report && { report }) }
}

/** Runs the scripts, then whatever promises and timers they left behind. */
function drive(
  runtime: QuickJSRuntime,
  context: QuickJSContext,
  control: QuickJSHandle,
  scripts: readonly string[],
  isExpired: () => boolean,
): SandboxFailure | undefined {
  for (const [index, script] of scripts.entries()) {
    const result = context.evalCode(script, scripts.length === 1 ? 'script.js' : `script-${index + 1}.js`)
    if (result.error) return failureOf(context, result.error, isExpired)
    if (index === scripts.length - 1) {
      const settled = callControl(context, control, 'settle', result.value)
      result.value.dispose()
      if (settled.error) return failureOf(context, settled.error, isExpired)
      settled.value.dispose()
    } else {
      result.value.dispose()
      const watched = callControl(context, control, 'watch')
      if (watched.error) return failureOf(context, watched.error, isExpired)
      watched.value.dispose()
    }
  }
  for (;;) {
    const jobs = runtime.executePendingJobs()
    if (jobs.error) return failureOf(context, jobs.error, isExpired)
    if (isExpired()) return { kind: 'timeout' }
    const timer = callControl(context, control, 'runTimer')
    if (timer.error) return failureOf(context, timer.error, isExpired)
    const more = context.dump(timer.value) === true
    timer.value.dispose()
    if (!more) return undefined
  }
}

function callControl(
  context: QuickJSContext,
  control: QuickJSHandle,
  name: string,
  ...args: QuickJSHandle[]
) {
  const method = context.getProp(control, name)
  const result = context.callFunction(method, context.undefined, ...args)
  method.dispose()
  return result
}

/** What a thrown value says. Reads plain properties only, so a getter of the sample's error may still run. */
function failureOf(context: QuickJSContext, thrown: QuickJSHandle, isExpired: () => boolean): SandboxFailure {
  const text = (key: string) => {
    const handle = context.getProp(thrown, key)
    const value = context.typeof(handle) === 'string' ? context.getString(handle).slice(0, 1000) : undefined
    handle.dispose()
    return value
  }
  const isRecord = context.typeof(thrown) === 'object' && !context.eq(thrown, context.null)
  const error = isRecord
    ? { name: text('name') ?? 'Error', message: text('message') ?? '' }
    : { name: 'Error', message: String(context.dump(thrown)).slice(0, 1000) }
  thrown.dispose()
  return isExpired() ? { kind: 'timeout' } : { kind: 'error', error }
}
