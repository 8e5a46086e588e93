import { createHash } from 'node:crypto'
import type * as Ort from 'onnxruntime-node'
import { GuerdonError, messageOf } from '../core/index.ts'

export interface SessionOptions {
  /** Threads of one run; 0 = what GUERDON_TENSOR_THREADS says, else one per core. */
  readonly threads: number
  /** Where a profile of the operators is written when the session ends (a prefix). */
  readonly profile?: string | undefined
}

/** A model ready to run in ONNX Runtime. Whoever asks for the same model gets the same native session. */
export interface Session {
  readonly ort: typeof Ort
  run(feeds: Readonly<Record<string, Ort.Tensor>>): Promise<Readonly<Record<string, Ort.Tensor>>>
  /** Gives the session back; the last to do so frees its memory. Doing it twice is harmless. */
  release(): Promise<void>
}

interface Shared {
  readonly native: Promise<Ort.InferenceSession>
  users: number
}

const shared = new Map<string, Shared>()

/** Native sessions that are alive. */
export const liveSessions = (): number => shared.size

/** Throws a `GuerdonError`: `missing-module`, `out-of-memory`, `model-refused` (a bug in the lowering). */
export async function openSession(
  model: Uint8Array,
  { threads: wanted, profile }: SessionOptions,
): Promise<Session> {
  const ort = await loadOrt()
  const threads = wanted > 0 ? wanted : Number(process.env.GUERDON_TENSOR_THREADS ?? 0)
  const key = `${threads} ${profile ?? ''} ${createHash('sha256').update(model).digest('hex')}`
  let entry = shared.get(key)
  if (entry === undefined) {
    entry = { native: createNative(ort, model, threads, profile), users: 0 }
    shared.set(key, entry)
  }
  const mine = entry
  mine.users++
  let released = false
  const release = async () => {
    if (released) return
    released = true
    if (--mine.users > 0) return
    shared.delete(key)
    const native = await mine.native.catch(() => undefined)
    if (profile !== undefined) native?.endProfiling()
    await native?.release()
  }
  const native = await mine.native.catch(async (error: unknown) => {
    await release()
    throw explained(error, 'model-refused', 'ONNX Runtime refused the compiled function')
  })
  return {
    ort,
    async run(feeds) {
      if (released)
        throw new GuerdonError('disposed', 'the compiled function was disposed of and cannot run.')
      try {
        return await native.run(feeds)
      } catch (error) {
        throw explained(error, 'run-failed', 'the compiled function failed')
      }
    },
    release,
  }
}

function createNative(
  ort: typeof Ort,
  model: Uint8Array,
  threads: number,
  profile: string | undefined,
): Promise<Ort.InferenceSession> {
  return ort.InferenceSession.create(model, {
    ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    logSeverityLevel: 4,
    extra: {
      session: { set_denormal_as_zero: '1' },
      // Its kernel takes ten times as long as the addition and the normalisation that it replaces.
      optimization: { disable_specified_optimizers: 'SkipLayerNormFusion' },
    },
    ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
  })
}

function explained(error: unknown, code: string, what: string): GuerdonError {
  const message = messageOf(error)
  if (/bad_alloc|failed to allocate|out of memory|array buffer allocation/i.test(message))
    return new GuerdonError('out-of-memory', 'there is not enough memory for the tensors of one run.', {
      fix: 'Use a smaller batch or shorter sequences, or end other programs.',
      cause: error,
    })
  return new GuerdonError(code, `${what}: ${message}`, { cause: error })
}

async function loadOrt(): Promise<typeof Ort> {
  try {
    return await import('onnxruntime-node')
  } catch (error) {
    throw missingModule('onnxruntime-node', error)
  }
}

/** For a package that is absent, or whose native part does not load on this machine. */
export function missingModule(name: string, cause: unknown): GuerdonError {
  const absent = /cannot find (package|module)/i.test(messageOf(cause)) && messageOf(cause).includes(name)
  const what = absent ? 'is not installed' : `cannot be loaded (${messageOf(cause).split('\n')[0]})`
  return new GuerdonError('missing-module', `the tensor engine needs the package ${name}, which ${what}.`, {
    fix: `Run "npm install ${name}".`,
    cause,
  })
}
