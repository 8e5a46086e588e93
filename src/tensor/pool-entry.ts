import { messageOf } from '../core/index.ts'
import type { FromJob, JobFunction, ToJob } from './pool.ts'

// The process of one job: `pool.ts` starts it and tells it what to do.

const cancelled = new AbortController()

process.on('message', (message: ToJob) => {
  if (message.kind === 'cancel') cancelled.abort()
  else void perform(message.job)
})

async function perform(job: { module: string; export: string; options: unknown }): Promise<void> {
  try {
    const exports: Record<string, unknown> = await import(job.module)
    const work = exports[job.export]
    if (typeof work !== 'function') throw new TypeError(`${job.module} exports no function ${job.export}`)
    const value = await (work as JobFunction)(job.options, {
      progress: (progress) => process.send!({ kind: 'progress', value: progress } satisfies FromJob),
      signal: cancelled.signal,
    })
    end({ kind: 'done', value })
  } catch (error) {
    end({
      kind: 'failed',
      message: messageOf(error),
      stack: error instanceof Error ? error.stack : undefined,
    })
  }
}

function end(message: FromJob): void {
  try {
    process.send!(message, () => process.exit(0))
  } catch (error) {
    process.send!(
      {
        kind: 'failed',
        message: `its result cannot be sent: ${messageOf(error)}`,
        stack: undefined,
      } satisfies FromJob,
      () => process.exit(0),
    )
  }
}
