import { type Preference, promptText, Rng, textOf } from '../../core/index.ts'
import { isFailed } from '../../models/outcome.ts'
import type { RewardView } from '../../rewards/learned/reward-manifest.ts'
import type { RewardModel } from '../../rewards/learned/trained-reward-model.ts'
import { type BootstrapInterval, bootstrapMean, pairPoints, spearman } from '../../stats/index.ts'
import { logSigmoid } from '../../stats/logistic.ts'
import { mean } from '../../stats/moments.ts'
import { formModel } from './form-model.ts'
import { answerOf } from './reward-examples.ts'

export interface RewardEvaluationOptions {
  /** The cluster of a pair, such as its topic: intervals resample clusters whole. @default its prompt */
  readonly cluster?: (preference: Preference) => string
  /** Whose or which number judges a pair. @default the model's own */
  readonly view?: (preference: Preference) => RewardView
}

/** Of held-out pairs; accuracies count ties as half. */
export interface RewardEvaluation {
  readonly pairs: number
  /** Pairs that the model could not read; they are left out. */
  readonly unread: number
  readonly accuracy: BootstrapInterval | null
  /** Mean -log sigmoid(difference) [nats]. */
  readonly logLoss: number | null
  readonly length: LengthLeakage
  readonly form: FormLeakage
}

/** Whether length does the work. */
export interface LengthLeakage {
  /** Rank correlation of score and length over all answers, and of their differences over pairs; [characters]. */
  readonly correlation: number | null
  readonly correlationOfDifferences: number | null
  /** Accuracy of "the longer one is better" (of the shorter, where that is right more often), and the model's over it. */
  readonly baseline: BootstrapInterval | null
  readonly aboveBaseline: BootstrapInterval | null
  /** Of pairs whose lengths differ by at most a tenth. */
  readonly onMatched: BootstrapInterval | null
  /** Of pairs whose better answer is the longer one, and the shorter one. */
  readonly whenLonger: BootstrapInterval | null
  readonly whenShorter: BootstrapInterval | null
  /** A sentence for people. */
  readonly verdict: string
}

/** Whether form does it: lists, marks of layout, capitals, punctuation, digits, sentences, and length. */
export interface FormLeakage {
  /** Accuracy of a logistic model of form alone, fitted to the training pairs, and the model's over it. */
  readonly baseline: BootstrapInterval | null
  readonly aboveBaseline: BootstrapInterval | null
  /** How often the model decides as form alone does. */
  readonly agreement: number | null
  /** Weights of the features, the strongest first, in deviations of each. */
  readonly weights: Readonly<Record<string, number>>
}

/** Measures a reward model on pairs that it has not seen. */
export async function rewardEvaluation(
  model: RewardModel,
  heldOut: readonly Preference[],
  {
    cluster = ({ prompt }) => promptText(prompt),
    view,
    training,
  }: RewardEvaluationOptions & {
    /** Pairs that the baseline of form learns from. */ readonly training: readonly Preference[]
  },
): Promise<RewardEvaluation> {
  const differences = await pairDifferences(model, heldOut, view)
  const judged = heldOut.flatMap((preference, index) =>
    differences[index] === null ? [] : [{ preference, ...differences[index]! }],
  )
  const pairs = judged.map(({ preference }) => preference)
  const clusters = pairs.map(cluster)
  const interval = (values: readonly number[], kept: (index: number) => boolean = () => true) => {
    const indices = values.map((_, index) => index).filter(kept)
    return bootstrapMean(
      indices.map((index) => values[index]!),
      { rng: new Rng('reward evaluation'), clusters: indices.map((index) => clusters[index]!) },
    )
  }
  const margins = judged.map(({ chosen, rejected }) => chosen - rejected)
  const points = margins.map((margin) => pairPoints(margin, 1)!)
  const lengths = pairs.map(
    ({ chosen, rejected }) => [textOf(chosen).length, textOf(rejected).length] as const,
  )
  const longer = lengths.map(([a, b]) => a - b)
  const byLength = longer.map((difference) => pairPoints(difference, 1)!)
  const lengthPoints = (mean(byLength) ?? 0) >= 0.5 ? byLength : byLength.map((point) => 1 - point)
  const above = (other: readonly number[]) => interval(points.map((point, index) => point - other[index]!))
  const form = formModel(training)
  const formMargins = pairs.map(({ chosen, rejected }) => form.difference(textOf(chosen), textOf(rejected)))
  const formPoints = formMargins.map((margin) => pairPoints(margin, 1)!)
  const matched = interval(points, (index) => {
    const [a, b] = lengths[index]!
    return Math.abs(Math.log((a + 1) / (b + 1))) <= Math.log(1.1)
  })
  const length = {
    correlation: spearman(
      judged.flatMap(({ chosen, rejected }) => [chosen, rejected]),
      lengths.flat(),
    ),
    correlationOfDifferences: spearman(margins, longer),
    baseline: interval(lengthPoints),
    aboveBaseline: above(lengthPoints),
    onMatched: matched,
    whenLonger: interval(points, (index) => longer[index]! > 0),
    whenShorter: interval(points, (index) => longer[index]! < 0),
  }
  return {
    pairs: pairs.length,
    unread: heldOut.length - pairs.length,
    accuracy: interval(points),
    logLoss: mean(margins.map((margin) => -logSigmoid(margin))),
    length: { ...length, verdict: lengthVerdict(length) },
    form: {
      baseline: interval(formPoints),
      aboveBaseline: above(formPoints),
      agreement: mean(
        margins.map((margin, index) => Number(Math.sign(margin) === Math.sign(formMargins[index]!))),
      ),
      weights: form.weights,
    },
  }
}

/** Scores of both answers of each pair; null where one of them cannot be read. */
export async function pairDifferences(
  model: Pick<RewardModel, 'values'>,
  preferences: readonly Preference[],
  view: RewardEvaluationOptions['view'],
): Promise<({ readonly chosen: number; readonly rejected: number } | null)[]> {
  const results = new Array<{ chosen: number; rejected: number } | null>(preferences.length)
  const views = Map.groupBy(
    preferences.map((_, index) => index),
    (index) => JSON.stringify(view?.(preferences[index]!) ?? {}),
  )
  for (const [key, own] of views) {
    const texts = new Map<unknown, number>()
    const samples = own.flatMap((index) => {
      const preference = preferences[index]!
      return [preference.chosen, preference.rejected].flatMap((output) => {
        const name = JSON.stringify([preference.prompt, output])
        if (texts.has(name)) return []
        texts.set(name, texts.size)
        return [answerOf(preference, output)]
      })
    })
    const outcomes = await model.values(samples, JSON.parse(key))
    const scoreOf = (preference: Preference, output: Preference['chosen']) =>
      outcomes[texts.get(JSON.stringify([preference.prompt, output]))!]!
    for (const index of own) {
      const preference = preferences[index]!
      const chosen = scoreOf(preference, preference.chosen)
      const rejected = scoreOf(preference, preference.rejected)
      results[index] =
        isFailed(chosen) || isFailed(rejected) ? null : { chosen: chosen.value, rejected: rejected.value }
    }
  }
  return results
}

function lengthVerdict({
  aboveBaseline,
  onMatched,
  whenLonger,
  whenShorter,
}: Omit<LengthLeakage, 'verdict'>): string {
  if (aboveBaseline === null) return 'nothing was measured'
  const gap = (whenLonger?.estimate ?? 0) - (whenShorter?.estimate ?? 0)
  const lead =
    aboveBaseline.low > 0
      ? 'it knows more than length'
      : aboveBaseline.high < 0
        ? 'length alone does better'
        : 'it is not shown to know more than length'
  const matched =
    onMatched === null
      ? 'no pairs of equal length'
      : onMatched.low > 0.5
        ? 'and is right beyond chance where lengths are equal'
        : 'and where lengths are equal it is not shown to be right beyond chance'
  return `${lead}, ${matched}${Math.abs(gap) > 0.2 ? `; it is right ${Math.round(Math.abs(gap) * 100)} points more often when the better answer is the ${gap > 0 ? 'longer' : 'shorter'} one` : ''}`
}
