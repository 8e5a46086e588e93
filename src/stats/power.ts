import { requireLevel } from './intervals.ts'
import { binomialCdf, binomialProbability, normalCdf, normalQuantile } from './special.ts'

export interface PowerOptions {
  /** Chance of seeing a difference that is there. @default 0.8 */
  readonly power?: number
  /** Two-sided chance of seeing one that is not. @default 0.05 */
  readonly alpha?: number
}

/** How far two judges of the same items differ: shares of items that only the first, and only the second, gets right. */
export interface Discordance {
  readonly onlyFirst: number
  readonly onlySecond: number
}

/**
 * The items needed to tell two judges of the same items apart (McNemar's test, normal approximation, Connor 1987).
 * The difference in accuracy is `onlyFirst - onlySecond`; for the same difference, judges that agree more need
 * fewer items. Infinity where there is no difference.
 */
export function pairedItemsNeeded(
  { onlyFirst, onlySecond }: Discordance,
  { power = 0.8, alpha = 0.05 }: PowerOptions = {},
): number {
  requireLevel(power)
  requireLevel(alpha)
  requireDiscordance(onlyFirst, onlySecond)
  const [discordant, difference] = [onlyFirst + onlySecond, onlyFirst - onlySecond]
  if (difference === 0) return Infinity
  const [zAlpha, zPower] = [normalQuantile(1 - alpha / 2), normalQuantile(power)]
  const root = zAlpha * Math.sqrt(discordant) + zPower * Math.sqrt(discordant - difference ** 2)
  return Math.ceil((root / difference) ** 2)
}

/**
 * The chance that McNemar's exact test on n items sees the difference: exact over how many items are discordant and
 * which way they go.
 */
export function mcnemarPower(n: number, { onlyFirst, onlySecond }: Discordance, alpha = 0.05): number {
  requireDiscordance(onlyFirst, onlySecond)
  requireLevel(alpha)
  const discordant = onlyFirst + onlySecond
  if (discordant === 0) return 0
  const share = onlyFirst / discordant
  let power = 0
  for (let m = 0; m <= n; m++) {
    const weight = binomialProbability(m, n, discordant)
    if (weight < 1e-12) continue
    // The largest count of the rarer side that is still significant.
    let critical = -1
    while (critical + 1 <= m / 2 && 2 * binomialCdf(critical + 1, m, 0.5) <= alpha) critical++
    if (critical < 0) continue
    power += weight * (binomialCdf(critical, m, share) + binomialCdf(critical, m, 1 - share))
  }
  return power
}

/** The items needed for an interval of a proportion no wider than `width` on either side (Wilson's, solved for n). */
export function itemsForWidth(proportion: number, width: number, level = 0.95): number {
  requireLevel(level)
  if (!(width > 0 && width < 0.5 && proportion >= 0 && proportion <= 1))
    throw new RangeError(`no number of items gives ${proportion} ± ${width}`)
  const z = normalQuantile((1 + level) / 2)
  const halfWidth = (n: number) =>
    (z / (1 + (z * z) / n)) * Math.sqrt((proportion * (1 - proportion)) / n + (z * z) / (4 * n * n))
  let [low, high] = [1, 1]
  while (halfWidth(high) > width) high *= 2
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (halfWidth(middle) <= width) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * The difference of two correlated accuracies that n items can see: what `pairedItemsNeeded` answers the other way
 * round. `discordant` is the share of items on which exactly one is right. Null when even all of them would not do.
 */
export function detectableDifference(
  n: number,
  discordant: number,
  { power = 0.8, alpha = 0.05 }: PowerOptions = {},
): number | null {
  let [low, high] = [0, discordant]
  const enough = (difference: number) =>
    pairedItemsNeeded(
      { onlyFirst: (discordant + difference) / 2, onlySecond: (discordant - difference) / 2 },
      { power, alpha },
    ) <= n
  if (!(discordant > 0) || !enough(high)) return null
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (enough(middle)) high = middle
    else low = middle
  }
  return high
}

/**
 * The factor by which correlation inside clusters shrinks n: 1 + (size - 1) * correlation, for clusters of equal
 * size. 1,000 pairs of 10 per prompt with a correlation of 0.2 say as much as 357.
 */
export function designEffect(clusterSize: number, correlation: number): number {
  return 1 + (clusterSize - 1) * correlation
}

/** The chance that a test of a difference, `effect` standard errors from 0, sees it. */
export function normalPower(effect: number, alpha = 0.05): number {
  requireLevel(alpha)
  const z = normalQuantile(1 - alpha / 2)
  return normalCdf(effect - z) + normalCdf(-effect - z)
}

function requireDiscordance(onlyFirst: number, onlySecond: number): void {
  if (!(onlyFirst >= 0 && onlySecond >= 0 && onlyFirst + onlySecond <= 1))
    throw new RangeError(`${onlyFirst} and ${onlySecond} are not shares of the same items`)
}
