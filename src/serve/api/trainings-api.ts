import { setTimeout as after } from 'node:timers/promises'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { KeptDocument } from '../../store/index.ts'
import type { ServeApp, ServeEnv } from '../protocol.ts'
import type { ApiContext } from './api.ts'
import { LogTail } from './log-tail.ts'
import { missing } from './runs-api.ts'

const trainingKinds: ReadonlySet<string> = new Set(['reproduction', 'training'])
/** How often logs are looked at [ms]. */
const interval = 700
/** A line that keeps the connection open where nothing happens [ms]. */
const heartbeat = 15_000

/**
 * Trainings and reproductions, and their logs as they grow: Server-Sent Events `records` with what was appended to each
 * log. A connection begins with everything there is. The folder of the logs stands in the kept document and is never
 * named by a request, nor told.
 */
export function trainingsApi({ store, closing }: ApiContext): ServeApp {
  const app = new Hono<ServeEnv>()

  const named = async (kind: string, id: string): Promise<KeptDocument> => {
    const document = trainingKinds.has(kind) ? await store.documents.find(kind, id) : undefined
    if (document === undefined) throw missing('training')
    return document
  }

  app.get('/trainings', async (c) =>
    c.json((await store.documents.list()).filter(({ kind }) => trainingKinds.has(kind))),
  )

  app.get('/trainings/:kind/:id', async (c) => {
    const { content, ...head } = await named(c.req.param('kind'), c.req.param('id'))
    const { folder: _, ...shown } = content
    return c.json({ ...head, content: shown })
  })

  app.get('/trainings/:kind/:id/events', async (c) => {
    const { content } = await named(c.req.param('kind'), c.req.param('id'))
    const { folder } = content
    return streamSSE(c, async (stream) => {
      const ended = new AbortController()
      stream.onAbort(() => ended.abort())
      const signal = AbortSignal.any([ended.signal, closing])
      const tail = typeof folder === 'string' ? new LogTail(folder) : undefined
      let quiet = 0
      await stream.writeSSE({ event: 'begin', data: '{}' })
      while (!signal.aborted) {
        const news = (await tail?.news()) ?? []
        for (const one of news) await stream.writeSSE({ event: 'records', data: JSON.stringify(one) })
        quiet = news.length > 0 ? 0 : quiet + interval
        if (quiet >= heartbeat) {
          await stream.writeSSE({ event: 'quiet', data: '{}' })
          quiet = 0
        }
        await after(interval, undefined, { signal }).catch(() => {})
      }
    })
  })

  return app
}
