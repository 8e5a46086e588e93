import { GuerdonError } from '../../core/index.ts'
import type { GivenAnswer } from '../token-model.ts'

/** The answer as an endpoint can score it. Throws a `GuerdonError` (`not-available`) for token ids and for ended answers. */
export function givenText({ answer }: GivenAnswer, ended: boolean): string {
  if (typeof answer !== 'string')
    throw new GuerdonError(
      'not-available',
      'an endpoint scores answers that are given as texts, not as token ids.',
    )
  if (ended)
    throw new GuerdonError('not-available', 'an endpoint does not say which token ends an answer.', {
      fix: 'Score answers as they stand, without `ended`.',
    })
  return answer
}
