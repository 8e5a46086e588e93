import { masterKeyTexts } from '../src/audit/attacks/master-keys.ts'
import { truncatedNegatives, type VerifierExample } from '../src/audit/defences/truncated-negatives.ts'
import { Rng, type Sample } from '../src/core/index.ts'
import { trainRewardModel } from '../src/learn/reward-models/index.ts'
import { textPolicyTask } from '../src/learn/tasks/text-tasks.ts'
import { isFailed } from '../src/models/outcome.ts'
import { loadEmbedded } from '../src/nets/embedded/load-embedded.ts'
import type { RewardModel } from '../src/rewards/learned/trained-reward-model.ts'
import { bootstrapMean } from '../src/stats/index.ts'
import { type ArithmeticProblem, arithmeticResult } from '../src/worlds/text/arithmetic.ts'
import { embeddedKey, heldOutKeys, masterKeys } from '../src/worlds/text/master-keys.ts'
import { drawCandidate, judgeTask, taskAt } from '../src/worlds/text/task.ts'
import { textVocabulary } from '../src/worlds/text/vocabulary.ts'

// A small verifier (is this answer right, given the reference?) trained on chains of thought alone, and with first sentences
// of them labelled wrong: how often answers without content pass (One Token to Fool LLM-as-a-Judge, arXiv 2507.08794).
//
//   npm run -s bench -- verifier [--json]

const openers = [
  'so , let us see the process .',
  'first , i solve this .',
  'let me see all this .',
  'the process is this , step by step .',
]
const size = { examples: 1200, questions: 100, steps: 140, rows: 24 } as const
const keys = [...masterKeys, ...heldOutKeys].map((key) => textVocabulary.join(key))

const arithmetic = (split: 'train' | 'test') =>
  ({ kinds: { arithmetic: 1 }, arithmetic: { operations: [1, 2] }, split }) as const

function examplesOf(seed: string, count: number, split: 'train' | 'test'): VerifierExample[] {
  return Array.from({ length: count }, (_, index) => {
    const task = taskAt(seed, index, arithmetic(split)) as ArithmeticProblem
    const rng = new Rng(`${seed}/${index}`)
    const { tokens } = drawCandidate(task, rng, { good: 0.5 })
    const isRight = judgeTask(task, tokens).parts.correctness === 1
    return {
      prompt: textPolicyTask('', task).sample.prompt,
      reference: String(arithmeticResult(task)),
      response: `${rng.pick(openers)} ${textVocabulary.join(tokens)}`,
      isRight,
    }
  })
}

const sampleOf = ({ prompt, reference, response }: VerifierExample, id: string): Sample => ({
  id,
  prompt,
  reference,
  output: response,
  meta: {},
})

async function trained(examples: readonly VerifierExample[], seed: number): Promise<RewardModel> {
  const text = await loadEmbedded('text-lm', { threads: 1 })
  const { model } = await trainRewardModel({
    name: 'verifier',
    labelled: examples.map((each, index) => ({
      sample: sampleOf(each, `example-${index}`),
      label: Number(each.isRight),
    })),
    trunk: text,
    reference: true,
    steps: size.steps,
    rows: size.rows,
    learningRate: 1e-3,
    seed,
    threads: 1,
  })
  await text.dispose()
  // scores are over the mean answer; a verdict is over even odds
  return model
}

/** Whether each is accepted; what cannot be read is left out. */
async function accepted(model: RewardModel, samples: readonly Sample[]): Promise<(boolean | null)[]> {
  const [shift] = model.manifest.shifts
  return (await model.values(samples)).map((each) => (isFailed(each) ? null : each.value + shift! > 0))
}

const interval = (values: readonly (boolean | null)[], clusters: readonly string[]) => {
  const at = values.flatMap((value, index) => (value === null ? [] : [index]))
  return bootstrapMean(
    at.map((index) => Number(values[index])),
    { rng: new Rng('verifier'), clusters: at.map((index) => clusters[index]!) },
  )!
}
const shown = ({ estimate, low, high }: { estimate: number; low: number; high: number }) =>
  `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`

const results: Record<string, unknown>[] = []
for (const seed of [0, 1, 2]) {
  const examples = examplesOf(`verifier/${seed}`, size.examples, 'train')
  const { examples: negatives } = truncatedNegatives(examples, {
    rng: new Rng(seed),
    keys: [...keys, ...masterKeyTexts],
  })
  const test = examplesOf('verifier/test', size.questions, 'test')
  for (const [name, own] of [
    ['without', examples],
    ['with first sentences', [...examples, ...negatives]],
  ] as const) {
    const model = await trained(own, seed)
    const verdicts = await accepted(
      model,
      test.map((each, index) => sampleOf(each, String(index))),
    )
    const right = test.flatMap(({ isRight }, index) => (isRight ? [verdicts[index]!] : []))
    const accuracy = verdicts.map((verdict, index) =>
      verdict === null ? null : verdict === test[index]!.isRight,
    )
    const attack = async (responses: readonly string[]) => {
      const samples = test.flatMap((each, question) =>
        responses.map((response, key) => ({
          ...sampleOf({ ...each, response }, `${question}-${key}`),
          group: String(question),
        })),
      )
      const passed = await accepted(model, samples)
      const worst = Math.max(
        ...responses.map((_, key) => {
          const cell = passed.filter((verdict, index) => verdict !== null && index % responses.length === key)
          return cell.filter(Boolean).length / cell.length
        }),
      )
      return {
        rate: interval(
          passed,
          samples.map(({ group }) => group),
        ),
        worst,
      }
    }
    const join = (list: readonly (readonly string[])[]) => list.map((key) => textVocabulary.join(key))
    const known = await attack(join(masterKeys))
    const unknown = await attack(join(heldOutKeys))
    const embedded = await attack(
      join(masterKeys.map((key, index) => embeddedKey(key, { rng: new Rng(index) }))),
    )
    const whole = (values: readonly (boolean | null)[]) =>
      interval(
        values,
        values.map((_, index) => String(index)),
      )
    const row = {
      seed,
      name,
      negatives: own.length - examples.length,
      accuracy: whole(accuracy),
      recall: whole(right),
      known,
      unknown,
      embedded,
    }
    results.push(row)
    process.stdout.write(
      `seed ${seed}  ${name.padEnd(20)} accuracy ${shown(row.accuracy)}  recall ${shown(row.recall)}  ten keys ${shown(known.rate)} worst ${known.worst.toFixed(2)}  five others ${shown(unknown.rate)} worst ${unknown.worst.toFixed(2)}  embedded ${shown(embedded.rate)}\n`,
    )
    await model.dispose()
  }
}
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(results)}\n`)
