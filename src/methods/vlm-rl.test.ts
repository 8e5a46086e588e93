import { describe, expect, test } from 'vitest'
import { picture, stubEmbedder } from '../../tests/stub-embedder.ts'
import { testVectors } from '../../tests/vectors.ts'
import type { Sample } from '../core/index.ts'
import { contrastingGoal } from '../rewards/embedding/contrasting-goal.ts'
import { vlmRl } from './vlm-rl.ts'

/** Pictures with a given contrast: cosines c and 0 to the wanted and the unwanted. */
const frames = (contrasts: readonly number[]) =>
  stubEmbedder(
    { wanted: [1, 0, 0], unwanted: [0, 1, 0] },
    contrasts.map((contrast) => [
      Math.max(0, contrast),
      Math.max(0, -contrast),
      Math.sqrt(1 - contrast * contrast),
    ]),
  )
const texts = { positive: 'wanted', negative: 'unwanted' }
const sample = (meta: Sample['meta'], number = 0): Sample => ({
  id: `frame ${number}`,
  prompt: 'Drive.',
  output: [picture(number)],
  meta,
})
/** A state with given lane factors. */
const lane = ([centring, heading, stability]: readonly number[]) => ({
  distance: 3 * (1 - centring!),
  angle: (Math.PI / 2) * (1 - heading!),
  distances: [0, 0.8 * (1 - stability!)],
})

testVectors('vlm-rl', {
  'vlm_rl.contrast': ({ images, ...goal }) => (images as number[][]).map(contrastingGoal(goal)),
  'vlm_rl.synthesis': async ({ contrast, speed, factors, base }) => {
    const meta = { speed, ...lane(factors), base_reward: base }
    const [score] = await vlmRl({ ...texts, variant: 'released' }, frames([contrast])).score([sample(meta)])
    const [safety] = await vlmRl({ ...texts, form: 'contrast' }, frames([contrast])).score([sample({})])
    return { safety: safety!.value, reward: score!.value }
  },
  'vlm_rl.hand_made': async (state) => (await vlmRl({ form: 'hand-made' }).score([sample(state)]))[0]!.value,
})

const state = { speed: 0, ...lane([1, 1, 1]) }
const scored = async (settings: Parameters<typeof vlmRl>[0], contrast: number, meta: object = state) =>
  (await vlmRl({ ...texts, ...settings }, frames([contrast])).score([sample(meta as Sample['meta'])]))[0]!

describe('easily got wrong', () => {
  test('standing still before danger is right, standing still on a clear road is not', async () => {
    expect((await scored({}, -0.05)).value).toBeCloseTo(1)
    expect((await scored({}, 0.05)).value).toBeCloseTo(0)
  })
  test('halved weights need halved bounds: the paper’s form ranks and scales as the released one', async () => {
    for (const contrast of [-0.02, -0.01, 0.01])
      expect((await scored({ variant: 'paper' }, contrast)).value).toBeCloseTo(
        (await scored({ variant: 'released' }, contrast)).value!,
      )
  })
  test('only the guarded form has no negative speed factor and no reward for leaving the lane to the left', async () => {
    const fast = { ...state, speed: 60 }
    expect((await scored({ variant: 'released' }, 0.05, fast)).value).toBeCloseTo(-0.4)
    expect((await scored({}, 0.05, fast)).value).toBe(0)
    const left = { ...state, speed: 25, distance: -1.5 }
    expect((await scored({ variant: 'released' }, 0.05, left)).value).toBeCloseTo(1.5)
    expect((await scored({}, 0.05, left)).value).toBeCloseTo(0.5)
  })
  test('bounds of one encoder leave another at 0 or 1; measured ones do not', async () => {
    expect((await scored({ form: 'contrast' }, 0.3)).value).toBe(1)
    expect((await scored({ form: 'contrast', bounds: [0.2, 0.4] }, 0.3)).value).toBeCloseTo(0.5)
    expect(() => vlmRl({ bounds: [0.1, 0.1] }, frames([]))).toThrow()
  })
  test('the baselines of the same code', async () => {
    expect((await scored({ form: 'similarity' }, 0.33)).value).toBe(1)
    expect((await scored({ form: 'similarity' }, 0.31)).value).toBe(-1)
    expect((await scored({ form: 'lord' }, -0.3)).value).toBeCloseTo(0.7)
    expect((await scored({ form: 'lord-speed' }, -0.3, { ...state, speed: 10 })).value).toBeCloseTo(1.2)
  })
})

test('a state that is missing or a frame that cannot be read is unscored, a sentence that fails too', async () => {
  const reward = vlmRl(texts, frames([0, 0]))
  const broken: Sample = {
    ...sample(state),
    output: [{ type: 'image', image: { bytes: new Uint8Array([1, 2]) } }],
  }
  const scores = await reward.score([
    sample(state),
    sample({ ...state, distances: [null] }),
    sample({ ...state, base_reward: 'none' }),
    broken,
    { ...sample(state), output: 'a text' },
  ])
  expect(scores.map((score) => (score.value === null ? score.code : 'scored'))).toEqual([
    'scored',
    'bad-input',
    'bad-input',
    'bad-input',
    'bad-input',
  ])
  const [score] = await vlmRl({}, frames([0])).score([sample(state)])
  expect(score).toMatchObject({ value: null, code: 'outage' })
})

test('sentences and equal frames are embedded once in a batch', async () => {
  const embedder = frames([0, 0.01])
  await vlmRl(texts, embedder).score([sample(state), sample(state, 1), sample(state)])
  expect(embedder.seen).toEqual({ texts: ['wanted', 'unwanted'], pictures: 3 })
})
