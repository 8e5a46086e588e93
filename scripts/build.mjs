// Builds dist/: one JavaScript file and one declaration file per source file, import paths rewritten to .js.
import { spawnSync } from 'node:child_process'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
rmSync(new URL('dist', root), { recursive: true, force: true })
const config = new URL('tsconfig.build.json', root)
writeFileSync(
  config,
  JSON.stringify({
    extends: './tsconfig.json',
    compilerOptions: { noEmit: false, declaration: true, outDir: 'dist', rootDir: 'src' },
    include: ['src'],
    exclude: ['src/**/*.test.ts'],
  }),
)
const tsc = spawnSync(
  process.execPath,
  [fileURLToPath(new URL('node_modules/typescript/bin/tsc', root)), '-p', fileURLToPath(config)],
  {
    cwd: root,
    stdio: 'inherit',
  },
)
rmSync(config)
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
chmodSync(new URL('dist/cli/main.js', root), 0o755)

const { buildUi } = await import('./build-ui.mjs')
await buildUi()
