import { chair } from '../../audit/hallucination/chair.ts'
import { type PopeOptions, pope, popeQuestions } from '../../audit/hallucination/pope.ts'
import { Rng } from '../../core/index.ts'
import { ask } from '../../models/chat-model.ts'
import type { EmbeddedLanguageModel } from '../../nets/embedded/language-model.ts'
import { objectLexicon } from '../../rewards/verifiable/text/object-lexicon.ts'
import { bootstrap, meanInterval, wilsonInterval } from '../../stats/index.ts'
import { objectNames } from '../../worlds/scenes/attributes.ts'
import { annotatedImages, type BiasedWorld, hallucinationGate } from '../../worlds/scenes/biased-world.ts'
import { captionPrompt } from '../../worlds/scenes/exchange.ts'
import { renderScene, toRaster } from '../../worlds/scenes/raster.ts'
import { namesOf } from '../../worlds/scenes/scene.ts'
import type { EvaluationOptions, Metric } from './recipe.ts'

const lexicon = objectLexicon(objectNames)

/** Training scenes that POPE's splits are built from. */
const counted = 4000

/**
 * How much a model invents about the independent scenes of a biased world: CHAIR of its captions, POPE with questions
 * built from the training scenes' statistics, and whether both pass the validity gate. Greedy decoding.
 */
export async function evaluateHallucination(
  model: EmbeddedLanguageModel,
  { train, test }: BiasedWorld,
  { seed, samples, signal }: EvaluationOptions,
): Promise<Metric[]> {
  const scenes = test.scenes(samples)
  const images = new Map(scenes.map((scene) => [scene.id, toRaster(renderScene(scene))]))
  const answers = async (questions: readonly { readonly image: string; readonly text: string }[]) =>
    (
      await model.chat(
        questions.map(({ image, text }) => ask(text, images.get(image)!)),
        { maxTokens: 64, ...(signal === undefined ? {} : { signal }) },
      )
    ).map(({ text }) => text ?? '')

  const captions = await answers(scenes.map(({ id }) => ({ image: id, text: captionPrompt() })))
  const truths = scenes.map((scene) => new Set(namesOf(scene)))
  const told = chair(captions, truths, lexicon)
  const own = captions.map((caption, index) => chair([caption], [truths[index]!], lexicon))
  const pooled = (
    above: (one: (typeof own)[number]) => number,
    below: (one: (typeof own)[number]) => number,
  ) =>
    bootstrap(
      own.length,
      (drawn) => {
        let [sum, total] = [0, 0]
        for (const index of drawn) {
          sum += above(own[index]!)
          total += below(own[index]!)
        }
        return total > 0 ? sum / total : null
      },
      { rng: new Rng(`chair/${seed}`) },
    )
  const metrics: Metric[] = [
    {
      name: 'CHAIR_i',
      interval: pooled(
        ({ hallucinated }) => hallucinated,
        ({ mentions }) => mentions,
      ),
      note: 'invented among the objects that short captions mention; interval by bootstrap over captions',
      least: 0.08,
    },
    {
      name: 'CHAIR_s',
      interval: wilsonInterval(own.filter(({ hallucinated }) => hallucinated > 0).length, own.length),
      note: 'captions with an invented object',
    },
    {
      name: 'CHAIR recall',
      interval: meanInterval(own.map(({ recall }) => recall ?? 0)),
      note: 'different objects named among those there, mean over captions',
    },
    {
      name: 'caption tokens',
      interval: meanInterval(own.map(({ meanTokens }) => meanTokens ?? 0)),
      note: 'mean',
    },
  ]

  const statistics = annotatedImages(train, counted)
  const asked = annotatedImages(test, samples)
  const accuracy: Record<string, number | null> = {}
  for (const split of ['random', 'popular', 'adversarial'] satisfies PopeOptions['split'][]) {
    const questions = popeQuestions(asked, { split, statistics, rng: new Rng(`pope/${seed}`) }).slice(
      0,
      2 * samples,
    )
    const labels = questions.map(({ label }) => label)
    const judged = pope(await answers(questions), labels)
    const isRight = judged.parsed.map((verdict, index) => verdict === labels[index])
    accuracy[split] = judged.accuracy
    metrics.push(
      {
        name: `POPE ${split}, accuracy`,
        interval: wilsonInterval(isRight.filter(Boolean).length, isRight.length),
        note: 'half of the questions are about objects that are there',
      },
      {
        name: `POPE ${split}, yes-rate`,
        interval: wilsonInterval(judged.parsed.filter((verdict) => verdict === 'yes').length, labels.length),
        note: 'right is 0.5',
      },
    )
  }
  const { valid, reasons } = hallucinationGate({
    chairI: told.chairI,
    randomAccuracy: accuracy.random ?? null,
    adversarialAccuracy: accuracy.adversarial ?? null,
  })
  metrics.push({
    name: 'validity gate',
    interval: {
      estimate: valid ? 1 : 0,
      low: valid ? 1 : 0,
      high: valid ? 1 : 0,
      level: 0.95,
      n: scenes.length,
    },
    note: valid ? '1: there is hallucination to mitigate' : reasons.join('; '),
    least: 1,
  })
  return metrics
}
