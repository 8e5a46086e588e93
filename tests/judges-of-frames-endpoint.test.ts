import { afterAll, beforeAll, expect, test } from 'vitest'
import { Rng, type Sample, type Score } from '../src/core/index.ts'
import {
  contextAwareJudge,
  followUpLikelihood,
  gvl,
  imageInWordsJudge,
  listenerRewardedThinking,
  perceptionR1,
  reagentV,
  reflect,
  universe,
  vilbench,
  visionPrefer,
  visionSr1,
} from '../src/methods/index.ts'
import { CallLayer } from '../src/models/calls/call-layer.ts'
import { encodedImage } from '../src/models/chat-image.ts'
import { openaiModel } from '../src/models/endpoint/openai-model.ts'
import { vllmModel } from '../src/models/endpoint/vllm-model.ts'
import { scenes } from '../src/worlds/index.ts'
import { type OpenAIServer, openaiServer, passingFaults, type ScriptedRequest } from './openai-server.ts'

// Judges of frames, steps, facts and contexts through a real server that speaks OpenAI's protocol, faults on the way.

let server: OpenAIServer
beforeAll(async () => {
  for (const [index, frame] of clip.frames.entries()) {
    const { bytes } = await encodedImage(scenes.toRaster(scenes.renderScene(frame)))
    numberOf.set(`data:image/png;base64,${Buffer.from(bytes).toString('base64')}`, index)
  }
  server = await openaiServer({
    reply,
    firstTokens: () => ({ A: 0.75, ' A': 0.05, B: 0.2 }),
    logProbability: (token) => (/thank|right|good|yes/i.test(token) ? -0.1 : -2),
  })
})
afterAll(() => server.close())

const settings = () => ({
  baseUrl: server.baseUrl,
  calls: new CallLayer(),
  retries: 12,
  backoffMs: 1,
  timeoutMs: 5000,
})
const judge = () => openaiModel('judge', settings())

/** The pictures of a request, in order, by the number of the frame that they show. */
const framesIn = ({ images }: ScriptedRequest) => images.map((url) => numberOf.get(url)!)
const clip = scenes.drawClip('clip', new Rng('clip'), {
  objects: [1, 1],
  steps: [1, 1],
  actions: ['moves left'],
})
const { prompt: shown } = scenes.clipSample(clip, '')
const video = (shown as { type: 'video'; frames: { bytes: Uint8Array }[] }[])[0]!
const numberOf = new Map<string, number>()

function reply(request: ScriptedRequest): string {
  const { text } = request
  if (text.includes('percent (nothing)'))
    return framesIn(request)
      .slice(1)
      .map((frame, place) => `frame ${place + 1}: the circle, ${frame * 5} percent`)
      .join('\n')
  if (text.includes('best-to-worst'))
    return JSON.stringify({ scores: { 'model-1': 3, 'model-2': 5 }, 'best-to-worst': ['model-2', 'model-1'] })
  if (text.includes('<info1>')) return text.includes('a red circle') ? '<info1>1</info1>' : '<info1>0</info1>'
  if (text.includes('description alone')) return text.includes('red') ? '\\boxed{red}' : '\\boxed{none}'
  if (text.includes('substantially')) return '<answer>A is marginally better</answer>'
  if (text.includes('wishes')) return '<answer>A</answer>'
  if (text.includes('one score for each step')) return '{"scores": [4, 2]}'
  if (text.includes('Reply as JSON with a score'))
    return JSON.stringify({
      visual_alignment: { score: 5 },
      temporal_accuracy: 5,
      option_disambiguation: 5,
      reasoning_specificity: 5,
      linguistic_precision: 5,
    })
  if (text.includes('confidence')) return '{"final_answer": "left", "confidence": 0.9}'
  if (text.includes('Answer yes or no')) return 'yes'
  return 'moves left'
}

const sample = (output: Sample['output'], more: Partial<Sample> = {}): Sample => ({
  id: typeof output === 'string' ? output : 'frames',
  prompt: 'what happens?',
  output,
  meta: {},
  ...more,
})
const two = (a: string, b: string) => ({ id: 'p', a: sample(a), b: sample(b) })
const picture = (number: number) => ({ type: 'image' as const, image: video.frames[number]! })

/** Every method once, as values that must not depend on faults. */
const everything: Readonly<Record<string, () => Promise<unknown>>> = {
  gvl: async () => values(await gvl({}, { model: judge() }).score([sample([video])])),
  visionprefer: async () => {
    const samples = [1, 2].map((number) => sample([picture(number)], { id: `${number}`, group: 'g' }))
    return values(await visionPrefer({ permutations: 2 }, judge()).score(samples))
  },
  listener: async () => {
    const prompt = [picture(0), picture(9), { type: 'text' as const, text: 'left' }]
    const output = '<think>It is on the right in B.</think><answer>A</answer>'
    const model = openaiModel('judge', settings())
    return values(
      await listenerRewardedThinking({}, model).score([sample(output, { prompt, reference: 'A' })]),
    )
  },
  'vision-sr1': async () =>
    values(
      await visionSr1({}, judge()).score([
        sample('<description>a red ball</description><think>so</think>\\boxed{red}', { reference: 'red' }),
      ]),
    ),
  'perception-r1': async () =>
    values(
      await perceptionR1({}, { judge: judge() }).score([
        sample('\\boxed{1}, a red circle', { reference: '1', meta: { facts: ['there is a red circle'] } }),
      ]),
    ),
  imageinwords: async () => values(await imageInWordsJudge({}, judge()).compare([two('one', 'two')])),
  'context-aware': async () => {
    const contexts = ['in a hurry', 'at leisure']
    const pair = two('one', 'two')
    return values(
      await contextAwareJudge({}, judge()).compare([{ ...pair, a: { ...pair.a, meta: { contexts } } }]),
    )
  },
  vilbench: async () => values(await vilbench({}, judge()).score([sample('Step 1: look.\nStep 2: count.')])),
  'reagent-v': async () => values(await reagentV({}, judge()).score([sample('left')])),
  reflection: async () => (await reflect(judge(), [{ sample: sample('right'), report: 'wrong' }]))[0],
  universe: async () => {
    const question = (format: string, answer: string, more = {}) => ({
      task: 'action',
      format,
      question: 'what does it do?',
      answer,
      ...more,
    })
    const reference = [question('binary', 'yes'), question('open', 'moves left')]
    return values(await universe({ task: 'action' }, judge()).score([sample([video], { reference })]))
  },
  'follow-up': async () => {
    const facets = { one: { positive: ['thank you'], negative: ['that is wrong'] } }
    return values(await followUpLikelihood({ facets }, vllmModel('judge', settings())).score([sample('7')]))
  },
}

function values(scores: readonly (Score | { readonly value: number | null })[]) {
  return scores.map((score) => score.value ?? (score as { reason?: string }).reason)
}

const sound: Record<string, unknown> = {}

test('through the protocol each comes to what it should', async () => {
  for (const [name, run] of Object.entries(everything)) sound[name] = await run()
  expect(sound).toMatchObject({
    gvl: [expect.closeTo(1, 1)],
    visionprefer: [4, 4], // the better place, once each
    listener: [expect.closeTo(1.5 + 0.5 * 0.8, 1)],
    'vision-sr1': [2],
    'perception-r1': [expect.closeTo(0.9 + 0.7)],
    imageinwords: [0.5],
    'context-aware': [0.5],
    vilbench: [3],
    'reagent-v': [1],
    universe: [1],
    reflection: { answer: 'left', fused: false },
  })
  expect((sound['follow-up'] as number[])[0]).toBeGreaterThan(0)
}, 60_000)

test('with a fifth of the requests going wrong no value changes', async () => {
  const kinds = passingFaults.filter(
    (fault) => fault !== 'slow' && fault !== 'endless' && fault !== '429-date',
  )
  server.setFaults({ rate: 0.2, seed: 3, kinds })
  const before = server.faulty
  const faulty: Record<string, unknown> = {}
  for (const [name, run] of Object.entries(everything)) faulty[name] = await run()
  server.setFaults(undefined)
  expect(server.faulty).toBeGreaterThan(before)
  const withoutUsage = (all: unknown) =>
    JSON.parse(JSON.stringify(all, (key, value) => (key === 'usage' ? undefined : value)))
  expect(withoutUsage(faulty)).toEqual(withoutUsage(sound))
}, 60_000)

test('an endpoint that is down leaves all of them unscored, never at 0', async () => {
  server.setFaults(() => '500')
  const model = openaiModel('judge', { baseUrl: server.baseUrl, calls: new CallLayer(), retries: 0 })
  const scores = [
    ...(await gvl({}, { model }).score([sample([video])])),
    ...(await vilbench({}, model).score([sample('Step 1: look.\nStep 2: count.')])),
    ...(await reagentV({}, model).score([sample('left')])),
    ...(await imageInWordsJudge({}, model).compare([two('one', 'two')])),
  ]
  server.setFaults(undefined)
  for (const score of scores) expect(score).toMatchObject({ value: null, code: 'outage' })
})
