import type { StopSignal } from './stop-signal.ts'

/** Waits [ms]; rejects with the signal's reason when it is aborted. Infinity waits for the abort alone. */
export function pause(milliseconds: number, signal: StopSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason)
  if (milliseconds <= 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(
      () => {
        signal.removeEventListener('abort', stop)
        resolve()
      },
      Math.min(milliseconds, 2 ** 31 - 1),
    )
    signal.addEventListener('abort', stop)
  })
}
