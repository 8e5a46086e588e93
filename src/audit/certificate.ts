import {
  type Comparator,
  GuerdonError,
  identityOf,
  isObject,
  type Reward,
  rewardIdentity,
} from '../core/index.ts'
import type { Calibration, Recalibration } from '../stats/index.ts'
import type { Benchmark } from './benchmarks/index.ts'

/** What a measurement holds for: change one of them and it says nothing any more. Hashes, one for each. */
export interface CertifiedThings {
  /** `rewardIdentity` of the judge: name, version, parameters (the model and its settings among them). */
  readonly judge: string
  /** Of the words the judge asks with; of null for a judge that asks nobody. */
  readonly prompt: string
  /** Of how verdicts are read. */
  readonly parser: string
  /** Of the items and what people said of them. */
  readonly labels: string
}

/** A calibration that says for what it was measured, as it stands in a file. */
export interface CalibrationCertificate {
  readonly kind: 'guerdon-calibration'
  readonly version: 1
  /** What a user called the judge, and on what it was measured: enough to look again. */
  readonly reward: string
  readonly on: readonly string[]
  readonly things: CertifiedThings
  readonly measured: {
    readonly n: number
    readonly expectedError: number
    readonly largestError: number
    readonly brier: number
    readonly score: number | null
  }
  /** How to make the judge's probabilities match, where it was fitted. */
  readonly recalibration?: Recalibration
  /** Of everything above, so that an edit by hand shows. */
  readonly seal: string
}

/**
 * The hashes of a judge and of benchmarks as they are now. A judge made of prompt and reader says both in its
 * parameters; for any other they are those of nothing, and the judge's own hash covers all.
 */
export function certifiedThings(
  judge: Reward | Comparator,
  benchmarks: readonly Benchmark[],
): CertifiedThings {
  const { prompt = null, ask = null } = isObject(judge.params) ? judge.params : {}
  return {
    judge: rewardIdentity(judge),
    prompt: identityOf(prompt),
    parser: identityOf(ask),
    labels: identityOf(benchmarks.map(({ spec, items }) => ({ name: spec.name, items }))),
  }
}

export function certify(
  certificate: Pick<CalibrationCertificate, 'reward' | 'on' | 'things'> & {
    readonly calibration: Calibration
    readonly score: number | null
    readonly recalibration?: Recalibration
  },
): CalibrationCertificate {
  const { reward, on, things, calibration, score, recalibration } = certificate
  const { n, expectedError, largestError, brier } = calibration
  const body = {
    kind: 'guerdon-calibration' as const,
    version: 1 as const,
    reward,
    on,
    things,
    measured: { n, expectedError, largestError, brier, score },
    ...(recalibration === undefined ? {} : { recalibration }),
  }
  return { ...body, seal: identityOf(body) }
}

export interface CertificateCheck {
  readonly isValid: boolean
  /** What is not as it was when the certificate was written; `seal` when the file itself was changed. */
  readonly changed: readonly (keyof CertifiedThings | 'seal')[]
}

/** Whether a certificate still speaks of what is there now. */
export function checkCertificate(
  certificate: CalibrationCertificate,
  now: CertifiedThings,
): CertificateCheck {
  const { seal, ...body } = certificate
  const changed: (keyof CertifiedThings | 'seal')[] = (
    ['judge', 'prompt', 'parser', 'labels'] as const
  ).filter((thing) => certificate.things[thing] !== now[thing])
  if (identityOf(body) !== seal) changed.push('seal')
  return { isValid: changed.length === 0, changed }
}

/** A certificate from the text of its file. Throws a `GuerdonError` that says what is wrong with it. */
export function parseCertificate(text: string, file: string): CalibrationCertificate {
  const refuse = (what: string) =>
    new GuerdonError('bad-certificate', what, {
      place: { file },
      fix: 'Write one with "guerdon audit REWARD --on BENCHMARK --certificate FILE".',
    })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refuse('is not JSON.')
  }
  if (!isObject(value) || value.kind !== 'guerdon-calibration' || value.version !== 1)
    throw refuse('is not a calibration certificate of this version.')
  const { things } = value
  if (
    !isObject(things) ||
    ['judge', 'prompt', 'parser', 'labels'].some((thing) => typeof things[thing] !== 'string') ||
    typeof value.reward !== 'string' ||
    !Array.isArray(value.on)
  )
    throw refuse('lacks what it certifies.')
  return value as unknown as CalibrationCertificate
}
