import type { Rng } from '../../core/index.ts'
import { holds, isClear, type Relation, relations } from './graph.ts'
import { countOf, matches, type Noun, nounText, readNoun } from './noun.ts'
import type { Scene, SceneObject } from './scene.ts'
import type { WordReader } from './words.ts'

/** "the small circle", or "the circle left of the blue square". */
export interface Reference {
  readonly noun: Noun
  readonly relation?: { readonly relation: Relation; readonly anchor: Noun } | undefined
}

export interface ReferringExpression {
  readonly reference: Reference
  /** Without an article: "circle left of the blue square". */
  readonly text: string
  /** The one object that it fits. */
  readonly object: SceneObject
}

/** Every object that a reference fits. With a relation the anchor must itself be one object, or nothing fits. */
export function referents(scene: Scene, { noun, relation }: Reference): SceneObject[] {
  if (relation === undefined) return scene.objects.filter((object) => matches(object, noun))
  const anchors = scene.objects.filter((object) => matches(object, relation.anchor))
  if (anchors.length !== 1) return []
  const [anchor] = anchors
  return scene.objects.filter(
    (object) =>
      object !== anchor && matches(object, noun) && holds(scene, object, relation.relation, anchor!),
  )
}

/** Colour and shape, with the size if that is needed, if only this object answers to it. */
export function distinguishingNoun(scene: Scene, object: SceneObject): Noun | undefined {
  const { size, colour, shape } = object
  return [
    { colour, shape },
    { size, colour, shape },
  ].find((noun) => countOf(scene, noun) === 1)
}

/** All nouns that fit this object and no other, fewest words first. */
export function uniqueNouns(scene: Scene, { size, colour, shape }: SceneObject): Noun[] {
  const nouns: Noun[] = [
    { shape },
    { colour },
    { size },
    { colour, shape },
    { size, shape },
    { size, colour },
    { size, colour, shape },
  ]
  return nouns.filter((noun) => countOf(scene, noun) === 1)
}

/**
 * Referring expressions with exactly one referent: by attributes, and by a relation to another object where the noun
 * alone fits several. Relations within their margin are never used, and every other object that the noun fits is
 * clearly on the other side.
 */
export function referringExpressions(scene: Scene, object: SceneObject): ReferringExpression[] {
  const plain = uniqueNouns(scene, object).map((noun): Reference => ({ noun }))
  const related = [
    { shape: object.shape },
    { colour: object.colour },
    { colour: object.colour, shape: object.shape },
  ]
    .filter((noun) => countOf(scene, noun) > 1)
    .flatMap((noun) =>
      scene.objects.flatMap((other): Reference[] => {
        const anchor = other === object ? undefined : distinguishingNoun(scene, other)
        if (anchor === undefined || matches(other, noun)) return []
        return relations
          .filter((relation) =>
            scene.objects.every(
              (candidate) =>
                candidate === other ||
                !matches(candidate, noun) ||
                isClear(scene, candidate, relation, other),
            ),
          )
          .map((relation) => ({ noun, relation: { relation, anchor } }))
      }),
    )
  return [...plain, ...related].flatMap((reference) => {
    const found = referents(scene, reference)
    return found.length === 1 && found[0] === object
      ? [{ reference, text: referenceText(reference), object }]
      : []
  })
}

/** One expression for a random object; undefined when no object of the scene can be told from the others. */
export function drawReferringExpression(scene: Scene, rng: Rng): ReferringExpression | undefined {
  for (const object of rng.shuffled(scene.objects)) {
    const expressions = referringExpressions(scene, object)
    if (expressions.length > 0) return rng.pick(expressions)
  }
  return undefined
}

export function referenceText({ noun, relation }: Reference): string {
  return relation === undefined
    ? nounText(noun)
    : `${nounText(noun)} ${relation.relation} the ${nounText(relation.anchor)}`
}

/** NOUN [ RELATION the NOUN ]; undefined where it does not stand. */
export function readReference(reader: WordReader): Reference | undefined {
  const read = readNoun(reader)
  if (read === undefined || read.plural) return undefined
  const relation = reader.takeLongest(relations)
  if (relation === undefined) return { noun: read.noun }
  if (!reader.takePhrase('the')) return undefined
  const anchor = readNoun(reader)
  return anchor === undefined || anchor.plural
    ? undefined
    : { noun: read.noun, relation: { relation, anchor: anchor.noun } }
}
