import type { Rng } from '../../../core/index.ts'
import {
  type PlaceName,
  placeKind,
  placeKinds,
  type RoomKind,
  roomKinds,
  services,
  type ThingName,
  thingKinds,
} from './kinds.ts'

export interface Place {
  /** "cabinet 2" */
  readonly name: string
  readonly kind: PlaceName
  readonly room: number
}

export interface Thing {
  readonly name: string
  readonly kind: ThingName
  /** Index of the place where it is at the start. */
  readonly place: number
}

/** What is to be done with things of a kind, as ALFWorld's six kinds of task. */
export const goalKinds = ['place', 'place two', 'clean', 'heat', 'cool', 'light'] as const
export type GoalKind = (typeof goalKinds)[number]

export interface Goal {
  readonly kind: GoalKind
  readonly thing: ThingName
  /** Where it goes; of `light` none. */
  readonly place: PlaceName | null
}

export interface House {
  readonly rooms: readonly RoomKind[]
  /** Rooms that each room has doors to. */
  readonly doors: readonly (readonly number[])[]
  readonly places: readonly Place[]
  readonly things: readonly Thing[]
  /** Room that the episode starts in. */
  readonly start: number
  readonly goal: Goal
}

export interface HouseOptions {
  /** Rooms, 1 to 4; the kitchen is always one, and a lamp needs a second. @default 3 */
  readonly rooms?: number
  /** Places in a room at most, beside those that every house has. @default 3 */
  readonly placesPerRoom?: number
  /** Things at the start. @default 10 */
  readonly things?: number
  /** Kinds of goal. @default all six (without a lamp five) */
  readonly goals?: readonly GoalKind[]
}

/** Whether only the split `unseen` asks for things of this kind at places of that kind. */
export function isHeldOut({ thing, place }: Pick<Goal, 'thing' | 'place'>): boolean {
  const names: readonly string[] = [...Object.keys(thingKinds), ...Object.keys(placeKinds)]
  return (names.indexOf(thing) * 3 + (place === null ? 1 : names.indexOf(place))) % 5 === 0
}

/** Draws a house with a goal that is not met yet and can be. */
export function drawHouse(rng: Rng, options: HouseOptions, unseen: boolean): House {
  const { rooms: roomCount = 3, placesPerRoom = 3, things: thingCount = 10, goals = goalKinds } = options
  for (;;) {
    const rooms: RoomKind[] = ['kitchen', ...rng.sample(roomKinds.slice(1), roomCount - 1)]
    const places = drawPlaces(rng, rooms, placesPerRoom)
    const goal = drawGoal(rng, places, goals, unseen)
    if (goal === undefined) continue
    const things = drawThings(rng, places, goal, thingCount)
    if (things === undefined) continue
    return {
      rooms,
      doors: drawDoors(rng, rooms.length),
      places,
      things,
      start: rng.int(0, rooms.length),
      goal,
    }
  }
}

/** A tree of doors, and sometimes one more. */
function drawDoors(rng: Rng, count: number): number[][] {
  const doors: number[][] = Array.from({ length: count }, () => [])
  const connect = (a: number, b: number) => {
    if (doors[a]!.includes(b)) return
    doors[a]!.push(b)
    doors[b]!.push(a)
  }
  for (let room = 1; room < count; room++) connect(room, rng.int(0, room))
  if (count > 2 && rng.chance(0.4)) {
    const [a, b] = rng.sample([...doors.keys()], 2) as [number, number]
    connect(a, b)
  }
  return doors.map((others) => others.sort((a, b) => a - b))
}

function drawPlaces(rng: Rng, rooms: readonly RoomKind[], most: number): Place[] {
  const drawn: { kind: PlaceName; room: number }[] = []
  const names = Object.keys(placeKinds) as PlaceName[]
  for (const kind of names) {
    if (!placeKind(kind).always) continue
    const fitting = rooms.flatMap((room, index) => (placeKind(kind).rooms.includes(room) ? [index] : []))
    if (fitting.length > 0) drawn.push({ kind, room: rng.pick(fitting) })
  }
  for (const [room, roomKind] of rooms.entries()) {
    const fitting = names.filter(
      (kind) => !placeKind(kind).always && placeKind(kind).rooms.includes(roomKind),
    )
    const choices = fitting.flatMap((kind) => new Array<PlaceName>(placeKind(kind).most ?? 1).fill(kind))
    for (const kind of rng.sample(choices, Math.min(most, choices.length))) drawn.push({ kind, room })
  }
  const counts = new Map<PlaceName, number>()
  return drawn
    .sort((a, b) => a.room - b.room || names.indexOf(a.kind) - names.indexOf(b.kind))
    .map(({ kind, room }) => {
      const number = (counts.get(kind) ?? 0) + 1
      counts.set(kind, number)
      return { name: `${kind} ${number}`, kind, room }
    })
}

function drawGoal(
  rng: Rng,
  places: readonly Place[],
  goals: readonly GoalKind[],
  unseen: boolean,
): Goal | undefined {
  const hasLamp = places.some(({ kind }) => kind === 'lamp')
  const possible = goals.filter((kind) => kind !== 'light' || hasLamp)
  if (possible.length === 0) return undefined
  const kind = rng.pick(possible)
  const things = (Object.keys(thingKinds) as ThingName[]).filter(
    (thing) =>
      kind === 'place' || kind === 'place two' || (services(thing) as readonly string[]).includes(kind),
  )
  const targets = [...new Set(places.map((place) => place.kind))].filter((place) => place !== 'lamp')
  for (let attempt = 0; attempt < 20; attempt++) {
    const goal = { kind, thing: rng.pick(things), place: kind === 'light' ? null : rng.pick(targets) }
    if (isHeldOut(goal) === unseen) return goal
  }
  return undefined
}

/** Things of the goal's kind away from its place, and others anywhere; undefined where there is nowhere else. */
function drawThings(rng: Rng, places: readonly Place[], goal: Goal, count: number): Thing[] | undefined {
  const open = [...places.keys()].filter((index) => places[index]!.kind !== 'lamp')
  const away = open.filter((index) => places[index]!.kind !== goal.place)
  const wanted = goal.kind === 'place two' ? 2 : 1
  if (away.length === 0) return undefined
  const kinds = Object.keys(thingKinds) as ThingName[]
  const drawn: { kind: ThingName; place: number }[] = []
  const copies = wanted + Number(rng.chance(0.3))
  for (let copy = 0; copy < copies; copy++) drawn.push({ kind: goal.thing, place: rng.pick(away) })
  const others = kinds.filter((kind) => kind !== goal.thing)
  while (drawn.length < Math.max(count, copies)) drawn.push({ kind: rng.pick(others), place: rng.pick(open) })
  const counts = new Map<ThingName, number>()
  return rng
    .shuffled(drawn)
    .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind))
    .map(({ kind, place }) => {
      const number = (counts.get(kind) ?? 0) + 1
      counts.set(kind, number)
      return { name: `${kind} ${number}`, kind, place }
    })
}
