import { Rng } from '../../core/index.ts'
import type { SceneTask } from '../../learn/tasks/scene-tasks.ts'
import { extractTag } from '../../rewards/verifiable/extract/extract-tag.ts'
import type { Colour, Shape } from '../../worlds/scenes/attributes.ts'
import { colourPredictsShape, shapeOfColour } from '../../worlds/scenes/biased-world.ts'
import { captionOf } from '../../worlds/scenes/caption.ts'
import { parseCaption } from '../../worlds/scenes/caption-parser.ts'
import { mentionsOf } from '../../worlds/scenes/claims.ts'
import { listText } from '../../worlds/scenes/noun.ts'
import { coloursOf, queryText } from '../../worlds/scenes/query.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'
import { type SceneWorld, sceneWorld } from '../../worlds/scenes/scene-world.ts'

/** "what shape is the red shape?" of a scene with one red shape. */
export interface ShapeQuestion extends SceneTask {
  readonly colour: Colour
  readonly reference: Shape
}

/** Scenes in which the colour of a shape gives it away with this chance; the rest of the time it is any other shape. */
export function priorWorld(seed: string, strength: number, split: 'train' | 'test' = 'train'): SceneWorld {
  return sceneWorld({ seed, split, objects: [2, 3], chooseTypes: colourPredictsShape(strength) })
}

/** The first question that a scene from number `index` on allows, a thousand scenes apart from those of the next index. */
export function shapeQuestion(world: SceneWorld, index: number): ShapeQuestion {
  for (let place = 0; ; place++) {
    const scene = world.scene(1000 * index + place)
    const alone = scene.objects.filter(
      ({ colour }) => scene.objects.filter((other) => other.colour === colour).length === 1,
    )
    if (alone.length === 0) continue
    const { colour, shape } = new Rng(scene.id).pick(alone)
    return { scene, colour, reference: shape, prompt: queryText({ ask: 'shape', noun: { colour } }) }
  }
}

/** What the colour suggests, whatever the picture shows. */
export function priorAnswer({ colour }: ShapeQuestion): Shape {
  return shapeOfColour[colour]
}

/** Every shape with its colour. */
export function faithfulDescription(scene: Scene): string {
  return captionOf(scene, new Rng(scene.id), { style: 'short' })
}

/** True, and no help: which colours there are. */
export function vagueDescription(scene: Scene): string {
  return `the colours are ${listText(coloursOf(scene))}.`
}

/** What stands in the description tags of a response; undefined without them. */
export function descriptionOf(response: string): string | undefined {
  return extractTag(response, 'description').value
}

/** The answer that follows from a description: the only shape that it gives to the colour asked about. */
export function entailedAnswer(description: string, colour: Colour): Shape | undefined {
  const said = parseCaption(description.trim())
    .claims.flatMap(({ claim }) => mentionsOf(claim))
    .flatMap((noun) => (noun.colour === colour && noun.shape !== undefined ? [noun.shape] : []))
  const shapes = new Set(said)
  return shapes.size === 1 ? said[0] : undefined
}
