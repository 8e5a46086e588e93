import { GuerdonError, type ImageSource, isDialogue, type Part, type Turns } from '../../core/index.ts'
import type { Criterion } from './criterion.ts'
import { type Fence, fenceCode, fenceMarks, fenceNote, withoutControlTokens } from './fence.ts'

/**
 * The words of a judge. `{field}` is where material or a part of the criterion goes, `{field|name}` says by which name
 * it is introduced ("answer A"). A line with a field that is absent is left out. Fields are those of the criterion
 * (`task`, `dimension`, `principle`, `context`), `prompt`, `reference`, of a point judge `output`, of a pair judge
 * `first` and `second`, of a list judge `candidates`, and those that a judge adds.
 */
export interface JudgePrompt {
  /** Says which words these are; like the words themselves a part of the judge's identity. */
  readonly version: string
  readonly system?: string
  readonly user: string
}

/** Something to show: an output, a prompt, or several under names of their own. */
export type Material = Turns | { readonly list: readonly { readonly name: string; readonly turns: Turns }[] }

/** One message as a model reads it, images not yet loaded. */
export interface QueryMessage {
  readonly role: 'system' | 'user'
  readonly text: string
  /** Before the text. */
  readonly images: readonly ImageSource[]
  /** Of a video, after the images. */
  readonly frames: readonly ImageSource[]
}

/** Messages of one role in a row are one turn: images and texts alternate. */
export type Query = readonly QueryMessage[]

/** Text, or images between texts. */
type Piece = string | { readonly images: readonly ImageSource[]; readonly isVideo: boolean }

/**
 * A prompt filled in. Images and videos stand where the material has them; with coded fences each is numbered in the
 * text before it ("[image 2]"). Filling in is one pass: braces inside the material mean nothing. Throws a
 * `GuerdonError` (`bad-config`) for a field that there is not.
 */
export function renderQuery(
  prompt: JudgePrompt,
  {
    criterion = {},
    material,
    fence = 'coded',
  }: {
    readonly criterion?: Criterion
    readonly material: Readonly<Record<string, Material | undefined>>
    /** @default 'coded' */
    readonly fence?: Fence
  },
): Query {
  const { task, dimension, principle, context } = criterion
  const words: Readonly<Record<string, string | undefined>> = { task, dimension, principle, context }
  const counter = fence === 'coded' ? { images: 0, videos: 0 } : undefined
  const shown = (name: string, turns: Turns): Piece[] => {
    const pieces = piecesOf(turns, counter)
    if (fence === 'plain') return pieces
    const safe = pieces.map((piece) => (typeof piece === 'string' ? withoutControlTokens(piece) : piece))
    const [open, close] = fenceMarks(
      name,
      fenceCode(safe.filter((piece) => typeof piece === 'string').join('')),
    )
    return [`${open}\n`, ...safe, `\n${close}`]
  }
  const fieldPieces = (field: string, name: string): Piece[] | undefined => {
    if (Object.hasOwn(material, field)) {
      const value = material[field]
      if (value === undefined) return undefined
      if (typeof value === 'string' || !('list' in value)) return shown(name, value)
      return value.list.flatMap((item, index) => [
        ...(index === 0 ? [] : ['\n\n']),
        ...(fence === 'plain' ? [`${item.name}:\n`] : []),
        ...shown(item.name, item.turns),
      ])
    }
    if (Object.hasOwn(words, field)) return words[field] === undefined ? undefined : [words[field]]
    throw new GuerdonError('bad-config', `a judge's prompt has no field "${field}".`, {
      fix: `Fields are ${[...Object.keys(material), ...Object.keys(words)].join(', ')}.`,
    })
  }
  const filled = (text: string): Piece[] => {
    const lines = text.split('\n').flatMap((line) => {
      const pieces = filledLine(line, fieldPieces)
      return pieces === undefined ? [] : [pieces]
    })
    return lines.flatMap((pieces, index) => (index === 0 ? pieces : ['\n', ...pieces]))
  }
  const user = filled(prompt.user)
  const system = [
    prompt.system === undefined ? '' : filled(prompt.system).join(''),
    fence === 'coded' ? fenceNote : '',
  ].filter(Boolean)
  return [...(system.length === 0 ? [] : [message('system', system.join('\n\n'))]), ...turnOf(user)]
}

/** A line with its fields filled in; undefined where one of them is absent. */
function filledLine(
  line: string,
  fieldPieces: (field: string, name: string) => Piece[] | undefined,
): Piece[] | undefined {
  const pieces: Piece[] = []
  let from = 0
  for (const { 0: whole, 1: field, 2: name, index } of line.matchAll(/\{([a-zA-Z]+)(?:\|([^{}|\n]+))?\}/g)) {
    const value = fieldPieces(field!, name ?? field!)
    if (value === undefined) return undefined
    pieces.push(line.slice(from, index), ...value)
    from = index + whole.length
  }
  return [...pieces, line.slice(from)]
}

/** Content in pieces; with a counter, images and videos are introduced by their number. */
function piecesOf(turns: Turns, counter: { images: number; videos: number } | undefined): Piece[] {
  if (typeof turns === 'string') return [turns]
  if (isDialogue(turns))
    return turns.flatMap(({ role, content, toolCalls = [] }, index) => [
      `${index === 0 ? '' : '\n\n'}${role}: `,
      ...piecesOf(content, counter),
      ...toolCalls.map((call) => `\n[tool call] ${JSON.stringify(call)}`),
    ])
  return (turns as readonly Part[]).flatMap((part, index): Piece[] => {
    const gap = index === 0 || counter === undefined ? '' : '\n'
    if (part.type === 'text') return [gap + part.text]
    if (part.type === 'json') return [gap + JSON.stringify(part.json)]
    if (part.type === 'image' && part.image === undefined) return [`${gap}[an image that is missing]`]
    const isVideo = part.type === 'video'
    const images = isVideo ? part.frames : [part.image!]
    if (counter === undefined) return [{ images, isVideo }]
    const label = isVideo
      ? `[video ${++counter.videos}: ${images.length} frames]`
      : `[image ${++counter.images}]`
    return [gap + label, { images, isVideo }]
  })
}

/** Pieces as messages of the user: each image or video opens a new one. */
function turnOf(pieces: readonly Piece[]): QueryMessage[] {
  const messages: QueryMessage[] = []
  for (const piece of pieces) {
    const last = messages.at(-1)
    if (typeof piece === 'string') {
      if (last === undefined) messages.push(message('user', piece))
      else messages[messages.length - 1] = { ...last, text: last.text + piece }
    } else if (piece.images.length > 0)
      messages.push({
        ...message('user', ''),
        ...(piece.isVideo ? { frames: piece.images } : { images: piece.images }),
      })
  }
  return messages.filter(({ text, images, frames }) => text !== '' || images.length + frames.length > 0)
}

function message(role: 'system' | 'user', text: string): QueryMessage {
  return { role, text, images: [], frames: [] }
}

/** A prompt as people read it. */
export function promptOf({ version, system, user }: JudgePrompt): string {
  return [
    `version ${version}`,
    ...(system === undefined ? [] : [`[system]\n${system}`]),
    `[user]\n${user}`,
  ].join('\n\n')
}
