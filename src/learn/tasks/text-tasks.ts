import { defineReward, type Reward, Rng, unscored } from '../../core/index.ts'
import { ask } from '../../models/chat-model.ts'
import { textOracle } from '../../worlds/text/samples.ts'
import { goldAnswer, type TextTask, taskPrompt } from '../../worlds/text/task.ts'
import { textVocabulary } from '../../worlds/text/vocabulary.ts'
import type { PolicyTask } from '../trainers/rollouts.ts'

/**
 * A task of the text world for a policy to answer: `meta.task` is the task, for `taskOracle`.
 * @param reference what a reward compares with: the task (for `textOracle`), or the text of a gold answer (there may be
 *   none: then nothing)
 */
export function textPolicyTask(id: string, task: TextTask, reference: 'task' | 'gold' = 'task'): PolicyTask {
  const prompt = textVocabulary.join(taskPrompt(task))
  const gold = reference === 'gold' ? goldAnswer(task, new Rng(`gold/${id}`)) : undefined
  return {
    conversation: ask(prompt),
    sample: {
      id,
      prompt,
      ...(reference === 'task' ? { reference: task } : gold && { reference: textVocabulary.join(gold) }),
      meta: { task },
    },
  }
}

/** The oracle of the text world, or one of its parts, for samples of `textPolicyTask`. */
export function taskOracle(part?: string): Reward {
  const oracle = textOracle()
  return defineReward({
    name: part === undefined ? 'task-oracle' : `task-oracle.${part}`,
    params: { part: part ?? null },
    judge: async (sample, context) => {
      const [score] = await oracle.score([{ ...sample, reference: sample.meta.task! }], context)
      if (part === undefined || score!.value === null) return score!
      const value = score!.parts?.[part]
      return value === undefined || value === null
        ? unscored('not-applicable', `answers to this task have no part "${part}"`)
        : { value }
    },
  })
}
