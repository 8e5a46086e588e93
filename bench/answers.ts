// Samples per second and core of the answer rewards on short outputs, each sample different; autoevals beside them
// where it has the same scorer.
//
//   npm run -s bench -- answers [--json]
import { ExactMatch, NumericDiff } from 'autoevals'
import type { Reward, Sample } from '../src/core/index.ts'
import { currReft } from '../src/methods/curr-reft.ts'
import { perceptionR1 } from '../src/methods/perception-r1.ts'
import { vicrit } from '../src/methods/vicrit.ts'
import { visionSr1 } from '../src/methods/vision-sr1.ts'
import { choice } from '../src/rewards/verifiable/answers/choice.ts'
import { contains } from '../src/rewards/verifiable/answers/contains.ts'
import { exact } from '../src/rewards/verifiable/answers/exact.ts'
import { math } from '../src/rewards/verifiable/answers/math.ts'
import { numeric } from '../src/rewards/verifiable/answers/numeric.ts'
import { regex } from '../src/rewards/verifiable/answers/regex.ts'
import { format } from '../src/rewards/verifiable/extract/format-reward.ts'
import { print, throughput } from './_throughput.ts'

type Row = Pick<Sample, 'output' | 'reference'> & Partial<Pick<Sample, 'meta'>>

const cases: readonly [name: string, reward: Reward, row: (n: number) => Row][] = [
  ['exact', exact.create({}), (n) => ({ output: `Marie ${n}`, reference: `Marie ${n & ~1}` })],
  [
    'exact, words',
    exact.create({ normalise: 'words' }),
    (n) => ({ output: `The Beatles, ${n}!`, reference: `beatles ${n}` }),
  ],
  [
    'contains',
    contains.create({}),
    (n) => ({ output: `It was Marie Curie in ${n}.`, reference: `in ${n & ~1}` }),
  ],
  [
    'regex',
    regex.create({ pattern: '\\d{4}-\\d{2}' }),
    (n) => ({ output: `On ${n}-02 or so`, reference: '' }),
  ],
  [
    'format',
    format.create({}),
    (n) => ({ output: `<think>It is ${n}.</think>\n<answer>${n}</answer>`, reference: '' }),
  ],
  ['choice', choice.create({}), (n) => ({ output: `<answer>(${'ABCD'[n % 4]})</answer>`, reference: 'B' })],
  [
    'numeric, whole',
    numeric.create({ where: 'whole', graded: true }),
    (n) => ({ output: String(n), reference: n + (n % 3) }),
  ],
  [
    'numeric, after ####',
    numeric.create({}),
    (n) => ({ output: `So ${n} in all.\n#### ${n}`, reference: n & ~1 }),
  ],
  ['math, numbers', math.create({}), (n) => ({ output: `So \\boxed{${n}}`, reference: String(n & ~1) })],
  [
    'math, fractions',
    math.create({}),
    (n) => ({ output: `So \\boxed{\\frac{${n}}{8}}`, reference: `\\frac{${n + 1}}{8}` }),
  ],
  [
    'math, fraction and decimal',
    math.create({}),
    (n) => ({ output: `So \\boxed{\\frac{${n}}{8}}`, reference: String(n / 8) }),
  ],
  [
    'math, tuples',
    math.create({}),
    (n) => ({ output: `So \\boxed{(${n}, 2)}`, reference: `(${n},\\frac{4}{2})` }),
  ],
  [
    'math, roots',
    math.create({}),
    (n) => ({ output: `So \\boxed{${n}\\sqrt{8}}`, reference: `${2 * n}\\sqrt{2}` }),
  ],
  [
    'math, polynomials',
    math.create({}),
    (n) => ({ output: `So \\boxed{x^2-${n}x}`, reference: `x(x-${n})` }),
  ],
  [
    'vision-sr1',
    visionSr1(),
    (n) => ({
      output: `<description>${n} balls.</description><think>I count.</think>\\boxed{${n}}`,
      reference: String(n),
      meta: { text_only_answer: `\\boxed{${n}}` },
    }),
  ],
  [
    'perception-r1',
    perceptionR1(),
    (n) => ({
      output: `<think>\n${n} + 1\n</think>\n<answer>\n\\boxed{${n}}\n</answer>`,
      reference: String(n & ~1),
      meta: { facts: ['AB = 7', 'BC = 7'], judge_reply: '<info1>1</info1><info2>0</info2>' },
    }),
  ],
  [
    'vicrit',
    vicrit(),
    (n) => ({
      output: `<think>Look.</think>\\boxed{["a green backpack ${n}"]}`,
      reference: { original: `a red backpack ${n}`, changed: `a green backpack ${n}` },
    }),
  ],
  [
    'curr-reft, choice',
    currReft({ stage: 'choice' }),
    (n) => ({ output: `<think>Look.</think><answer>${'ABCD'[n % 4]}</answer>`, reference: 'B' }),
  ],
]

const peers: Readonly<Record<string, (sample: Sample) => unknown>> = {
  exact: ({ output, reference }) => ExactMatch({ output, expected: reference }),
  'numeric, whole': ({ output, reference }) =>
    NumericDiff({ output: Number(output), expected: reference as number }),
}

const count = 4096
const rows = []
for (const [name, reward, row] of cases) {
  const samples = Array.from(
    { length: count },
    (_, n): Sample => ({ id: String(n), prompt: 'p', meta: {}, ...row(n + 1000) }),
  )
  const perSecond = await throughput(count, () => reward.score(samples), { warmups: 5 })
  const peer = peers[name]
  const peerPerSecond = peer
    ? await throughput(
        count,
        async () => {
          for (const sample of samples) await peer(sample)
        },
        { warmups: 5 },
      )
    : undefined
  rows.push({
    reward: name,
    'samples/s per core': Math.round(perSecond),
    autoevals: peerPerSecond === undefined ? '' : Math.round(peerPerSecond),
    ratio: peerPerSecond === undefined ? '' : perSecond / peerPerSecond,
  })
}
print(rows)
