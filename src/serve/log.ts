import { type Logger, pino } from 'pino'

/** Structured lines. Never give it a token, a header, a body or what a sample holds; ids, counts and codes are fine. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error' | 'isLevelEnabled'>

export interface LogOptions {
  /** @default 'info' */
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** Where lines go. @default standard error */
  readonly write?: (line: string) => void
}

/** JSON lines on standard error, which never holds up an answer. What could be a secret by its name is left out. */
export function createLog({ level = 'info', write }: LogOptions = {}): Log {
  const options = {
    level,
    base: null,
    redact: { paths: secretPaths, remove: true },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
  }
  return write === undefined
    ? pino(options, pino.destination({ dest: 2, sync: false }))
    : pino(options, { write })
}

const secretNames = ['token', 'authorization', 'headers', 'body', 'secret', 'cookie']
const secretPaths = secretNames.flatMap((name) => [name, `*.${name}`])
