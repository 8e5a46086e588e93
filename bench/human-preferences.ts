import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type Preference, Rng } from '../src/core/index.ts'
import { formModel } from '../src/learn/reward-models/form-model.ts'
import {
  ngramBaseline,
  pairDifferences,
  type TrainRewardModelOptions,
  trainRewardModel,
} from '../src/learn/reward-models/index.ts'
import { bootstrapMean, pairPoints, spearman } from '../src/stats/index.ts'

// Reward models on real human preferences: 8,066 pairs of arguments on 11 topics (ukp-convarg), each topic judged by models
// that never saw it. The settings were chosen on the topics `chosenOn` alone; the others are reported apart.

const data = join(process.env.GUERDON_DATA ?? join(import.meta.dirname, '../../shared/data'), 'ukp-convarg')
const chosenOn = [1, 5, 7, 8]
const settings: TrainRewardModelOptions = {
  trunk: { width: 16, depth: 1, heads: 2, vocabulary: 512, context: 128 },
  pool: 'sum',
  prompt: false,
  steps: 150,
  learningRate: 2e-3,
  blank: 0.3,
  threads: 1,
}

interface Argument {
  readonly id: string
  readonly topic: string
  readonly side: string
  readonly text: string
}

const rows = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

export function humanPreferences() {
  const args: Argument[] = rows(readFileSync(join(data, 'arguments.jsonl'), 'utf8'))
  const byId = new Map(args.map((each) => [`${each.topic}/${each.side}/${each.id}`, each]))
  const zipped = (file: string) => rows(gunzipSync(readFileSync(join(data, file))).toString())
  const words = (text: string) => text.replace(/-+/g, ' ').trim()
  const preference = (
    id: string,
    better: Argument,
    worse: Argument,
    meta: Preference['meta'] = {},
  ): Preference => ({
    id,
    prompt: `${words(better.topic)}: ${words(better.side)}`,
    chosen: better.text,
    rejected: worse.text,
    meta: { topic: better.topic, ...meta },
  })
  const pairs = zipped('pairs.jsonl.gz').map(({ topic, side, a1, a2, label }, index) => {
    const [better, worse] = label === 'a1' ? [a1, a2] : [a2, a1]
    const named = (id: string) => byId.get(`${topic}/${side}/${id}`)!
    return preference(`pair-${index}`, named(better), named(worse))
  })
  const single = new Map(args.map((each) => [each.id, each]))
  const votes = zipped('votes.jsonl.gz').flatMap(({ a1, a2, annotator, label }, index) => {
    const [first, second] = [single.get(a1), single.get(a2)]
    if (label === 'equal' || first === undefined || second === undefined) return []
    const [better, worse] = label === 'a1' ? [first, second] : [second, first]
    return [preference(`vote-${index}`, better, worse, { annotator })]
  })
  return { pairs, votes, topics: [...new Set(pairs.map(({ meta }) => meta.topic as string))].sort() }
}

type Judge = (pairs: readonly Preference[]) => Promise<number[]>

const judges: Readonly<Record<string, (train: readonly Preference[]) => Promise<Judge>>> = {
  length: async () => async (pairs) =>
    pairs.map(({ chosen, rejected }) => (chosen as string).length - (rejected as string).length),
  form: async (train) => {
    const model = formModel(train)
    return async (pairs) =>
      pairs.map(({ chosen, rejected }) => model.difference(chosen as string, rejected as string))
  },
  'n-grams and length': async (train) => byScore(ngramBaseline(train)),
  'n-grams and form': async (train) => byScore(ngramBaseline(train, { form: true })),
  'transformer alone': (train) =>
    byTraining({ ...settings, trunk: { ...settings.trunk, ngrams: 0 } as never }, train),
  'reward model': (train) => byTraining(settings, train),
  'reward model, 3 members': (train) => byTraining({ ...settings, members: 3 }, train),
}

function byScore({ score }: ReturnType<typeof ngramBaseline>): Judge {
  return async (pairs) => pairs.map(({ chosen, rejected }) => score(chosen) - score(rejected))
}

async function byTraining(
  options: TrainRewardModelOptions,
  preferences: readonly Preference[],
): Promise<Judge> {
  const { model } = await trainRewardModel({ ...options, preferences })
  return async (pairs) => {
    const scores = await pairDifferences(model, pairs, undefined)
    await model.dispose()
    return scores.map((each) => each!.chosen - each!.rejected)
  }
}

/** Margins of every pair, by models that never saw its topic; of the topics given. */
async function acrossTopics(
  { pairs, topics }: ReturnType<typeof humanPreferences>,
  make: (train: readonly Preference[]) => Promise<Judge>,
  { over = topics, share = 1 }: { readonly over?: readonly string[]; readonly share?: number } = {},
) {
  const margins: number[] = []
  const tested: Preference[] = []
  for (const topic of over) {
    const rng = new Rng(`share/${topic}`)
    const train = pairs.filter(({ meta }) => meta.topic !== topic)
    const own = pairs.filter(({ meta }) => meta.topic === topic)
    const judge = await make(share === 1 ? train : rng.sample(train, Math.round(share * train.length)))
    margins.push(...(await judge(own)))
    tested.push(...own)
  }
  return { margins, tested }
}

const interval = (points: readonly number[], clusters?: readonly string[]) =>
  bootstrapMean(points, { rng: new Rng('human preferences'), ...(clusters && { clusters }) })!

const shown = ({ estimate, low, high }: { estimate: number; low: number; high: number }) =>
  `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`

export async function main(args: readonly string[]): Promise<void> {
  const only = args
    .find((arg) => arg.startsWith('--only='))
    ?.slice(7)
    .split(',')
  const set = humanPreferences()
  const fresh = set.topics.filter((_, index) => !chosenOn.includes(index))
  const results: Record<string, unknown>[] = []
  let lengthPoints: number[] = []
  for (const [name, make] of Object.entries(judges)) {
    if (only !== undefined && name !== 'length' && !only.includes(name)) continue
    const { margins, tested } = await acrossTopics(set, make)
    const points = margins.map((margin) => pairPoints(margin, 1)!)
    if (name === 'length') lengthPoints = points
    const part = (kept: (topic: string) => boolean) => {
      const at = tested.flatMap(({ meta }, index) => (kept(meta.topic as string) ? [index] : []))
      const above = at.map((index) => points[index]! - lengthPoints[index]!)
      const topics = at.map((index) => tested[index]!.meta.topic as string)
      return {
        accuracy: interval(at.map((index) => points[index]!)),
        above: interval(above),
        aboveByTopic: interval(above, topics),
      }
    }
    const all = part(() => true)
    const untouched = part((topic) => fresh.includes(topic))
    const length = spearman(
      margins,
      tested.map(({ chosen, rejected }) => (chosen as string).length - (rejected as string).length),
    )
    results.push({ name, all, untouched, length })
    process.stdout.write(
      `${name.padEnd(26)} all ${shown(all.accuracy)}  topics untouched ${shown(untouched.accuracy)}  above length ${shown(untouched.above)}, by topic ${shown(untouched.aboveByTopic)}  rank correlation with length ${length!.toFixed(2)}\n`,
    )
  }
  if (only === undefined || only.includes('sizes'))
    for (const share of [1 / 64, 1 / 8]) {
      const { margins } = await acrossTopics(set, judges['reward model']!, { over: fresh, share })
      const accuracy = interval(margins.map((margin) => pairPoints(margin, 1)!))
      results.push({ name: 'training size', share, accuracy })
      process.stdout.write(`${Math.round(share * 7300)} pairs: ${shown(accuracy)}\n`)
    }
  if (only === undefined || only.includes('annotators')) results.push(await byAnnotator(set, fresh))
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify(results)}\n`)
}

/** Single votes of the annotators who gave 150 or more, on topics that were not trained on: one taste, or mixtures of them. */
async function byAnnotator({ votes }: ReturnType<typeof humanPreferences>, fresh: readonly string[]) {
  const counts = Map.groupBy(votes, ({ meta }) => String(meta.annotator))
  const frequent = new Set([...counts].filter(([, own]) => own.length >= 150).map(([name]) => name))
  const own = votes.filter(({ meta }) => frequent.has(String(meta.annotator)))
  const tested = new Set(fresh.slice(0, 3))
  const train = own.filter(({ meta }) => !tested.has(String(meta.topic)))
  const test = own.filter(({ meta }) => tested.has(String(meta.topic)))
  const known = new Set(train.map(({ meta }) => String(meta.annotator)))
  const heldOut = test.filter(({ meta }) => known.has(String(meta.annotator)))
  const accuracies: number[][] = []
  for (const prototypes of [1, 3]) {
    const user = (each: Preference) => ({ user: String(each.meta.annotator) })
    const { model } = await trainRewardModel({
      ...settings,
      preferences: train,
      ...(prototypes === 1 ? {} : { users: [...known], prototypes, details: user }),
    })
    const scores = await pairDifferences(model, heldOut, prototypes === 1 ? undefined : user)
    await model.dispose()
    accuracies.push(scores.map((each) => pairPoints(each!.chosen - each!.rejected, 1)!))
  }
  const [one, mixed] = accuracies as [number[], number[]]
  const gain = interval(mixed.map((point, index) => point - one[index]!))
  process.stdout.write(
    `${known.size} annotators, ${train.length} votes; on ${heldOut.length} votes of other topics: one taste ${shown(interval(one))}, mixtures of 3 ${shown(interval(mixed))}, gain ${shown(gain)}\n`,
  )
  return { name: 'annotators', one: interval(one), mixed: interval(mixed), gain }
}

if (import.meta.main) await main(process.argv.slice(2))
