import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

/** One golden value of a method card. */
export interface Vector {
  /** The function's name in the card, such as `vlm_r1.od_ap`. */
  readonly name: string
  readonly variant?: string
  /** Tells cases of one function apart. */
  readonly note?: string
  readonly input: unknown
  /** Numbers are compared to `tolerance`, everything else exactly. */
  readonly expected: unknown
  /** Absolute. @default 1e-6 */
  readonly tolerance?: number
}

/** The vectors of `tests/vectors/<id>.json`: one JSON array. */
export function vectorsOf(id: string): readonly Vector[] {
  return JSON.parse(readFileSync(new URL(`./vectors/${id}.json`, import.meta.url), 'utf8'))
}

/**
 * One test per vector of a card. `functions` maps each name that the card uses to a function of the vector's input
 * (and the whole vector, for its variant); a name without a function, or a function without a vector, fails.
 */
export function testVectors(
  id: string,
  functions: Readonly<Record<string, (input: any, vector: Vector) => unknown>>,
): void {
  const vectors = vectorsOf(id)
  describe(`vectors of ${id}`, () => {
    test('every vector has a function and every function a vector', () => {
      expect([...new Set(vectors.map(({ name }) => name))].sort()).toEqual(Object.keys(functions).sort())
    })
    vectors.forEach((vector, index) => {
      const title = [vector.name, vector.variant, vector.note].filter(Boolean).join(' ')
      test(`${index + 1} ${title}`, async () => {
        const actual = await functions[vector.name]?.(vector.input, vector)
        expectClose(actual, vector.expected, vector.tolerance ?? 1e-6, title)
      })
    })
  })
}

function expectClose(actual: unknown, expected: unknown, tolerance: number, path: string): void {
  if (typeof expected === 'number') {
    expect(actual, path).toBeTypeOf('number')
    expect(
      Math.abs((actual as number) - expected),
      `${path}: ${actual} is not ${expected}`,
    ).toBeLessThanOrEqual(tolerance)
  } else if (typeof expected === 'object' && expected !== null) {
    expect(Array.isArray(actual), path).toBe(Array.isArray(expected))
    expect(Object.keys(actual as object).sort(), path).toEqual(Object.keys(expected).sort())
    for (const [key, value] of Object.entries(expected))
      expectClose((actual as Record<string, unknown>)[key], value, tolerance, `${path}.${key}`)
  } else expect(actual, path).toBe(expected)
}
