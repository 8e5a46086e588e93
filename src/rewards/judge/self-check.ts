import type { Json, ScoreContext, Unscored } from '../../core/index.ts'
import type { ChatModel } from '../../models/chat-model.ts'
import { byReply, type ReplyOptions } from './asking.ts'
import { type JudgePrompt, renderQuery } from './judge-prompt.ts'

/** A text that should be enough to answer a question. */
export interface TextAlone {
  /** What the randomness of this answer depends on. */
  readonly key: string
  readonly text: string
  readonly question: string
}

export interface SelfCheckOptions extends Omit<ReplyOptions, 'votes'> {
  /** Has the fields `text` and `question`. */
  readonly prompt: JudgePrompt
}

export interface SelfCheck {
  readonly params: Json
  /** What the policy answers, one for each item; unscored where the call failed. */
  run(items: readonly TextAlone[], context: ScoreContext): Promise<(string | Unscored)[]>
}

/**
 * The policy's second look, without the image: it answers a question from its own words about it. One sampled answer
 * each (temperature 1 unless said otherwise), as it is trained. The words are the policy's own and stand unfenced.
 *
 * That the text may not hold the answer already is for the caller to see to.
 */
export function selfCheck(
  policy: ChatModel,
  { prompt, temperature = 1, ...rest }: SelfCheckOptions,
): SelfCheck {
  const reader = { params: 'reply', read: (reply: string) => reply }
  const asking = byReply(policy, reader, { ...rest, temperature })
  return {
    params: { ask: asking.params, prompt: prompt.version },
    run: async (items, context) => {
      const questions = items.map(({ key, text, question }) => ({
        key,
        conversation: renderQuery(prompt, { material: { text, question }, fence: 'plain' }).map(
          ({ role, text }) => ({ role, text }),
        ),
      }))
      const readings = await asking.ask(questions, context)
      return readings.map((reading) => ('votes' in reading ? reading.votes[0]! : reading))
    },
  }
}
