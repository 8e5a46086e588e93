// Builds the page in the browser into dist/ui; with --if-changed only when its sources or its packages have changed.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))
const stamp = join(root, 'dist/ui/.built-from')

/** A hash of everything that the built page depends on. */
export function sourcesHash() {
  const hash = createHash('sha256')
  const files = readdirSync(join(root, 'ui'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  for (const file of [...files, join(root, 'package-lock.json')]) {
    hash.update(file.slice(root.length))
    hash.update(readFileSync(file))
  }
  return hash.digest('hex')
}

export function isBuilt() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourcesHash()
}

export async function buildUi() {
  const { build } = await import('vite')
  const wanted = sourcesHash()
  await build({ configFile: join(root, 'ui/vite.config.ts'), logLevel: 'warn' })
  writeFileSync(stamp, wanted)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!(process.argv.includes('--if-changed') && isBuilt())) await buildUi()
}
