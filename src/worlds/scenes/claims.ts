import type { Background, Colour } from './attributes.ts'
import { holds, type Place, placeOf, type Relation } from './graph.ts'
import { countOf, matches, matching, type Noun } from './noun.ts'
import type { Scene } from './scene.ts'

/** One thing that a sentence says of an image. */
export type Claim =
  /** "a small red circle at the top left" */
  | { readonly kind: 'object'; readonly noun: Noun; readonly place?: Place | undefined }
  /** "two red circles": exactly two match. */
  | { readonly kind: 'count'; readonly noun: Noun; readonly count: number }
  /** "there is no red circle" */
  | { readonly kind: 'absence'; readonly noun: Noun }
  /** "the red circle is small", "the circle is red", "the red shape is a circle", "the circle is at the top left" */
  | {
      readonly kind: 'attribute'
      readonly noun: Noun
      readonly value: Noun
      readonly place?: Place | undefined
    }
  /** "the red circle is left of the blue square" */
  | { readonly kind: 'relation'; readonly subject: Noun; readonly relation: Relation; readonly object: Noun }
  /** "the colours are red and blue": these and no others. */
  | { readonly kind: 'colours'; readonly colours: readonly Colour[] }
  | { readonly kind: 'background'; readonly background: Background }
  /** "it looks calm": neither true nor false. */
  | { readonly kind: 'opinion'; readonly mood: string }

/**
 * Whether a scene bears a claim out; null of an opinion. A noun that several objects match is read as "some": a
 * relation is true when any two different matching objects stand in it.
 */
export function isTrue(scene: Scene, claim: Claim): boolean | null {
  switch (claim.kind) {
    case 'object': {
      const { noun, place } = claim
      return scene.objects.some(
        (object) => matches(object, noun) && (place === undefined || placeOf(object, scene) === place),
      )
    }
    case 'count':
      return countOf(scene, claim.noun) === claim.count
    case 'absence':
      return countOf(scene, claim.noun) === 0
    case 'attribute': {
      const { noun, value, place } = claim
      return scene.objects.some(
        (object) =>
          matches(object, noun) &&
          matches(object, value) &&
          (place === undefined || placeOf(object, scene) === place),
      )
    }
    case 'relation': {
      const objects = matching(scene, claim.object)
      return matching(scene, claim.subject).some((a) =>
        objects.some((b) => a !== b && holds(scene, a, claim.relation, b)),
      )
    }
    case 'colours': {
      const named = new Set(claim.colours)
      const shown = new Set(scene.objects.map(({ colour }) => colour))
      return named.size === shown.size && named.isSubsetOf(shown)
    }
    case 'background':
      return scene.background === claim.background
    case 'opinion':
      return null
  }
}

/** The objects that a claim says are there. */
export function mentionsOf(claim: Claim): Noun[] {
  switch (claim.kind) {
    case 'object':
      return [claim.noun]
    case 'count':
      return claim.count === 0 ? [] : [claim.noun]
    case 'attribute':
      return [{ ...claim.noun, ...definedOf(claim.value) }]
    case 'relation':
      return [claim.subject, claim.object]
    default:
      return []
  }
}

function definedOf(noun: Noun): Noun {
  return Object.fromEntries(Object.entries(noun).filter(([, value]) => value !== undefined))
}

/** Whether the claims of one text deny what they say elsewhere: "a red circle" beside "there is no circle". */
export function contradictThemselves(claims: readonly Claim[]): boolean {
  const mentions = claims.flatMap(mentionsOf)
  return claims.some(
    (claim) => claim.kind === 'absence' && mentions.some((mention) => isKindOf(mention, claim.noun)),
  )
}

/** A small red circle is a kind of circle. */
function isKindOf(noun: Noun, general: Noun): boolean {
  return (
    (general.shape === undefined || general.shape === noun.shape) &&
    (general.colour === undefined || general.colour === noun.colour) &&
    (general.size === undefined || general.size === noun.size)
  )
}
