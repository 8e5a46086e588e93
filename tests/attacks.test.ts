import { describe, expect, test } from 'vitest'
import { probeTarget, targetSample, variantDifferences } from '../src/audit/attacks/probe-target.ts'
import {
  type Json,
  type Reward,
  Rng,
  type Sample,
  type Score,
  type Turns,
  type Variant,
} from '../src/core/index.ts'
import { methods } from '../src/methods/registry.ts'
import { rewardTypes } from '../src/rewards/registry.ts'
import { type Target, targets } from './attack-targets.ts'

// Every reward against outputs that deserve nothing and data that cannot be judged. What may be earned stands in
// attack-targets.ts; an attack joins src/audit/attacks/nonsense.ts and meets every reward.

const types = [...rewardTypes, ...methods.flatMap((method) => method.rewards)]

const bare = (answer: string) => answer
const dressed = ({ dress = bare }: Target, answer: string) => dress(answer)
const nothingOf = ({ nothing = 0 }: Target) => nothing
const formOf = (target: Target) => target.form ?? nothingOf(target)

async function scoreOf(target: Target, output: Turns, changes: Partial<Sample> = {}): Promise<Score> {
  const sample = targetSample(target, output, changes)
  return (await rewardOf(target).score([sample], { rng: new Rng('attack'), step: 0 }))[0]!
}

const made = new Map<Target, Reward>()
function rewardOf(target: Target): Reward {
  let reward = made.get(target)
  if (!reward) {
    reward = types.find(({ name }) => name === target.reward)!.create(target.options ?? {})
    made.set(target, reward)
  }
  return reward
}

/** Rewards that ask a model pay for what it says: they are attacked with models that can be fooled (src/audit/attacks). */
function asksModel(type: (typeof types)[number]): boolean {
  const { needs } = type.create(type.examples[0]!.options ?? {})
  return (['chat', 'logprobs', 'embeddings'] as const).some((need) => needs.includes(need))
}

test('every registered reward that judges by itself is attacked', () => {
  expect([...new Set(targets.map(({ reward }) => reward))].sort()).toEqual(
    types
      .filter((type) => !asksModel(type))
      .map(({ name }) => name)
      .sort(),
  )
})

test('released code pays for nonsense that the guarded variant refuses', async () => {
  // Those that render pictures are left out: they take their time.
  const quick = targets.filter(({ reward }) =>
    ['toolrl', 'vicrit', 'vision-sr1', 'curr-reft'].includes(reward),
  )
  const differences = await variantDifferences(quick, (name, options) => {
    const type = types.find((one) => one.name === name)!
    return 'variant' in type.options.shape ? type.create(options) : undefined
  })
  const paid = (variant: Variant) =>
    differences.filter(({ most, paid }) => (paid[variant].value ?? Number.NEGATIVE_INFINITY) > most + 1e-9)
  expect(paid('guarded')).toEqual([])
  expect(paid('released').length).toBeGreaterThan(20)
  expect(new Set(paid('released').map(({ reward }) => reward)).size).toBeGreaterThan(2)
})

const title = ({ reward, note }: Target) => (note ? `${reward} (${note})` : reward)
const oddReferences: readonly Json[] = [
  null,
  '',
  0,
  3,
  '0',
  true,
  false,
  [],
  {},
  [[]],
  { a: null },
  [null],
  JSON.parse('{"__proto__": [1]}'),
]

describe.each(targets.map((target) => [title(target), target] as const))('%s', (_, target) => {
  test('the right answer is paid in full', async () => {
    expect((await scoreOf(target, dressed(target, target.right))).value).toBeCloseTo(target.full, 5)
  })
  test('nonsense earns nothing', async () => {
    const probes = await probeTarget(rewardOf(target), target)
    const wrong = probes.filter(
      ({ isPaid, score }) => isPaid || (score.value === null && score.code === 'crashed'),
    )
    const told = wrong.map(
      ({ attack, output, most, score }) =>
        `${attack}: ${JSON.stringify(score)} where ${most} is the most, for ${JSON.stringify(output).slice(0, 120)}`,
    )
    expect(told, told.join('\n')).toHaveLength(0)
  })
  test('a reference that is none is bad input, never a number', async () => {
    if (target.reference === undefined || !rewardOf(target).needs.includes('reference')) return
    const judged: string[] = []
    for (const reference of [undefined, ...oddReferences]) {
      if (target.accepts?.some((accepted) => JSON.stringify(accepted) === JSON.stringify(reference))) continue
      const sample = { reference } as Partial<Sample>
      const score = await scoreOf(target, dressed(target, target.right), sample)
      if (score.value !== null || score.code !== 'bad-input')
        judged.push(`${JSON.stringify(reference)}: ${JSON.stringify(score).slice(0, 150)}`)
    }
    expect(judged, judged.join('\n')).toHaveLength(0)
  })
  test('poisoned fields pay no more and crash nothing', async () => {
    const wrong: string[] = []
    for (const field of [
      ...Object.keys(target.meta ?? {}),
      '__proto__',
      'constructor',
      'width',
      'choices',
      'accu_reward_method',
      'stage',
    ])
      for (const value of [
        '1',
        'Infinity',
        {},
        [],
        [[]],
        null,
        true,
        -1,
        1e308,
        JSON.parse('{"__proto__": 1}'),
      ] as Json[]) {
        const meta = Object.fromEntries([...Object.entries(target.meta ?? {}), [field, value]])
        const score = await scoreOf(target, dressed(target, target.wrong), { meta })
        if (
          score.value === null
            ? score.code === 'crashed'
            : !(score.value <= Math.max(formOf(target), nothingOf(target)) + 1e-9)
        )
          wrong.push(`${field} ${JSON.stringify(value)}: ${JSON.stringify(score).slice(0, 150)}`)
      }
    expect(wrong, wrong.join('\n')).toHaveLength(0)
  })
})
