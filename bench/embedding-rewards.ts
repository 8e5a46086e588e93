// Rewards over embeddings on scenes, with scenes-clip, against the exact truth, beside the plain cosine.
//
//   npm run -s bench -- embedding-rewards [--json]
import { Rng } from '../src/core/index.ts'
import { loadEmbedded } from '../src/nets/embedded/load-embedded.ts'
import { modes } from '../src/rewards/combine/modes.ts'
import { contrastingGoal } from '../src/rewards/embedding/contrasting-goal.ts'
import { embedImages, embedTexts, isVector } from '../src/rewards/embedding/embed.ts'
import { goalBaseline } from '../src/rewards/embedding/goal-baseline.ts'
import { rescaledCosine } from '../src/rewards/embedding/likeness.ts'
import { dotProduct } from '../src/rewards/embedding/vectors.ts'
import { areaUnderRoc, epicDistance, mean, meanInterval, wilsonInterval } from '../src/stats/index.ts'
import {
  alterations,
  alteredScene,
  captionOf,
  commonTypes,
  drawScene,
  namesOf,
  type ObjectType,
  renderScene,
  type Scene,
  sceneWorld,
  toRaster,
  typeName,
} from '../src/worlds/scenes/index.ts'
import { withArticle } from '../src/worlds/scenes/noun.ts'
import { print } from './_throughput.ts'

const embedder = await loadEmbedded('scenes-clip')
const vectors = async (items: readonly (string | Scene)[]) => {
  const texts = await embedTexts(
    embedder,
    items.filter((item) => typeof item === 'string'),
  )
  const images = await embedImages(
    embedder,
    items.filter((item) => typeof item !== 'string').map((scene) => toRaster(renderScene(scene))),
  )
  return items.map((item) => (typeof item === 'string' ? texts.shift()! : images.shift()!)).filter(isVector)
}
const rows: Record<string, string | number>[] = []
const share = (task: string, reward: string, right: readonly boolean[]) => {
  const { estimate, low, high, n } = wilsonInterval(right.filter(Boolean).length, right.length)!
  rows.push({ task, reward, measure: 'accuracy', value: estimate, low, high, n })
}

// A frame as a sentence wants it, and one that is altered in one thing and has a sentence of its own.
const world = sceneWorld({ seed: 'embedding-rewards', split: 'test' })
for (const alteration of alterations) {
  const pairs = world.scenes(400).flatMap((scene) => {
    const rng = new Rng(`${scene.id}/${alteration}`)
    const other = alteredScene(scene, alteration, rng)
    if (other === undefined || other.objects.length === 0) return []
    const [wanted, unwanted] = [captionOf(scene, rng), captionOf(other, rng)]
    return wanted === unwanted ? [] : [[scene, other, wanted, unwanted] as const]
  })
  const embedded = await vectors(pairs.flat())
  const rewards = {
    'cosine (baseline)': (wanted: Float32Array) => (image: Float32Array) => dotProduct(image, wanted),
    'vlm-rm, alpha 0.5': (wanted: Float32Array, unwanted: Float32Array) =>
      goalBaseline({ targets: [wanted], baselines: [unwanted], alpha: 0.5 }),
    'vlm-rm, alpha 1': (wanted: Float32Array, unwanted: Float32Array) =>
      goalBaseline({ targets: [wanted], baselines: [unwanted], alpha: 1 }),
    'vlm-rl, contrast': (positive: Float32Array, negative: Float32Array) =>
      contrastingGoal({ positive, negative }),
  }
  for (const [name, make] of Object.entries(rewards))
    share(
      `frames: ${alteration}`,
      name,
      pairs.map((_, index) => {
        const [scene, other, wanted, unwanted] = embedded.slice(4 * index, 4 * index + 4)
        const reward = make(wanted!, unwanted!)
        return reward(scene!)! > reward(other!)!
      }),
    )
}

// Which of many frames show a goal ("a red circle"): distance to the true labels, and ranking.
const goals = new Rng('goals').sample(commonTypes, 16)
const frames = world.scenes(600, 10_000)
const frameVectors = await vectors(frames)
const [nothing, ...goalVectors] = await vectors([
  'there are no shapes.',
  ...goals.map((goal) => `${withArticle(typeName(goal))}.`),
])
const labelled = goals.map((goal) => frames.map((scene) => Number(namesOf(scene).includes(typeName(goal)))))
const goalRewards: [string, (target: Float32Array) => (image: Float32Array) => number | null][] = [
  ['cosine (baseline)', (target) => (image) => dotProduct(image, target)],
  ...[0.25, 0.5, 0.75, 1].map(
    (alpha) =>
      [
        `vlm-rm, alpha ${alpha}`,
        (target: Float32Array) => goalBaseline({ targets: [target], baselines: [nothing!], alpha }),
      ] as [string, (target: Float32Array) => (image: Float32Array) => number | null],
  ),
  ['vlm-rl, contrast', (positive) => contrastingGoal({ positive, negative: nothing! })],
]
for (const [reward, make] of goalRewards) {
  const values = goalVectors.map((target) => frameVectors.map((image) => make(target)(image)!))
  const measured = (measure: string, each: readonly number[]) => {
    const { estimate, low, high, n } = meanInterval(each)!
    rows.push({ task: 'frames that show a goal', reward, measure, value: estimate, low, high, n })
  }
  measured(
    'EPIC distance',
    values.map((list, index) => epicDistance(list, labelled[index]!)!),
  )
  measured(
    'AUROC',
    values.map((list, index) => {
      const of = (label: number) => list.filter((_, frame) => labelled[index]![frame] === label)
      return areaUnderRoc(of(1), of(0))!
    }),
  )
}

// A subject known by reference images, a context known by the prompt: both must be there.
const subjects = Array.from({ length: 200 }, (_, index) => {
  const rng = new Rng(`subject/${index}`)
  const [subject, context, wrong, elsewhere] = rng.sample(commonTypes, 4) as [
    ObjectType,
    ObjectType,
    ObjectType,
    ObjectType,
  ]
  const scene = (name: string, types: readonly ObjectType[]) =>
    drawScene(`${index}/${name}`, rng, { objects: [types.length, types.length], chooseTypes: () => types })
  // The prompt says the class of the subject, its colour is known from the references alone.
  const otherColour = { ...wrong, shape: subject.shape }
  return [
    `${withArticle(subject.shape)} and ${withArticle(typeName(context))}.`,
    scene('right', [subject, context]),
    scene('wrong subject', [otherColour, context]),
    scene('wrong context', [subject, elsewhere]),
    ...[1, 2, 3, 4].map((number) => scene(`reference ${number}`, [subject])),
  ] as const
}).filter(([, right, wrong]) => namesOf(right).join() !== namesOf(wrong).join())
const subjectVectors = await vectors(subjects.flat())
const likenesses = subjects.map((items, index) => {
  const [text, ...images] = subjectVectors.slice(index * items.length, (index + 1) * items.length)
  const references = images.slice(3)
  return images
    .slice(0, 3)
    .map((image) => [
      rescaledCosine(mean(references.map((reference) => dotProduct(image, reference)))!),
      rescaledCosine(dotProduct(image, text!)),
    ])
})
const harmonic = modes.harmonic()
const means = {
  'text alone (baseline)': [0, harmonic],
  'references alone (baseline)': [1, harmonic],
  'arithmetic mean, 0.5': [0.5, modes.mean()],
  'rpo-lambda-harmonic, 0.3': [0.3, harmonic],
  'rpo-lambda-harmonic, 0.5': [0.5, harmonic],
  'rpo-lambda-harmonic, 0.7': [0.7, harmonic],
} as const
for (const [name, [lambda, mode]] of Object.entries(means)) {
  const scores = likenesses.map((candidates) =>
    candidates.map(
      (values) => mode.total({ values, weights: [lambda, 1 - lambda], uncertainties: [], rescaling: 1 })!,
    ),
  )
  share(
    'subject right',
    name,
    scores.map(([right, wrong]) => right! > wrong!),
  )
  share(
    'context right',
    name,
    scores.map(([right, , wrong]) => right! > wrong!),
  )
  share(
    'both right',
    name,
    scores.map(([right, ...wrong]) => right! > Math.max(...wrong)),
  )
}
await embedder.dispose()
print(rows)
