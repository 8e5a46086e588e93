import type { Array as JaxArray } from '@jax-js/jax'
import { GuerdonError } from '../../core/index.ts'

/**
 * Checks shapes against their dims' letters: `{ logp: [logp, 'BT'], scores: [scores, 'B'] }` wants logp of rank 2,
 * scores of rank 1, and one size per letter. `*` is any shape, the same for all that have it. What is absent is not
 * checked. Throws a `GuerdonError` `shape-mismatch` that names objective and input.
 */
export function requireShapes(
  objective: string,
  inputs: Readonly<Record<string, readonly [JaxArray | undefined, string]>>,
): void {
  const known = new Map<string, { readonly size: string; readonly name: string }>()
  for (const [name, [array, letters]] of Object.entries(inputs)) {
    if (array === undefined) continue
    const { shape } = array
    if (letters !== '*' && shape.length !== letters.length)
      throw new GuerdonError(
        'shape-mismatch',
        `${objective}: ${name} has shape [${shape}], not [${[...letters]}].`,
      )
    const sizes = letters === '*' ? [`[${shape}]`] : shape.map(String)
    ;[...letters].forEach((letter, index) => {
      const size = sizes[index]!
      const before = known.get(letter)
      if (before === undefined) known.set(letter, { size, name })
      else if (before.size !== size)
        throw new GuerdonError(
          'shape-mismatch',
          `${objective}: ${letter} is ${size} in ${name} (shape [${shape}]), but ${before.size} in ${before.name}.`,
        )
    })
  }
}

/** Throws a `GuerdonError` `bad-option` unless `holds`. */
export function requireOption(objective: string, holds: boolean, rule: string): void {
  if (!holds) throw new GuerdonError('bad-option', `${objective}: ${rule}.`)
}
