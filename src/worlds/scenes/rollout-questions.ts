import type { Rng } from '../../core/index.ts'
import { objectTypes } from './attributes.ts'
import { actions, type Clip, clipQuestions } from './clips.ts'
import { nounText } from './noun.ts'

/** One question about a generated clip, with the answer that the clip was asked to show. */
export type RolloutQuestion = {
  /** What happens, or who it happens to. */
  readonly task: 'action' | 'character'
  readonly format: 'binary' | 'choice' | 'open'
  readonly question: string
  /** Of a choice: texts in the order shown. */
  readonly options?: readonly string[]
  /** `yes` or `no`, an option's text, or an open answer. */
  readonly answer: string
}

/**
 * Six questions about a clip: what one of its objects does, and which object does it, each as yes or no (as often the one
 * as the other), with four options in drawn order, and open. undefined where no object does one thing alone.
 */
export function rolloutQuestions(clip: Clip, rng: Rng): RolloutQuestion[] | undefined {
  const asked = clipQuestions(clip)
  const known = asked.filter(({ kind }) => kind === 'action')
  const actors = asked.filter(
    ({ kind, answer }) => kind === 'actor' && known.some(({ text }) => text.includes(` ${answer} `)),
  )
  if (actors.length === 0) return undefined
  const actor = rng.pick(actors)
  const action = known.find(({ text }) => text.includes(` ${actor.answer} `))!
  const names = objectTypes.map(({ colour, shape }) => nounText({ colour, shape }))
  const tasks = [
    { task: 'action', open: action, others: actions, claim: (answer: string) => `${actor.answer} ${answer}` },
    {
      task: 'character',
      open: actor,
      others: names,
      claim: (answer: string) => `${answer} ${action.answer}`,
    },
  ] as const
  return tasks.flatMap(({ task, open, others, claim }): RolloutQuestion[] => {
    const { text: question, answer } = open
    const wrong = rng.sample(
      others.filter((other) => other !== answer),
      3,
    )
    const isTrue = rng.chance(0.5)
    return [
      {
        task,
        format: 'binary',
        question: `is it true that the ${claim(isTrue ? answer : wrong[0]!)}?`,
        answer: isTrue ? 'yes' : 'no',
      },
      { task, format: 'choice', question, options: rng.shuffled([answer, ...wrong]), answer },
      { task, format: 'open', question, answer },
    ]
  })
}
