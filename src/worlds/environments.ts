import { GuerdonError, nearest } from '../core/index.ts'
import { blackjack } from './control/blackjack.ts'
import { gameEnvironment } from './control/game-environment.ts'
import { household } from './control/household/household.ts'
import { numberLine } from './control/number-line.ts'
import { numberRoutes } from './control/number-routes.ts'
import { oneRoom } from './control/one-room.ts'
import { ezPoints, points24 } from './control/points.ts'
import type { Environment } from './environment.ts'
import { sceneEnvironment } from './scenes/scene-environment.ts'
import { toolEnvironment } from './text/tool-environment.ts'

/** The environments that can be had by name, each with its defaults. */
const makers: Readonly<Record<string, () => Environment>> = {
  'number-line': () => gameEnvironment(numberLine()),
  'number-routes': () => gameEnvironment(numberRoutes()),
  blackjack: () => gameEnvironment(blackjack()),
  'ez-points': () => gameEnvironment(ezPoints()),
  'points-24': () => gameEnvironment(points24()),
  'one-room': () => gameEnvironment(oneRoom()),
  household: () => gameEnvironment(household()),
  'tool-calls': () => toolEnvironment(),
  'scene-questions': () => sceneEnvironment(),
}

export const environmentNames: readonly string[] = Object.keys(makers)

/** Throws a `GuerdonError` that lists the names. */
export function environmentNamed(name: string): Environment {
  const maker = Object.hasOwn(makers, name) ? makers[name] : undefined
  if (maker !== undefined) return maker()
  const guess = nearest(name, environmentNames)
  throw new GuerdonError('unknown-environment', `there is no environment "${name}".`, {
    fix: `${guess === undefined ? '' : `Did you mean "${guess}"? `}Environments: ${environmentNames.join(', ')}.`,
  })
}
