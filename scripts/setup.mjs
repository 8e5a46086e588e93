// Set-up for every npm script of the checkout: installs the pinned dependencies (the pinned Node among them) when
// they are absent, brings them up to date when the lock file has changed, builds the page in the browser when its
// sources have changed, and does nothing otherwise. Runs on whatever Node the machine has.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const stamp = new URL('node_modules/.guerdon-setup', root)
const wanted = createHash('sha256')
  .update(readFileSync(new URL('package-lock.json', root)))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  // "npm ci" empties node_modules first, under whatever runs from it: where there is something, only what differs from
  // the lock file is changed, and the lock file is left as it is.
  const [does, command] = existsSync(stamp)
    ? ['bringing dependencies up to date', ['install', '--no-save']]
    : ['installing dependencies (once, about a minute)', ['ci']]
  process.stderr.write(`guerdon: ${does}\n`)
  const npm = spawnSync('npm', [...command, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (npm.status !== 0) {
    process.stderr.write(
      `guerdon: "npm ${command.join(' ')}" failed; see its message above. It needs the npm registry once.\n`,
    )
    process.exit(npm.status ?? 1)
  }
  writeFileSync(stamp, wanted)
}

// By the pinned Node: the one that runs this may be older than the build wants.
const { isBuilt } = await import('./build-ui.mjs')
if (!isBuilt()) {
  process.stderr.write('guerdon: building the page in the browser (a few seconds)\n')
  const pinned = new URL('node_modules/.bin/node', root)
  const node = existsSync(pinned) ? fileURLToPath(pinned) : process.execPath
  const built = spawnSync(node, [fileURLToPath(new URL('build-ui.mjs', import.meta.url))], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (built.status !== 0) {
    process.stderr.write(
      'guerdon: the page could not be built; everything but "guerdon ui" works without it.\n',
    )
  }
}
