import { Hono } from 'hono'
import type { Reward } from '../../core/index.ts'
import type { OwnRewards } from '../../methods/resolve.ts'
import type { Store } from '../../store/index.ts'
import type { ServeApp, ServeEnv } from '../protocol.ts'
import { problemBody, problemOf } from '../request-problem.ts'
import { documentsApi } from './documents-api.ts'
import { playgroundApi } from './playground-api.ts'
import { runsApi } from './runs-api.ts'
import { trainingsApi } from './trainings-api.ts'
import { votesApi } from './votes-api.ts'

/** What the API is made with; a `ServeContext` has all of it that is not optional. */
export interface ApiContext {
  readonly store: Store
  /** Aborted when the server begins to end: streams close. */
  readonly closing: AbortSignal
  /** Rewards of the user's configuration, for the playground. */
  readonly own?: OwnRewards
  /** Rewards that the playground offers first, by name; they may ask models, when it is asked to judge. */
  readonly given?: Readonly<Record<string, Reward>>
  /** What is written about errors that are the server's fault. */
  readonly onError?: (error: unknown) => void
}

/**
 * The API of the page in the browser, to be mounted at `/v1`: runs, samples and their pictures, distributions, votes,
 * kept documents, trainings as they go on, and the playground. What it answers is JSON (`wire.ts`), pictures, and
 * Server-Sent Events; nothing in a request names a file.
 */
export function uiApi(context: ApiContext): ServeApp {
  const app = new Hono<ServeEnv>()
  app.onError((error, c) => {
    const problem = problemOf(error)
    if (problem.status >= 500) context.onError?.(error)
    return c.json(problemBody(problem), problem.status as 400)
  })
  app.notFound((c) =>
    c.json({ error: { code: 'not-found', message: 'there is nothing at this address.' } }, 404),
  )
  app.use(async (c, next) => {
    await next()
    c.res.headers.set('x-content-type-options', 'nosniff')
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
  })
  app.route('/', runsApi(context))
  app.route('/', documentsApi(context))
  app.route('/', votesApi(context))
  app.route('/', trainingsApi(context))
  app.route('/', playgroundApi(context))
  return app
}

/** The scope that a caller needs: voters see pairs and their pictures, everything else is for those who own the store. */
export function apiScope(method: string, path: string): 'vote' | 'admin' {
  if (/\/votes\/[^/]+(?:\/next|\/votes)?$/.test(path)) return 'vote'
  return method === 'GET' && /\/votes$|\/media\/\d+\/[0-9a-f]+$/.test(path) ? 'vote' : 'admin'
}
