import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

// Lowest first; a folder may import only from itself and from what stands before it (ARCHITECTURE.md).
const house = [
  'core',
  'stats',
  'store',
  'data',
  'models',
  'tensor',
  'nets',
  'worlds',
  'rewards',
  'audit',
  'apply',
  'learn',
  'methods',
  'serve',
  'cli',
]
const source = resolve(import.meta.dirname, '../src')

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8')
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) =>
    relative(source, resolve(source, dirname(file), match[1]!)),
  )
}

const files = globSync('**/*.ts', { cwd: source })

test('imports go downwards only', () => {
  const upward = files.flatMap((file) => {
    const floor = house.indexOf(file.split('/')[0]!)
    if (floor < 0) return [] // the public entry points at the top of src
    return importsOf(file)
      .filter((target) => {
        const targetFloor = house.indexOf(target.split('/')[0]!)
        return targetFloor > floor && !target.startsWith('..')
      })
      .map((target) => `${file} imports ${target}`)
  })
  expect(upward).toEqual([])
})

test('the rule reads the imports it is about', () => {
  expect(importsOf('core/index.ts')).toContain('core/sample.ts')
  expect(files.length).toBeGreaterThan(10)
})

test('every folder is a room of the house', () => {
  const rooms = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]))
  expect([...rooms].filter((room) => !house.includes(room!))).toEqual([])
})
