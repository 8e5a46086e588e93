import { type Target, texts } from './target.ts'

const thoughts = 'so '.repeat(30).trim()

/** Replies of judges in training, judged by the verdict that they name. */
export const verdictTargets: readonly Target[] = [
  {
    reward: 'rm-r1-verdict',
    prompt: 'Which answer is better?',
    reference: 'A',
    right: 'A',
    wrong: 'B',
    dress: (answer) => `<type>Chat</type>\n<answer>[[${answer}]]</answer>`,
    full: 1,
    nothing: -1,
    attacks: [
      { name: 'both verdicts', output: '<answer>[[A]]</answer>\n<answer>[[B]]</answer>', most: -1 },
      { name: 'the verdict in thoughts', output: '<think><answer>[[A]]</answer></think>', most: -1 },
    ],
  },
  {
    reward: 'unifiedreward-think-verdict',
    prompt: 'Which image is better?',
    reference: 'Image 1 is better',
    right: 'Image 1 is better',
    wrong: 'Image 2 is better',
    dress: (answer) => `<think>${thoughts}</think><answer>${answer}</answer>`,
    full: 2,
    form: 1,
    accepts: texts, // any sentence may be the right one
    attacks: [
      { name: 'no thoughts', output: '<think></think><answer>Image 1 is better</answer>', most: 1 },
      { name: 'the bare verdict', output: 'Image 1 is better', most: 0 },
    ],
  },
  {
    reward: 'rewardanything-verdict',
    prompt: 'Why is the sky blue?',
    reference: { 'model-1': 5, 'model-2': 2 },
    right: '{"scores": {"model-1": 5, "model-2": 2}, "best-to-worst": ["model-1", "model-2"]}',
    wrong: '{"scores": {"model-1": 2, "model-2": 5}, "best-to-worst": ["model-2", "model-1"]}',
    dress: (answer) => `<think>${thoughts}</think>${answer}`,
    full: 1,
    nothing: 0.15,
    form: 0.15,
    attacks: [
      {
        name: 'one model alone',
        output: `<think>${thoughts}</think>{"scores": {"model-1": 5}, "best-to-worst": ["model-1"]}`,
        most: 0.7,
      },
    ],
  },
]
