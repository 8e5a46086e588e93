import type { House } from './house.ts'
import { placeKind, type Service, services } from './kinds.ts'

/** Where everything is. Places and things are indices into the house's lists. */
export interface HouseholdState {
  readonly house: House
  readonly room: number
  /** The place one stands at, or -1 in the middle of the room. */
  readonly at: number
  /** The thing in hand, or -1. */
  readonly held: number
  /** The place of each thing, 255 for the one in hand. */
  readonly places: Uint8Array
  /** What was done to each thing: `serviceBits`. */
  readonly done: Uint8Array
  /** Bit of each place that is open. */
  readonly open: number
  /** Bits of the sub-goals reached so far: taken 1, treated 2, one put down 4. */
  readonly reached: number
  readonly isDone: boolean
}

export const serviceBits: Readonly<Record<Service, number>> = { clean: 1, heat: 2, cool: 4, light: 8 }
export const inHand = 255

export type Move =
  | { readonly kind: 'enter'; readonly room: number; readonly text: string }
  | { readonly kind: 'go' | 'open' | 'close'; readonly place: number; readonly text: string }
  | { readonly kind: 'take' | 'put'; readonly thing: number; readonly place: number; readonly text: string }
  | { readonly kind: Service; readonly thing: number; readonly place: number; readonly text: string }

/** All moves that can ever be made in a house, so that the texts of one state's moves cost nothing. */
export interface MoveTable {
  readonly enter: readonly Move[]
  readonly go: readonly Move[]
  readonly open: readonly Move[]
  readonly close: readonly Move[]
  /** By thing, then by place. */
  readonly take: readonly (readonly Move[])[]
  readonly put: readonly (readonly Move[])[]
  readonly serve: readonly (readonly (Move | undefined)[])[]
  readonly byText: ReadonlyMap<string, Move>
  /** Places of each room. */
  readonly placesOf: readonly (readonly number[])[]
  readonly opens: readonly boolean[]
}

const tables = new WeakMap<House, MoveTable>()

export function movesOf(house: House): MoveTable {
  let table = tables.get(house)
  if (table === undefined) {
    table = makeTable(house)
    tables.set(house, table)
  }
  return table
}

function makeTable({ rooms, places, things }: House): MoveTable {
  const byText = new Map<string, Move>()
  const kept = <Kept extends Move>(move: Kept): Kept => {
    byText.set(move.text, move)
    return move
  }
  const opens = places.map(({ kind }) => placeKind(kind).opens === true)
  const ofPlace = (kind: 'go' | 'open' | 'close', verb: string) =>
    places.map(({ name }, place) => kept({ kind, place, text: `${verb} ${name}` }))
  return {
    enter: rooms.map((name, room) => kept({ kind: 'enter', room, text: `go to ${name}` })),
    go: ofPlace('go', 'go to'),
    open: ofPlace('open', 'open'),
    close: ofPlace('close', 'close'),
    take: things.map((thing, index) =>
      places.map((place, at) =>
        kept({ kind: 'take', thing: index, place: at, text: `take ${thing.name} from ${place.name}` }),
      ),
    ),
    put: things.map((thing, index) =>
      places.map((place, at) =>
        kept({
          kind: 'put',
          thing: index,
          place: at,
          text: `put ${thing.name} ${placeKind(place.kind).preposition} ${place.name}`,
        }),
      ),
    ),
    serve: things.map((thing, index) =>
      places.map((place, at) => {
        const service = placeKind(place.kind).service
        if (service === undefined || !services(thing.kind).includes(service)) return undefined
        const text =
          service === 'light'
            ? `look at ${thing.name} under ${place.name}`
            : `${service} ${thing.name} with ${place.name}`
        return kept({ kind: service, thing: index, place: at, text })
      }),
    ),
    byText,
    placesOf: rooms.map((_, room) => places.flatMap((place, index) => (place.room === room ? [index] : []))),
    opens,
  }
}

/** Whether one sees what is in a place where one stands. */
export function isOpen({ open }: HouseholdState, place: number, table: MoveTable): boolean {
  return !table.opens[place] || ((open >>> place) & 1) === 1
}

export function legalMoves(state: HouseholdState): Move[] {
  if (state.isDone) return []
  const { house, room, at, held, places } = state
  const table = movesOf(house)
  const moves: Move[] = []
  for (const other of house.doors[room]!) moves.push(table.enter[other]!)
  for (const place of table.placesOf[room]!) if (place !== at) moves.push(table.go[place]!)
  if (at < 0) return moves
  const seen = isOpen(state, at, table)
  if (table.opens[at]) moves.push(seen ? table.close[at]! : table.open[at]!)
  if (held < 0) {
    if (seen)
      for (let thing = 0; thing < places.length; thing++)
        if (places[thing] === at) moves.push(table.take[thing]![at]!)
    return moves
  }
  if (seen) moves.push(table.put[held]![at]!)
  const service = table.serve[held]![at]
  if (service !== undefined) moves.push(service)
  return moves
}

/** The state after a legal move. */
export function afterMove(state: HouseholdState, move: Move): HouseholdState {
  const { goal, things, places: all } = state.house
  switch (move.kind) {
    case 'enter':
      return { ...state, room: move.room, at: -1 }
    case 'go':
      return { ...state, at: move.place }
    case 'open':
      return { ...state, open: (state.open | (1 << move.place)) >>> 0 }
    case 'close':
      return { ...state, open: (state.open & ~(1 << move.place)) >>> 0 }
    case 'take': {
      const places = state.places.slice()
      places[move.thing] = inHand
      const isWanted = things[move.thing]!.kind === goal.thing
      return { ...state, held: move.thing, places, reached: isWanted ? state.reached | 1 : state.reached }
    }
    case 'put': {
      const places = state.places.slice()
      places[move.thing] = move.place
      const next = { ...state, held: -1, places }
      const put = countAtGoal(next)
      const wanted = goal.kind === 'place two' ? 2 : 1
      return {
        ...next,
        reached: put > 0 && all[move.place]!.kind === goal.place ? state.reached | 4 : state.reached,
        isDone: goal.kind !== 'light' && put >= wanted,
      }
    }
    default: {
      const isWanted = things[move.thing]!.kind === goal.thing && move.kind === goal.kind
      if (move.kind === 'light')
        return isWanted ? { ...state, isDone: true, reached: state.reached | 2 } : state
      const done = state.done.slice()
      // What is heated is no longer cool, and the other way round.
      const undone = move.kind === 'heat' ? serviceBits.cool : move.kind === 'cool' ? serviceBits.heat : 0
      done[move.thing] = (done[move.thing]! & ~undone) | serviceBits[move.kind]
      return { ...state, done, reached: isWanted ? state.reached | 2 : state.reached }
    }
  }
}

/** Things of the goal's kind that are where they should be, as they should be. */
export function countAtGoal({ house: { goal, things, places: all }, places, done }: HouseholdState): number {
  const bit =
    goal.kind === 'clean' || goal.kind === 'heat' || goal.kind === 'cool' ? serviceBits[goal.kind] : 0
  let count = 0
  for (let thing = 0; thing < things.length; thing++) {
    const place = places[thing]!
    if (
      things[thing]!.kind === goal.thing &&
      place !== inHand &&
      all[place]!.kind === goal.place &&
      (done[thing]! & bit) === bit
    )
      count++
  }
  return count
}
