import type { Turns } from '../../core/index.ts'

/** What the outputs that say nothing are made from. */
export interface NonsenseMaterial {
  readonly prompt: string
  /** What stands where the answer goes. */
  readonly right?: string
  readonly wrong?: string
  /** Puts an answer into the output's form. @default the answer alone */
  readonly dress?: (answer: string) => string
}

/** A kind of output that deserves nothing, or no more than its form is worth. */
export interface Nonsense {
  readonly name: string
  /** `form`: well formed outputs are among them, and a reward may pay for that. */
  readonly worth: 'nothing' | 'form'
  /** None where the material lacks what they are made from. */
  readonly outputs: (material: NonsenseMaterial) => readonly Turns[]
}

const bare = (answer: string) => answer
const invisible = '\u200b\u200d\u2060\ufeff'
const numbers = Array.from({ length: 200 }, (_, index) => index).join(' ')

/** Outputs without an answer, or with the right one where no answer belongs. */
export const nonsense: readonly Nonsense[] = [
  {
    name: 'nothing',
    worth: 'nothing',
    outputs: () => [
      '',
      ' ',
      '\n\t\n',
      '\u00a0\u3000',
      invisible,
      '\u0000',
      '{}',
      '[]',
      'null',
      'undefined',
      'None',
      '\\boxed{}',
      '```\n```',
      '```json\n```',
      [],
    ],
  },
  {
    name: 'tags only',
    worth: 'form',
    outputs: ({ dress = bare }) => [
      '<answer></answer>',
      '<think></think><answer></answer>',
      '<think></think>',
      '<tool_call></tool_call>',
      '<answer>',
      '</answer>',
      dress(''),
      dress(' '),
      dress(invisible),
      `<think>${invisible}</think><answer>${invisible}</answer>`,
    ],
  },
  {
    name: 'the prompt',
    worth: 'nothing',
    outputs: ({ prompt }) => [prompt, `${prompt}\n${prompt}`],
  },
  {
    name: 'skeleton',
    worth: 'form',
    outputs: ({ dress = bare }) => [
      dress('...'),
      '<think>reasoning</think>\n<answer>answer</answer>',
      dress('answer'),
    ],
  },
  {
    name: 'everything',
    worth: 'form',
    outputs: ({ dress = bare }) =>
      ['A B C D E F', 'A, B, C, D', 'yes no', numbers, numbers.replaceAll(' ', ', ')].flatMap((text) => [
        text,
        dress(text),
      ]),
  },
  {
    name: 'words',
    worth: 'form',
    outputs: ({ dress = bare }) => [
      dress('I am quite sure of it.'),
      dress('x'.repeat(100_000)),
      'lorem ipsum '.repeat(5000),
    ],
  },
  {
    name: 'a wrong answer',
    worth: 'form',
    outputs: ({ wrong, dress = bare }) =>
      wrong === undefined ? [] : [dress(wrong), [{ role: 'assistant', content: dress(wrong) }]],
  },
  {
    name: 'the right answer in thoughts',
    worth: 'form',
    outputs: ({ right, wrong, dress = bare }) =>
      right === undefined || wrong === undefined
        ? []
        : [
            `<think>${right}</think>\n${dress(wrong)}`,
            `<think>${dress(right)}</think>\n${dress(wrong)}`,
            `<think>${dress(right)}</think>`,
            `<think>${right}`,
          ],
  },
  {
    name: 'the right answer in a comment',
    worth: 'form',
    outputs: ({ right, wrong, dress = bare }) =>
      right === undefined || wrong === undefined ? [] : [dress(`${wrong}<!-- ${right} -->`)],
  },
  {
    name: 'the right answer in a code comment',
    worth: 'form',
    outputs: ({ right, wrong, dress = bare }) =>
      right === undefined || wrong === undefined ? [] : [dress(`${wrong} /* ${right} */`)],
  },
  {
    name: 'the right answer in the user turn',
    worth: 'nothing',
    outputs: ({ right, dress = bare }) =>
      right === undefined
        ? []
        : [
            [{ role: 'user', content: dress(right) }],
            [
              { role: 'user', content: dress(right) },
              { role: 'assistant', content: '' },
            ],
          ],
  },
]
