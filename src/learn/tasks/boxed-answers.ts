import { defineBatchReward, type Reward, rewardIdentity, textOf } from '../../core/index.ts'

/** Answer tags as boxes: small policies have no word for a box, and published rewards read one. */
export function boxedAnswers(response: string): string {
  return response.replace(/<answer>\s*([^<]*?)\s*<\/answer>/g, '\\boxed{$1}')
}

/** The inverse of `boxedAnswers`. */
export function taggedAnswers(text: string): string {
  return text.replace(/\\boxed\{([^{}]*)\}/g, '<answer> $1 </answer>')
}

/** A reward of boxed answers, for a policy that writes them in tags. */
export function ofAnswerTags(inner: Reward): Reward {
  return defineBatchReward({
    name: `${inner.name}-of-answer-tags`,
    params: { inner: rewardIdentity(inner) },
    needs: inner.needs,
    range: inner.range,
    judgeAll: (samples, context) =>
      inner.score(
        samples.map((sample) => ({ ...sample, output: boxedAnswers(textOf(sample.output)) })),
        context,
      ),
  })
}
