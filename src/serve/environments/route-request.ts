import type { Context } from 'hono'
import type { EndpointRequest, ServeEnv } from '../protocol.ts'
import { RequestProblem } from '../request-problem.ts'
import type { ServeConfig } from '../serve-context.ts'

/** A request of a route as endpoints see theirs, for what judges samples. */
export function routeRequest(c: Context<ServeEnv>, { limits }: ServeConfig, body: unknown): EndpointRequest {
  return {
    body,
    admitted: c.env.admitted,
    deadline: performance.now() + limits.answerMs,
    signal: c.req.raw.signal,
    header: (name) => c.req.header(name),
  }
}

/** A body that must be an object. */
export function objectBody(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>
  throw new RequestProblem(422, 'bad-body', 'the body is not a JSON object.')
}
