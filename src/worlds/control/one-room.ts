import { Rng } from '../../core/index.ts'
import { checkIndex, type Split, splitNamed } from '../environment.ts'
import type { Game } from './game.ts'
import { illegalAction } from './illegal-action.ts'
import { PixelCanvas } from './pixel-canvas.ts'

export const roomLayouts = ['open', 'pillars', 'wall'] as const
export type RoomLayout = (typeof roomLayouts)[number]

export type OneRoomTask = {
  readonly layout: RoomLayout
  /** Cells inside the outer walls, row by row; 1 is a wall. */
  readonly walls: readonly number[]
  /** Cell numbers. */
  readonly start: number
  readonly heading: number
  readonly goal: number
}

export interface OneRoomState extends OneRoomTask {
  readonly at: number
  /** 0 up, 1 right, 2 down, 3 left. */
  readonly facing: number
}

/** Cells along each side. */
export const roomSide = 7
const headings = ['up', 'right', 'down', 'left'] as const
const forwards = [-roomSide, 1, roomSide, -1] as const
export const roomActions = ['left', 'right', 'forward'] as const

/**
 * A room seen from above, and a goal in it: turn left, turn right, go forward. Pays 1 at the goal and nothing before
 * (against a wall "forward" stays and pays nothing). Splits: `train` and `test` are open rooms, `pillars` and `wall`
 * hold obstacles that training has not seen.
 *
 * @source after MiniWorld's OneRoom, which VL-DAC (arXiv 2508.04280) trains on; a grid of this toolkit's own
 */
export function oneRoom(): Game<OneRoomTask, OneRoomState> {
  const splits: readonly (Split & { readonly layout: RoomLayout })[] = [
    { name: 'train', type: 'train', tasks: 100_000, layout: 'open' },
    { name: 'test', type: 'test', tasks: 10_000, layout: 'open' },
    { name: 'pillars', type: 'test', tasks: 10_000, layout: 'pillars' },
    { name: 'wall', type: 'test', tasks: 10_000, layout: 'wall' },
  ]
  const step = (state: OneRoomState, action: string): OneRoomState => {
    if (action === 'left') return { ...state, facing: (state.facing + 3) % 4 }
    if (action === 'right') return { ...state, facing: (state.facing + 1) % 4 }
    if (action !== 'forward') throw illegalAction('one-room', action)
    return { ...state, at: cellAhead(state) }
  }
  return {
    name: 'one-room',
    summary: 'Find the goal in a room seen from above: left, right, forward.',
    version: '1',
    splits,
    rewardRange: [-stepLimit, 1],
    task: (split, index) => {
      const found = splitNamed(splits, split)
      checkIndex(found, index)
      return drawRoom(new Rng(`one-room/${split}/${index}`), found.layout)
    },
    start: (task) => ({ ...task, at: task.start, facing: task.heading }),
    stepLimit: () => stepLimit,
    actions: ({ at, goal }) => (at === goal ? [] : roomActions),
    step: (state, action) => {
      const next = step(state, action)
      const isThere = next.at === next.goal
      return { state: next, reward: Number(isThere), terminated: isThere }
    },
    isWon: ({ at, goal }) => at === goal,
    rules: () =>
      'You are the arrow. Get to the red square: "left" and "right" turn you where you stand, "forward" goes one cell.',
    symbols: ({ at, facing, goal, walls }) => ({ at, facing, goal, walls }),
    text: ({ at, facing, goal, walls }) => {
      const rows = Array.from({ length: roomSide }, (_, row) =>
        Array.from({ length: roomSide }, (_, column) => {
          const cell = row * roomSide + column
          return cell === at ? '^>v<'[facing]! : cell === goal ? 'G' : walls[cell] ? '#' : '.'
        }).join(''),
      )
      return `facing: ${headings[facing]}\n${rows.join('\n')}`
    },
    picture: ({ at, facing, goal, walls }) => {
      const canvas = new PixelCanvas(32, 32, [60, 60, 66])
      const corner = (cell: number) =>
        [2 + (cell % roomSide) * 4, 2 + Math.floor(cell / roomSide) * 4] as const
      walls.forEach((wall, cell) => {
        if (!wall) canvas.fill(...corner(cell), 4, 4, [236, 236, 230])
      })
      canvas.fill(...corner(goal), 4, 4, [214, 38, 40])
      const [x, y] = corner(at)
      canvas.fill(x, y, 4, 4, [48, 88, 224])
      // A bright nose says where the arrow points.
      const [noseX, noseY, width, height] = noses[facing]!
      canvas.fill(x + noseX, y + noseY, width, height, [250, 230, 90])
      return canvas
    },
    bestAction: (state) => shortestRoute(state)[0] ?? 'forward',
    terminalReward: ({ at, goal }) => (at === goal ? 1 : 1e-10),
  }
}

const stepLimit = 40
const noses = [
  [1, 0, 2, 2],
  [2, 1, 2, 2],
  [1, 2, 2, 2],
  [0, 1, 2, 2],
] as const

/** The cell ahead, or one's own where a wall is in the way. */
function cellAhead({ at, facing, walls }: Pick<OneRoomState, 'at' | 'facing' | 'walls'>): number {
  const [row, column] = [Math.floor(at / roomSide), at % roomSide]
  const isAtEdge = [row === 0, column === roomSide - 1, row === roomSide - 1, column === 0][facing]!
  const ahead = at + forwards[facing]!
  return isAtEdge || walls[ahead] ? at : ahead
}

function drawRoom(rng: Rng, layout: RoomLayout): OneRoomTask {
  for (;;) {
    const walls = new Array<number>(roomSide * roomSide).fill(0)
    if (layout === 'pillars')
      for (const cell of rng.sample([8, 10, 12, 22, 24, 26, 36, 38, 40], 5)) walls[cell] = 1
    if (layout === 'wall') {
      const row = rng.int(2, roomSide - 2)
      const door = rng.int(0, roomSide)
      for (let column = 0; column < roomSide; column++)
        if (column !== door) walls[row * roomSide + column] = 1
    }
    const free = walls.flatMap((wall, cell) => (wall ? [] : [cell]))
    const [start, goal] = rng.sample(free, 2) as [number, number]
    const task = { layout, walls, start, heading: rng.int(0, 4), goal }
    if (shortestRoute({ ...task, at: start, facing: task.heading }).length > 0) return task
  }
}

/** Fewest actions to the goal, by breadth-first search; empty when it is reached already, or cannot be. */
export function shortestRoute(
  from: Pick<OneRoomState, 'at' | 'facing' | 'goal' | 'walls'>,
): (typeof roomActions)[number][] {
  const cameFrom = new Map<number, { readonly before: number; readonly action: number }>()
  const keyOf = (at: number, facing: number) => at * 4 + facing
  const first = keyOf(from.at, from.facing)
  let frontier = [first]
  const seen = new Set(frontier)
  while (frontier.length > 0) {
    const next: number[] = []
    for (const key of frontier) {
      const [at, facing] = [key >> 2, key & 3]
      if (at === from.goal) {
        const route: (typeof roomActions)[number][] = []
        for (let back = key; back !== first; back = cameFrom.get(back)!.before)
          route.push(roomActions[cameFrom.get(back)!.action]!)
        return route.reverse()
      }
      const reached = [
        keyOf(at, (facing + 3) % 4),
        keyOf(at, (facing + 1) % 4),
        keyOf(cellAhead({ at, facing, walls: from.walls }), facing),
      ]
      reached.forEach((other, action) => {
        if (seen.has(other)) return
        seen.add(other)
        cameFrom.set(other, { before: key, action })
        next.push(other)
      })
    }
    frontier = next
  }
  return []
}
