import { GuerdonError } from '../../core/index.ts'
import {
  createToken,
  defaultTokenPath,
  readTokens,
  type Scope,
  scopes,
  writeTokens,
} from '../../serve/security/tokens.ts'
import type { GlobalOptions } from '../session.ts'
import { table } from '../table.ts'
import type { ExitCode, Terminal } from '../terminal.ts'

export interface TokenCommandOptions extends GlobalOptions {
  readonly scope?: readonly string[]
  readonly name?: string
  readonly days?: number
  readonly tokens?: string
}

const dayMs = 86_400_000

/** `guerdon token create | list | revoke ID`: who may ask the server. A token is shown once; only its hash is kept. */
export async function tokenCommand(
  action: string,
  id: string | undefined,
  options: TokenCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = options.tokens ?? defaultTokenPath
  if (action === 'create') return create(path, options, terminal)
  if (action === 'list') return list(path, options, terminal)
  if (action === 'revoke') return revoke(path, id, terminal)
  throw new GuerdonError('bad-option', `"guerdon token" knows no "${action}".`, {
    fix: 'Use create, list or revoke.',
  })
}

function create(path: string, options: TokenCommandOptions, terminal: Terminal): ExitCode {
  const wanted = options.scope ?? ['score']
  for (const scope of wanted)
    if (!scopes.includes(scope as Scope))
      throw new GuerdonError('bad-option', `"${scope}" is no scope.`, {
        fix: `Scopes: ${scopes.join(', ')}.`,
      })
  const now = Date.now()
  const { token, record } = createToken({
    name: options.name ?? wanted.join('+'),
    scopes: [...new Set(wanted)] as Scope[],
    created: new Date(now).toISOString(),
    ...(options.days === undefined ? {} : { expires: new Date(now + options.days * dayMs).toISOString() }),
  })
  writeTokens(path, [...readTokens(path), record])
  if (options.json) terminal.result(JSON.stringify({ token, ...record, hash: undefined }))
  else {
    terminal.result(token)
    terminal.note(
      `Token ${record.id} (${record.scopes.join(', ')}). It is not shown again; ${path} keeps its hash.`,
    )
  }
  return 0
}

function list(path: string, options: TokenCommandOptions, terminal: Terminal): ExitCode {
  const records = readTokens(path)
  if (options.json) {
    terminal.result(JSON.stringify(records.map(({ hash: _, ...shown }) => shown)))
    return 0
  }
  if (records.length === 0) terminal.note(`There are no tokens in ${path}.`)
  else
    for (const line of table(
      ['id', 'name', 'scopes', 'created', 'expires'],
      records.map(({ id, name, scopes, created, expires }) => [
        id,
        name,
        scopes.join(', '),
        created,
        expires ?? 'never',
      ]),
    ))
      terminal.result(line)
  return 0
}

function revoke(path: string, id: string | undefined, terminal: Terminal): ExitCode {
  const records = readTokens(path)
  const left = records.filter((record) => record.id !== id)
  if (left.length === records.length)
    throw new GuerdonError(
      'unknown-token',
      id === undefined ? 'no token is named.' : `there is no token "${id}".`,
      {
        fix: '"guerdon token list" shows their ids.',
      },
    )
  writeTokens(path, left)
  terminal.note(`Token ${id} is revoked; a running server notices within a second.`)
  return 0
}
