import { existsSync, globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { describe, expect, test } from 'vitest'

const root = new URL('../', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))

/** The packages that the sources of a folder import, types included. */
function importedBy(pattern: string, exclude: RegExp = /^$/): string[] {
  const packages = new Set<string>()
  for (const file of globSync(pattern, { cwd: root.pathname })) {
    if (exclude.test(file)) continue
    const source = readFileSync(new URL(file, root), 'utf8')
    for (const [, specifier] of source.matchAll(
      /(?:^(?:import|export) (?:[^'"=\n]* from )?|^\} from |\bimport\()'([^'.\n][^'\n]*)'/gm,
    )) {
      const name = specifier!.split('/', specifier!.startsWith('@') ? 2 : 1).join('/')
      if (!name.startsWith('node:') && !builtinModules.includes(name) && !name.startsWith('guerdon'))
        packages.add(name)
    }
  }
  return [...packages].sort()
}

describe('package.json', () => {
  test('every export is a source file and the file that it is built to', () => {
    const entries = Object.entries(manifest.exports).filter(([name]) => name !== './package.json')
    expect(entries.length).toBeGreaterThan(5)
    for (const [name, entry] of entries) {
      const { 'guerdon-source': source, types, default: built } = entry as Record<string, string>
      expect(existsSync(new URL(source!, root)), `${name}: ${source}`).toBe(true)
      const stem = source!.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, '')
      expect([types, built], name).toEqual([`${stem}.d.ts`, `${stem}.js`])
    }
    for (const built of Object.values<string>(manifest.bin))
      expect(existsSync(new URL(built.replace('/dist/', '/src/').replace(/\.js$/, '.ts'), root))).toBe(true)
  })

  test('every package is declared where it is used: by the sources, or by tests and benches alone', () => {
    const runtime = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)].sort()
    expect(runtime).toEqual(importedBy('src/**/*.ts', /\.test\.ts$/))
    const beside = ['src/**/*.test.ts', 'tests/**/*.ts', 'bench/*.ts', 'examples/**/*.ts', '*.ts']
    const known = new Set([...runtime, ...Object.keys(manifest.devDependencies)])
    expect(beside.flatMap((pattern) => importedBy(pattern)).filter((name) => !known.has(name))).toEqual([])
  })

  test('a peer is optional, and installed here for the tests', () => {
    for (const [name, range] of Object.entries(manifest.peerDependencies)) {
      expect(manifest.peerDependenciesMeta[name], name).toEqual({ optional: true })
      expect(manifest.devDependencies[name], name).toBe(range)
    }
  })
})

test('every benchmark has its line in docs/benchmarks.md', () => {
  const page = readFileSync(new URL('docs/benchmarks.md', root), 'utf8')
  for (const file of globSync('bench/[a-z]*.ts', { cwd: root.pathname })) {
    const name = file.slice('bench/'.length, -'.ts'.length)
    if (name === 'main') continue
    expect(page, file).toContain(`| \`${name}\` |`)
  }
})
