import { GuerdonError, type Rng } from '../../core/index.ts'
import { colours, objectTypes, type SizeName, shapes } from './attributes.ts'
import { nounText } from './noun.ts'
import type { Box, Scene, SceneObject } from './scene.ts'
import { drawScene } from './scene.ts'
import { shapeTemplate } from './shape-template.ts'

export const actions = [
  'moves left',
  'moves right',
  'moves up',
  'moves down',
  'grows',
  'shrinks',
  'stays',
] as const
export type Action = (typeof actions)[number]

/** One object's part of a clip: `action` from frame `from` to frame `to`. */
export interface Step {
  readonly action: Action
  readonly from: number
  readonly to: number
}

export interface Clip {
  readonly id: string
  /** One scene a frame; objects keep their places in the list. */
  readonly frames: readonly Scene[]
  /** Per object, its steps in order. */
  readonly steps: readonly (readonly Step[])[]
}

export interface ClipOptions {
  /** @default 14 */
  readonly frames?: number
  /** Pixels. @default 32 */
  readonly width?: number
  /** Fewest and most objects, each of another shape and colour; at most 3. @default [1, 2] */
  readonly objects?: readonly [fewest: number, most: number]
  /** Fewest and most steps of an object. @default [1, 2] */
  readonly steps?: readonly [fewest: number, most: number]
  /** @default all seven */
  readonly actions?: readonly Action[]
}

const attempts = 400

/**
 * Draws a clip: each object does one thing after another ("moves left", then "stays"), inside the image and without
 * touching another. A step moves an object by a quarter of the image, or changes its diameter by a seventh of the
 * image, at least 3 pixels. Consecutive steps differ.
 */
export function drawClip(id: string, rng: Rng, options: ClipOptions = {}): Clip {
  const { frames: length = 14, width = 32, objects: counts = [1, 2], steps: stepCounts = [1, 2] } = options
  const allowed = options.actions ?? actions
  if (!(counts[0] >= 1 && counts[1] <= 3 && length >= 2 * stepCounts[1] && stepCounts[0] >= 1))
    throw new GuerdonError(
      'bad-clip-options',
      `objects [${counts}], steps [${stepCounts}], ${length} frames do not make a clip.`,
      {
        fix: 'Use 1 to 3 objects, 1 step or more, and at least two frames a step.',
      },
    )
  for (let attempt = 0; attempt < attempts; attempt++) {
    const start = drawScene(id, rng, {
      width,
      objects: counts,
      large: 0.3,
      chooseTypes: (own, count) => distinctTypes(own, count),
    })
    const steps = start.objects.map(() =>
      drawSteps(rng, rng.int(stepCounts[0], stepCounts[1] + 1), length, allowed),
    )
    const frames = played(start, steps, length)
    if (frames !== undefined) return { id, frames, steps }
  }
  throw new GuerdonError('clip-too-full', `No clip of these options was found in ${attempts} attempts.`, {
    fix: 'Use fewer objects or a larger image.',
  })
}

function distinctTypes(rng: Rng, count: number) {
  const chosenColours = rng.sample(colours, count)
  return rng.sample(shapes, count).map((shape, index) => ({ colour: chosenColours[index]!, shape }))
}

function drawSteps(rng: Rng, count: number, length: number, allowed: readonly Action[]): Step[] {
  const steps: Step[] = []
  for (let i = 0; i < count; i++) {
    const previous = steps.at(-1)?.action
    steps.push({
      action: rng.pick(allowed.filter((action) => action !== previous)),
      from: Math.round((i * (length - 1)) / count),
      to: Math.round(((i + 1) * (length - 1)) / count),
    })
  }
  return steps
}

const motion: Readonly<Record<Action, readonly [x: number, y: number, diameter: number]>> = {
  'moves left': [-1, 0, 0],
  'moves right': [1, 0, 0],
  'moves up': [0, -1, 0],
  'moves down': [0, 1, 0],
  grows: [0, 0, 1],
  shrinks: [0, 0, -1],
  stays: [0, 0, 0],
}

/** All frames, or undefined where something leaves the image, touches another, or becomes too small. */
function played(start: Scene, steps: readonly (readonly Step[])[], length: number): Scene[] | undefined {
  const side = Math.min(start.width, start.height)
  const frames: Scene[] = []
  for (let frame = 0; frame < length; frame++) {
    const objects = start.objects.map((object, index) => at(object, steps[index]!, frame, side))
    if (objects.some(({ box, diameter }) => diameter < side / 6 || !isInside(box, start))) return undefined
    if (objects.some((a, i) => objects.some((b, j) => i < j && touches(a.box, b.box)))) return undefined
    frames.push({ ...start, id: `${start.id}/frame-${frame}`, objects })
  }
  return frames
}

/** An object as it is at a frame: its centre and diameter after the steps so far. */
function at(object: SceneObject, steps: readonly Step[], frame: number, side: number): SceneObject {
  let [x, y, diameter] = [
    (object.box[0] + object.box[2]) / 2,
    (object.box[1] + object.box[3]) / 2,
    object.diameter,
  ]
  for (const { action, from, to } of steps) {
    const done = Math.min(1, Math.max(0, (frame - from) / (to - from)))
    const [dx, dy, growth] = motion[action]
    x += Math.round(dx * done * side * 0.25)
    y += Math.round(dy * done * side * 0.25)
    diameter += Math.round(growth * done * Math.max(3, side * 0.14))
  }
  const template = shapeTemplate(object.shape, Math.max(1, diameter))
  const left = Math.round(x - template.width / 2)
  const top = Math.round(y - template.height / 2)
  const size: SizeName = diameter >= 0.3 * side ? 'large' : 'small'
  return { ...object, diameter, size, box: [left, top, left + template.width, top + template.height] }
}

function isInside(box: Box, { width, height }: Scene): boolean {
  return box[0] >= 0 && box[1] >= 0 && box[2] <= width && box[3] <= height
}

function touches(a: Box, b: Box): boolean {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

// --- what is said of a clip

/** "the red circle moves left, then stops. the blue star stays." One sentence an object. */
export function clipCaption(clip: Clip): string {
  return clip.steps
    .map(
      (steps, index) =>
        `the ${nameOf(clip, index)} ${steps.map(({ action }, at) => stepText(action, at)).join(', then ')}.`,
    )
    .join(' ')
}

function nameOf(clip: Clip, index: number): string {
  const { colour, shape } = clip.frames[0]!.objects[index]!
  return nounText({ colour, shape })
}

/** After a movement, staying reads "stops". */
function stepText(action: Action, position: number): string {
  return action === 'stays' && position > 0 ? 'stops' : action
}

export interface ClipQuestion {
  readonly kind: 'action' | 'actor' | 'order'
  readonly text: string
  readonly answer: string
}

/**
 * Everything that can be asked of a clip with one right answer: what an object does (of one step), what does it
 * (where only one object does), and what it does first and last (of several steps).
 */
export function clipQuestions(clip: Clip): ClipQuestion[] {
  const done = clip.steps.map((steps) => steps.map(({ action }) => action))
  return clip.steps.flatMap((steps, index): ClipQuestion[] => {
    const name = nameOf(clip, index)
    const own = done[index]!
    const about: ClipQuestion[] =
      steps.length === 1
        ? [{ kind: 'action', text: `what does the ${name} do?`, answer: own[0]! }]
        : [
            { kind: 'order', text: `what does the ${name} do first?`, answer: own[0]! },
            {
              kind: 'order',
              text: `what does the ${name} do last?`,
              answer: stepText(own.at(-1)!, own.length - 1),
            },
          ]
    const alone = own.filter((action) => done.every((other, at) => at === index || !other.includes(action)))
    return [
      ...about,
      ...alone.map((action): ClipQuestion => ({ kind: 'actor', text: `what ${action}?`, answer: name })),
    ]
  })
}

/** Whether an answer to one of the clip's own questions is right; null when the question is none of them. */
export function judgeClipAnswer(clip: Clip, question: string, answer: string): boolean | null {
  const answers = clipQuestions(clip).filter(({ text }) => text === question)
  if (answers.length === 0) return null
  const given = answer
    .trim()
    .toLowerCase()
    .replace(/^(?:it|the) /, '')
    .replace(/\.$/, '')
  return answers.some((known) => known.answer === given)
}

/** Whether a caption says of every object what it does, in any order of sentences. */
export function judgeClipCaption(clip: Clip, caption: string): boolean {
  const sentences = (text: string) =>
    text
      .toLowerCase()
      .split('.')
      .map((sentence) => sentence.trim().replace(/\s+/g, ' '))
      .filter(Boolean)
      .sort()
      .join('. ')
  return sentences(caption) === sentences(clipCaption(clip))
}

// --- faults of generated clips

export const clipFaults = ['wrong action', 'identity drift', 'freeze'] as const
export type ClipFault = (typeof clipFaults)[number]

/**
 * The clip as a faulty world model would make it: another action than the clip's, the first object changing its
 * colour and shape half-way, or nothing moving after the first third. `steps` stay what was asked for, so that
 * captions and questions of the original are what the frames are to be judged against. undefined where the clip
 * leaves no room for that fault.
 */
export function faultyClip(clip: Clip, fault: ClipFault, rng: Rng): Clip | undefined {
  const { frames } = clip
  const id = `${clip.id}/${fault}`
  const half = Math.floor(frames.length / 2)
  switch (fault) {
    case 'freeze': {
      const third = Math.max(1, Math.floor(frames.length / 3))
      const frozen = frames[third]!.objects
      // A quarter of the longest way must be missing somewhere, or nobody could see the fault.
      const isMissed = frames
        .slice(third)
        .some(({ objects, width }) =>
          objects.some(({ box }, index) =>
            box.some((edge, side) => Math.abs(edge - frozen[index]!.box[side]!) >= width / 16),
          ),
        )
      return isMissed
        ? { ...clip, id, frames: frames.map((frame, index) => (index > third ? frames[third]! : frame)) }
        : undefined
    }
    case 'identity drift': {
      const { colour, shape } = frames[0]!.objects[0]!
      const other = rng.pick(objectTypes.filter((type) => type.colour !== colour && type.shape !== shape))
      const donor = drawScene(id, rng, { objects: [1, 1], chooseTypes: () => [other] }).objects[0]!
      const drifted = (object: SceneObject): SceneObject => {
        const { width, height } = shapeTemplate(other.shape, object.diameter)
        const [x, y] = object.box
        const left = Math.min(x, frames[0]!.width - width)
        const top = Math.min(y, frames[0]!.height - height)
        return { ...object, ...other, rgb: donor.rgb, box: [left, top, left + width, top + height] }
      }
      return {
        ...clip,
        id,
        frames: frames.map((frame, index) =>
          index < half
            ? frame
            : { ...frame, objects: frame.objects.map((object, at) => (at === 0 ? drifted(object) : object)) },
        ),
      }
    }
    case 'wrong action': {
      const start = frames[0]!
      for (const action of rng.shuffled(actions)) {
        const first = clip.steps[0]!
        if (first.some((step) => step.action === action)) continue
        const steps = [[{ action, from: 0, to: frames.length - 1 }], ...clip.steps.slice(1)]
        const changed = played({ ...start, id }, steps, frames.length)
        if (changed !== undefined) return { ...clip, id, frames: changed }
      }
      return undefined
    }
  }
}
