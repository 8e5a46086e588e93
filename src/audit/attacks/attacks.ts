import { GuerdonError, nearest } from '../../core/index.ts'
import type { Attack } from './attack.ts'
import { baitAttacks } from './bait.ts'
import { changeAttacks } from './changes.ts'
import { masterKeyAttacks } from './master-keys.ts'

/**
 * Every attack on one output. What needs several calls to show (order, duplicates, drift of the scale) is measured by
 * `auditJudge` itself.
 */
export const attacks: readonly Attack[] = [...masterKeyAttacks, ...changeAttacks, ...baitAttacks]

/** Attacks by name or family. Throws a `GuerdonError` with the nearest name. */
export function attacksNamed(names: readonly string[]): readonly Attack[] {
  const known = [...new Set(attacks.flatMap(({ name, family }) => [name, family]))]
  for (const name of names) {
    if (known.includes(name)) continue
    const guess = nearest(name, known)
    throw new GuerdonError('unknown-attack', `there is no attack "${name}".`, {
      fix: `${guess ? `Did you mean "${guess}"? ` : ''}Attacks and families: ${known.join(', ')}.`,
    })
  }
  return attacks.filter(({ name, family }) => names.includes(name) || names.includes(family))
}
