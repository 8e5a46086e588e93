import type { Json, JsonObject, Part } from '../../core/index.ts'
import type {
  Environment,
  EnvironmentStep,
  EnvironmentTask,
  OpenOptions,
  Session,
  Tool,
} from '../environment.ts'
import { checkIndex, splitNamed } from '../environment.ts'
import { encodePng } from '../scenes/png.ts'
import { Episode } from './episode.ts'
import type { Game } from './game.ts'
import { readAction } from './read-action.ts'

export interface GameEnvironmentOptions {
  /** Whether observations hold the game's picture, where it has one. @default true */
  readonly pictures?: boolean
  /** What an illegal action costs. @default -1 */
  readonly illegalReward?: number
  /** @default the game's own */
  readonly stepLimit?: number
}

const playTool = 'play'

/**
 * A game as an environment: the tool `play` takes any action as text (also JSON with thoughts and an action), a game's
 * own tools take theirs apart. Rewards add up. An illegal action is paid for, takes a step and is said to be illegal.
 */
export function gameEnvironment<Task extends JsonObject, State>(
  game: Game<Task, State>,
  options: GameEnvironmentOptions = {},
): Environment {
  const tools: Tool[] = [
    {
      name: playTool,
      description: 'Plays one of the legal actions.',
      input: {
        type: 'object',
        properties: { action: { type: 'string', description: 'A legal action, as it is listed.' } },
        required: ['action'],
        additionalProperties: false,
      },
    },
    ...(game.tools ?? []).map(({ name, description, input }) => ({ name, description, input })),
  ]
  return {
    name: game.name,
    summary: game.summary,
    version: game.version,
    splits: game.splits.map(({ name, type, tasks }) => ({ name, type, tasks })),
    tools,
    textTool: { tool: playTool, argument: 'action', answers: false },
    finalReward: 'sum',
    rewardRange: game.rewardRange,
    rewardParts: ['won', 'legal'],
    task: (split, index) => {
      checkIndex(splitNamed(game.splits, split), index)
      return { split, index, goal: game.rules(game.task(split, index)) }
    },
    open: async (task, open) => openGame(game, task, options, open),
  }
}

function openGame<Task extends JsonObject, State>(
  game: Game<Task, State>,
  task: EnvironmentTask,
  { pictures = true, illegalReward, stepLimit }: GameEnvironmentOptions,
  { seed = `${game.name}/${task.split}/${task.index}` }: OpenOptions = {},
): Session {
  const own = game.task(task.split, task.index)
  const episode = new Episode(game, own, {
    seed,
    ...(illegalReward === undefined ? {} : { illegalReward }),
    ...(stepLimit === undefined ? {} : { stepLimit }),
  })
  const view = (before: string): Part[] => {
    const actions = episode.actions()
    const listed = actions.length === 0 ? '' : `\nLegal actions: ${actions.join(', ')}`
    const picture = pictures ? episode.picture() : undefined
    return [
      { type: 'text', text: `${before}${episode.text()}${listed}` },
      ...(picture
        ? [{ type: 'image' as const, image: { bytes: encodePng(picture), mediaType: 'image/png' } }]
        : []),
    ]
  }
  return {
    task,
    prompt: async () => view(`${game.rules(own)}\n`),
    act: async ({ tool, input }): Promise<EnvironmentStep> => {
      const legalActions = episode.actions()
      const action =
        tool === playTool
          ? readAction(String(input.action), legalActions)
          : game.tools!.find(({ name }) => name === tool)!.action(input)
      const { reward, terminated, truncated, legal } = episode.step(action)
      const problem = `"${action.slice(0, 200)}" is no legal action here.`
      const end = terminated
        ? episode.isWon
          ? 'Done.\n'
          : 'It is over.\n'
        : truncated
          ? 'Out of steps.\n'
          : ''
      return {
        content: view(`${legal ? '' : `${problem}\n`}${end}`),
        reward,
        terminated,
        truncated,
        parts: { won: terminated || truncated ? Number(episode.isWon) : null, legal: Number(legal) },
        ...(legal ? {} : { problem }),
      }
    },
    state: () => ({
      steps: episode.steps,
      total: episode.total,
      terminated: episode.terminated,
      truncated: episode.truncated,
      hidden: plain(episode.state),
    }),
    close: async () => {},
  }
}

/** A state as JSON: typed arrays become lists. */
function plain(state: unknown): Json {
  return JSON.parse(
    JSON.stringify(state, (_, value) => (ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value)),
  )
}
