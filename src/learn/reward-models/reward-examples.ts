import { GuerdonError, identityOf, type Preference, type Sample, type Turns } from '../../core/index.ts'

/** What one preference says beside its order. */
export interface ComparisonDetails {
  /** How much it counts. @default 1 */
  readonly weight?: number
  /** Probability that the order is right, such as the share of votes for it. @default 1 */
  readonly confidence?: number
  /** The respect in which the one is better. @default of a model of one dimension, that */
  readonly dimension?: string
  /** Whose preference it is, for a model of users. */
  readonly user?: string
}

/** An answer and how good it is, or how good the steps are that it is made of. */
export interface LabelledAnswer {
  readonly sample: Sample
  /** In [0, 1]: right or wrong, or a rating brought to that range. */
  readonly label?: number
  /** Of each step in order: its text (the output is all of them) and whether it is right, in [0, 1]. */
  readonly steps?: readonly { readonly text: string; readonly label: number }[]
  readonly dimension?: string
  readonly user?: string
  /** @default 1 */
  readonly weight?: number
}

/** One answer better than another, both by their place among the answers. */
export interface Comparison {
  readonly better: number
  readonly worse: number
  readonly weight: number
  readonly confidence: number
  /** How much better, 0 where that is not said. */
  readonly margin: number
  /** Index of the dimension or of the user. */
  readonly view: number
}

export interface Label {
  readonly answer: number
  /** Step from 1, or 0 for the whole answer. */
  readonly place: number
  readonly target: number
  readonly weight: number
  readonly view: number
}

/** Different answers, each once, and what is known of them. */
export interface RewardExamples {
  readonly answers: readonly Sample[]
  /** Texts of the steps of each answer that has labelled ones, by answer. */
  readonly steps: ReadonlyMap<number, readonly string[]>
  readonly comparisons: readonly Comparison[]
  readonly labels: readonly Label[]
}

export interface ExampleViews {
  readonly dimensions: readonly string[]
  readonly users?: readonly string[]
}

/** Throws a `GuerdonError` (`bad-preference`) for a user, dimension, weight or confidence that makes no sense. */
export function rewardExamples(
  preferences: readonly Preference[],
  labelled: readonly LabelledAnswer[],
  { dimensions, users }: ExampleViews,
  details: (preference: Preference) => ComparisonDetails = () => ({}),
): RewardExamples {
  const places = new Map<string, number>()
  const answers: Sample[] = []
  const steps = new Map<number, readonly string[]>()
  const placeOf = (sample: Sample) => {
    const key = identityOf([sample.prompt as never, sample.output as never])
    let place = places.get(key)
    if (place === undefined) {
      place = answers.length
      places.set(key, place)
      answers.push(sample)
    }
    return place
  }
  const viewOf = (id: string, { dimension, user }: { dimension?: string; user?: string }) => {
    const [names, name, kind] =
      users === undefined ? [dimensions, dimension ?? dimensions[0], 'dimension'] : [users, user, 'user']
    const view = names.indexOf(name ?? '')
    if (view >= 0) return view
    throw new GuerdonError('bad-preference', `no ${kind} "${name}" is known.`, {
      place: { sample: id },
      fix: `There are ${names.slice(0, 8).join(', ')}.`,
    })
  }
  const comparisons = preferences.map((preference): Comparison => {
    const { weight = 1, confidence = 1, ...view } = details(preference)
    if (!(weight >= 0 && Number.isFinite(weight) && confidence >= 0 && confidence <= 1))
      throw new GuerdonError(
        'bad-preference',
        `a weight of ${weight} with confidence ${confidence}: weights are at least 0, confidence is in [0, 1].`,
        { place: { sample: preference.id } },
      )
    return {
      better: placeOf(answerOf(preference, preference.chosen)),
      worse: placeOf(answerOf(preference, preference.rejected)),
      weight,
      confidence,
      margin: preference.margin ?? 0,
      view: viewOf(preference.id, view),
    }
  })
  const labels = labelled.flatMap(({ sample, label, steps: own, weight = 1, ...named }): Label[] => {
    const answer = placeOf(sample)
    const view = viewOf(sample.id, named)
    if (own !== undefined)
      steps.set(
        answer,
        own.map(({ text }) => text),
      )
    const targets = [
      ...(label === undefined ? [] : [{ place: 0, target: label }]),
      ...(own ?? []).map((step, index) => ({ place: index + 1, target: step.label })),
    ]
    const wrong = targets.find(({ target }) => !(target >= 0 && target <= 1))
    if (wrong !== undefined)
      throw new GuerdonError('bad-preference', `the label ${wrong.target} is not in [0, 1].`, {
        place: { sample: sample.id },
      })
    return targets.map((target) => ({ answer, weight, view, ...target }))
  })
  return { answers, steps, comparisons, labels }
}

/** Chosen or rejected as a sample. */
export function answerOf({ id, prompt, meta }: Preference, output: Turns): Sample {
  return { id, prompt, output, meta }
}
