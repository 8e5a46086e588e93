import { decoderLoss, initialDecoder } from '../../nets/decoder.ts'
import { type CorpusItem, type CorpusOptions, corpusItem } from '../../worlds/text/dialogue.ts'
import type { Recipe } from './recipe.ts'
import { evaluateTextModel } from './text-evaluation.ts'
import { dialogueBatch, textModel } from './text-model.ts'

const model = textModel({ width: 64, depth: 3, heads: 4, context: 112 })
const { config } = model.network

/** Dialogues of one length class are batched together, about as many tokens in each batch. */
const buckets = {
  short: { longerThan: 0, length: 40, rows: 40 },
  long: { longerThan: 40, length: 72, rows: 22 },
} as const

/** Weight of a prompt's tokens beside an answer's. */
const promptWeight = 0.1

/** What a stage of training reads. */
interface Reading {
  readonly item: (seed: string, index: number) => CorpusItem
  /** Share of the batches whose dialogues are short. */
  readonly short: number
}

const kinds = { instruction: 2, arithmetic: 2, tools: 1 }
const mostlyArithmetic = { instruction: 1, arithmetic: 6, tools: 1 }
const mostlyInstructions = { instruction: 3, arithmetic: 1, tools: 1 }
/** Small models repeat themselves when they name things. */
const mostlyNaming = { describe: 2, lookup: 1, name: 5, refuse: 1 }

/**
 * Answers of mixed quality in good form: half of the instructions' have one fault, a share of the arithmetic is wrong,
 * tool calls are right.
 */
function mixedItem(
  kinds: NonNullable<CorpusOptions['kinds']>,
  good: number,
  asks?: NonNullable<CorpusOptions['instruction']>['asks'],
): Reading['item'] {
  const options: CorpusOptions = {
    kinds,
    ...(asks === undefined ? {} : { instruction: { asks } }),
    candidates: {
      good,
      recipes: {
        good: 4,
        relevance: 1,
        truthfulness: 1,
        harmlessness: 1,
        conciseness: 1,
        format: 1,
        politeness: 1,
      },
    },
  }
  return (seed, index) => {
    const item = corpusItem(seed, index, options)
    return item.task.task === 'tools' ? corpusItem(seed, index, { ...options, answers: 'good' }) : item
  }
}

const pretraining: readonly Reading[] = [
  { item: mixedItem(kinds, 0.8), short: 0.44 },
  { item: mixedItem(mostlyArithmetic, 0.9), short: 0.8 },
  { item: mixedItem(mostlyInstructions, 0.9, mostlyNaming), short: 0.5 },
]
const fineTuning: readonly Reading[] = [
  {
    item: (seed, index) => corpusItem(`sft/${seed}`, index, { kinds, answers: 'good' }),
    short: 0.44,
  },
]

function textBatches(readings: readonly Reading[]): Recipe['batches'] {
  return (seed) => (rng, stage) => {
    const { item, short } = readings[stage]!
    const { longerThan, length, rows } = rng.chance(short) ? buckets.short : buckets.long
    const dialogues: CorpusItem[] = []
    while (dialogues.length < rows) {
      const dialogue = item(seed, rng.int(0, 2 ** 31))
      if (dialogue.ids.length <= length && dialogue.ids.length > longerThan) dialogues.push(dialogue)
    }
    return dialogueBatch(dialogues, length, promptWeight)
  }
}

const loss: Recipe['loss'] = (parameters, batch) => decoderLoss(parameters, config, batch)

/** A language model of the text world, pre-trained on answers of mixed quality: room for reinforcement learning. */
export const textLm: Recipe = {
  name: 'text-lm',
  summary:
    'Small language model of instructions, arithmetic and tool calls, pre-trained on answers of mixed quality.',
  data:
    'The text world, split `train`, endless and seeded: instructions 2 : arithmetic 2 : tool requests 1 in the first ' +
    'stage, 1 : 6 : 1 in the second, 3 : 1 : 1 with much naming in the third. About half of the answers to ' +
    'instructions have one fault, a fifth (then a tenth) of the arithmetic is wrong, tool calls are right. ' +
    'Measured on the split `test`, greedy decoding.',
  limits: [
    'Knows the closed vocabulary of the text world only; another word is an error.',
    'One question and its answer: earlier exchanges were never seen in training.',
    'Dialogues of more than 72 tokens were left out of training.',
  ],
  model,
  stages: [
    { steps: 2600, peak: 3e-3, warmup: 100 },
    { steps: 1000, peak: 2e-3, warmup: 50 },
    { steps: 400, peak: 1.5e-3, warmup: 20 },
  ],
  initial: (rng) => initialDecoder(rng, config),
  loss,
  batches: textBatches(pretraining),
  evaluate: (model, options) =>
    evaluateTextModel(model, options, { wellFormed: { least: 0.97 }, arithmetic: { least: 0.2, most: 0.6 } }),
}

/** The same model, fine-tuned on faultless answers only. */
export const textLmSft: Recipe = {
  ...textLm,
  name: 'text-lm-sft',
  summary: 'The language model `text-lm`, fine-tuned on faultless answers only.',
  data:
    'The text world (instructions 2 : arithmetic 2 : tool requests 1), split `train`, faultless answers only, starting ' +
    'from `text-lm`. Measured on the split `test`, greedy decoding.',
  from: { model: 'text-lm' },
  stages: [{ steps: 300, peak: 1e-3, warmup: 30 }],
  batches: textBatches(fineTuning),
  evaluate: (model, options) => evaluateTextModel(model, options, { wellFormed: { least: 0.97 } }),
}
