import type { Context } from 'hono'
import { parsedJson } from '../json-body.ts'
import { RequestProblem } from '../request-problem.ts'

/** The JSON of a request's body, which the server has limited. Throws a `RequestProblem`. */
export async function bodyOf(c: Context): Promise<unknown> {
  // A page of another site can send forms, and no JSON without being asked for its origin first.
  if (!/^application\/json\b/.test(c.req.header('content-type') ?? ''))
    throw new RequestProblem(415, 'not-json', 'the body is to be application/json.')
  return parsedJson(Buffer.from(await c.req.arrayBuffer()))
}
