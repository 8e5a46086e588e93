import type { Box, Scene, SceneObject } from './scene.ts'

/** Where an object's centre is, by thirds of the image. */
export const places = [
  'top left',
  'top',
  'top right',
  'left',
  'middle',
  'right',
  'bottom left',
  'bottom',
  'bottom right',
] as const
export type Place = (typeof places)[number]

export const relations = [
  'left of',
  'right of',
  'above',
  'below',
  'larger than',
  'smaller than',
  'the same colour as',
  'the same shape as',
] as const
export type Relation = (typeof relations)[number]

/** The relations of place. */
export const directions: readonly Relation[] = relations.slice(0, 4)

export const oppositeRelation: Readonly<Partial<Record<Relation, Relation>>> = {
  'left of': 'right of',
  'right of': 'left of',
  above: 'below',
  below: 'above',
  'larger than': 'smaller than',
  'smaller than': 'larger than',
}

/** Centre of a box [pixels]. */
export function centreOf(box: Box): readonly [x: number, y: number] {
  return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
}

export function placeOf(object: SceneObject, scene: Scene): Place {
  const [x, y] = centreOf(object.box)
  const column = Math.min(2, Math.floor((3 * x) / scene.width))
  const row = Math.min(2, Math.floor((3 * y) / scene.height))
  return places[3 * row + column]!
}

/**
 * Whether an object's centre keeps at least a 32nd of the image from every border between two places. Questions of
 * place are only asked about such objects.
 */
export function isClearlyPlaced(object: SceneObject, scene: Scene): boolean {
  const [x, y] = centreOf(object.box)
  const isClear = (share: number) => Math.min(Math.abs(share - 1 / 3), Math.abs(share - 2 / 3)) >= 1 / 32
  return isClear(x / scene.width) && isClear(y / scene.height)
}

/** How far apart two centres must be along an axis for one object to be left of or above the other [pixels]. */
export function relationMargin(scene: Scene): number {
  return Math.min(scene.width, scene.height) / 10
}

/**
 * Whether `a` stands in a relation to `b`. Left, right, above and below compare centres along one axis alone (an
 * object may be left of and above another) and need the margin; within it neither side holds. Larger and smaller
 * compare size words.
 */
export function holds(scene: Scene, a: SceneObject, relation: Relation, b: SceneObject): boolean {
  const [ax, ay] = centreOf(a.box)
  const [bx, by] = centreOf(b.box)
  switch (relation) {
    case 'left of':
      return ax + relationMargin(scene) <= bx
    case 'right of':
      return bx + relationMargin(scene) <= ax
    case 'above':
      return ay + relationMargin(scene) <= by
    case 'below':
      return by + relationMargin(scene) <= ay
    case 'larger than':
      return a.size === 'large' && b.size === 'small'
    case 'smaller than':
      return a.size === 'small' && b.size === 'large'
    case 'the same colour as':
      return a.colour === b.colour
    case 'the same shape as':
      return a.shape === b.shape
  }
}

/** Whether asking for the relation is fair: of a direction, one side holds or the other; of sizes, they differ. */
export function isClear(scene: Scene, a: SceneObject, relation: Relation, b: SceneObject): boolean {
  const opposite = oppositeRelation[relation]
  return opposite === undefined || holds(scene, a, relation, b) || holds(scene, a, opposite, b)
}

export interface RelationEdge {
  /** Index among the scene's objects. */
  readonly subject: number
  readonly relation: Relation
  readonly object: number
}

/** Every relation that holds between two different objects. */
export function relationsOf(scene: Scene): RelationEdge[] {
  const edges: RelationEdge[] = []
  scene.objects.forEach((a, subject) => {
    scene.objects.forEach((b, object) => {
      if (subject === object) return
      for (const relation of relations)
        if (holds(scene, a, relation, b)) edges.push({ subject, relation, object })
    })
  })
  return edges
}
