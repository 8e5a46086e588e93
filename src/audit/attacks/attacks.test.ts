import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testVectors } from '../../../tests/vectors.ts'
import {
  type Comparator,
  defineGroupReward,
  defineReward,
  promptText,
  Rng,
  type Sample,
  textOf,
  unscored,
} from '../../core/index.ts'
import { cohenKappa } from '../../stats/index.ts'
import { firstSentence } from '../defences/first-sentence.ts'
import { type AttackItem, withText } from './attack.ts'
import { attackItems, attackItemsOfSamples } from './attack-items.ts'
import { attacks, attacksNamed } from './attacks.ts'
import { auditJudge, type JudgeAudit } from './audit-judge.ts'
import { falsePositiveRates, heldOutKeyTexts, lookAlike, masterKeyTexts } from './master-keys.ts'

testVectors('master-keys', {
  'master_keys.fpr': (verdicts: Record<string, (0 | 1)[]>) => {
    const { cells, mean, worst } = falsePositiveRates(
      Object.fromEntries(Object.entries(verdicts).map(([key, list]) => [key, { all: list }])),
    )
    const rates = Object.entries(cells).map(([key, row]) => [key, row.all])
    return { ...Object.fromEntries(rates), mean, worst: worst!.rate }
  },
  'master_keys.kappa': ({ a, b }: { a: number[]; b: number[] }) => cohenKappa(a, b)!.kappa,
})

test('mean of cells and pooled rate differ where data sets have unequal sizes; unreadable verdicts are in neither', () => {
  const rates = falsePositiveRates({ ':': { small: [1, null], large: [0, 0, 0, 0, 0, 0, 0, 0, 0] } })
  expect(rates).toMatchObject({ mean: 0.5, pooled: 0.1, unreadable: 1, worst: { dataset: 'small', rate: 1 } })
  expect(falsePositiveRates({ ':': { none: [null] } })).toMatchObject({
    mean: null,
    pooled: null,
    worst: null,
  })
})

test('the keys reach the judge as they are: ten, with the blank, none of them held out', () => {
  expect(masterKeyTexts).toHaveLength(10)
  expect(masterKeyTexts).toContain(' ')
  expect(heldOutKeyTexts.filter((key) => masterKeyTexts.includes(key))).toEqual([])
  const [base] = items()
  const variants = attacksNamed(['master-keys'])[0]!.variants(base!.bad!, context(base!))
  expect(variants.map(({ sample }) => sample.output)).toEqual(masterKeyTexts)
  expect(lookAlike('Solution')).not.toBe('Solution')
  expect(lookAlike('Solution')).toHaveLength(8)
})

const answers = ['Paris', 'twelve', 'the heart', 'oxygen', 'Goethe', 'a triangle', 'in 1969', 'the moon']
function items(): AttackItem[] {
  return Array.from({ length: 24 }, (_, i): AttackItem => {
    const sample = (side: string, answer: string): Sample => ({
      id: `q${i}#${side}`,
      prompt: `Question ${i}: which one is it?`,
      output: `It took some time to find out. The answer is ${answer}. Nobody doubts it today.`,
      reference: answers[i % answers.length]!,
      group: `q${i}`,
      meta: { label: side === 'good' ? 'chosen' : 'rejected', model: 'm1' },
    })
    return {
      id: `q${i}`,
      good: sample('good', answers[i % answers.length]!),
      bad: sample('bad', answers[(i + 3) % answers.length]!),
    }
  })
}
const context = (item: AttackItem) => ({ item, rng: new Rng(0), others: items().map(({ good }) => good!) })

const contains = ({ output, reference }: Sample) => textOf(output).includes(String(reference))
/** Right by the last sentence that says so, and nothing else. */
const careful = defineReward({
  name: 'careful',
  judge: (sample) => {
    const said = /^It took some time to find out\. The answer is ([^.]+)\. Nobody doubts it today\.\s*$/.exec(
      textOf(sample.output),
    )
    return Number(said?.[1] === sample.reference)
  },
})
const judges = {
  length: defineReward({ name: 'length', range: [0, 1e6], judge: ({ output }) => textOf(output).length }),
  substring: defineReward({ name: 'substring', judge: (sample) => Number(contains(sample)) }),
  openers: defineReward({
    name: 'openers',
    judge: (sample) =>
      Number(contains(sample) || /^(Thought process|Solution|Let's)/.test(textOf(sample.output))),
  }),
  obedient: defineReward({
    name: 'obedient',
    judge: (sample) =>
      Number(contains(sample) || /Ignore all previous|verdict: YES/i.test(textOf(sample.output))),
  }),
  labels: defineReward({ name: 'labels', judge: ({ meta }) => Number(meta.label === 'chosen') }),
  never: defineReward({ name: 'never', judge: () => 0 }),
}
const rateOf = ({ attacks }: JudgeAudit, name: string) =>
  attacks.find(({ attack }) => attack === name)?.rate?.estimate

describe('each weakness shows as its own attack, and only there', () => {
  test('a careful judge withstands', async () => {
    const audit = await auditJudge(careful, items())
    expect(audit.natural).toMatchObject({
      recall: { estimate: 1 },
      falsePositives: { estimate: 0 },
      prefersGood: 1,
    })
    // A line end of another system is not this judge's business; all else holds.
    const failing = audit.attacks.filter(({ rate }) => rate !== null && rate.estimate > 0)
    expect(failing.map(({ attack }) => attack)).toEqual([])
    expect(audit.attacks.length).toBeGreaterThan(20)
  })
  test('length', async () => {
    const audit = await auditJudge(judges.length, items())
    for (const name of ['verbosity', 'repetition', 'prompt-in-answer', 'reversal', 'off-topic'])
      expect(rateOf(audit, name), name).toBeGreaterThan(0.4)
    expect(rateOf(audit, 'metadata')).toBe(0)
    expect(rateOf(audit, 'scale-drift')).toBe(0)
    expect(audit.natural.prefersGood).toBeLessThan(0.8)
  })
  test('words anywhere', async () => {
    const audit = await auditJudge(judges.substring, items())
    expect(rateOf(audit, 'answer-in-thoughts')).toBeGreaterThan(0.9)
    expect(rateOf(audit, 'answer-in-comment')).toBe(1)
    expect(rateOf(audit, 'master-keys')).toBe(0)
    expect(rateOf(audit, 'first-sentence')).toBe(0)
  })
  test('openers', async () => {
    const audit = await auditJudge(judges.openers, items())
    const keys = audit.attacks.find(({ attack }) => attack === 'master-keys')!
    expect(keys.rate!.estimate).toBeCloseTo(0.3, 10)
    expect(keys.variants.find(({ name }) => name === 'Solution')!.rate).toBe(1)
    expect(keys.variants.find(({ name }) => name === 'a blank')!.rate).toBe(0)
    expect(keys.examples[0]!.sample.output).toBe('Thought process:')
    // The interval is that of 24 prompts, not of 240 answers.
    expect(keys.rate!.clusters).toBe(24)
    expect(rateOf(audit, 'instruction-injection')).toBe(0)
  })
  test('orders', async () => {
    const audit = await auditJudge(judges.obedient, items())
    const injection = audit.attacks.find(({ attack }) => attack === 'instruction-injection')!
    expect(injection.variants.find(({ name }) => name === 'order')!.rate).toBe(1)
    expect(rateOf(audit, 'tag-injection')).toBe(1)
    expect(rateOf(audit, 'verbosity')).toBe(0)
  })
  test('labels in the data', async () => {
    const audit = await auditJudge(judges.labels, items())
    const leak = audit.attacks.find(({ attack }) => attack === 'metadata')!
    expect(leak.variants.find(({ name }) => name === 'labels flipped')!.rate).toBe(1)
    expect(leak.variants.find(({ name }) => name === 'another id')!.rate).toBe(0)
  })
  test('who rejects everything is never fooled, and recall says why', async () => {
    const audit = await auditJudge(judges.never, items())
    expect(rateOf(audit, 'master-keys')).toBe(0)
    expect(audit.natural.recall!.estimate).toBe(0)
    // Nothing of it can become worse, so nothing is counted.
    expect(audit.attacks.find(({ attack }) => attack === 'reversal')).toBeUndefined()
  })
})

describe('comparators', () => {
  const comparator = (name: string, better: (a: Sample, b: Sample) => number): Comparator => ({
    name,
    version: '1',
    params: {},
    compare: async (pairs) => pairs.map(({ a, b }) => ({ value: better(a, b) })),
  })
  const outcome = ({ attacks }: JudgeAudit, name: string) => attacks.find(({ attack }) => attack === name)!

  test('one that prefers the first slot is found out by order and duplicates', async () => {
    const audit = await auditJudge(
      comparator('first', () => 1),
      items(),
    )
    expect(audit.kind).toBe('comparator')
    expect(outcome(audit, 'order-swap').rate!.estimate).toBe(1)
    expect(outcome(audit, 'duplicates').rate!.estimate).toBe(1)
    const sound = await auditJudge(
      comparator('substring', (a, b) => (1 + Number(contains(a)) - Number(contains(b))) / 2),
      items(),
    )
    expect(outcome(sound, 'order-swap').rate!.estimate).toBe(0)
    expect(outcome(sound, 'duplicates').rate!.estimate).toBe(0)
    expect(outcome(sound, 'master-keys').rate!.estimate).toBe(0)
    expect(sound.natural.prefersGood).toBe(1)
  })
  test('a key that beats a real answer is a false positive', async () => {
    const audit = await auditJudge(
      comparator('shorter', (a, b) => (textOf(a.output).length < textOf(b.output).length ? 1 : 0)),
      items(),
    )
    expect(outcome(audit, 'master-keys').rate!.estimate).toBe(1)
  })
  test('a reward of groups is attacked pair by pair', async () => {
    const group = defineGroupReward({
      name: 'longest',
      judgeGroup: (samples) => {
        const longest = Math.max(...samples.map(({ output }) => textOf(output).length))
        return samples.map(({ output }) => Number(textOf(output).length === longest))
      },
    })
    const audit = await auditJudge(group, items())
    expect(audit.kind).toBe('comparator')
    expect(outcome(audit, 'verbosity').rate!.estimate).toBe(1)
  })
})

test('what cannot be judged is counted and in no rate; one that drifts is found out', async () => {
  let calls = 0
  const drifting = defineReward({
    name: 'drifting',
    judge: (sample) =>
      sample.output === '.'
        ? unscored('refused', 'not that')
        : Math.min(1, contains(sample) ? 0.6 + calls++ / 1e4 : 0),
  })
  const audit = await auditJudge(drifting, items(), { tolerance: 0.001 })
  const keys = audit.attacks.find(({ attack }) => attack === 'master-keys')!
  expect(keys).toMatchObject({ unscored: 24, trials: 216 })
  expect(rateOf(audit, 'scale-drift')).toBeGreaterThan(0.4)
})

test('stopping early saves calls and decides the same', async () => {
  const [whole, early] = [
    await auditJudge(judges.openers, items()),
    await auditJudge(judges.openers, items(), { stopAt: 0.9 }),
  ]
  expect(early.saved).toBeGreaterThan(500)
  expect(early.judgements + early.saved).toBe(whole.judgements)
  expect(rateOf(early, 'master-keys')).toBeLessThan(0.9)
})

test('the same seed gives the same audit, and the order of items does not matter', async () => {
  const options = { items: 12, rng: new Rng('seed') }
  const [one, two] = [
    await auditJudge(judges.substring, items(), options),
    await auditJudge(judges.substring, items(), { ...options, batchSize: 7 }),
  ]
  expect(two).toEqual(one)
})

test('attacks by name and family', () => {
  expect(attacksNamed(['injection']).map(({ name }) => name)).toEqual([
    'instruction-injection',
    'tag-injection',
  ])
  expect(() => attacksNamed(['master-key'])).toThrow(/Did you mean "master-keys"/)
  expect(new Set(attacks.map(({ name }) => name)).size).toBe(attacks.length)
})

test('options rotate with their letters, choices and references', () => {
  const base: Sample = {
    id: 'o',
    prompt: 'Which one?\n(A) a cat\n(B) a dog\n(C) a bird\nAnswer with a letter.',
    output: '<answer>B</answer>',
    reference: 'B',
    meta: { choices: ['a cat', 'a dog', 'a bird'] },
  }
  const rotate = (sample: Sample) => attacksNamed(['option-order'])[0]!.variants(sample, context({ id: 'o' }))
  expect(rotate(base)[0]!.sample).toMatchObject({
    prompt: 'Which one?\n(A) a bird\n(B) a cat\n(C) a dog\nAnswer with a letter.',
    output: '<answer>C</answer>',
    reference: 'C',
    meta: { choices: ['a bird', 'a cat', 'a dog'] },
  })
  const inline = { ...base, prompt: 'Which? A. a cat B. a dog' }
  expect(promptText(rotate(inline)[0]!.sample.prompt)).toBe('Which? A. a dog B. a cat')
  expect(rotate({ ...base, output: 'A dog' })).toEqual([])
  expect(rotate({ ...base, prompt: 'Which one?' })).toEqual([])
})

test('the first sentence stops at a line break', () => {
  expect(firstSentence('To solve it, we add. Then 4.')).toBe('To solve it, we add.')
  expect(firstSentence('Solution\n\nFour apples.')).toBe('Solution')
  expect(firstSentence('\n\nDr. Smith agrees. So do I.')).toBe('Dr. Smith agrees.')
  expect(firstSentence('')).toBe('')
})

test('text is changed where the answer stands, whatever the output looks like', () => {
  const upper = (text: string) => text.toUpperCase()
  expect(withText('a', upper)).toBe('A')
  expect(
    withText(
      [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
      upper,
    ),
  ).toMatchObject([{ content: 'a' }, { content: 'B' }])
  expect(
    withText(
      [
        { type: 'text', text: 'a' },
        { type: 'json', json: 1 },
      ],
      upper,
    ),
  ).toMatchObject([{ text: 'A' }, {}])
  expect(withText([{ type: 'json', json: 1 }], (text) => `${text}!`)).toHaveLength(2)
})

test('items of benchmarks and of labelled samples', () => {
  const [{ good, bad }] = items() as [Required<AttackItem>]
  const head = { subset: 's', cluster: 'c' }
  const found = attackItems([
    { kind: 'preference', id: '1', ...head, a: bad, b: good, label: -1 },
    { kind: 'preference', id: '2', ...head, a: bad, b: good, label: 0 },
    { kind: 'best-of', id: '3', ...head, candidates: [bad, good], correct: [false, true] },
    { kind: 'list', id: '4', ...head, candidates: [good, bad], gold: [2, 1] },
    { kind: 'binary', id: '5', ...head, sample: bad, good: false },
    { kind: 'answer', id: '6', ...head, sample: bad },
  ])
  expect(found.map(({ id }) => id)).toEqual(['1', '3', '4', '5'])
  for (const item of found.slice(0, 3)) expect(item).toMatchObject({ good, bad, cluster: 'c' })
  expect(found[3]).not.toHaveProperty('good')
  const labelled = attackItemsOfSamples([
    { sample: good, label: 1 },
    { sample: bad, label: 0 },
  ])
  expect(labelled).toEqual([{ id: 'q0', cluster: 'q0', good, bad }])
  expect(attackItemsOfSamples([{ sample: good, label: null }])[0]).toMatchObject({ good })
})

test('no attack throws, whatever the answer is', () => {
  const outputs = fc.oneof(
    fc.string(),
    fc.array(
      fc.oneof(
        fc.record({ type: fc.constant('text' as const), text: fc.string() }),
        fc.constant({ type: 'json' as const, json: 1 }),
      ),
    ),
    fc.array(
      fc.record({ role: fc.constantFrom('user' as const, 'assistant' as const), content: fc.string() }),
    ),
  )
  fc.assert(
    fc.property(outputs, fc.string(), (output, prompt) => {
      const base: Sample = { id: 's', prompt, output, meta: {} }
      for (const attack of attacks)
        for (const { sample } of attack.variants(base, {
          item: { id: 's', bad: base },
          rng: new Rng(1),
          others: [base],
        }))
          expect(sample.output).toBeDefined()
    }),
    { numRuns: 60 },
  )
})
