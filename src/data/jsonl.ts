import { GuerdonError, messageOf } from '../core/index.ts'
import { inexactNumbers, JsonProblem, mayLoseText, mayLoseValue, parseExactJson } from './exact-json.ts'
import { lineRows } from './lines.ts'
import type { BatchBuilder, RawBatch, RowOptions } from './rows.ts'

/** The rows of JSON Lines: one object a line, blank lines skipped, LF or CRLF, with or without a byte order mark. */
export function jsonlRows(path: string, options: RowOptions): AsyncGenerator<RawBatch> {
  const mayNeedCare = options.exact ? mayLoseText : mayLoseValue
  return lineRows(path, options, mayNeedCare, (text, careful, line, batch) => {
    let value: unknown
    try {
      value = careful && mayNeedCare(text) ? parseExactJson(text) : JSON.parse(text)
    } catch (error) {
      if (text.trim() !== '') batch.errors.push(brokenJson(text, error, batch.name, line))
      return
    }
    batch.add(value, line, text.length)
    if (careful && !options.exact) warnOfInexactNumbers(batch, value, line)
  })
}

/** Says for each integer that a double rounds which one it was. */
export function warnOfInexactNumbers(batch: BatchBuilder, value: unknown, line: number): void {
  for (const [field, text] of inexactNumbers(value))
    batch.warnings.push(
      new GuerdonError(
        'inexact-number',
        `${text} is read as ${Number(text)}: doubles hold 15 to 17 digits.`,
        {
          place: { file: batch.name, line, field },
          fix: 'Write it as a string if every digit counts.',
        },
      ),
    )
}

/** The error for a text that is not JSON, with the field it breaks in. */
export function brokenJson(text: string, cause: unknown, file: string, line: number): GuerdonError {
  let problem: unknown = cause
  try {
    parseExactJson(text)
  } catch (error) {
    problem = error
  }
  const { path, fix } = problem instanceof JsonProblem ? problem : { path: '', fix: undefined }
  return new GuerdonError('broken-json', `${messageOf(problem)}.`, {
    place: { file, line, ...(path ? { field: path } : {}) },
    ...(fix ? { fix } : {}),
  })
}
