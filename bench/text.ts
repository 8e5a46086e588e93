// Samples per second and core of the text, JSON and code rewards on short outputs, each sample different; autoevals
// beside them where it has the same scorer.
//
//   npm run -s bench -- text [NAME ...] [--json]
import { Levenshtein, ValidJSON } from 'autoevals'
import type { Sample } from '../src/core/index.ts'
import type { RewardType } from '../src/rewards/reward-type.ts'
import { code } from '../src/rewards/verifiable/code/code.ts'
import { javascriptTests } from '../src/rewards/verifiable/code/javascript-tests.ts'
import { jsonSchema } from '../src/rewards/verifiable/code/json-schema.ts'
import { json } from '../src/rewards/verifiable/code/json-validity.ts'
import { bleu } from '../src/rewards/verifiable/text/bleu.ts'
import { chair } from '../src/rewards/verifiable/text/chair-reward.ts'
import { editDistance } from '../src/rewards/verifiable/text/edit-distance-reward.ts'
import { instructions } from '../src/rewards/verifiable/text/instructions.ts'
import { length } from '../src/rewards/verifiable/text/length.ts'
import { repetition } from '../src/rewards/verifiable/text/repetition.ts'
import { rouge } from '../src/rewards/verifiable/text/rouge.ts'
import { yesNo } from '../src/rewards/verifiable/text/yes-no.ts'
import { print, throughput } from './_throughput.ts'

interface Case {
  readonly name: string
  readonly type: RewardType
  readonly options?: Readonly<Record<string, unknown>>
  readonly row: (n: number) => Pick<Sample, 'output'> & Partial<Pick<Sample, 'reference'>>
  readonly peer?: (sample: Sample) => unknown
}

const sentence = (n: number) =>
  `The ${n % 7} small boats in the old harbour are tied to the wall at number ${n}.`
const near = (n: number) => `In the old harbour ${n % 5} small boats lie, tied to a wall at number ${n + 1}.`
const person = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name'],
}
const answer = (n: number) => `{"name": "Ada ${n}", "age": ${n % 3 === 0 ? '"old"' : n}}`
const levenshtein = ({ output, reference }: Sample) =>
  Levenshtein({ output: output as string, expected: reference as string })

const cases: readonly Case[] = [
  {
    name: 'edit-distance, a word',
    type: editDistance,
    row: (n) => ({ output: `kitten${n}`, reference: `sitting${n + 1}` }),
    peer: levenshtein,
  },
  {
    name: 'edit-distance, a sentence',
    type: editDistance,
    row: (n) => ({ output: sentence(n), reference: near(n) }),
    peer: levenshtein,
  },
  {
    name: 'edit-distance, 2,000 characters',
    type: editDistance,
    row: (n) => ({ output: sentence(n).repeat(28), reference: near(n).repeat(28) }),
    peer: levenshtein,
  },
  { name: 'rouge, L', type: rouge, row: (n) => ({ output: sentence(n), reference: near(n) }) },
  {
    name: 'rouge, 2',
    type: rouge,
    options: { kind: '2' },
    row: (n) => ({ output: sentence(n), reference: near(n) }),
  },
  { name: 'bleu', type: bleu, row: (n) => ({ output: sentence(n), reference: near(n) }) },
  { name: 'length', type: length, row: (n) => ({ output: sentence(n) }) },
  { name: 'repetition', type: repetition, row: (n) => ({ output: sentence(n) }) },
  {
    name: 'yes-no',
    type: yesNo,
    row: (n) => ({ output: `${n % 2 ? 'Yes' : 'No'}, it is ${n}.`, reference: 'yes' }),
  },
  { name: 'chair', type: chair, row: (n) => ({ output: sentence(n), reference: ['boat', 'person'] }) },
  {
    name: 'json',
    type: json,
    row: (n) => ({ output: answer(n) }),
    peer: ({ output }) => ValidJSON({ output: output as string }),
  },
  {
    name: 'json-schema, one schema',
    type: jsonSchema,
    options: { schema: person },
    row: (n) => ({ output: answer(n) }),
    peer: ({ output }) => ValidJSON({ output: output as string, schema: person }),
  },
  {
    name: 'instructions, three',
    type: instructions,
    row: (n) => ({
      output: sentence(n),
      reference: {
        instruction_id_list: [
          'punctuation:no_comma',
          'length_constraints:number_words',
          'keywords:existence',
        ],
        kwargs: [{}, { relation: 'at least', num_words: 10 }, { keywords: ['harbour'] }],
      },
    }),
  },
  {
    name: 'code',
    type: code,
    row: (n) => ({ output: `\`\`\`js\nconst double = (x) => ${n % 5} * x + ${n}\n\`\`\`` }),
  },
  {
    name: 'javascript-tests',
    type: javascriptTests,
    row: (n) => ({
      output: `const double = (x) => 2 * x // ${n}`,
      reference: 'console.assert(double(2) === 4)',
    }),
  },
]

const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const rows = []
for (const { name, type, options, row, peer } of cases) {
  if (wanted.length > 0 && !wanted.some((start) => name.startsWith(start))) continue
  const reward = type.create(options ?? {})
  const samples: Sample[] = Array.from({ length: 256 }, (_, n) => ({
    id: String(n),
    prompt: 'p',
    meta: {},
    ...row(n),
  }))
  const settings = name === 'javascript-tests' ? { runs: 2, warmups: 1 } : { runs: 3 }
  const ours = await throughput(samples.length, () => reward.score(samples), settings)
  const theirs =
    peer &&
    (await throughput(
      samples.length,
      async () => {
        for (const sample of samples) await peer(sample)
      },
      { runs: 3, warmups: 3 },
    ))
  rows.push({
    reward: name,
    'samples/s per core': Math.round(ours),
    'autoevals/s': theirs === undefined ? '' : Math.round(theirs),
    ratio: theirs === undefined ? '' : ours / theirs,
  })
}
print(rows)
