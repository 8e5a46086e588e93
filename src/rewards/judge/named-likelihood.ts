import { GuerdonError, messageOf } from '../../core/index.ts'
import { capable } from '../../models/model.ts'
import { failed, type Outcome } from '../../models/outcome.ts'
import type { GivenAnswer, LogProbabilityModel, TokenScores } from '../../models/token-model.ts'
import { checkModelName, resolveModel } from '../../nets/resolve-model.ts'
import { identityOfNamed } from './named-model.ts'

/**
 * A model by name that tells how likely given answers are, loaded when it is first asked.
 *
 * @throws GuerdonError `unknown-model` for a name that can stand for none
 */
export function namedLikelihoodModel(name: string): LogProbabilityModel {
  checkModelName(name)
  return {
    id: identityOfNamed(name),
    logProbabilities: async (pairs, settings) => {
      const model = capable(await resolveModel(name), 'logProbabilities')
      return model.logProbabilities(pairs, settings)
    },
  }
}

/** Of a model that rejects, each answer has failed. */
export async function likelihoodsOf(
  model: LogProbabilityModel,
  pairs: readonly GivenAnswer[],
  settings: { readonly ended?: boolean; readonly signal?: AbortSignal },
): Promise<readonly Outcome<TokenScores>[]> {
  if (pairs.length === 0) return []
  try {
    return await model.logProbabilities(pairs, settings)
  } catch (error) {
    // A setting that is wrong (a model that cannot do this, weights that are not there) is no outage.
    const code = error instanceof GuerdonError ? 'crashed' : 'outage'
    const failure = settings.signal?.aborted
      ? failed('cancelled', 'cancelled while the model was asked')
      : failed(code, `the model failed: ${messageOf(error)}`)
    return pairs.map(() => failure)
  }
}
