import { fork } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type FromChild, progressBytes, type ToChild } from './protocol.ts'
import { hasProcFs, type ProcessUsage, usageOf } from './usage.ts'

/** How a runner ended by itself: `memory` when its own heap limit or the system stopped it. */
export interface Ending {
  readonly code: 'crashed' | 'memory'
  readonly reason: string
}

export interface RunnerEvents {
  message(message: FromChild): void
  /** Once, after the last message. */
  end(ending: Ending): void
}

/** A process or a thread that judges: the same few verbs for both. */
export interface Runner {
  send(message: ToChild): void
  /** Stops whatever it is doing, for good. */
  kill(): void
  /** The unit that it is at; 0 for none. Readable after its end, until `dispose`. */
  unit(): number
  /** Undefined where it is not known (a thread). */
  usage(): ProcessUsage | undefined
  dispose(): void
}

// The sources run as .ts, the built package as .js: the sibling has this file's own extension.
const entry = new URL(`./entry${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

const alive = new Set<number>()
let exitHook = false

/** `environment` comes on top of this process' own. */
export function startProcess(
  memoryMb: number,
  events: RunnerEvents,
  environment: Readonly<Record<string, string>> = {},
): Runner {
  const progress = openProgress()
  const child = fork(fileURLToPath(entry), [], {
    execArgv: [`--max-old-space-size=${memoryMb}`],
    serialization: 'advanced',
    detached: true, // a process group of its own, which is killed as one
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', progress],
    env: {
      NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), // halves the time to start
      ...process.env,
      ...environment,
      NODE_OPTIONS: '',
      GUERDON_ISOLATION_PARENT: String(process.pid),
    },
  })
  const { pid } = child
  if (pid !== undefined) alive.add(pid)
  if (!exitHook) {
    exitHook = true
    process.on('exit', () => {
      for (const pid of alive) killGroup(pid)
    })
  }
  // Only pending work may keep the parent running; the pool's timer does that.
  child.unref()
  child.channel?.unref()
  for (const stream of [child.stdout, child.stderr]) (stream as { unref?(): void } | null)?.unref?.()

  let tail = ''
  let left = 2 // both the end of the process and that of its messages
  let ending: Ending | undefined
  const ended = () => {
    left -= 1
    if (left !== 0) return
    if (pid !== undefined) alive.delete(pid)
    events.end(ending ?? { code: 'crashed', reason: 'the process went away' })
  }
  child.stdout?.resume() // nobody listens, but a full pipe would block it
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-4000)
  })
  child.on('message', (message) => events.message(message as FromChild))
  child.on('disconnect', ended)
  child.on('exit', (code, signal) => {
    ending = endingOf(code, signal, tail)
    if (pid !== undefined) killGroup(pid) // what it may have started
    ended()
  })
  child.on('error', (error) => {
    ending = { code: 'crashed', reason: error.message }
    if (pid === undefined) {
      left = 1
      ended()
    }
  })
  const note = new Int32Array(progressBytes / 4)
  const read = () => readSync(progress, note, 0, progressBytes, 0)
  return {
    send: (message) => void child.send(message, () => {}), // a failure to send shows as its end
    kill: () => {
      if (pid === undefined || !killGroup(pid)) child.kill('SIGKILL')
    },
    unit: () => {
      read()
      return note[0]!
    },
    usage: () => {
      if (hasProcFs) return pid === undefined ? undefined : usageOf(pid)
      read()
      return { cpuSeconds: note[1]! / 1000, residentMb: note[2]! / 1024 }
    },
    dispose: () => closeSync(progress),
  }
}

const terminationMs = 500

/**
 * A thread of this process. It stops plain loops and catastrophic regular expressions; a thread that does not stop
 * (a native call, some optimised loops) is left behind and counts as ended. It measures nothing.
 */
export function startThread(events: RunnerEvents): Runner {
  const shared = new Int32Array(new SharedArrayBuffer(progressBytes))
  const worker = new Worker(entry, { workerData: shared, execArgv: [], stdout: true, stderr: true })
  worker.unref()
  let ending: Ending | undefined
  let over = false
  const end = (fallback: string) => {
    if (over) return
    over = true
    events.end(ending ?? { code: 'crashed', reason: fallback })
  }
  for (const stream of [worker.stdout, worker.stderr]) stream.resume()
  worker.on('message', (message: FromChild) => events.message(message))
  worker.on('error', (error) => {
    ending = { code: 'crashed', reason: error.message }
  })
  worker.on('exit', (code) => end(`the thread ended itself (exit code ${code})`))
  return {
    send: (message) => worker.postMessage(message),
    kill: () => {
      void worker.terminate()
      setTimeout(end, terminationMs, 'the thread does not end')
    },
    unit: () => Atomics.load(shared, 0),
    usage: () => undefined,
    dispose: () => {},
  }
}

function killGroup(pid: number): boolean {
  try {
    process.kill(-pid, 'SIGKILL')
    return true
  } catch {
    return false // gone already, or no groups on this system
  }
}

/** A few bytes that both processes see and that outlive the child: a file without a name. */
function openProgress(): number {
  const path = join(temporaryFolder(), `guerdon-${process.pid}-${process.hrtime.bigint()}`)
  const descriptor = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  writeSync(descriptor, new Uint8Array(progressBytes), 0, progressBytes, 0)
  return descriptor
}

function temporaryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}

function endingOf(code: number | null, signal: NodeJS.Signals | null, output: string): Ending {
  if (/heap out of memory|Allocation failed|invalid table size/i.test(output))
    return { code: 'memory', reason: 'it used more memory than the JavaScript heap may have' }
  if (signal === 'SIGKILL')
    return { code: 'memory', reason: 'the system killed the process, as it does when memory runs out' }
  const said = output.match(/^\S*(?:Error|error): .*$/m)?.[0]
  return {
    code: 'crashed',
    reason: `it ended the process (${signal ?? `exit code ${code}`})${said ? `: ${said.slice(0, 300)}` : ''}`,
  }
}
