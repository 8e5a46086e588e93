import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import { GuerdonError, messageOf } from '../../core/index.ts'

/** What a token allows: asking for scores, voting, or everything (the others, metrics and stored data). */
export type Scope = 'score' | 'vote' | 'admin'
export const scopes: readonly Scope[] = ['score', 'vote', 'admin']

/** A token as it is kept: the secret itself is nowhere. */
export interface TokenRecord {
  /** The visible middle of the token: `grd_<id>_<secret>`. */
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  /** SHA-256 of the whole token, hexadecimal. The secret has 256 random bits, so a slow hash would add nothing. */
  readonly hash: string
  /** ISO 8601. */
  readonly created: string
  readonly expires?: string
}

const record = z.strictObject({
  id: z.string().min(1),
  name: z.string(),
  scopes: z.array(z.enum(['score', 'vote', 'admin'])).min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  created: z.string(),
  expires: z.string().optional(),
})

/** The file that tokens are kept in where nothing else is said. */
export const defaultTokenPath = '.guerdon/tokens.json'

/** A new token and what is kept of it. The token is shown once, by whoever calls this. */
export function createToken(options: {
  readonly name: string
  readonly scopes: readonly Scope[]
  /** ISO 8601, UTC. */
  readonly created: string
  readonly expires?: string
}): { readonly token: string; readonly record: TokenRecord } {
  const id = randomBytes(6).toString('hex')
  const token = `grd_${id}_${randomBytes(32).toString('base64url')}`
  return { token, record: { id, ...options, hash: digest(token) } }
}

/** The tokens of a file, which only its owner can read. Throws a `GuerdonError` (`bad-tokens`) for a file that is none. */
export function readTokens(path: string): TokenRecord[] {
  if (!existsSync(path)) return []
  try {
    return z.array(record).parse(JSON.parse(readFileSync(path, 'utf8'))) as TokenRecord[]
  } catch (error) {
    throw new GuerdonError('bad-tokens', `is not a file of tokens: ${messageOf(error)}`, {
      place: { file: path },
      fix: 'Move it away and create tokens anew with "guerdon token create".',
      cause: error,
    })
  }
}

/** Writes all tokens at once: a reader sees the old file or the new one. */
export function writeTokens(path: string, records: readonly TokenRecord[]): void {
  mkdirSync(dirname(path), { recursive: true })
  const next = `${path}.${process.pid}`
  writeFileSync(next, `${JSON.stringify(records, null, 2)}\n`, { mode: 0o600 })
  chmodSync(next, 0o600)
  renameSync(next, path)
}

/** How often the file is looked at for changes [ms]. */
const freshMs = 1000

/**
 * Says who a token belongs to. A file is read again when it changes, so that a token that was revoked stops working
 * within a second, and without a restart.
 */
export class TokenBook {
  readonly #fixed: readonly TokenRecord[]
  readonly #path: string | undefined
  readonly #now: () => number
  #known = new Map<string, TokenRecord>()
  #readAt = Number.NEGATIVE_INFINITY
  #stamp = ''
  #isRequired = false

  constructor({
    tokens = [],
    path,
    now = Date.now,
  }: {
    /** Tokens besides those of the file. */
    readonly tokens?: readonly TokenRecord[]
    readonly path?: string
    readonly now?: () => number
  } = {}) {
    this.#fixed = tokens
    this.#path = path
    this.#now = now
    this.#refresh()
  }

  /**
   * Whether callers need a token. Without any, whoever reaches the server may do everything; once there was one, taking
   * the last away opens nothing.
   */
  get isRequired(): boolean {
    this.#refresh()
    return this.#isRequired
  }

  /** The record of a token that is known and has not expired. */
  find(token: string): TokenRecord | undefined {
    this.#refresh()
    const hashed = digest(token)
    const found = this.#known.get(hashed)
    if (found === undefined || !timingSafeEqual(Buffer.from(found.hash), Buffer.from(hashed)))
      return undefined
    if (found.expires !== undefined && Date.parse(found.expires) <= this.#now()) return undefined
    return found
  }

  #refresh(): void {
    const now = this.#now()
    if (now - this.#readAt < freshMs) return
    const first = this.#readAt === Number.NEGATIVE_INFINITY
    this.#readAt = now
    const stamp = this.#path === undefined ? '' : stampOf(this.#path)
    if (!first && stamp === this.#stamp) return
    this.#stamp = stamp
    const records = [...this.#fixed, ...(this.#path === undefined ? [] : readTokens(this.#path))]
    this.#known = new Map(records.map((each) => [each.hash, each]))
    if (records.length > 0) this.#isRequired = true
  }
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`
}

/** A token that the owner chose, as on the command line. */
export function tokenRecord(token: string, scopesOfIt: readonly Scope[], id = 'given'): TokenRecord {
  if (token.length < 16)
    throw new GuerdonError('weak-token', 'the token is shorter than 16 characters.', {
      fix: '"guerdon token create" makes a good one.',
    })
  return { id, name: id, scopes: scopesOfIt, hash: digest(token), created: '' }
}

function digest(token: string): string {
  return hash('sha256', token, 'hex')
}
