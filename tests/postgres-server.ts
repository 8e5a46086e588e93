import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'

/**
 * A real PostgreSQL for tests: that of `GUERDON_TEST_DATABASE_URL` (which vitest.config.ts fills from `DATABASE_URL`), or
 * one that is started for the asking in the temporary folder, listens to 127.0.0.1 alone and ends with this process.
 */
export interface PostgresServer {
  /** The address of a store in a schema of its own, new with every call. */
  fresh(): string
  /** Runs one statement outside of any store; returns its rows. */
  query(sql: string, values?: readonly unknown[]): Promise<any[]>
  /** Ends the connections of every store that `fresh` gave, as a failing network or a restart does; returns how many. */
  dropConnections(): Promise<number>
  close(): Promise<void>
}

const folderOfBinaries = binaries()

/** Why there is no server to test with; null when there is one. */
export const postgresMissing: string | null =
  process.env.GUERDON_TEST_DATABASE_URL || folderOfBinaries !== undefined
    ? null
    : 'no PostgreSQL: install it (apt-get install postgresql) or set DATABASE_URL, see CONTRIBUTING.md'

export async function postgresServer(): Promise<PostgresServer> {
  const given = process.env.GUERDON_TEST_DATABASE_URL
  const started = given ? undefined : await start()
  const address = given || started!.address
  const pool = new pg.Pool({ connectionString: address, max: 2 })
  pool.on('error', () => {}) // a test that drops connections drops these as well
  const schemas: string[] = []
  return {
    fresh() {
      const schema = `test_${process.pid}_${schemas.length}`
      schemas.push(schema)
      return `${address}${address.includes('?') ? '&' : '?'}schema=${schema}`
    },
    query: async (sql, values) => (await pool.query(sql, values as unknown[])).rows,
    async dropConnections() {
      const { rows } = await pool.query(
        `SELECT count(pg_terminate_backend(pid))::int AS dropped FROM pg_stat_activity
         WHERE application_name = 'guerdon' AND datname = current_database() AND pid <> pg_backend_pid()`,
      )
      return rows[0].dropped
    },
    async close() {
      for (const schema of schemas) {
        await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
        await pool.query(`DROP SCHEMA IF EXISTS ${schema}_queue CASCADE`)
      }
      await pool.end()
      await started?.stop()
    },
  }
}

/** Starts a cluster; PostgreSQL refuses to run as root, so then it runs as its own user or as nobody. */
async function start(): Promise<{ address: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'guerdon-postgres-'))
  const user = process.getuid?.() === 0 ? unprivileged() : undefined
  const data = join(folder, 'data')
  mkdirSync(data)
  if (user !== undefined) for (const path of [folder, data]) chownSync(path, user.uid, user.gid)
  chmodSync(data, 0o700)
  const ran = spawnSync(
    join(folderOfBinaries!, 'initdb'),
    ['-D', data, '-U', 'guerdon', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { cwd: folder, encoding: 'utf8', ...user },
  )
  if (ran.status !== 0) throw new Error(`initdb failed: ${ran.stderr}`)
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: folder,
    max_connections: 200,
    fsync: 'off', // the data of a test need not survive a power cut
    synchronous_commit: 'off',
    full_page_writes: 'off',
    shared_buffers: '128MB',
    log_min_messages: 'panic', // dropped connections and refused rows are what tests are about
  }
  const line = [
    JSON.stringify(join(folderOfBinaries!, 'postgres')),
    '-D',
    JSON.stringify(data),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `'${name}=${value}'`]),
  ].join(' ')
  // The shell waits for its standard input to end, which it does when this process ends, however it ends.
  const child = spawn('sh', ['-c', `${line} & read _; kill -INT $!; wait $!`], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore'],
    ...user,
  })
  await ready(port, child)
  return {
    address: `postgres://guerdon@127.0.0.1:${port}/postgres`,
    async stop() {
      const ended = new Promise((resolve) => child.on('exit', resolve))
      child.stdin!.end()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function ready(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) break
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'guerdon', database: 'postgres' })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error('PostgreSQL did not start')
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function unprivileged(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }))
    if (uid!.status === 0 && gid!.status === 0) return { uid: Number(uid!.stdout), gid: Number(gid!.stdout) }
  }
  throw new Error('PostgreSQL does not run as root, and there is no user "postgres" or "nobody"')
}

/** The folder that holds `initdb` and `postgres`. */
function binaries(): string | undefined {
  const known = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
    '/opt/homebrew/opt/postgresql/bin',
  ]
  return known.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}
