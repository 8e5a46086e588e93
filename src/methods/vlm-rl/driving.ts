import { isObject, type Json } from '../../core/index.ts'
import { standardDeviation } from '../../stats/moments.ts'

/** The state of a car at one frame. */
export interface DrivingState {
  /** [km/h] */
  readonly speed: number
  /** From the centre of the lane [m]. */
  readonly distance: number
  /** Between heading and lane [rad]. */
  readonly angle: number
  /** Distances from the centre over the last frames [m]. */
  readonly distances: readonly number[]
  /** The environment's own reward; below 0 it ended the episode and is all that counts. @default 0 */
  readonly baseReward?: number
}

/** The speed that is wanted in a safe frame [km/h]. */
export const targetSpeed = 25
/** Where the centring factor reaches 0 [m]. */
const widestDistance = 3
/** Where the angle factor reaches 0 [rad]. */
const widestAngle = Math.PI / 2
/** Standard deviation of the distances where the stability factor reaches 0 [m]. */
const widestSpread = 0.4

/** How well the car keeps its lane: three factors that fall linearly to 0. At most 1 where the distance is not negative. */
export function laneFactors({ distance, angle, distances }: DrivingState) {
  const spread = standardDeviation(distances, { ddof: 0 }) ?? 0
  return {
    centring: Math.max(0, 1 - distance / widestDistance),
    heading: Math.max(0, 1 - Math.abs(angle) / widestAngle),
    stability: Math.max(0, 1 - spread / widestSpread),
  }
}

/** 1 at the desired speed, falling by 1 for each `target` of difference; below 0 for speeds far above. All in km/h. */
export function speedFactor(speed: number, desired: number, target = targetSpeed): number {
  return 1 - Math.abs(speed - desired) / target
}

/** The hand-made reward of the same environment (its `reward_fn5`): speed in a band, times the lane factors. */
export function handMadeReward(state: DrivingState): number {
  const { speed } = state
  const pace = speed < 20 ? speed / 20 : speed <= 25 ? 1 : 1 - (speed - 25) / 10
  const { centring, heading, stability } = laneFactors(state)
  return pace * centring * heading * stability
}

/** The state in a row's meta fields; a sentence about what is missing otherwise. */
export function drivingState(meta: Readonly<Record<string, Json | undefined>>): DrivingState | string {
  if (!isObject(meta as Json)) return 'there is no meta'
  const numbers = ['speed', 'distance', 'angle'].map((field) => numberIn(meta, field))
  const [speed, distance, angle] = numbers
  if (speed === undefined || distance === undefined || angle === undefined)
    return 'meta must give the numbers speed [km/h], distance [m] and angle [rad]'
  const distances = Object.hasOwn(meta, 'distances') ? meta.distances : undefined
  if (!Array.isArray(distances) || !distances.every((value) => Number.isFinite(value)))
    return 'meta.distances must be a list of numbers [m]'
  const base = numberIn(meta, 'base_reward')
  if (base === undefined && meta.base_reward != null && Object.hasOwn(meta, 'base_reward'))
    return 'meta.base_reward must be a number'
  return {
    speed,
    distance,
    angle,
    distances: distances as number[],
    ...(base === undefined ? {} : { baseReward: base }),
  }
}

function numberIn(meta: Readonly<Record<string, Json | undefined>>, field: string): number | undefined {
  const value = Object.hasOwn(meta, field) ? meta[field] : undefined
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
