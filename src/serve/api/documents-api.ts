import { Hono } from 'hono'
import type { ServeApp, ServeEnv } from '../protocol.ts'
import type { ApiContext } from './api.ts'
import { missing } from './runs-api.ts'

/** Kept documents that the page shows as they are. */
const shownKinds: ReadonlySet<string> = new Set(['audit', 'leaderboard'])

/** Audits and leaderboards as `src/apply/kept-documents.ts` keeps them. */
export function documentsApi({ store }: ApiContext): ServeApp {
  const app = new Hono<ServeEnv>()
  app.get('/documents', async (c) =>
    c.json((await store.documents.list()).filter(({ kind }) => shownKinds.has(kind))),
  )
  app.get('/documents/:kind/:id', async (c) => {
    const kind = c.req.param('kind')
    const document = shownKinds.has(kind) ? await store.documents.find(kind, c.req.param('id')) : undefined
    if (document === undefined) throw missing('document')
    return c.json(document)
  })
  return app
}
