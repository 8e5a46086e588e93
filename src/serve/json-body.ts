import { isUtf8 } from 'node:buffer'
import type { z } from 'zod'
import { RequestProblem } from './request-problem.ts'

/** The JSON value of a body; what it says about a broken one never repeats the body. */
export function parsedJson(bytes: Buffer): unknown {
  if (bytes.length === 0)
    throw new RequestProblem(400, 'no-body', 'the request has no body.', { fix: 'Send JSON.' })
  if (!isUtf8(bytes)) throw new RequestProblem(400, 'bad-encoding', 'the body is not UTF-8.')
  const text = bytes.toString('utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw brokenJson(text, error)
  }
}

function brokenJson(text: string, error: unknown): RequestProblem {
  const bare = /-?\b(?:NaN|Infinity)\b/.exec(
    text.replace(/"(?:[^"\\]|\\.)*"/gs, (string) => ' '.repeat(string.length)),
  )
  if (bare)
    return new RequestProblem(
      400,
      'not-a-number',
      `the body holds ${bare[0]} (${place(text, bare.index)}), which JSON does not have.`,
      {
        fix: 'Send null or a finite number; Python: json.dumps(..., allow_nan=False) finds it.',
      },
    )
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined
  const at = position === undefined ? text.length : Number(position)
  return new RequestProblem(400, 'bad-json', `the body is not JSON (${place(text, at)}).`)
}

function place(text: string, index: number): string {
  const before = text.slice(0, index)
  const line = before.split('\n').length
  return `line ${line}, column ${index - before.lastIndexOf('\n')}`
}

/** A body as a schema reads it. Throws a `RequestProblem` (400) that names the first field that is wrong. */
export function decoded<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const field = issue.path.join('.')
  throw new RequestProblem(400, 'bad-body', `${field === '' ? 'the body' : `"${field}"`}: ${issue.message}`, {
    ...(field === '' ? {} : { field }),
  })
}
