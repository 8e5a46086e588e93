import type { Turns } from '../../core/index.ts'
import { turnsFrom } from '../../data/turns.ts'
import { RequestProblem } from '../request-problem.ts'

/** Text, content parts or messages of a request, in any spelling; `field` is where they stand in its body. */
export function turnsOf(value: unknown, field: string): Turns {
  if (typeof value === 'string') return value
  return turnsFrom(value, (path, what, fix) => {
    const place = path === '' ? field : `${field}.${path}`
    return new RequestProblem(400, 'bad-body', `"${place}" ${what}`, {
      field: place,
      ...(fix ? { fix } : {}),
    })
  })
}
