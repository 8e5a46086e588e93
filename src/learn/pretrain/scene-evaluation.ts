import { GuerdonError, Rng } from '../../core/index.ts'
import { ask } from '../../models/chat-model.ts'
import { succeeded } from '../../models/outcome.ts'
import type { EmbeddedModel } from '../../nets/embedded/load-embedded.ts'
import { meanInterval, wilsonInterval } from '../../stats/index.ts'
import { parseBoxList } from '../../worlds/scenes/box-grammar.ts'
import { captionPrompt, referringPrompt } from '../../worlds/scenes/exchange.ts'
import { oracle } from '../../worlds/scenes/oracle.ts'
import { questionSet } from '../../worlds/scenes/question-set.ts'
import type { QuestionKind } from '../../worlds/scenes/questions.ts'
import { renderScene, toRaster } from '../../worlds/scenes/raster.ts'
import { drawReferringExpression } from '../../worlds/scenes/referring.ts'
import type { Scene } from '../../worlds/scenes/scene.ts'
import { sceneWorld } from '../../worlds/scenes/scene-world.ts'
import type { EvaluationOptions, Metric } from './recipe.ts'

/** What is asked for, by kind of question. */
const leastAccuracy: Readonly<Partial<Record<QuestionKind, number>>> = {
  existence: 0.97,
  colour: 0.97,
  count: 0.9,
  relation: 0.9,
}
const kinds: readonly QuestionKind[] = [
  'existence',
  'colour',
  'count',
  'relation',
  'shape',
  'size',
  'place',
  'background',
]

/** Greedy answers about held-out scenes, judged by the oracle of the scenes. */
export async function evaluateSceneModel(
  model: EmbeddedModel,
  { seed, samples, signal }: EvaluationOptions,
): Promise<Metric[]> {
  if (model.kind !== 'language')
    throw new GuerdonError('bad-option', 'this is measured on vision-language models.')
  const world = sceneWorld({ seed: `evaluation/${seed}`, split: 'test' })
  const answers = async (
    items: readonly { readonly scene: Scene; readonly prompt: string }[],
    blind = false,
  ) =>
    succeeded(
      await model.chat(
        items.map(({ scene, prompt }) => (blind ? ask(prompt) : ask(prompt, toRaster(renderScene(scene))))),
        { maxTokens: 64, ...(signal === undefined ? {} : { signal }) },
      ),
    ).map(({ text }) => text ?? '')

  const metrics: Metric[] = []
  const correct = (questions: readonly { scene: Scene; prompt: string }[], replies: readonly string[]) =>
    questions.filter(({ scene, prompt }, index) => oracle.answer(scene, prompt, replies[index]!).correct)
      .length
  for (const kind of kinds) {
    const questions = questionSet(world, { kind, count: samples, seed }).map(({ scene, question }) => ({
      scene,
      prompt: question.text,
    }))
    const least = leastAccuracy[kind]
    metrics.push({
      name: `${kind} questions`,
      interval: wilsonInterval(correct(questions, await answers(questions)), questions.length),
      note: 'answers drawn first, so that none is favoured',
      ...(least === undefined ? {} : { least }),
    })
    if (kind === 'existence')
      metrics.push({
        name: 'existence questions without the image',
        interval: wilsonInterval(correct(questions, await answers(questions, true)), questions.length),
        note: 'chance is 0.5',
      })
  }

  const described = world.scenes(samples, 1_000_000).map((scene) => ({ scene, prompt: captionPrompt() }))
  const captions = await answers(described)
  const judged = captions.map((text, index) => oracle.caption(described[index]!.scene, text))
  metrics.push(
    {
      name: 'caption object F1',
      interval: meanInterval(judged.map(({ parts }) => parts.objectF1 ?? 0)),
      note: 'short captions; colour and shape both right',
      least: 0.95,
    },
    {
      name: 'captions well-formed',
      interval: wilsonInterval(judged.filter(({ wellFormed }) => wellFormed).length, judged.length),
    },
    {
      name: 'captions, true claims',
      interval: meanInterval(judged.map(({ parts }) => parts.claimAccuracy ?? 0)),
      note: 'object and count claims of a caption that hold, mean over captions',
    },
  )

  const found = world.scenes(2 * samples, 2_000_000).flatMap((scene) => {
    const expression = drawReferringExpression(scene, new Rng(scene.id))
    return expression ? [{ scene, expression: expression.text, prompt: referringPrompt(expression) }] : []
  })
  const asked = found.slice(0, samples)
  const boxes = (await answers(asked)).map((text, index) => {
    const { scene, expression } = asked[index]!
    const [first] = parseBoxList(text, scene).boxes
    return first === undefined ? 0 : (oracle.reference(scene, expression, first.box) ?? 0)
  })
  metrics.push({
    name: 'box IoU of referring expressions',
    interval: meanInterval(boxes),
    note: 'mean; 0 where no box was given',
    least: 0.7,
  })
  return metrics
}
