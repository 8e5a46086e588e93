import { globSync } from 'node:fs'
import { basename } from 'node:path'

// npm run -s bench             lists the benchmarks
// npm run -s bench -- NAME     runs one; `--json` and other arguments are its own
const [name, ...rest] = process.argv.slice(2)
const known = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter((file) => file !== 'main' && !file.startsWith('_'))
  .sort()

if (name === undefined || !known.includes(name)) {
  process.stderr.write(`usage: npm run -s bench -- NAME [--json]\nbenchmarks: ${known.join(', ')}\n`)
  process.exit(name === undefined ? 0 : 2)
}
process.argv.splice(2, process.argv.length, ...rest)
await import(`./${name}.ts`)
