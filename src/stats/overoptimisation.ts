import type { Rng } from '../core/index.ts'
import { bestOfKCurve, bestOfKDivergence } from './best-of-k.ts'
import { type BootstrapInterval, bootstrap, bootstrapMean } from './bootstrap.ts'

/** Samples of one prompt: what the proxy (the reward that is optimised) and the truth say of each. */
export interface ProxyAndGold {
  readonly proxy: readonly number[]
  readonly gold: readonly number[]
}

export interface OveroptimisationPoint {
  readonly k: number
  /** sqrt of the divergence from the policy sampled from [sqrt nats]. */
  readonly distance: number
  /** Means over prompts of what the best of k by the proxy earns. */
  readonly proxy: BootstrapInterval
  readonly gold: BootstrapInterval
}

export interface Overoptimisation {
  readonly curve: readonly OveroptimisationPoint[]
  /** Where the gold is highest. */
  readonly peak: OveroptimisationPoint
  /** Gold at the peak minus gold at the end, paired over prompts: above 0 where choosing harder makes it worse. */
  readonly loss: BootstrapInterval | null
  /**
   * gold gain = distance * (slope - bend * distance), fitted to the curve (the form that Gao, Schulman and Hilton
   * 2023 found for best-of-n); null for fewer than 3 points. A bend above 0 turns the curve down.
   */
  readonly fit: { readonly slope: number; readonly bend: number } | null
}

/**
 * What happens to the truth when one chooses ever harder by a proxy: the best of k = 1, 2, 4, ... of each prompt's
 * samples, expected over draws (ties each with equal chance), with intervals over prompts. Only prompts with at
 * least `longest` samples count, so that every point is about the same prompts; `longest` is by default the
 * smallest number of samples of a prompt. Null without prompts.
 */
export function overoptimisation(
  prompts: readonly ProxyAndGold[],
  options: {
    readonly rng: Rng
    readonly longest?: number
    readonly resamples?: number
    readonly level?: number
  },
): Overoptimisation | null {
  const longest = options.longest ?? Math.min(...prompts.map(({ proxy }) => proxy.length))
  const usable = prompts.filter(({ proxy }) => proxy.length >= longest)
  if (usable.length === 0 || longest < 1) return null
  const ks: number[] = []
  for (let k = 1; k < longest; k *= 2) ks.push(k)
  ks.push(longest)
  const proxies = usable.map(({ proxy }) => bestOfKCurve(proxy, proxy, longest))
  const golds = usable.map(({ proxy, gold }) => bestOfKCurve(proxy, gold, longest))
  const curve = ks.map(
    (k): OveroptimisationPoint => ({
      k,
      distance: Math.sqrt(bestOfKDivergence(k)),
      proxy: bootstrapMean(
        proxies.map((values) => values[k - 1]!),
        options,
      )!,
      gold: bootstrapMean(
        golds.map((values) => values[k - 1]!),
        options,
      )!,
    }),
  )
  const peak = curve.reduce((best, point) => (point.gold.estimate > best.gold.estimate ? point : best))
  return {
    curve,
    peak,
    loss: bootstrap(
      usable.length,
      (drawn) => {
        let sum = 0
        for (const i of drawn) sum += golds[i]![peak.k - 1]! - golds[i]![longest - 1]!
        return sum / drawn.length
      },
      options,
    ),
    fit: fitted(curve),
  }
}

/** Least squares of gain = slope * d - bend * d^2. */
function fitted(curve: readonly OveroptimisationPoint[]): Overoptimisation['fit'] {
  if (curve.length < 3) return null
  let [s2, s3, s4, y1, y2] = [0, 0, 0, 0, 0]
  for (const { distance: d, gold } of curve) {
    const gain = gold.estimate - curve[0]!.gold.estimate
    s2 += d ** 2
    s3 += d ** 3
    s4 += d ** 4
    y1 += gain * d
    y2 += gain * d ** 2
  }
  const determinant = s2 * s4 - s3 * s3
  if (!(Math.abs(determinant) > 1e-15)) return null
  return { slope: (y1 * s4 - y2 * s3) / determinant, bend: -(s2 * y2 - s3 * y1) / determinant }
}
