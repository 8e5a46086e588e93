import { identityOf, retryableCodes, type Sample, type Score } from '../../core/index.ts'
import type { EndpointRequest } from '../protocol.ts'
import { RequestProblem, refusal } from '../request-problem.ts'
import { checkedImages } from '../security/request-images.ts'
import type { ServeConfig, ServeContext } from '../serve-context.ts'

/**
 * The scores of the samples that a request holds, within its limits, deadline and idempotency key: the way of every
 * endpoint from decoding to encoding. Rejects with a `RequestProblem`.
 */
export async function judge(
  { scoring, config }: ServeContext,
  reward: string,
  samples: readonly Sample[],
  request: EndpointRequest,
  options: { readonly groupSize?: number | undefined } = noOptions,
): Promise<readonly Score[]> {
  const checked = within(config, samples, request)
  const key = request.header('idempotency-key')
  if (key !== undefined && (key === '' || key.length > 256))
    throw new RequestProblem(400, 'bad-idempotency-key', 'an idempotency key has 1 to 256 characters.')
  const ready = checked instanceof Promise ? await checked : checked
  // The request itself says signal and deadline; its signal is made only for a judgement that takes its time.
  if (key === undefined && options.groupSize === undefined) return scoring.score(reward, ready, request)
  return scoring.score(reward, ready, {
    signal: request.signal,
    deadline: request.deadline,
    ...(key === undefined ? {} : { idempotencyKey: `${request.admitted.token ?? ''} ${key}` }),
    ...(options.groupSize === undefined ? {} : { groupSize: options.groupSize }),
  })
}

const noOptions = {}

/** As `judge`, for a process reward: the scores of each sample's steps. */
export async function judgeSteps(
  { scoring, config }: ServeContext,
  reward: string,
  samples: readonly Sample[],
  request: EndpointRequest,
): Promise<readonly (readonly Score[])[]> {
  const rows = await scoring.scoreSteps(reward, await within(config, samples, request), {
    signal: request.signal,
    deadline: request.deadline,
  })
  // An output that could not be judged as a whole is one step without a score.
  return rows.map((row) => ('code' in row ? [row] : row))
}

function within(config: ServeConfig, samples: readonly Sample[], request: EndpointRequest) {
  if (samples.length > config.limits.samples)
    throw new RequestProblem(
      413,
      'too-many-samples',
      `the request has more than ${config.limits.samples} samples.`,
      {
        fix: 'Send them in several requests.',
      },
    )
  return checkedImages(samples, config, request)
}

/**
 * Scores as the numbers that a protocol wants which cannot say "could not be judged": with `unscoredAs` that number stands
 * for it, and is counted; without it the whole request is refused, with 503 where asking again may help and 422 where not.
 */
export function numbersOf(
  { config, metrics }: ServeContext,
  where: { readonly protocol: string; readonly reward: string },
  scores: readonly Score[],
): number[] {
  let refused: RequestProblem | undefined
  const numbers = scores.map((score, position) => {
    if (score.value !== null) return score.value
    if (config.unscoredAs === undefined) {
      const retryable = retryableCodes.has(score.code)
      if (refused === undefined || (retryable && refused.status === 422))
        refused = refusal(score, position, retryable)
      return Number.NaN
    }
    metrics
      .counter(
        'guerdon_substituted_total',
        'Samples without a score that were answered with the number for unscored ones.',
        ['reward', 'protocol', 'code'],
      )
      .labels(where.reward, where.protocol, score.code)
      .inc()
    return config.unscoredAs
  })
  if (refused !== undefined) throw refused
  return numbers
}

/**
 * A sample that was sent without a name. Its id is the identity of what it holds, worked out when it is first asked for:
 * the same content gets the same random numbers, however often and in whatever batch it comes.
 */
export function unnamedSample({ prompt, output, reference, group, meta }: Omit<Sample, 'id'>): Sample {
  return {
    get id(): string {
      const id = identityOf({ prompt, output, reference, group, meta })
      Object.defineProperty(this, 'id', { value: id, enumerable: true })
      return id
    },
    prompt,
    output,
    ...(reference === undefined ? {} : { reference }),
    ...(group === undefined ? {} : { group }),
    meta,
  }
}
