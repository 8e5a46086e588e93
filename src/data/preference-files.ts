import { hash } from 'node:crypto'
import {
  type Content,
  GuerdonError,
  imagesOf,
  isDialogue,
  type JsonObject,
  type Message,
  nearest,
  type Preference,
  type Turns,
  textOf,
} from '../core/index.ts'
import { imageText } from './image-source.ts'
import { imagesBeside, marked, messagesOf } from './trainer-turns.ts'
import { transcriptOf } from './transcript.ts'
import { messageRecords } from './turns.ts'
import { mapped, type WriteOptions, writeRecords } from './write.ts'

/** The rows that one preference becomes. Throws a `GuerdonError` when the layout cannot hold it. */
type Layout = (preference: Preference) => readonly JsonObject[]

/** TRL, plain text: DPO, CPO, ORPO. */
const trlText: Layout = (preference) => [
  columns(preference, {
    prompt: plainText(preference, 'prompt'),
    chosen: plainText(preference, 'chosen'),
    rejected: plainText(preference, 'rejected'),
  }),
]

/** TRL, messages; images in a column of their own, their places marked in the messages. */
const trlConversational: Layout = (preference) => [
  columns(preference, {
    ...imagesColumn(preference),
    prompt: marked(messagesOf(preference.prompt, 'user')),
    chosen: marked(messagesOf(preference.chosen, 'assistant')),
    rejected: marked(messagesOf(preference.rejected, 'assistant')),
  }),
]

/** Layouts that trainers read, by name. */
const layouts = {
  trl: trlText,
  'trl-conversational': trlConversational,
  /** TRL with the prompt inside both, as its reward trainer likes it. */
  'trl-implicit': (preference) => {
    const { prompt, chosen, rejected } = preference
    const plain = [prompt, chosen, rejected].every((turns) => typeof turns === 'string')
    const whole = (answer: Turns) =>
      plain
        ? `${prompt}${answer}`
        : marked([...messagesOf(prompt, 'user'), ...messagesOf(answer, 'assistant')])
    return [
      columns(preference, {
        ...imagesColumn(preference),
        chosen: whole(chosen),
        rejected: whole(rejected),
      }),
    ]
  },
  /** Anthropic's transcripts. */
  'hh-rlhf': (preference) => {
    const prompt = messagesOf(preference.prompt, 'user')
    const whole = (answer: Turns) => transcriptOf([...prompt, ...messagesOf(answer, 'assistant')])
    return [
      columns(preference, {
        chosen: whole(preference.chosen),
        rejected: whole(preference.rejected),
      }),
    ]
  },
  /** TRL's KTO and BCO: two rows, one labelled true and one false. */
  kto: (preference) => {
    const { prompt, chosen, rejected, meta } = preference
    const plain = [prompt, chosen, rejected].every((turns) => typeof turns === 'string')
    const row = (completion: Turns, label: boolean): JsonObject => ({
      ...imagesColumn(preference),
      prompt: plain ? (prompt as string) : marked(messagesOf(prompt, 'user')),
      completion: plain ? (completion as string) : marked(messagesOf(completion, 'assistant')),
      label,
      ...without(meta, ['id', 'prompt', 'completion', 'label', 'images']),
    })
    return [row(chosen, true), row(rejected, false)]
  },
  /** OpenRLHF: plain text as TRL's; dialogues as messages, for its chat template option. */
  openrlhf: (preference) => {
    const { prompt, chosen, rejected } = preference
    const plain = [prompt, chosen, rejected].every((turns) => typeof turns === 'string')
    return plain ? trlText(preference) : trlConversational(preference)
  },
  /** LLaMA-Factory's alpaca ranking; `<image>` marks the places of images. */
  'llama-factory': (preference) => {
    const turns = [...messagesOf(preference.prompt, 'user')]
    const system = turns[0]?.role === 'system' ? withMarks(preference, turns.shift()!.content) : undefined
    const question = turns.pop()
    if (question?.role !== 'user') throw cannotHold(preference, 'a prompt that does not end with a user turn')
    const history: [string, string][] = []
    for (let index = 0; index < turns.length; index += 2) {
      const [asked, answered] = [turns[index], turns[index + 1]]
      if (asked?.role !== 'user' || answered?.role !== 'assistant' || answered.toolCalls)
        throw cannotHold(preference, 'turns other than user and assistant in alternation')
      history.push([withMarks(preference, asked.content), withMarks(preference, answered.content)])
    }
    return [
      columns(preference, {
        instruction: withMarks(preference, question.content),
        input: '',
        chosen: plainText(preference, 'chosen'),
        rejected: plainText(preference, 'rejected'),
        ...(system === undefined ? {} : { system }),
        ...(history.length === 0 ? {} : { history }),
        ...imagesColumn(preference),
      }),
    ]
  },
  /** ms-swift: messages end with the chosen answer; `<image>` marks the places of images. */
  'ms-swift': (preference) => {
    const { prompt, chosen, rejected } = preference
    const simple = (message: Message): Message =>
      typeof message.content === 'string'
        ? message
        : { ...message, content: withMarks(preference, message.content) }
    const whole = (answer: Turns) =>
      messageRecords([...messagesOf(prompt, 'user'), ...messagesOf(answer, 'assistant')].map(simple))
    return [
      columns(preference, {
        messages: whole(chosen),
        ...(typeof rejected === 'string'
          ? { rejected_response: rejected }
          : { rejected_messages: whole(rejected) }),
        ...imagesColumn(preference),
      }),
    ]
  },
  /** ultrafeedback_binarized and distilabel: a plain prompt, its SHA-256, and full dialogues. */
  'ultrafeedback-binarized': (preference) => {
    const { meta } = preference
    const turns = messagesOf(preference.prompt, 'user')
    const question = turns.findLast(({ role }) => role === 'user')
    const prompt = typeof meta.prompt === 'string' ? meta.prompt : question ? textOf(question.content) : ''
    return [
      columns(preference, {
        prompt,
        prompt_id: typeof meta.prompt_id === 'string' ? meta.prompt_id : hash('sha256', prompt, 'hex'),
        chosen: messageRecords([...turns, ...messagesOf(preference.chosen, 'assistant')]),
        rejected: messageRecords([...turns, ...messagesOf(preference.rejected, 'assistant')]),
      }),
    ]
  },
  /** RLAIF-V: one image, a question and two answers. */
  'rlaif-v': (preference) => {
    const images = imagesOf(preference.prompt)
    if (images.length !== 1) throw cannotHold(preference, `${images.length} images instead of one`)
    return [
      columns(preference, {
        image: imageText(images[0]!),
        question: textOf(preference.prompt),
        chosen: plainText(preference, 'chosen'),
        rejected: plainText(preference, 'rejected'),
      }),
    ]
  },
} satisfies Record<string, Layout>

export type PreferenceLayout = keyof typeof layouts

/** Names of the layouts that `writePreferences` writes. */
export const preferenceLayouts = Object.keys(layouts) as readonly PreferenceLayout[]

/**
 * Writes preferences as trainers read them and returns how many there were. What `readPreferences` read in the same
 * layout is written with the same values: spaces are kept, `meta` becomes columns again in its order, a generated
 * `row-` id is left out, and a margin that is the difference of two score columns is not written twice. Throws a
 * `GuerdonError` naming the preference when the layout cannot hold it.
 */
export async function writePreferences(
  path: string,
  preferences: Iterable<Preference> | AsyncIterable<Preference>,
  { convention, ...options }: WriteOptions & { readonly convention: PreferenceLayout },
): Promise<number> {
  const layout: Layout | undefined = Object.hasOwn(layouts, convention) ? layouts[convention] : undefined
  if (!layout) {
    const guess = nearest(convention, preferenceLayouts)
    throw new GuerdonError('unknown-convention', `preferences are not written as "${convention}".`, {
      fix: `${guess ? `Did you mean "${guess}"? ` : ''}Layouts: ${preferenceLayouts.join(', ')}.`,
    })
  }
  let count = 0
  const rows = async function* () {
    for await (const records of mapped(preferences, layout)) {
      count++
      yield* records
    }
  }
  await writeRecords(path, rows(), options)
  return count
}

/** A row: its id unless generated, a layout's own columns, the margin, and meta as far as its names are free. */
function columns(preference: Preference, own: JsonObject): JsonObject {
  const { id, margin, meta } = preference
  return {
    ...(/^row-\d+(?:#.*)?$/.test(id) ? {} : { id }),
    ...own,
    ...(margin === undefined || isToldByScores(preference) ? {} : { margin }),
    ...without(meta, ['id', 'margin', ...Object.keys(own)]),
  }
}

const scoreColumns = [
  ['chosen_rating', 'rejected_rating'],
  ['score_chosen', 'score_rejected'],
  ['chosen_score', 'rejected_score'],
] as const

function isToldByScores({ margin, meta }: Preference): boolean {
  return scoreColumns.some(([a, b]) => meta[a] !== undefined && Number(meta[a]) - Number(meta[b]) === margin)
}

function without(record: JsonObject, keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)))
}

/** Text that is nothing but text: plain, or one message of the expected role with plain content. */
function plainText(preference: Preference, field: 'prompt' | 'chosen' | 'rejected'): string {
  const turns = preference[field]
  if (typeof turns === 'string') return turns
  const [only] = messagesOf(turns, field === 'prompt' ? 'user' : 'assistant')
  if (
    isDialogue(turns) &&
    turns.length === 1 &&
    only!.role === (field === 'prompt' ? 'user' : 'assistant') &&
    typeof only!.content === 'string' &&
    !only!.toolCalls
  )
    return only!.content
  throw cannotHold(preference, `a ${field} that is not one plain text`)
}

function imagesColumn({ prompt }: Preference): JsonObject {
  return imagesBeside(prompt)
}

/** Content as text with `<image>` where an image stands. */
function withMarks(preference: Preference, content: Content): string {
  if (typeof content === 'string') return content
  return content
    .map((part) => {
      if (part.type === 'image') return '<image>'
      if (part.type !== 'text') throw cannotHold(preference, `a part of type ${part.type}`)
      if (part.text.includes('<image>'))
        throw cannotHold(preference, 'the text "<image>" beside images, which would be taken for a mark')
      return part.text
    })
    .join('')
}

function cannotHold({ id }: Preference, what: string): GuerdonError {
  return new GuerdonError('cannot-write', `the layout cannot hold ${what}.`, {
    place: { sample: id },
    fix: 'Choose another layout, such as trl-conversational.',
  })
}
