import {
  defineBatchReward,
  type Json,
  type Reward,
  type Sample,
  type Score,
  textOf,
  unscored,
  type Variant,
} from '../../core/index.ts'
import type { ChatModel } from '../../models/chat-model.ts'
import { byReply, type ReplyOptions } from '../../rewards/judge/asking.ts'
import { askAll, type JudgeOptions, judgeParams } from '../../rewards/judge/judge.ts'
import type { JudgePrompt } from '../../rewards/judge/judge-prompt.ts'
import { showing } from '../../rewards/judge/settings.ts'
import { extractNumberedTags } from '../../rewards/verifiable/extract/extract.ts'

export const factsPrompt: JudgePrompt = {
  version: '1',
  system:
    'You check which facts about a picture an answer states. You do not see the picture and do not judge whether the answer is right.',
  user: `{facts}
{output|answer}
For each numbered fact: 1 if the answer clearly says it, in any words, and 0 if it does not, or says otherwise.
For example, for the facts "1. AB = 7" and "2. angle C is right" and the answer "both legs, AB and BC, are 7": <info1>1</info1> <info2>0</info2>
Write one tag for every fact and nothing else.`,
}

/**
 * The visual term by a judge that reads text alone: which of `meta.facts` the response states. Numbered info tags in the
 * response are taken out first, or the judge might copy them. Samples without facts are not applicable.
 */
export function factsJudge(
  model: ChatModel,
  { variant, ...rest }: ReplyOptions & { readonly variant: Variant },
): Reward {
  const options: JudgeOptions<readonly string[]> = {
    name: 'perception-r1-facts',
    prompt: factsPrompt,
    ask: byReply(
      model,
      { params: 'info tags', read: (reply) => verdictsIn(reply, variant) },
      { maxTokens: 512, ...rest },
    ),
    criterion: {},
    ...showing(variant, {}),
  }
  return defineBatchReward({
    name: options.name,
    needs: ['chat'],
    params: judgeParams(options, { variant }),
    judgeAll: async (samples, context) => {
      const facts = samples.map(factsOf)
      const asked = samples.flatMap((sample, index) => {
        const own = facts[index]!
        return 'code' in own ? [] : [{ sample, own }]
      })
      const readings = await askAll(
        asked.map(({ sample, own }) => ({
          key: sample.id,
          sample,
          material: {
            facts: own.map((fact, index) => `${index + 1}. ${fact}`).join('\n'),
            output: withoutInfoTags(textOf(sample.output)),
          },
        })),
        options,
        context,
      )
      let next = 0
      return facts.map((own): Score => {
        if ('code' in own) return own
        const reading = readings[next++]!
        if ('code' in reading) return reading
        const { votes, parts, usage, rationale } = reading
        const score = visualShare(votes[0]!, { facts: own.length, variant })
        return { ...score, parts, usage, ...(rationale === undefined ? {} : { rationale }) }
      })
    },
  })
}

/** The facts of an item; not applicable where there are none. */
export function factsOf({ meta }: Sample): readonly string[] | Extract<Score, { value: null }> {
  const facts = Object.hasOwn(meta, 'facts') ? meta.facts : undefined
  if (facts === undefined || facts === null || (Array.isArray(facts) && facts.length === 0))
    return unscored('not-applicable', 'the item has no visual facts')
  if (!Array.isArray(facts) || !facts.every((fact) => typeof fact === 'string'))
    return unscored('bad-input', 'meta.facts must be a list of texts')
  return facts as string[]
}

/** A reply's verdicts; undefined when guarded and there is none. */
function verdictsIn(reply: string, variant: Variant): readonly string[] | undefined {
  const verdicts = extractNumberedTags(reply, 'info').map(({ value }) => value)
  return verdicts.length === 0 && variant === 'guarded' ? undefined : verdicts
}

export interface VisualRewardOptions {
  /** How many reference facts there are; released divides by the judge's tags instead. */
  readonly facts: number
  /** @default 'guarded' */
  readonly variant?: Variant
}

/**
 * Share of the visual facts that a judge saw in a response, from its numbered info tags: the last of each number, up
 * to the first gap; what is not a number counts 0. A reply without tags is a failed judge: unscored when guarded.
 */
export function visualReward(reply: string, settings: VisualRewardOptions): Score {
  const verdicts = verdictsIn(reply, settings.variant ?? 'guarded')
  return verdicts === undefined
    ? unscored('unparsable', 'the judge wrote no numbered info tag')
    : visualShare(verdicts, settings)
}

/** Share of the facts that verdicts in [0, 1] confirm. */
export function visualShare(
  verdicts: readonly Json[],
  { facts, variant = 'guarded' }: VisualRewardOptions,
): Score {
  const counted = variant === 'released' ? verdicts : verdicts.slice(0, facts)
  const sum = counted.reduce<number>((total, verdict) => total + verdictOf(verdict), 0)
  return { value: variant === 'released' ? sum / (verdicts.length + 1e-6) : facts === 0 ? 0 : sum / facts }
}

function verdictOf(verdict: Json): number {
  const text =
    typeof verdict === 'number' ? String(verdict) : typeof verdict === 'string' ? verdict.trim() : ''
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Math.min(1, Math.max(0, Number(text))) : 0
}

/** A response without info tags, so that a judge who is shown it cannot copy the policy's own verdicts. */
export function withoutInfoTags(response: string): string {
  return response.replace(/<\/?info\d+>/g, ' ') // a space, lest what is left make a new tag
}
