import { mkdtempSync, readdirSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { hashedWordEmbedder } from '../../audit/baselines/hashed-words.ts'
import { type Preference, Rng, type Sample } from '../../core/index.ts'
import { loadEmbedded } from '../../nets/embedded/load-embedded.ts'
import { initialRewardNetwork } from '../../nets/reward-network.ts'
import { rewardModel } from '../../rewards/learned/reward-model.ts'
import { loadRewardModel, type RewardModel } from '../../rewards/learned/trained-reward-model.ts'
import { textPreferences } from '../../worlds/text/annotator.ts'
import { goalContrastAuxiliary, likelihoodAuxiliary } from './auxiliary-losses.ts'
import { formModel } from './form-model.ts'
import { ngramBaseline } from './ngram-baseline.ts'
import type { ComparisonLoss } from './reward-loss.ts'
import { type TrainRewardModelOptions, trainingState, trainRewardModel } from './train-reward-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'reward-models-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const words = ['cat', 'dog', 'house', 'river', 'stone', 'cloud', 'tree', 'lamp']

/** Answers of equal length; the better one says "because", whatever the topic. */
function pairs(count: number, seed: string, topic = (rng: Rng) => rng.pick(['law', 'sport'])): Preference[] {
  return Array.from({ length: count }, (_, index) => {
    const rng = new Rng(`${seed}/${index}`)
    const sentence = (word: string) => [rng.pick(words), word, rng.pick(words), rng.pick(words)].join(' ')
    return {
      id: `${seed}-${index}`,
      prompt: topic(rng),
      chosen: sentence('because'),
      rejected: sentence('perhaps'),
      meta: { user: `u${index % 4}` },
    }
  })
}

const small: TrainRewardModelOptions = {
  preferences: pairs(60, 'train'),
  heldOut: pairs(40, 'test'),
  trunk: { width: 16, depth: 1, heads: 2, context: 64, vocabulary: 300, ngrams: 0 },
  steps: 40,
  rows: 16,
  learningRate: 5e-3,
  threads: 1,
}
const sample = (output: string, prompt = 'law'): Sample => ({ id: output, prompt, output, meta: {} })

describe('trained, saved, loaded', () => {
  let model: RewardModel
  test('learns, is measured, and sees that length did not do it', async () => {
    const made = await trainRewardModel({ ...small, members: 2, folder: join(folder, 'a'), source: 'here' })
    model = made.model
    const { accuracy, length, form, pairs } = made.evaluation!
    expect(pairs).toBe(40)
    expect(accuracy!.estimate).toBeGreaterThan(0.95)
    expect(length.onMatched!.estimate).toBeGreaterThan(0.9)
    expect(Math.abs(length.correlation!)).toBeLessThan(0.5)
    expect(length.verdict).toMatch(/knows more than length/)
    expect(form.baseline!.estimate).toBeLessThan(accuracy!.estimate)
    expect(readdirSync(join(folder, 'a')).sort()).toEqual(['reward-model.json', 'reward-model.safetensors'])
    expect(model.manifest.data).toMatchObject({ source: 'here', pairs: 60, heldOut: 40 })
  })

  test('the loaded one, by path and in expressions, scores the same', async () => {
    const samples = [sample('cat because dog'), sample('lamp perhaps a stone'), sample('')]
    const own = await model.reward().score(samples)
    const loaded = await loadRewardModel(join(folder, 'a'))
    expect(await loaded.reward().score(samples)).toEqual(own)
    const named = rewardModel({ path: join(folder, 'a'), as: 'probability' })
    const scores = await named.score(samples)
    expect(scores[0]!.value).toBeGreaterThan(0.5)
    expect(scores[1]!.value).toBeLessThan(0.5)
    expect(scores[0]!.uncertainty).toBeGreaterThan(0)
    // one by one, and in another order
    const single = await Promise.all(samples.map(async (each) => (await named.score([each]))[0]!))
    expect(single).toEqual(scores)
    await loaded.dispose()
  })

  test('rewards of tokens add up to the score, those of segments too', async () => {
    const text = 'cat because dog. perhaps a lamp'
    const [score] = await model.values([sample(text)])
    const [tokens] = await model.stepReward().scoreSteps([sample(text)])
    const [segments] = await model.stepReward({ unit: 'segment' }).scoreSteps([sample(text)])
    const sum = (scores: unknown) =>
      (scores as { value: number }[]).reduce((total, { value }) => total + value, 0)
    expect(segments).toHaveLength(2)
    expect(sum(segments)).toBeCloseTo(sum(tokens), 5)
    expect((tokens as unknown[]).length).toBe(model.tokenizer!.encode(text).length + 1)
    expect('value' in score!).toBe(true)
  })

  test('damage, absence and names that there are not are said', async () => {
    expect(() => rewardModel({ path: join(folder, 'nowhere') })).toThrow(/no reward model/)
    expect(() => rewardModel({ path: join(folder, 'a'), dimension: 'x' })).toThrow(/no dimension "x"/)
    expect(() => model.reward({ user: 'someone' })).toThrow(/no user/)
    await writeFile(join(folder, 'reward-model.json'), '{"format": 1}')
    expect(() => rewardModel({ path: folder })).toThrow(/"name"/)
  })
})

test('an interrupted training goes on to the same weights; another one is refused', async () => {
  const straight = await trainRewardModel({ ...small, steps: 12, folder: join(folder, 'straight') })
  const stopped = new AbortController()
  const options = { ...small, steps: 12, folder: join(folder, 'stopped') }
  await expect(
    trainRewardModel({
      ...options,
      signal: stopped.signal,
      onStep: ({ step }) => step === 5 && stopped.abort(new Error('stopped')),
    }),
  ).rejects.toThrow('stopped')
  expect(readdirSync(options.folder)).toEqual(['training-0.safetensors'])
  expect(trainingState(options.folder, 1)).toHaveLength(1)
  for (const other of [
    { learningRate: 1 },
    { weightDecay: 1 },
    { auxiliary: [likelihoodAuxiliary()] },
    { seed: 1 },
  ])
    await expect(trainRewardModel({ ...options, ...other })).rejects.toThrow(/another training/)
  const resumed = await trainRewardModel(options)
  expect(resumed.model.manifest.weights).toBe(straight.model.manifest.weights)
})

test.each<ComparisonLoss>([
  { kind: 'bradley-terry', labelSmoothing: 0.1 },
  { kind: 'margin' },
  { kind: 'hinge' },
  { kind: 'smooth-hinge' },
  { kind: 'cross-entropy' },
])('learns by $kind', async (loss) => {
  const { evaluation, model } = await trainRewardModel({
    ...small,
    preferences: small.preferences!.map((each) => ({ ...each, margin: 1 })),
    loss,
    auxiliary:
      {
        margin: [likelihoodAuxiliary(0.01)],
        hinge: [goalContrastAuxiliary({ draws: 4, pairs: 4 })],
      }[loss.kind as string] ?? [],
    steps: 25,
  })
  expect(evaluation!.accuracy!.estimate).toBeGreaterThan(0.8)
  await model.dispose()
})

test('users who want the opposite of each other', async () => {
  const swap = (each: Preference): Preference =>
    Number(String(each.meta.user).slice(1)) % 2 === 0
      ? each
      : { ...each, chosen: each.rejected, rejected: each.chosen }
  const options: TrainRewardModelOptions = {
    ...small,
    preferences: pairs(80, 'train').map(swap),
    heldOut: pairs(40, 'test').map(swap),
    details: ({ meta }) => ({ user: String(meta.user) }),
    view: ({ meta }) => ({ user: String(meta.user) }),
    users: ['u0', 'u1', 'u2', 'u3'],
    steps: 80,
    learningRate: 1e-2,
  }
  const { model, evaluation } = await trainRewardModel(options)
  expect(evaluation!.accuracy!.estimate).toBeGreaterThan(0.9)
  const [even, odd] = await Promise.all(
    ['u0', 'u1'].map((user) => model.values([sample('cat because dog')], { user })),
  )
  expect((even![0] as { value: number }).value).toBeGreaterThan((odd![0] as { value: number }).value)
})

test('new users of a trained model: their mixtures are fitted, nothing else moves', async () => {
  const user = ({ meta }: Preference) => ({ user: String(meta.user) })
  const options = { ...small, details: user, view: user, users: ['u0', 'u1', 'u2', 'u3'], steps: 10 }
  const { model: before } = await trainRewardModel(options)
  const renamed = (each: Preference) => ({ ...each, meta: { user: `new ${each.meta.user}` } })
  const { model: after } = await trainRewardModel({
    ...options,
    trunk: before,
    preferences: pairs(20, 'new').map(renamed),
    heldOut: [],
    users: options.users.map((name) => `new ${name}`),
    trainable: /^users$/,
    steps: 5,
  })
  const [{ users: old, ...kept }, { users: fitted, ...same }] = [before.members[0]!, after.members[0]!]
  expect(same).toEqual(kept)
  expect(fitted!.shape).toEqual(old!.shape)
  const initial = initialRewardNetwork(new Rng('reward-model/0'), before.manifest.network).users!
  expect(fitted!.data).not.toEqual(initial.data)
  expect(after.manifest.users).toEqual(['new u0', 'new u1', 'new u2', 'new u3'])
  await Promise.all([before.dispose(), after.dispose()])
})

test('dimensions, labels of answers and of steps', async () => {
  const labelled = pairs(40, 'labels').flatMap(({ prompt, chosen, rejected, meta }, index) => [
    {
      sample: { id: `${index}`, prompt, output: `${chosen}. ${rejected}`, meta },
      steps: [
        { text: `${chosen}.`, label: 1 },
        { text: ` ${rejected}`, label: 0 },
      ],
    },
    { sample: { id: `${index} whole`, prompt, output: chosen, meta }, label: 1, dimension: 'second' },
    // somebody else thought so too
    { sample: { id: `${index} again`, prompt, output: chosen, meta }, label: 1, dimension: 'second' },
  ])
  const { model } = await trainRewardModel({
    ...small,
    preferences: pairs(20, 'train'),
    labelled,
    dimensions: ['first', 'second'],
    pool: 'last',
    details: () => ({ dimension: 'first' }),
    steps: 150,
    learningRate: 1e-2,
  })
  const [value] = await model.values([sample('cat because dog')])
  expect(Object.keys((value as { parts: object }).parts)).toEqual(['first', 'second'])
  const [steps] = await model
    .stepReward({ unit: 'segment', dimension: 'first' })
    .scoreSteps([sample('cat because dog tree. lamp perhaps cat tree')])
  const [right, wrong] = steps as unknown as { value: number }[]
  expect(right!.value).toBeGreaterThan(wrong!.value)
})

test('over the embedded language model; words that it does not know cannot be judged', async () => {
  const text = await loadEmbedded('text-lm')
  const { model, evaluation } = await trainRewardModel({
    preferences: textPreferences('rm', 24, { annotator: { flip: 0 }, split: 'train' }),
    heldOut: textPreferences('rm held out', 8, { annotator: { flip: 0 }, split: 'test' }),
    trunk: text,
    steps: 6,
    rows: 12,
    threads: 1,
  })
  expect(evaluation!.unread).toBe(0)
  expect(evaluation!.pairs).toBe(8)
  const [score] = await model.reward().score([sample('supercalifragilistic', 'what is 3 + 4 ?')])
  expect(score).toMatchObject({ value: null, code: 'bad-input' })
  await Promise.all([text.dispose(), model.dispose()])
}, 120_000)

test('a verifier reads the reference, and cannot judge without one', async () => {
  const labelled = Array.from({ length: 60 }, (_, index) => {
    const rng = new Rng(`verifier/${index}`)
    const [answer, reference] = [rng.pick(words), rng.pick(words)]
    const isRight = rng.chance(0.5)
    return {
      sample: { ...sample(isRight ? reference : answer, 'which one ?'), id: String(index), reference },
      label: Number(isRight || answer === reference),
    }
  })
  const { model } = await trainRewardModel({
    ...small,
    preferences: [],
    heldOut: [],
    labelled,
    reference: true,
  })
  const reward = model.reward({ as: 'probability' })
  expect(reward.needs).toEqual(['reference'])
  const [known, unknown] = await reward.score([
    { ...sample('cat', 'which one ?'), reference: 'cat' },
    sample('cat', 'which one ?'),
  ])
  expect(known!.value).toBeGreaterThan(0)
  expect(unknown).toMatchObject({ value: null, code: 'bad-input' })
  await model.dispose()
})

test('over the vectors of an embedder', async () => {
  const embedder = hashedWordEmbedder(64)
  const { evaluation, model } = await trainRewardModel({
    ...small,
    trunk: { embedder, name: 'hashed', hidden: [16] },
    steps: 60,
  })
  expect(evaluation!.accuracy!.estimate).toBeGreaterThan(0.9)
  expect(() => model.stepReward()).toThrow(/no rewards of tokens/)
})

test('baselines: n-grams see the word, form does not', () => {
  const model = ngramBaseline(pairs(60, 'train'), { ridge: 0.01 })
  const right = pairs(40, 'test').filter(
    ({ chosen, rejected }) => model.score(chosen) > model.score(rejected),
  )
  expect(right).toHaveLength(40)
  const shouting: Preference[] = pairs(60, 'train').map((each) => ({
    ...each,
    rejected: `${each.rejected}!!!`,
  }))
  const form = formModel(shouting)
  expect(Object.keys(form.weights).slice(0, 4)).toContain('exclamations')
  expect(form.difference('a b', 'a b!!!')).toBeGreaterThan(0)
})

test('preferences that make no sense are refused', async () => {
  await expect(trainRewardModel({ ...small, details: () => ({ weight: -1 }) })).rejects.toThrow(
    /weight of -1/,
  )
  await expect(trainRewardModel({ ...small, details: () => ({ dimension: 'x' }) })).rejects.toThrow(/"x"/)
  await expect(trainRewardModel({ ...small, preferences: [] })).rejects.toThrow(/no answer/)
})
