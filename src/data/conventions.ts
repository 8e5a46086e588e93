import { GuerdonError, nearest } from '../core/index.ts'
import type { Convention } from './conventions/convention.ts'
import { prm800k, promptCompletions, stepwise } from './conventions/listed.ts'
import { alpaca, llamaFactory, msSwift, rlaifV, trl, trlImplicit } from './conventions/pairs.ts'
import {
  distilabel,
  helpsteer,
  helpsteer2Preference,
  helpsteer3,
  rewardBench2,
  ultrafeedback,
  vlRewardBench,
} from './conventions/rated.ts'
import {
  guerdon,
  kto,
  messages,
  openrlhf,
  promptCompletion,
  promptOnly,
  sharegpt,
  verifiers,
  verl,
} from './conventions/single.ts'
import { verifiersTraces } from './conventions/traces.ts'
import type { RawRecord } from './rows.ts'

/** Every kind of row that is read without a mapping, the more particular before the more general. */
export const conventions: readonly Convention[] = [
  guerdon,
  verifiersTraces,
  verl,
  rewardBench2,
  rlaifV,
  llamaFactory,
  trl,
  trlImplicit,
  helpsteer3,
  helpsteer2Preference,
  helpsteer,
  vlRewardBench,
  ultrafeedback,
  distilabel,
  stepwise,
  prm800k,
  kto,
  verifiers,
  promptCompletions,
  promptCompletion,
  alpaca,
  openrlhf,
  msSwift,
  messages,
  sharegpt,
  promptOnly,
]

/** The convention of a record, by its columns; `undefined` when none fits. */
export function conventionOf(record: RawRecord): Convention | undefined {
  return conventions.find((convention) => convention.matches(record))
}

/** A convention by its name or alias. Throws a `GuerdonError` that lists the names. */
export function conventionNamed(name: string): Convention {
  const found = conventions.find(
    (convention) => convention.name === name || convention.aliases?.includes(name),
  )
  if (found) return found
  const names = conventions.flatMap((convention) => [convention.name, ...(convention.aliases ?? [])])
  const guess = nearest(name, names)
  throw new GuerdonError('unknown-convention', `no convention is called "${name}".`, {
    fix: `${guess ? `Did you mean "${guess}"? ` : ''}Conventions: ${names.join(', ')}.`,
  })
}
