import { afterMove, type HouseholdState, legalMoves, type Move, serviceBits } from './moves.ts'

/**
 * A shortest way to the goal, by breadth-first search over the moves that can be part of one; empty where the goal is
 * met. Exact: leaving out what cannot help (opening places that neither hold, take nor treat a wanted thing, taking
 * things that nobody asked for) loses no shortest way. Throws a `RangeError` where there is no way, which a drawn house
 * never has.
 */
export function shortestPlan(start: HouseholdState): Move[] {
  if (start.isDone) return []
  const useful = usefulMoves(start)
  let frontier: Node[] = [{ state: start }]
  const seen = new Set([keyOf(start)])
  while (frontier.length > 0) {
    const next: Node[] = []
    for (const node of frontier) {
      for (const move of legalMoves(node.state)) {
        if (!useful(node.state, move)) continue
        const reached: Node = { state: afterMove(node.state, move), move, before: node }
        if (reached.state.isDone) return planOf(reached)
        const key = keyOf(reached.state)
        if (seen.has(key)) continue
        seen.add(key)
        next.push(reached)
      }
    }
    frontier = next
  }
  throw new RangeError('this house has no way to its goal')
}

interface Node {
  readonly state: HouseholdState
  readonly move?: Move
  readonly before?: Node
}

function planOf(last: Node): Move[] {
  const plan: Move[] = []
  for (let node = last; node.before !== undefined; node = node.before) plan.push(node.move!)
  return plan.reverse()
}

function keyOf({ room, at, held, places, done, open }: HouseholdState): string {
  return `${room},${at},${held},${open},${places.join()},${done.join()}`
}

/** Which moves can be part of a shortest way from here. */
function usefulMoves({ house, places }: HouseholdState) {
  const { goal, things, places: all } = house
  const isWanted = things.map(({ kind }) => kind === goal.thing)
  const isTarget = all.map(({ kind }) => kind === goal.place)
  const treats = all.map(({ kind }) => deviceOf[goal.kind] === kind)
  const holds = all.map((_, place) => isWanted.some((wanted, thing) => wanted && places[thing] === place))
  const bit =
    goal.kind === 'light' || goal.kind === 'place' || goal.kind === 'place two' ? 0 : serviceBits[goal.kind]
  // A thing in hand that nobody asked for must first be put down, anywhere.
  const carriesOther = (state: HouseholdState) => state.held >= 0 && !isWanted[state.held]
  return (state: HouseholdState, move: Move): boolean => {
    switch (move.kind) {
      case 'enter':
        return true
      case 'go':
        return carriesOther(state) || isTarget[move.place]! || treats[move.place]! || holds[move.place]!
      case 'open':
        return carriesOther(state) || isTarget[move.place]! || holds[move.place]!
      case 'close':
        return false
      case 'take':
        return isWanted[move.thing]!
      case 'put':
        return !isWanted[move.thing] || isTarget[move.place]!
      default:
        return move.kind === goal.kind && (goal.kind === 'light' || (state.done[move.thing]! & bit) === 0)
    }
  }
}

const deviceOf: Readonly<Record<string, string>> = {
  clean: 'sink',
  heat: 'microwave',
  cool: 'fridge',
  light: 'lamp',
}
