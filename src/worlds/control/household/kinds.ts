/** What there can be in a house. Everything else in this folder follows from these lists. */

export const roomKinds = ['kitchen', 'living room', 'bedroom', 'bathroom'] as const
export type RoomKind = (typeof roomKinds)[number]

/** What a place does to a held object, or with it. */
export type Service = 'clean' | 'heat' | 'cool' | 'light'

export interface PlaceKind {
  readonly rooms: readonly RoomKind[]
  /** Its contents show only while it is open. */
  readonly opens?: boolean
  /** "on" the table, "in" the drawer. */
  readonly preposition: 'in' | 'on'
  readonly service?: Service
  /** How many of them a room may have at most. @default 1 */
  readonly most?: number
  /** Every house has one, so that every kind of goal is possible. */
  readonly always?: boolean
}

export const placeKinds = {
  fridge: { rooms: ['kitchen'], opens: true, preposition: 'in', service: 'cool', always: true },
  microwave: { rooms: ['kitchen'], opens: true, preposition: 'in', service: 'heat', always: true },
  sink: { rooms: ['kitchen', 'bathroom'], preposition: 'in', service: 'clean', always: true },
  lamp: { rooms: ['living room', 'bedroom'], preposition: 'on', service: 'light', always: true },
  cabinet: { rooms: ['kitchen', 'bathroom'], opens: true, preposition: 'in', most: 3 },
  drawer: { rooms: ['kitchen', 'bedroom', 'living room'], opens: true, preposition: 'in', most: 2 },
  counter: { rooms: ['kitchen', 'bathroom'], preposition: 'on', most: 2 },
  table: { rooms: ['kitchen', 'living room'], preposition: 'on', most: 2 },
  shelf: { rooms: ['living room', 'bedroom', 'bathroom'], preposition: 'on', most: 2 },
  sofa: { rooms: ['living room'], preposition: 'on' },
  bed: { rooms: ['bedroom'], preposition: 'on' },
  desk: { rooms: ['bedroom', 'living room'], preposition: 'on' },
  bin: { rooms: ['kitchen', 'bathroom', 'bedroom'], preposition: 'in' },
} as const satisfies Readonly<Record<string, PlaceKind>>
export type PlaceName = keyof typeof placeKinds

export interface ThingKind {
  readonly can: readonly Service[]
}

export const thingKinds = {
  apple: { can: ['clean', 'heat', 'cool'] },
  potato: { can: ['clean', 'heat', 'cool'] },
  egg: { can: ['clean', 'heat', 'cool'] },
  bread: { can: ['heat', 'cool'] },
  mug: { can: ['clean', 'heat', 'cool'] },
  plate: { can: ['clean', 'heat', 'cool'] },
  fork: { can: ['clean'] },
  knife: { can: ['clean'] },
  cloth: { can: ['clean'] },
  soap: { can: ['clean'] },
  book: { can: ['light'] },
  pen: { can: ['light'] },
  phone: { can: ['light'] },
  pillow: { can: ['light'] },
  vase: { can: ['light'] },
  watch: { can: ['light'] },
} as const satisfies Readonly<Record<string, ThingKind>>
export type ThingName = keyof typeof thingKinds

export function placeKind(name: PlaceName): PlaceKind {
  return placeKinds[name]
}

export function services(thing: ThingName): readonly Service[] {
  return thingKinds[thing].can
}
