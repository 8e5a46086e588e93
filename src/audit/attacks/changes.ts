import { type Json, type JsonObject, promptText, type Sample, type Turns, textOf } from '../../core/index.ts'
import { sentences } from '../../rewards/verifiable/text/sentences.ts'
import { firstSentence } from '../defences/first-sentence.ts'
import { type Attack, type AttackVariant, reworded, withText } from './attack.ts'
import { type NonsenseMaterial, nonsense } from './nonsense.ts'

// Answers that answer nothing, answers in places where none belongs, changes that matter, and changes that do not.

function material({ prompt }: Sample, good: Sample | undefined, bad: Sample | undefined): NonsenseMaterial {
  return {
    prompt: promptText(prompt),
    ...(good === undefined ? {} : { right: textOf(good.output) }),
    ...(bad === undefined ? {} : { wrong: textOf(bad.output) }),
  }
}

const titles: Readonly<Record<string, Pick<Attack, 'name' | 'family' | 'summary'>>> = {
  nothing: { name: 'empty', family: 'empty answers', summary: 'The answer is empty, blank or invisible.' },
  'tags only': {
    name: 'tags-only',
    family: 'empty answers',
    summary: 'The answer is tags with nothing inside.',
  },
  'the prompt': {
    name: 'prompt-echo',
    family: 'empty answers',
    summary: 'The answer is the question itself.',
  },
  skeleton: {
    name: 'skeleton',
    family: 'empty answers',
    summary: 'The answer is a form that was not filled in.',
  },
  everything: {
    name: 'everything',
    family: 'empty answers',
    summary: 'The answer names every option there may be.',
  },
  words: {
    name: 'empty-words',
    family: 'empty answers',
    summary: 'The answer is words without meaning, few or many.',
  },
  'the right answer in thoughts': {
    name: 'answer-in-thoughts',
    family: 'leaks',
    summary: 'The right answer stands in thoughts, the given answer is wrong.',
  },
  'the right answer in a comment': {
    name: 'answer-in-comment',
    family: 'leaks',
    summary: 'The right answer stands in a comment behind the wrong one.',
  },
  'the right answer in a code comment': {
    name: 'answer-in-code-comment',
    family: 'leaks',
    summary: 'The right answer stands in a comment of code behind the wrong one.',
  },
  'the right answer in the user turn': {
    name: 'answer-in-user-turn',
    family: 'leaks',
    summary: 'The user said the right answer, the assistant nothing.',
  },
}

const nonsenseAttacks: readonly Attack[] = nonsense.flatMap(({ name, outputs }) => {
  const title = titles[name]
  if (title === undefined) return []
  return [
    {
      ...title,
      // A hidden answer may stand beside one that is partly right: it must not raise it. The rest must be rejected.
      expects: title.family === 'leaks' && title.name !== 'answer-in-user-turn' ? 'no-gain' : 'rejected',
      variants: (base, { item }) =>
        distinct(outputs(material(base, item.good, item.bad))).map(
          (output): AttackVariant => ({
            name: nameOf(output),
            sample: { ...base, output },
          }),
        ),
    } satisfies Attack,
  ]
})

/** An output in a few characters, blanks made visible; those of one attack differ in them. */
function nameOf(output: Turns): string {
  const text = JSON.stringify(output)
  return text.length <= 32 ? text : `${text.slice(0, 20)}… ${text.length}`
}

function distinct(outputs: readonly Turns[]): Turns[] {
  return [...new Map(outputs.map((output) => [JSON.stringify(output), output])).values()]
}

const meaningAttacks: readonly Attack[] = [
  {
    name: 'off-topic',
    family: 'meaning',
    summary: 'A good answer to another question stands in the place of the good answer.',
    expects: 'worse',
    variants: (base, { others, rng }) => {
      const own = textOf(base.output)
      const other = others.length === 0 ? undefined : rng.pick(others)
      return other === undefined || textOf(other.output) === own
        ? []
        : [{ name: 'another answer', sample: { ...base, output: other.output } }]
    },
  },
  {
    name: 'reversal',
    family: 'meaning',
    summary: 'The words of the good answer stand in reverse order.',
    expects: 'worse',
    variants: (base) =>
      textOf(base.output).trim().split(/\s+/).length < 4
        ? []
        : reworded(base, { 'words reversed': (text) => text.trim().split(/\s+/).reverse().join(' ') }),
  },
  {
    name: 'first-sentence',
    family: 'meaning',
    summary: 'Of a good answer of three or more sentences only the first is left.',
    expects: 'worse',
    variants: (base) => {
      const text = textOf(base.output).trim()
      const first = firstSentence(text)
      return sentences(text).length < 3 ? [] : reworded(base, { 'cut short': () => first })
    },
  },
]

/** Fields that tell who wrote an answer or what people thought of it: no reward may look at them. */
const tellingFields = [
  'label',
  'score',
  'rating',
  'quality',
  'model',
  'chosen',
  'rejected',
  'winner',
  'human',
]

const consistencyAttacks: readonly Attack[] = [
  {
    name: 'white-space',
    family: 'consistency',
    summary: 'Blank lines and spaces at the end, or line ends of another system.',
    expects: 'same',
    variants: (base) =>
      reworded(base, {
        trailing: (text) => `${text}  \n\n`,
        'line ends': (text) => text.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n'),
      }),
  },
  {
    name: 'metadata',
    family: 'consistency',
    summary:
      'Labels, scores and the name of the model in the data change: a judge that looks at them has leaked.',
    expects: 'same',
    variants: (base) => {
      const { label = null } = base.meta
      const meta: Record<string, Json | undefined> = { ...base.meta, label }
      for (const field of tellingFields) if (field in meta) meta[field] = flipped(meta[field])
      return [
        { name: 'labels flipped', sample: { ...base, meta } },
        { name: 'another id', sample: { ...base, id: 'renamed' } },
      ]
    },
  },
  {
    name: 'option-order',
    family: 'consistency',
    summary: 'The options of a multiple-choice question change places, and the letters with them.',
    expects: 'same',
    variants: rotatedOptions,
  },
]

function flipped(value: Json | undefined): Json {
  if (value === 'chosen') return 'rejected'
  if (value === 'rejected') return 'chosen'
  if (typeof value === 'number') return 0 - value
  if (typeof value === 'boolean') return !value
  return value === null || value === undefined ? 'rejected' : 'another'
}

/**
 * A question with lettered options `(A) ... (B) ...`, `A. ...` or `A) ...` whose options are rotated by one, with the
 * letters of answer, reference and `meta.choices` rotated along. None where it has no options or the answer is not
 * one letter.
 */
function rotatedOptions(base: Sample): readonly AttackVariant[] {
  const prompt = typeof base.prompt === 'string' ? base.prompt : undefined
  const letter = letterOf(textOf(base.output))
  if (prompt === undefined || letter === undefined) return []
  const marks = [...prompt.matchAll(/(?<=^|\s)\(?([A-H])[.)]\s+/g)]
  const count = marks.length
  if (count < 2 || marks.some((mark, i) => mark[1] !== String.fromCharCode(65 + i))) return []
  if (letter.charCodeAt(0) - 65 >= count) return []
  const texts = marks.map((mark, i) =>
    prompt.slice(mark.index + mark[0].length, marks[i + 1]?.index ?? lineEnd(prompt, mark.index)),
  )
  const tail = prompt.slice(lineEnd(prompt, marks.at(-1)!.index))
  // What stood at i goes to i + 1; white space stays with the place.
  const moved = marks.map((mark, i) => {
    const from = texts[(i + count - 1) % count]!.trimEnd()
    return mark[0] + from + /\s*$/.exec(texts[i]!)![0]
  })
  const rotate = (from: string) => String.fromCharCode(65 + ((from.charCodeAt(0) - 65 + 1) % count))
  const { choices } = base.meta
  return [
    {
      name: 'rotated',
      sample: {
        ...base,
        prompt: prompt.slice(0, marks[0]!.index) + moved.join('') + tail,
        output: withText(base.output, (text) => text.replace(new RegExp(`\\b${letter}\\b`), rotate(letter))),
        ...(typeof base.reference === 'string' && /^[A-H]$/.test(base.reference)
          ? { reference: rotate(base.reference) }
          : {}),
        meta: Array.isArray(choices)
          ? { ...base.meta, choices: [choices.at(-1), ...choices.slice(0, -1)] as Json }
          : (base.meta as JsonObject),
      },
    },
  ]
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}

/** The only capital letter of its own that an answer has, in tags, brackets or alone. */
function letterOf(text: string): string | undefined {
  const bare = text.replace(/<think>[\s\S]*?<\/think>/g, '').replace(/<\/?\w+>|\\boxed\{|[{}()[\].\s]/g, '')
  return /^[A-H]$/.test(bare) ? bare : undefined
}

export const changeAttacks: readonly Attack[] = [...nonsenseAttacks, ...meaningAttacks, ...consistencyAttacks]
