import { GuerdonError, type Json, type JsonObject, nearest, type Sample } from '../core/index.ts'
import { imagesBeside, marked, messagesOf } from './trainer-turns.ts'
import { mapped, type WriteOptions, writeRecords } from './write.ts'

type Layout = (sample: Sample, index: number) => JsonObject

const isPlain = ({ prompt, output }: Sample) => typeof prompt === 'string' && typeof output === 'string'

const wholeDialogue: Layout = (sample) => ({
  messages: marked([...messagesOf(sample.prompt, 'user'), ...messagesOf(sample.output, 'assistant')]),
  ...imagesBeside(sample.prompt),
})

/** Rows of supervised fine-tuning, by trainer. */
const answerLayouts = {
  /** `prompt` and `completion`, as text or messages: the completion alone is learnt. */
  trl: (sample) =>
    isPlain(sample)
      ? { prompt: sample.prompt as string, completion: sample.output as string }
      : {
          prompt: marked(messagesOf(sample.prompt, 'user')),
          completion: marked(messagesOf(sample.output, 'assistant')),
          ...imagesBeside(sample.prompt),
        },
  /** `--input_key input --output_key output`, with `--apply_chat_template` where they are messages. */
  openrlhf: (sample) =>
    isPlain(sample)
      ? { input: sample.prompt as string, output: sample.output as string }
      : {
          input: marked(messagesOf(sample.prompt, 'user')),
          output: marked(messagesOf(sample.output, 'assistant')),
          ...imagesBeside(sample.prompt),
        },
  /** `messages`, for its multi-turn fine-tuning; it reads Parquet. */
  verl: wholeDialogue,
  /** `messages`, as ms-swift, axolotl and TRL read them too. */
  messages: wholeDialogue,
} satisfies Record<string, Layout>

/** Rows of prompts to learn on from rewards, by trainer. */
const promptLayouts = {
  /** `prompt`, and `reference` as a column that reward functions are given. */
  trl: ({ prompt, reference }) => ({
    prompt: typeof prompt === 'string' ? prompt : marked(messagesOf(prompt, 'user')),
    ...(reference === undefined ? {} : { reference }),
    ...imagesBeside(prompt),
  }),
  /** `--input_key input --label_key label`: labels reach the remote reward, as text. */
  openrlhf: ({ prompt, reference }) => ({
    input: typeof prompt === 'string' ? prompt : marked(messagesOf(prompt, 'user')),
    ...(reference === undefined ? {} : { label: textFor(reference) }),
    ...imagesBeside(prompt),
  }),
  /** The reference as `reward_model.ground_truth`, `data_source` and `ability` from meta; it reads Parquet. */
  verl: ({ id, prompt, reference, meta }, index) => ({
    data_source: typeof meta.data_source === 'string' ? meta.data_source : 'guerdon',
    prompt: marked(messagesOf(prompt, 'user')),
    ...imagesBeside(prompt),
    ability: typeof meta.ability === 'string' ? meta.ability : 'general',
    reward_model: { style: 'rule', ground_truth: reference ?? null },
    extra_info: { index, id },
  }),
} satisfies Record<string, Layout>

const layouts = { answers: answerLayouts, prompts: promptLayouts }

/** What a row is for: answers to imitate, or prompts to answer and be rewarded for. */
export type TrainingRows = keyof typeof layouts
export type TrainingLayout = keyof typeof answerLayouts | keyof typeof promptLayouts

/** Names of the layouts that `writeTrainingRows` writes. */
export function trainingLayouts(rows: TrainingRows): readonly string[] {
  return Object.keys(layouts[rows])
}

/**
 * Writes samples as rows that a trainer reads: their outputs as answers to imitate (choose them first, with `select`), or
 * their prompts and references (`rows: 'prompts'`). Gives how many there were. Throws `unknown-layout`.
 */
export async function writeTrainingRows(
  path: string,
  samples: Iterable<Sample> | AsyncIterable<Sample>,
  { rows, layout: name, ...options }: WriteOptions & { readonly rows: TrainingRows; readonly layout: string },
): Promise<number> {
  const known: Readonly<Record<string, Layout>> = layouts[rows]
  const layout = Object.hasOwn(known, name) ? known[name]! : undefined
  if (layout === undefined) {
    const guess = nearest(name, Object.keys(known))
    throw new GuerdonError('unknown-layout', `${rows} are not written as "${name}".`, {
      fix: `${guess ? `Did you mean "${guess}"? ` : ''}Layouts: ${Object.keys(known).join(', ')}.`,
    })
  }
  let index = 0
  return writeRecords(
    path,
    mapped(samples, (sample) => layout(sample, index++)),
    options,
  )
}

function textFor(reference: Json): string {
  return typeof reference === 'string' ? reference : JSON.stringify(reference)
}
