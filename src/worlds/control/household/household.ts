import { GuerdonError, Rng } from '../../../core/index.ts'
import { checkIndex, type Split, splitNamed } from '../../environment.ts'
import type { Game, GameTool } from '../game.ts'
import { illegalAction } from '../illegal-action.ts'
import { drawHouse, type Goal, type House, type HouseOptions } from './house.ts'
import { type PlaceName, placeKind, placeKinds } from './kinds.ts'
import { afterMove, type HouseholdState, isOpen, legalMoves, movesOf, serviceBits } from './moves.ts'
import { shortestPlan } from './solver.ts'

/** Which house; it is drawn anew from this name. */
export type HouseholdTask = { readonly house: string }

export interface HouseholdOptions extends HouseOptions {
  /** Paid for the goal. @default 1 */
  readonly goalReward?: number
  /** Paid once for each: taking a wanted thing, treating it, putting a first one down where it goes. @default 0 */
  readonly subGoalReward?: number
  /** Steps at most. @default 50 */
  readonly stepLimit?: number
}

/**
 * A small house in words: go to rooms and places, open and close, take and put, clean, heat and cool, look at things
 * under a lamp. What is in a closed place, or in another room, is not seen. Six kinds of goal, as in ALFWorld. Splits:
 * `train` and `test` ask for the same pairs of things and places in other houses, `unseen` for pairs that training never
 * asks for.
 *
 * @source after ALFWorld (arXiv 2010.03768), which GFlowVLM and VL-DAC use; a world of this toolkit's own. Their reward
 *   is `{ goalReward: 50, subGoalReward: 1 }`, with -1 for illegal actions.
 */
export function household(options: HouseholdOptions = {}): Game<HouseholdTask, HouseholdState> {
  const { goalReward = 1, subGoalReward = 0, stepLimit = 50 } = options
  const { rooms = 3 } = options
  if (!(Number.isInteger(rooms) && rooms >= 1 && rooms <= 4))
    throw new GuerdonError('bad-option', `rooms is ${rooms}.`, { fix: 'Give a whole number from 1 to 4.' })
  const splits: readonly Split[] = [
    { name: 'train', type: 'train', tasks: 100_000 },
    { name: 'test', type: 'test', tasks: 10_000 },
    { name: 'unseen', type: 'test', tasks: 10_000 },
  ]
  // A house is drawn from its name alone. The last few are kept, for groups of episodes of one task.
  const known = new Map<string, House>()
  const houseOf = (name: string): House => {
    let house = known.get(name)
    if (house === undefined) {
      house = drawHouse(new Rng(`household/${name}`), options, name.startsWith('unseen/'))
      if (known.size >= 64) known.delete(known.keys().next().value!)
      known.set(name, house)
    }
    return house
  }
  return {
    name: 'household',
    summary: 'Do a chore in a small house described in words.',
    version: '1',
    splits,
    rewardRange: [-stepLimit, goalReward + 3 * subGoalReward],
    tools: householdTools,
    task: (split, index) => {
      checkIndex(splitNamed(splits, split), index)
      return { house: `${split}/${index}` }
    },
    start: (task) => {
      const house = houseOf(task.house)
      return {
        house,
        room: house.start,
        at: -1,
        held: -1,
        places: Uint8Array.from(house.things, ({ place }) => place),
        done: new Uint8Array(house.things.length),
        open: 0,
        reached: 0,
        isDone: false,
      }
    },
    stepLimit: () => stepLimit,
    actions: (state) => legalMoves(state).map(({ text }) => text),
    step: (state, action) => {
      const move = movesOf(state.house).byText.get(action)
      if (move === undefined || !legalMoves(state).includes(move)) throw illegalAction('household', action)
      const next = afterMove(state, move)
      const fresh = next.reached & ~state.reached
      const subGoals = (fresh & 1) + ((fresh >> 1) & 1) + ((fresh >> 2) & 1)
      return {
        state: next,
        reward: subGoalReward * subGoals + (next.isDone ? goalReward : 0),
        terminated: next.isDone,
      }
    },
    isWon: ({ isDone }) => isDone,
    rules: (task) => {
      const { goal, rooms: all } = houseOf(task.house)
      return `Your task: ${goalText(goal)}. The house has these rooms: ${all.join(', ')}.`
    },
    symbols: (state) => {
      const { room, at, held, open } = state
      return { room, at, held, isOpen: at >= 0 && ((open >>> at) & 1) === 1, seen: seenThings(state) }
    },
    text: viewText,
    bestAction: (state) => shortestPlan(state)[0]!.text,
    terminalReward: ({ isDone, reached }) =>
      Math.max(
        1e-10,
        (isDone ? goalReward : 0) +
          subGoalReward * ((reached & 1) + ((reached >> 1) & 1) + ((reached >> 2) & 1)),
      ),
  }
}

/** "put two clean mugs in a cabinet", "look at a book under a lamp" */
export function goalText({ kind, thing, place }: Goal): string {
  if (kind === 'light') return `look at a ${thing} under a lamp`
  const where = `${placeKind(place!).preposition} a ${place}`
  if (kind === 'place two') return `put two of ${thing} ${where}`
  if (kind === 'place') return `put a ${thing} ${where}`
  return `${kind} a ${thing} and put it ${where}`
}

/** Things that one sees: those in the place where one stands, when it is open. */
function seenThings(state: HouseholdState): number[] {
  const { at, places } = state
  if (at < 0 || !isOpen(state, at, movesOf(state.house))) return []
  const seen: number[] = []
  for (let thing = 0; thing < places.length; thing++) if (places[thing] === at) seen.push(thing)
  return seen
}

function viewText(state: HouseholdState): string {
  const { house, room, at, held } = state
  const table = movesOf(house)
  const { places } = house
  const lines = [
    `You are in the ${house.rooms[room]}. There are: ${table.placesOf[room]!.map((place) => places[place]!.name).join(', ')}. ` +
      `Doors lead to: ${house.doors[room]!.map((other) => house.rooms[other]).join(', ') || 'nowhere'}.`,
  ]
  if (at >= 0) {
    const { name, kind } = places[at]!
    lines.push(
      isOpen(state, at, table)
        ? `You are at ${name}${table.opens[at] ? ', which is open' : ''}. ${placeKind(kind).preposition === 'in' ? 'In' : 'On'} it: ${
            seenThings(state)
              .map((thing) => thingText(state, thing))
              .join(', ') || 'nothing'
          }.`
        : `You are at ${name}, which is closed.`,
    )
  }
  lines.push(held < 0 ? 'You hold nothing.' : `You hold ${thingText(state, held)}.`)
  return lines.join('\n')
}

function thingText({ house, done }: HouseholdState, thing: number): string {
  const bits = done[thing]!
  const states = [
    ...(bits & serviceBits.clean ? ['clean'] : []),
    ...(bits & serviceBits.heat ? ['hot'] : []),
    ...(bits & serviceBits.cool ? ['cool'] : []),
  ]
  const { name } = house.things[thing]!
  return states.length === 0 ? name : `${name} (${states.join(', ')})`
}

const nameOf = (what: string) => ({ type: 'string', description: `${what}, with its number.` })

function tool(
  name: string,
  description: string,
  keys: Readonly<Record<string, string>>,
  text: string,
): GameTool {
  return {
    name,
    description,
    input: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(keys).map(([key, what]) => [key, nameOf(what)])),
      required: Object.keys(keys),
      additionalProperties: false,
    },
    action: (input) => text.replace(/\{(\w+)\}/g, (_, key: string) => String(input[key])),
  }
}

const thingAndPlace = { thing: 'The thing', place: 'The place' }
const householdTools: readonly GameTool[] = [
  tool(
    'go_to',
    'Goes to a room next door, or to a place in this room.',
    { place: 'The room or place' },
    'go to {place}',
  ),
  tool('open_place', 'Opens the place where you are.', { place: 'The place' }, 'open {place}'),
  tool('close_place', 'Closes the place where you are.', { place: 'The place' }, 'close {place}'),
  tool('take', 'Takes a thing from the place where you are.', thingAndPlace, 'take {thing} from {place}'),
  {
    ...tool('put', 'Puts what you hold in or on the place where you are.', thingAndPlace, ''),
    action: ({ thing, place }) => {
      const kind = String(place).replace(/ \d+$/, '')
      const preposition = Object.hasOwn(placeKinds, kind) ? placeKind(kind as PlaceName).preposition : 'in'
      return `put ${thing} ${preposition} ${place}`
    },
  },
  tool('clean', 'Cleans what you hold, at a sink.', thingAndPlace, 'clean {thing} with {place}'),
  tool('heat', 'Heats what you hold, at a microwave.', thingAndPlace, 'heat {thing} with {place}'),
  tool('cool', 'Cools what you hold, at a fridge.', thingAndPlace, 'cool {thing} with {place}'),
  tool('look_at', 'Looks at what you hold, under a lamp.', thingAndPlace, 'look at {thing} under {place}'),
]
