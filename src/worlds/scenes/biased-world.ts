import { Rng } from '../../core/index.ts'
import { type Colour, colours, type ObjectType, type Shape, shapes, typeName } from './attributes.ts'
import { namesOf } from './scene.ts'
import { commonTypes, type SceneWorld, type SceneWorldOptions, sceneWorld } from './scene-world.ts'

export interface BiasedPair {
  readonly trigger: ObjectType
  /** What nearly always accompanies the trigger in training. */
  readonly companion: ObjectType
}

export interface BiasedWorld {
  readonly pairs: readonly BiasedPair[]
  /** Scenes in which triggers bring their companions. */
  readonly train: SceneWorld
  /** The same types as often, all independent of each other. */
  readonly validation: SceneWorld
  readonly test: SceneWorld
}

export interface BiasedWorldOptions
  extends Omit<SceneWorldOptions, 'split' | 'types' | 'chooseTypes' | 'objects'> {
  /** Chance that the companion is there, given its trigger. @default 0.95 */
  readonly bias?: number
  /** @default 3 */
  readonly pairs?: number
  /** How often each of the pairs' types is in a scene, in training as in evaluation. @default 0.25 */
  readonly frequency?: number
  /** Objects beside the pairs' own, at most five together unless the pairs' are more. @default [1, 3] */
  readonly others?: readonly [fewest: number, most: number]
}

/**
 * A world whose training scenes teach a false rule: where there is a trigger ("red circle") there is its companion
 * ("blue star"). Both are as frequent alone as in evaluation, where they are independent, so a model that has learned
 * the rule names companions that are not there.
 *
 * @source the offline protocol of the hallucination metrics: three pairs, companion in at least 90% of the training
 * scenes that have the trigger, independent in evaluation
 */
export function biasedWorld(options: BiasedWorldOptions = {}): BiasedWorld {
  const { seed = 0, bias = 0.95, pairs: pairCount = 3, frequency = 0.25, others = [1, 3], ...rest } = options
  const pairs = drawPairs(new Rng(`biased/${seed}`), pairCount)
  const paired = new Set(pairs.flatMap(({ trigger, companion }) => [typeName(trigger), typeName(companion)]))
  const free = commonTypes.filter((type) => !paired.has(typeName(type)))
  // So that a companion is as frequent as its trigger: frequency * bias + (1 - frequency) * alone = frequency.
  const alone = (frequency * (1 - bias)) / (1 - frequency)
  const world = (split: 'train' | 'validation' | 'test') =>
    sceneWorld({
      seed: `biased/${seed}`,
      split,
      ...rest,
      objects: others,
      chooseTypes: (rng, count) => {
        const chosen: ObjectType[] = []
        for (const { trigger, companion } of pairs) {
          const hasTrigger = rng.chance(frequency)
          const chance = split !== 'train' ? frequency : hasTrigger ? bias : alone
          if (hasTrigger) chosen.push(trigger)
          if (rng.chance(chance)) chosen.push(companion)
        }
        const room = Math.max(chosen.length === 0 ? 1 : 0, Math.min(count, 5 - chosen.length))
        for (let i = 0; i < room; i++) chosen.push(rng.pick(free))
        return rng.shuffled(chosen)
      },
    })
  return { pairs, train: world('train'), validation: world('validation'), test: world('test') }
}

/** Pairs of common types in which no type occurs twice and a companion shares neither colour nor shape. */
function drawPairs(rng: Rng, count: number): BiasedPair[] {
  for (;;) {
    const types = rng.sample(commonTypes, 2 * count)
    const pairs = Array.from({ length: count }, (_, index) => ({
      trigger: types[2 * index]!,
      companion: types[2 * index + 1]!,
    }))
    if (
      pairs.every(
        ({ trigger, companion }) => trigger.colour !== companion.colour && trigger.shape !== companion.shape,
      )
    )
      return pairs
  }
}

export interface PairFrequency extends BiasedPair {
  /** Share of scenes with the companion among those with the trigger; null when there are none. */
  readonly givenTrigger: number | null
  /** Share of all scenes with the companion. */
  readonly overall: number
}

/** How often companions stand beside their triggers in the first `count` scenes of a world. */
export function pairFrequencies(
  world: SceneWorld,
  pairs: readonly BiasedPair[],
  count: number,
): PairFrequency[] {
  const names = world.scenes(count).map((scene) => new Set(namesOf(scene)))
  return pairs.map((pair) => {
    const withTrigger = names.filter((present) => present.has(typeName(pair.trigger)))
    const hasCompanion = (present: ReadonlySet<string>) => present.has(typeName(pair.companion))
    return {
      ...pair,
      givenTrigger:
        withTrigger.length === 0 ? null : withTrigger.filter(hasCompanion).length / withTrigger.length,
      overall: names.filter(hasCompanion).length / count,
    }
  })
}

/** The first `count` scenes as POPE's question builder takes them: names in painting order. */
export function annotatedImages(world: SceneWorld, count: number): { id: string; objects: string[] }[] {
  return world.scenes(count).map((scene) => ({ id: scene.id, objects: namesOf(scene) }))
}

export interface HallucinationMeasures {
  /** CHAIR_i of the plain decoder's captions; null when they mention nothing. */
  readonly chairI: number | null
  /** POPE accuracies of the plain decoder; null when there were no questions. */
  readonly randomAccuracy: number | null
  readonly adversarialAccuracy: number | null
}

export interface GateVerdict {
  /** False: there is nothing to mitigate, and an experiment reports "invalid", neither pass nor fail. */
  readonly valid: boolean
  readonly reasons: readonly string[]
}

/**
 * Whether a plain decoder hallucinates enough for an experiment on mitigation: CHAIR_i of 0.08 or more, and
 * adversarial POPE accuracy at least 5 points below random POPE.
 */
export function hallucinationGate(
  { chairI, randomAccuracy, adversarialAccuracy }: HallucinationMeasures,
  { leastChairI = 0.08, leastGap = 0.05 }: { readonly leastChairI?: number; readonly leastGap?: number } = {},
): GateVerdict {
  const reasons: string[] = []
  const text = (value: number | null) => (value === null ? 'unknown' : value.toFixed(3))
  if (chairI === null || chairI < leastChairI)
    reasons.push(`CHAIR_i is ${text(chairI)}, which is not at least ${leastChairI}`)
  const gap =
    randomAccuracy === null || adversarialAccuracy === null ? null : randomAccuracy - adversarialAccuracy
  // A hair of tolerance: 0.85 - 0.8 is less than 0.05 in floating point.
  if (gap === null || gap < leastGap - 1e-9)
    reasons.push(`adversarial POPE is ${text(gap)} below random POPE, which is not at least ${leastGap}`)
  return { valid: reasons.length === 0, reasons }
}

/** The shape that a colour stands for where a language prior is planted. */
export const shapeOfColour: Readonly<Record<Colour, Shape>> = Object.fromEntries(
  colours.map((colour, index) => [colour, shapes[index % shapes.length]!]),
) as Record<Colour, Shape>

/**
 * For `SceneOptions.chooseTypes`: the colour of an object gives its shape away with chance `strength`, and otherwise
 * the shape is any other. 0.9 plants a prior, 0 breaks it everywhere. Types that the composition split holds out do
 * occur.
 */
export function colourPredictsShape(strength: number): (rng: Rng, count: number) => ObjectType[] {
  return (rng, count) =>
    Array.from({ length: count }, () => {
      const colour = rng.pick(colours)
      const expected = shapeOfColour[colour]
      const shape = rng.chance(strength) ? expected : rng.pick(shapes.filter((other) => other !== expected))
      return { colour, shape }
    })
}
