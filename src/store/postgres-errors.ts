import { GuerdonError, messageOf } from '../core/index.ts'

/** SQLSTATE codes of failures that another try may not meet. */
const transientStates = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  '25P03', // idle_in_transaction_session_timeout
])

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOENT', // a unix socket that is not there yet
])

/** Whether it is a failure of the connection, or a conflict with another transaction: the same may succeed later. */
export function isTransient(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  return (
    (code !== undefined && (transientStates.has(code) || networkCodes.has(code) || /^08/.test(code))) ||
    /connection terminated|connection error|timeout exceeded when trying to connect|query read timeout|not queryable/i.test(
      message ?? '',
    )
  )
}

/** What went wrong with a store in PostgreSQL, in the words of a store. */
export function postgresError(error: unknown, location: string): Error {
  if (error instanceof GuerdonError) return error
  const { code = '' } = error as { code?: string }
  const fail = (name: string, what: string, fix: string) =>
    new GuerdonError(name, what, { place: { file: location }, fix, cause: error })
  const said = messageOf(error) || code
  if (code === '40001' || code === '40P01' || code === '55P03')
    return fail(
      'store-locked',
      `other processes have been in the way for too long (${said}).`,
      'Run the same command again: what was written is kept.',
    )
  if (code === '53100')
    return fail(
      'store-full',
      'there is no space left for the store.',
      "Free some space on the server's disk and run the same command again: what was written is kept, and only the rest is computed.",
    )
  if (code === '25006' || code === '42501')
    return fail(
      'store-read-only',
      `the store cannot be written (${said}).`,
      'Name the primary server, and a user that may create and write tables in the schema.',
    )
  if (code === 'XX001' || code === 'XX002')
    return fail('store-corrupt', `is damaged (${said}).`, 'Restore it from a backup.')
  if (code === '57014')
    return fail(
      'store-failed',
      `a statement took too long (${said}).`,
      'Give statements more time (statementTimeout), or look at what the server is busy with.',
    )
  if (/^28/.test(code) || code === '3D000')
    return fail('store-failed', `${said}.`, 'Check user, password and database of the address.')
  if (code === 'ENOTFOUND' || isTransient(error))
    return fail(
      'store-failed',
      `the server cannot be reached (${said}).`,
      'Check the address, and that PostgreSQL is running. What was written is kept: the same command goes on.',
    )
  if (code !== '') return fail('store-failed', `${said}.`, 'What was written before is kept.')
  return error instanceof Error ? error : new Error(said)
}
