import { describe, expect, test } from 'vitest'
import { type Nonsense, nonsense } from '../src/audit/attacks/nonsense.ts'
import { type Json, type Reward, Rng, type Sample, type Score, type Turns } from '../src/core/index.ts'
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

const mostOf = (target: Target, worth: Nonsense['worth']) =>
  worth === 'form' ? formOf(target) : nothingOf(target)

async function scoreOf(target: Target, output: Turns, changes: Partial<Sample> = {}): Promise<Score> {
  const sample: Sample = {
    id: 'attack',
    prompt: target.prompt,
    output,
    meta: target.meta ?? {},
    ...(target.reference === undefined ? {} : { reference: target.reference }),
    ...changes,
  }
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

test('every registered reward is attacked', () => {
  expect([...new Set(targets.map(({ reward }) => reward))].sort()).toEqual(
    types.map(({ name }) => name).sort(),
  )
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
  const own = (target.attacks ?? []).map(({ name, output, most, ...changes }) => ({
    name,
    output,
    most,
    changes: changes as Partial<Sample>,
  }))
  const shared = nonsense
    .filter(({ name }) => !target.concedes || !Object.hasOwn(target.concedes, name))
    .flatMap(({ name, outputs, worth }) =>
      outputs(target).map((output) => ({ name, output, most: mostOf(target, worth), changes: {} })),
    )
  test('nonsense earns nothing', async () => {
    const paid: string[] = []
    for (const { name, output, most, changes } of [...own, ...shared]) {
      const { value, ...rest } = await scoreOf(target, output, changes)
      if (value !== null && value > most + 1e-9)
        paid.push(`${name}: ${value} > ${most} for ${JSON.stringify(output).slice(0, 120)}`)
      if (value === null && (rest as { code?: string }).code === 'crashed')
        paid.push(`${name}: ${JSON.stringify(rest)}`)
    }
    expect(paid, paid.join('\n')).toHaveLength(0)
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
