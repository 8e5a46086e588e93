import { Rng } from '../../core/index.ts'
import { type ObjectType, objectTypes, shapes, typeName } from './attributes.ts'
import { drawScene, type Scene, type SceneOptions } from './scene.ts'

/**
 * Which scenes of a world.
 * - `train`, `validation`, `test`: the 42 types that are not held out, each split from seeds of its own
 * - `composition`: like `test`, and at least one object of every scene is of a held-out type, so that scenes are
 *   new in a way that no training scene was
 */
export const sceneSplits = ['train', 'validation', 'test', 'composition'] as const
export type SceneSplit = (typeof sceneSplits)[number]

/**
 * The six pairs of colour and shape that only `composition` shows: orange circle, cyan square, pink triangle, yellow
 * diamond, blue star and red cross. Every colour and every shape remains common in training.
 */
export const heldOutTypes: readonly ObjectType[] = shapes.map((shape, index) => ({
  colour: (['orange', 'cyan', 'pink', 'yellow', 'blue', 'red'] as const)[index]!,
  shape,
}))

const heldOutNames = new Set(heldOutTypes.map(typeName))

export function isHeldOut(type: ObjectType): boolean {
  return heldOutNames.has(typeName(type))
}

/** The types of the training scenes. */
export const commonTypes: readonly ObjectType[] = objectTypes.filter((type) => !isHeldOut(type))

export interface SceneWorldOptions extends SceneOptions {
  /** @default 0 */
  readonly seed?: string | number
  /** @default 'train' */
  readonly split?: SceneSplit
}

/** Endless scenes by number: the same seed, split and number give the same scene, in any order. */
export interface SceneWorld {
  readonly split: SceneSplit
  readonly options: SceneWorldOptions
  /** Scene number `index` (0, 1, 2, ...). */
  scene(index: number): Scene
  /** `count` scenes from number `first` on. */
  scenes(count: number, first?: number): Scene[]
}

/**
 * Splits differ in their seeds. Two scenes with one small object can still be alike by chance across splits: what is
 * drawn is a place, a size and a shade among some ten thousand.
 *
 * @example sceneWorld({ seed: 1, split: 'test' }).scenes(100)
 */
export function sceneWorld(options: SceneWorldOptions = {}): SceneWorld {
  const { seed = 0, split = 'train', ...sceneOptions } = options
  const chooseTypes = options.chooseTypes ?? (split === 'composition' ? composed(options) : undefined)
  const drawOptions: SceneOptions = {
    ...sceneOptions,
    types: options.types ?? commonTypes,
    ...(chooseTypes === undefined ? {} : { chooseTypes }),
    ...(split === 'composition' ? { objects: atLeastOne(options.objects ?? [1, 5]) } : {}),
  }
  const root = `scenes/${seed}/${split}`
  const scene = (index: number) => {
    const id = `${root}/${index}`
    return drawScene(id, new Rng(id), drawOptions)
  }
  return {
    split,
    options,
    scene,
    scenes: (count, first = 0) => Array.from({ length: count }, (_, index) => scene(first + index)),
  }
}

function atLeastOne([fewest, most]: readonly [number, number]): readonly [number, number] {
  return [Math.max(1, fewest), Math.max(1, most)]
}

/** One held-out object; each further one repeats an earlier type, is held out too, or is a common one. */
function composed({ types = commonTypes, repeat = 0.4 }: SceneWorldOptions) {
  return (rng: Rng, count: number): ObjectType[] => {
    const chosen: ObjectType[] = [rng.pick(heldOutTypes)]
    while (chosen.length < count)
      chosen.push(rng.pick(rng.chance(repeat) ? chosen : rng.chance(1 / 3) ? heldOutTypes : types))
    return rng.shuffled(chosen)
  }
}
