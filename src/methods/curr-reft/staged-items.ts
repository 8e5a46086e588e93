import type { Json, Rng } from '../../core/index.ts'
import { type SceneTask, thoughtAndAnswer } from '../../learn/tasks/scene-tasks.ts'
import { colours, numberWords, type ObjectType, sizes } from '../../worlds/scenes/attributes.ts'
import { boxText, type ImageSize, parseBoxList } from '../../worlds/scenes/box-grammar.ts'
import { countOf, type Noun, nounText } from '../../worlds/scenes/noun.ts'
import { intersectionOverUnion } from '../../worlds/scenes/oracle.ts'
import type { Box, Scene } from '../../worlds/scenes/scene.ts'
import { commonTypes, heldOutTypes } from '../../worlds/scenes/scene-world.ts'
import type { Stage, Task } from '../curr-reft.ts'
import type { SceneExample } from '../reproduce/scene-proof.ts'

/** The three tasks: the box of an object, its attributes, how many there are of a colour. */
export const itemTasks = ['detection', 'classify', 'math'] as const satisfies readonly Task[]
type ItemTask = (typeof itemTasks)[number]

/** One question, which can be put in three forms. Answers are as the policy writes them. */
export interface StagedItem {
  readonly scene: Scene
  readonly task: ItemTask
  readonly question: string
  readonly truth: string
  /** Three wrong answers of the same kind, which overlap the right one too little to count. */
  readonly others: readonly string[]
  /** The open answer as the reward compares with it. */
  readonly reference: Json
}

/** Two or three objects of different shapes, the first of one of these types; so each can be asked for by its shape. */
export function itemScenes(types: readonly ObjectType[] = commonTypes) {
  return {
    objects: [2, 3] as const,
    chooseTypes: (rng: Rng, count: number) => {
      const chosen: ObjectType[] = [rng.pick(types)]
      while (chosen.length < count) {
        const wanted = rng.chance(0.4) ? rng.pick(chosen).colour : undefined
        const free = commonTypes.filter(
          ({ shape, colour }) =>
            chosen.every((type) => type.shape !== shape) && (wanted === undefined || colour === wanted),
        )
        chosen.push(rng.pick(free))
      }
      return chosen
    },
  }
}

/** Scenes about a pair of colour and shape that no other training showed. */
export const unseenScenes = itemScenes(heldOutTypes)

/** A question about the first object of a scene. */
export function stagedItem(scene: Scene, rng: Rng, task: ItemTask = rng.pick(itemTasks)): StagedItem {
  const [{ shape, colour, size, box }] = scene.objects as [Scene['objects'][0]]
  switch (task) {
    case 'detection': {
      const others = Array.from({ length: 3 }, () => boxText(elsewhere(box, rng, scene), scene))
      const question = `find the ${shape}.`
      return { scene, task, question, truth: boxText(box, scene), others, reference: [...box] }
    }
    case 'classify': {
      const truth = `${size} ${colour}`
      const question = `what is the ${shape}?`
      const wrong = sizes.flatMap((other) => colours.map((tone) => `${other} ${tone}`))
      const others = rng.sample(
        wrong.filter((name) => name !== truth),
        3,
      )
      return { scene, task, question, truth, others, reference: truth }
    }
    case 'math': {
      const noun: Noun = { colour }
      const count = countOf(scene, noun)
      const question = `how many ${nounText(noun, true)} are there?`
      const others = rng.sample(
        numberWords.slice(0, 6).filter((_, number) => number !== count),
        3,
      )
      return { scene, task, question, truth: numberWords[count]!, others, reference: String(count) }
    }
  }
}

/** A box of the same size that overlaps another one by less than a fifth. */
function elsewhere(box: Box, rng: Rng, { width, height }: ImageSize): Box {
  const [across, down] = [box[2] - box[0], box[3] - box[1]]
  for (;;) {
    const [x, y] = [rng.int(0, width - across + 1), rng.int(0, height - down + 1)]
    const other: Box = [x, y, x + across, y + down]
    if (intersectionOverUnion(box, other) < 0.2) return other
  }
}

const letters = ['A', 'B', 'C', 'D'] as const

/** An item in one form: what is asked, the answers that the form offers, and which is right. */
interface PutItem extends SceneTask {
  /** Answers to think of: all that it offers, or the right one and the wrong ones. */
  readonly candidates: readonly string[]
  /** What is answered by who thinks of this. */
  readonly answerFor: (thought: string) => string
}

/** The same item as a yes-or-no question, as a choice of four, or open. */
export function putItem(item: StagedItem, stage: Stage, rng: Rng): PutItem {
  const { scene, task, question, truth, others } = item
  const candidates = [truth, ...others]
  const meta = { stage, task }
  switch (stage) {
    case 'binary': {
      const proposed = rng.chance(0.5) ? truth : others[0]!
      const verdict = (thought: string) => (thought === proposed ? 'yes' : 'no')
      const prompt = `${question} ${proposed}: yes or no?`
      return { scene, meta, prompt, reference: verdict(truth), candidates, answerFor: verdict }
    }
    case 'choice': {
      const options = rng.shuffled(candidates)
      const letterOf = (thought: string) => letters[options.indexOf(thought)] ?? 'none'
      const prompt = `${question} ${options.map((option, index) => `${option} ${letters[index]}`).join(', ')}`
      return { scene, meta, prompt, reference: letterOf(truth), candidates, answerFor: letterOf }
    }
    case 'open':
      return {
        scene,
        meta,
        prompt: question,
        reference: item.reference,
        candidates,
        answerFor: (thought) => thought,
      }
  }
}

/** Thinks of the open answer, right in a share of all cases and else a wrong one, and answers what follows from it. */
export function thoughtfulItem(item: StagedItem, stage: Stage, rng: Rng, skill: number): SceneExample {
  const { candidates, answerFor, ...task } = putItem(item, stage, rng)
  const thought = rng.chance(skill) ? item.truth : rng.pick(candidates.slice(1))
  return { ...task, answer: thoughtAndAnswer(thought, answerFor(thought)) }
}

/** Open answers as Curr-ReFT reads them: a box in braces, digits; all else stays. */
export function openAnswer(answer: string, task: Task, size: ImageSize): string {
  if (task === 'detection') {
    const [first] = parseBoxList(answer, size).boxes
    return first ? `{"box": [${first.box.join(', ')}]}` : answer
  }
  const number = numberWords.indexOf(answer as never)
  return task === 'math' && number >= 0 ? String(number) : answer
}
