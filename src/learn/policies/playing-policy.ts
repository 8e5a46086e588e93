import { GuerdonError, type JsonObject, Rng } from '../../core/index.ts'
import type { Raster } from '../../models/raster.ts'
import { embeddedLanguageModel } from '../../nets/embedded/language-model.ts'
import type { Manifest } from '../../nets/embedded/manifest.ts'
import type { TransformerConfig } from '../../nets/transformer.ts'
import { initialVisionLanguage } from '../../nets/vision-language.ts'
import type { ConnectorConfig } from '../../nets/visual-connector.ts'
import type { CompileOptions } from '../../tensor/compile.ts'
import type { Tensor, Tree } from '../../tensor/tree.ts'
import type { Game } from '../../worlds/control/game.ts'
import type { Pixels } from '../../worlds/scenes/raster.ts'
import { type LanguagePolicy, languagePolicy, type PolicyPrompt } from './language-policy.ts'

/** How a policy puts a game into words: one token for each word and each action. */
export interface GameLanguage<Task extends JsonObject = JsonObject, State = unknown> {
  readonly game: Game<Task, State>
  /** Every action that the game may have. */
  readonly actions: readonly string[]
  /** Words of thoughts and prompts. @default none */
  readonly words?: readonly string[]
  /** What is told of a state beside its picture, in words. @default nothing */
  readonly told?: (state: State) => readonly string[]
  /** A thought worth imitating, in words, before the action. @default none: the policy acts at once */
  readonly thought?: (state: State) => readonly string[]
  /** Tokens of the longest thought. @default 0 */
  readonly longestThought?: number
  /**
   * Whether the policy writes anything and an action is read from it, or chooses: words of a thought, and then one of the
   * admissible actions, which ends the response; probabilities are normalised over what there is to choose, so that no
   * move is illegal. @default 'written'
   */
  readonly acts?: 'written' | 'chosen'
  /** Actions taken before that the prompt holds, the latest; a policy that sees all of them knows its whole history. @default 0 */
  readonly remembered?: number
}

/** A vision-language policy that plays one game. */
export interface PlayingPolicy<Task extends JsonObject = JsonObject, State = unknown> {
  readonly language: GameLanguage<Task, State>
  readonly policy: LanguagePolicy
  readonly manifest: Manifest
  /** Most tokens of a response: the longest thought and a chosen action; of a written one, the end and two to spare too. */
  readonly maxTokens: number
  promptOf(state: State, actions: readonly string[]): PolicyPrompt
  /** Throws `unknown-word`. */
  wordsOf(words: readonly string[]): number[]
  /** Tokens of a thought and an action, ended where actions are written: what a demonstration teaches. */
  responseOf(thought: readonly string[], action: string): number[]
  /**
   * What there is to choose for the token after `written` ones of a response. Undefined of a policy that writes its
   * actions, and when the game is over.
   */
  choicesOf(state: State, written: number): readonly number[] | undefined
  /** Tokens that end a response beside the end token. */
  readonly ends: readonly number[]
  /**
   * The action of a response: its last token, the end not counted. Null where there is none, or no end where there should
   * be one, which plays as an illegal action.
   * `thought` is how many tokens stand before it.
   */
  read(response: readonly number[]): { readonly action: string | null; readonly thought: number }
}

export interface PlayingPolicyOptions extends CompileOptions {
  /** Of the eyes and of the decoder. */
  readonly size?: Pick<TransformerConfig, 'width' | 'heads'> & {
    readonly eyes: number
    readonly depth: number
    readonly patch: number
  }
  /** Of the first parameters. @default 0 */
  readonly seed?: string | number
}

const marks = { begin: '<begin>', act: '<act>', end: '<end>' } as const

/** A small, untrained policy for a game with pictures. */
export function playingPolicy<Task extends JsonObject, State>(
  language: GameLanguage<Task, State>,
  options: PlayingPolicyOptions = {},
): PlayingPolicy<Task, State> {
  const { game, actions, words = [], longestThought = 0, remembered = 0, told = () => [] } = language
  const isChosen = language.acts === 'chosen'
  const { size = { width: 48, heads: 4, eyes: 2, depth: 2, patch: 8 }, seed = 0 } = options
  const tokens = [...Object.values(marks), ...actions, ...words]
  const first = game.start(game.task(game.splits[0]!.name, 0), new Rng(seed))
  const picture = game.picture?.(first)
  if (picture === undefined)
    throw new GuerdonError('no-pictures', `the game "${game.name}" has no pictures to see.`)
  const { width, heads, eyes, depth, patch } = size
  const side = Math.ceil(Math.max(picture.width, picture.height) / patch) * patch
  const maxTokens = longestThought + (isChosen ? 1 : 4)
  const connector: ConnectorConfig = {
    kind: 'encoder',
    width,
    heads,
    depth: eyes,
    image: { size: side, patch },
  }
  const manifest: Manifest = {
    name: `plays-${game.name}`,
    network: {
      kind: 'vision-language',
      config: {
        connector,
        decoder: {
          width,
          heads,
          depth,
          vocabulary: tokens.length,
          context: Math.ceil((2 + told(first).length + 8 + remembered + maxTokens) / 16) * 16,
          tied: true,
        },
      },
    },
    tokenizer: { tokens, marks: Object.values(marks) },
    dialogue: { before: [marks.begin], between: [marks.act], end: marks.end },
    training: { seed: String(seed), steps: 0, command: '' },
  }
  const { network } = manifest
  if (network.kind !== 'vision-language') throw new TypeError(network.kind)
  const parameters = initialVisionLanguage(new Rng(seed).fork(manifest.name), network.config) as Tree<Tensor>
  const model = embeddedLanguageModel(manifest.name, manifest, parameters, options)
  const policy = languagePolicy(model, options)
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const idOf = (token: string) => {
    const id = ids.get(token)
    if (id !== undefined) return id
    throw new GuerdonError('unknown-word', `the language of "${game.name}" has no word "${token}".`, {
      fix: 'Add it to `words` or `actions`.',
    })
  }
  const isAction = new Set(actions.map(idOf))
  const thoughts = words.map(idOf)
  return {
    language,
    policy,
    manifest,
    maxTokens,
    promptOf: (state, taken) => ({
      tokens: [
        marks.begin,
        ...told(state),
        ...(remembered === 0 ? [] : taken.slice(-remembered)),
        marks.act,
      ].map(idOf),
      image: squareRaster(game.picture!(state), side),
    }),
    wordsOf: (given) => given.map(idOf),
    responseOf: (thought, action) => [...thought, action, ...(isChosen ? [] : [marks.end])].map(idOf),
    choicesOf(state, written) {
      const open = isChosen ? game.actions(state) : []
      if (open.length === 0) return undefined
      return [...open.map(idOf), ...(written < longestThought ? thoughts : [])]
    },
    ends: isChosen ? [...isAction] : [],
    read(response) {
      const isEnded = response.at(-1) === policy.end
      const last = response.length - (isEnded ? 2 : 1)
      const token = response[last]
      const isRead = token !== undefined && isEnded !== isChosen && isAction.has(token)
      return { action: isRead ? tokens[token]! : null, thought: Math.max(0, last) }
    },
  }
}

/** The picture at the top left of a square, white around it. */
function squareRaster({ width, height, data }: Pixels, side: number): Raster {
  const rgba = new Uint8Array(side * side * 4).fill(255)
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      for (let channel = 0; channel < 3; channel++)
        rgba[(row * side + column) * 4 + channel] = data[(row * width + column) * 3 + channel]!
  return { width: side, height: side, data: rgba }
}
