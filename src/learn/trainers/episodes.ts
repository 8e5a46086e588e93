import { type JsonObject, Rng } from '../../core/index.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import { Episode } from '../../worlds/control/episode.ts'
import type { PolicyRow } from '../policies/language-policy.ts'
import type { PlayingPolicy } from '../policies/playing-policy.ts'

/** One step of an episode: what was seen and written, and what came of it. */
export interface EpisodeMove extends PolicyRow {
  /** Tokens of the response before its action. */
  readonly thought: number
  /** Null where the response names no action. */
  readonly action: string | null
  readonly isLegal: boolean
  readonly reward: number
  /** Of each token of the response under the policy that wrote it, among its choices where it has some [nats]. */
  readonly logp: readonly number[]
}

export interface PlayedEpisode<State = unknown> {
  /** Index among the tasks. */
  readonly task: number
  readonly moves: readonly EpisodeMove[]
  /** The legal actions taken, in order. */
  readonly actions: readonly string[]
  /** Sum of the rewards. */
  readonly total: number
  readonly isWon: boolean
  /** Ended by the limit of steps, not by the game. */
  readonly isCut: boolean
  /** Before each legal action. */
  readonly states: readonly State[]
  readonly end: State
}

export interface PlayOptions<Task extends JsonObject, State> {
  readonly player: PlayingPolicy<Task, State>
  readonly parameters: Tree<Tensor>
  readonly tasks: readonly Task[]
  /** Episodes of each task. @default 1 */
  readonly group?: number
  /** @default 1; 0 takes the likeliest token */
  readonly temperature?: number
  /** What an action that is illegal, or none, is paid. @default -1 */
  readonly illegalReward?: number
  readonly seed: string
  readonly signal?: AbortSignal
}

/**
 * Plays `group` episodes of each task side by side, the episodes of a task next to each other. A response without an
 * action changes nothing, takes a step and is paid as an illegal one. Each episode has random streams of its own.
 */
export async function playEpisodes<Task extends JsonObject, State>(
  options: PlayOptions<Task, State>,
): Promise<PlayedEpisode<State>[]> {
  const { player, parameters, tasks, group = 1, temperature = 1, illegalReward = -1, seed, signal } = options
  const { game } = player.language
  const rows = tasks.flatMap((task, index) =>
    Array.from({ length: group }, (_, draw) => ({
      task: index,
      episode: new Episode(game, task, { seed: `${seed}/${index}-${draw}`, illegalReward }),
      moves: [] as EpisodeMove[],
      actions: [] as string[],
      states: [] as State[],
      rng: new Rng(`${seed}/words/${index}-${draw}`),
    })),
  )
  for (let step = 0; ; step++) {
    signal?.throwIfAborted()
    const open = rows.filter(({ episode }) => !episode.isOver)
    if (open.length === 0) break
    const prompts = open.map(({ episode, actions }) => player.promptOf(episode.state, actions))
    const chosen = player.choicesOf(open[0]!.episode.state, 0) !== undefined
    const choicesAt = (row: number, written: number) => player.choicesOf(open[row]!.episode.state, written)!
    const texts = await player.policy.sample(parameters, prompts, {
      maxTokens: player.maxTokens,
      stop: player.ends,
      ...(chosen && {
        process: (logits: Float32Array, row: number, tokens: readonly number[]) =>
          keepOnly(logits, choicesAt(row, tokens.length - prompts[row]!.tokens.length)),
      }),
      temperature,
      seed: (row) => open[row]!.rng.fork(step),
      ...(signal === undefined ? {} : { signal }),
    })
    texts.forEach(({ tokens, logp, sampledLogp }, index) => {
      const { episode, moves, actions, states } = open[index]!
      const { action, thought } = player.read(tokens)
      const { state } = episode
      const choices = chosen && { choices: tokens.map((_, at) => choicesAt(index, at)) }
      const { reward, legal } = episode.step(action ?? '')
      if (legal) {
        actions.push(action!)
        states.push(state)
      }
      moves.push({
        ...prompts[index]!,
        ...choices,
        response: tokens,
        thought,
        action,
        isLegal: legal,
        reward,
        logp: chosen ? sampledLogp : logp,
      })
    })
  }
  return rows.map(({ task, episode, moves, actions, states }) => ({
    task,
    moves,
    actions,
    states,
    total: episode.total,
    isWon: episode.isWon,
    isCut: episode.truncated,
    end: episode.state,
  }))
}

/** Rules out all tokens but these. */
function keepOnly(logits: Float32Array, tokens: readonly number[]): void {
  const kept = new Set(tokens)
  for (let token = 0; token < logits.length; token++)
    if (!kept.has(token)) logits[token] = Number.NEGATIVE_INFINITY
}

/** What the episodes of an iteration looked like. */
export interface EpisodesRecord {
  /** Mean sum of rewards of an episode. */
  readonly reward: number
  /** Share of episodes that were won. */
  readonly won: number
  /** Moves of an episode. */
  readonly moves: number
  /** Share of moves that were legal. */
  readonly legal: number
  /** Mean surprise at a token that was written [nats]. */
  readonly entropy: number
  /** Moves played: what the iteration cost. */
  readonly samples: number
}

export function episodesRecord(episodes: readonly PlayedEpisode[]): EpisodesRecord {
  const moves = episodes.flatMap((episode) => episode.moves)
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    reward: mean(episodes.map(({ total }) => total)),
    won: mean(episodes.map(({ isWon }) => Number(isWon))),
    moves: moves.length / episodes.length,
    legal: mean(moves.map(({ isLegal }) => Number(isLegal))),
    entropy: -mean(moves.flatMap(({ logp }) => logp)),
    samples: moves.length,
  }
}

/** Different successful action sequences of each task, in the order of the tasks. */
export function differentSolutions(episodes: readonly PlayedEpisode[], tasks: number): number[] {
  const found = Array.from({ length: tasks }, () => new Set<string>())
  for (const { task, isWon, actions } of episodes) if (isWon) found[task]!.add(actions.join(' '))
  return found.map(({ size }) => size)
}

/**
 * Div@N (GFlowVLM): different successful trajectories among the N of a task, averaged over the tasks that were solved at
 * all; null when none was.
 */
export function solutionDiversity(solutions: readonly number[]): number | null {
  const solved = solutions.filter((count) => count >= 1)
  return solved.length === 0 ? null : solved.reduce((sum, count) => sum + count, 0) / solved.length
}
