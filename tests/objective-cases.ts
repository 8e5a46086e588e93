// biome-ignore-all lint/suspicious/noExplicitAny: objectives take whatever inputs they take
import { valueAndGrad } from '@jax-js/jax'
import { Rng } from '../src/core/index.ts'
import * as learn from '../src/learn/index.ts'
import { compile } from '../src/tensor/compile.ts'
import { evaluated, evaluatedGradient, type Numbers } from '../src/tensor/evaluated.ts'
import { type Tensor, tensor } from '../src/tensor/tree.ts'
import type { GradientDifferences } from './gradients.ts'

// Every objective with inputs to differentiate it at.

const rng = new Rng('objectives')
export const normals = (...shape: number[]): Numbers =>
  shape.length === 0 ? rng.normal() : Array.from({ length: shape[0]! }, () => normals(...shape.slice(1)))
const scaled = (values: Numbers, by: number, plus = 0): Numbers =>
  typeof values === 'number' ? values * by + plus : values.map((value) => scaled(value, by, plus))
export const mask = [
  [1, 1, 1, 1, 0],
  [0, 1, 1, 0, 1],
  [1, 0, 0, 0, 0],
]
const tokens = () => scaled(normals(3, 5), 0.5, -1.5)
/** Log-probabilities near `base`, so that some ratios are clipped and others not. */
const near = (base: Numbers) => {
  const moved = normals(3, 5) as number[][]
  return (base as number[][]).map((row, i) => row.map((value, j) => value + 0.3 * moved[i]![j]!))
}

export interface ObjectiveCase {
  /** A scalar of learnt and fixed inputs. */
  readonly loss: (learnt: any, fixed: any) => any
  /** Derivatives are checked with respect to these. */
  readonly learnt: Readonly<Record<string, Numbers>>
  readonly fixed?: Readonly<Record<string, Numbers>>
}

export const logp = tokens()
export const policy = { learnt: { logp }, fixed: { logpOld: near(logp), logpRef: near(logp), mask } }
const advantages = normals(3)
const grpo = (options: learn.GrpoOptions): ObjectiveCase => ({
  loss: (learnt, fixed) => learn.grpoLoss({ ...learnt, ...fixed }, options).loss,
  learnt: policy.learnt,
  fixed: { ...policy.fixed, advantages },
})
const differences = (loss: (inputs: any) => any, shape = [6]): ObjectiveCase => ({
  loss: (learnt) => learn.meanOf(loss(learnt)),
  learnt: { differences: scaled(normals(...shape), 2) },
})
const pairs = (loss: (inputs: any) => any, lengths: Record<string, Numbers> = {}): ObjectiveCase => ({
  loss: (learnt, fixed) =>
    learn.meanOf(loss({ margins: learn.preferenceMargins({ ...learnt, ...fixed }).margins })),
  learnt: { logpChosen: scaled(normals(4), 3, -20), logpRejected: scaled(normals(4), 3, -20) },
  fixed: {
    logpRefChosen: scaled(normals(4), 3, -20),
    logpRefRejected: scaled(normals(4), 3, -20),
    ...lengths,
  },
})
const prefixes = {
  learnt: { logp: scaled(normals(2, 3), 0.3, -1), stopLogp: scaled(normals(2, 4), 0.3, -1) },
  fixed: {
    logReward: normals(2, 4),
    mask: [
      [1, 1, 1, 1],
      [1, 1, 1, 0],
    ],
  },
}

export const objectiveCases: Record<string, ObjectiveCase> = {
  'klEstimates k1': {
    loss: (x, y) => learn.meanOf(learn.klEstimates({ ...x, ...y }, { estimator: 'k1' })),
    learnt: policy.learnt,
    fixed: { logpRef: policy.fixed.logpRef },
  },
  'klEstimates k2': {
    loss: (x, y) => learn.meanOf(learn.klEstimates({ ...x, ...y }, { estimator: 'k2' })),
    learnt: policy.learnt,
    fixed: { logpRef: policy.fixed.logpRef },
  },
  'sequenceKl k3': {
    loss: (x, y) => learn.meanOf(learn.sequenceKl({ ...x, ...y })),
    learnt: policy.learnt,
    fixed: { logpRef: policy.fixed.logpRef, mask },
  },
  whitened: {
    loss: (x, y) => learn.meanOf(learn.whitened(x.values, y.mask).mul(y.weights)),
    learnt: { values: normals(3, 5) },
    fixed: { mask, weights: normals(3, 5) },
  },
  'ppoLoss with values and entropy': {
    loss: (x, y) => learn.ppoLoss({ ...x, ...y }, { valueWeight: 0.5, entropyWeight: 0.01 }).loss,
    learnt: { logp, values: normals(3, 5), entropies: normals(3, 5) },
    fixed: {
      logpOld: policy.fixed.logpOld,
      advantages: normals(3, 5),
      valuesOld: normals(3, 5),
      returns: normals(3, 5),
      mask,
    },
  },
  'ppoValueLoss without a clip': {
    loss: (x, y) => learn.ppoValueLoss({ ...x, ...y }, { clip: Number.POSITIVE_INFINITY }),
    learnt: { values: normals(3, 5) },
    fixed: { valuesOld: normals(3, 5), returns: normals(3, 5), mask },
  },
  ...Object.fromEntries(
    Object.entries(learn.grpoVariants).map(([name, options]) => [
      `grpoLoss ${name}`,
      grpo({ ...options, length: 5 }),
    ]),
  ),
  'grpoLoss by tokens, with KL': grpo({ over: 'token', beta: 0.5 }),
  'grpoLoss by sequences, wide clip': grpo({ ratio: 'sequence', clipLow: 0.1, clipHigh: 0.5, beta: 0.1 }),
  likelihoodLoss: {
    loss: (x, y) => learn.likelihoodLoss({ ...x, ...y }),
    learnt: policy.learnt,
    fixed: { mask },
  },
  bradleyTerryLosses: differences((x) => learn.bradleyTerryLosses(x, { margin: 0.3, labelSmoothing: 0.2 })),
  hingeLosses: differences((x) => learn.hingeLosses(x)),
  smoothHingeLosses: differences((x) => learn.smoothHingeLosses(x, { smoothness: 1.5 }), [2, 6]),
  choiceLosses: {
    loss: (x, y) => learn.meanOf(learn.choiceLosses({ ...x, ...y })),
    learnt: { scores: normals(2, 3, 4) },
    fixed: {
      best: [
        [0, 3, 1],
        [2, 2, 0],
      ],
    },
  },
  dpoLosses: pairs((x) => learn.dpoLosses(x)),
  'dpoLosses, smoothed': pairs((x) => learn.dpoLosses(x, { labelSmoothing: 0.1 })),
  robustDpoLosses: pairs((x) => learn.robustDpoLosses(x, { labelSmoothing: 0.2 })),
  hingeDpoLosses: pairs((x) => learn.hingeDpoLosses(x)),
  'ipoLosses per token': pairs((x) => learn.ipoLosses(x), {
    lengthChosen: [3, 5, 4, 9],
    lengthRejected: [4, 2, 7, 3],
  }),
  ktoLosses: {
    loss: (x, y) =>
      learn.meanOf(learn.ktoLosses({ ...x, ...y }, { beta: 0.5, undesirableWeight: 1.5 }).losses),
    learnt: { logRatios: normals(4) },
    fixed: { desirable: [1, 0, 0, 1], mismatchedLogRatios: normals(4) },
  },
  implicitValueLosses: {
    loss: (x, y) => learn.meanOf(learn.implicitValueLosses({ ...x, ...y })),
    learnt: { values: normals(5) },
    fixed: { targetQ1: normals(5), targetQ2: normals(5) },
  },
  implicitCriticLosses: {
    loss: (x, y) => learn.meanOf(learn.implicitCriticLosses({ ...x, ...y })),
    learnt: { q1: normals(4), q2: normals(4) },
    fixed: { rewards: normals(4), nextValues: normals(4), done: [0, 1, 0, 0] },
  },
  weightedRegressionLosses: {
    loss: (x, y) => learn.meanOf(learn.weightedRegressionLosses({ ...x, ...y })),
    learnt: { logp: normals(4) },
    fixed: { advantages: normals(4) },
  },
  forwardLogp: {
    loss: (x, y) => learn.meanOf(learn.forwardLogp({ ...x, ...y })),
    learnt: { actionLogp: normals(2, 3), thoughtLogp: normals(2, 4) },
    fixed: {
      actionMask: [
        [1, 1, 1],
        [1, 0, 0],
      ],
      thoughtMask: [
        [1, 1, 0, 0],
        [1, 1, 1, 1],
      ],
    },
  },
  'varianceTrajectoryBalance, one task': {
    loss: (x, y) => learn.meanOf(learn.varianceTrajectoryBalance({ ...x, ...y }).losses),
    learnt: { logp: normals(5) },
    fixed: { logReward: normals(5) },
  },
  'varianceTrajectoryBalance, two tasks': {
    loss: (x, y) => learn.meanOf(learn.varianceTrajectoryBalance({ ...x, ...y }).losses),
    learnt: { logp: normals(5) },
    fixed: {
      logReward: normals(5),
      tasks: [
        [1, 0],
        [0, 1],
        [1, 0],
        [1, 0],
        [0, 1],
      ],
    },
  },
  'subTrajectoryBalanceLosses, sum': {
    loss: (x, y) => learn.meanOf(learn.subTrajectoryBalanceLosses({ ...x, ...y }, { over: 'sum' })),
    ...prefixes,
  },
  'subTrajectoryBalanceLosses, weighted mean': {
    loss: (x, y) => learn.meanOf(learn.subTrajectoryBalanceLosses({ ...x, ...y }, { lambda: 0.7 })),
    ...prefixes,
  },
  detailedBalanceLosses: {
    loss: (x, y) => learn.meanOf(learn.detailedBalanceLosses({ ...x, ...y })),
    ...prefixes,
  },
  'diffusionDpoLosses, weighed by gaps': {
    loss: (x, { chosen, rejected, ...y }) =>
      learn.meanOf(
        learn.gapWeights({ chosen, rejected }).mul(learn.diffusionDpoLosses({ ...x, ...y }, { beta: 2 })),
      ),
    learnt: { errorChosen: normals(3), errorRejected: normals(3) },
    fixed: {
      errorRefChosen: normals(3),
      errorRefRejected: normals(3),
      chosen: [0.9, 0.5, 0.4],
      rejected: [0.2, 0.4, 0.6],
    },
  },
  selfExplorationTerms: {
    loss: (x, y) => learn.meanOf(learn.selfExplorationTerms({ ...x, ...y }, { alpha: 0.5, beta: 1 })),
    learnt: { logp: normals(3) },
    fixed: { logpRef: normals(3) },
  },
  consistencyLosses: {
    loss: (x, y) => learn.meanOf(learn.consistencyLosses({ ...x, ...y })),
    learnt: { margins: scaled(normals(4), 10) },
    fixed: { consistency: [0.9, 0.5, 0.2, 1] },
  },
  spanPreferenceLosses: {
    loss: (x, y) => {
      const { losses, counted } = learn.spanPreferenceLosses({ ...x, ...y })
      return learn.meanOf(losses, counted)
    },
    learnt: { logp: normals(2, 4) },
    fixed: {
      logpRef: normals(2, 4),
      spans: [
        [
          [1, 1, 0, 0],
          [0, 0, 1, 1],
        ],
        [
          [0, 1, 0, 0],
          [0, 0, 0, 0],
        ],
      ],
      labels: [
        [1, 0],
        [0, 2],
      ],
    },
  },
  goalContrastLoss: {
    loss: (x, y) =>
      learn.goalContrastLoss({
        sources: learn.statesAt(x.chosen.ref, y.sources),
        goals: learn.statesAt(x.chosen.ref, y.goals),
        negativeSources: learn.statesAt(x.chosen, y.negativeSources),
        negativeGoals: learn.statesAt(x.rejected, y.negativeGoals),
      }).loss,
    learnt: { chosen: normals(1, 4, 3), rejected: normals(1, 4, 3) },
    fixed: { sources: [[0, 1]], goals: [[3, 2]], negativeSources: [[1, 3]], negativeGoals: [[0, 2]] },
  },
  'ideal points, distance and hinge': {
    loss: ({ rawWeights, prototypes, left, right }, { signs }) => {
      const ideal = learn.idealPoints({
        weights: learn.mixtureWeights({ rawWeights }),
        prototypes: prototypes.ref,
      })
      const h = learn.distanceDifferences({ left, right, ideal })
      return learn
        .meanOf(learn.hingeLosses({ differences: h.mul(signs) }))
        .add(learn.lengthPenalty({ rows: prototypes }, { bound: 0.5 }))
    },
    learnt: {
      rawWeights: normals(3, 2),
      prototypes: normals(2, 4),
      left: normals(3, 4),
      right: normals(3, 4),
    },
    fixed: { signs: [1, -1, 1] },
  },
  'ideal points by prompt, angle and cross-entropy': {
    loss: ({ rawWeights, prototypes, left, right, logScale }, { best }) => {
      const ideal = learn.idealPoints({ weights: learn.mixtureWeights({ rawWeights }), prototypes })
      return learn.meanOf(
        learn.choiceLosses({ scores: learn.angleLogits({ left, right, ideal, logScale }), best }),
      )
    },
    learnt: {
      rawWeights: normals(3, 2),
      prototypes: normals(3, 2, 4),
      left: normals(3, 4),
      right: normals(3, 4),
      logScale: 0.5,
    },
    fixed: { best: [0, 1, 1] },
  },
  tokenWeighted: {
    loss: (x, y) => learn.meanOf(learn.tokenWeighted({ ...x, ...y })),
    learnt: { losses: normals(3, 5) },
    fixed: { mask },
  },
  infoNceLosses: {
    loss: (x, y) => learn.meanOf(learn.infoNceLosses({ ...x, ...y }, { temperature: 0.5 })),
    learnt: { queries: normals(2, 3), keys: normals(4, 3) },
    fixed: {
      alsoRight: [
        [1, 0, 1, 0],
        [0, 0, 0, 0],
      ],
    },
  },
  symmetricInfoNceLosses: {
    loss: (x) => learn.meanOf(learn.symmetricInfoNceLosses(x)),
    learnt: { queries: normals(3, 3), keys: normals(4, 3), scale: 2 },
  },
}

/**
 * How far an objective's graph in ONNX Runtime (float32) is from jax-js in float64, and the derivatives of that from
 * finite differences, the worst of three random directions.
 */
export async function objectiveDifferences({
  loss,
  learnt,
  fixed = {},
}: ObjectiveCase): Promise<GradientDifferences> {
  const bound = (inputs: any) => loss(inputs.learnt, inputs.fixed)
  const inputs = { learnt, fixed }
  const { value, gradient } = evaluatedGradient(bound, inputs)
  const flat = numbersOf(learnt)
  const slopes = numbersOf((gradient as typeof inputs).learnt)
  const largest = Math.max(...slopes.map(Math.abs))
  let slope = 0
  for (let trial = 0; trial < 3; trial++) {
    const direction = flat.map(() => rng.normal())
    const at = (shift: number) =>
      evaluated(bound, {
        learnt: refilled(
          learnt,
          flat.map((x, i) => x + shift * direction[i]!),
        ),
        fixed,
      }) as number
    const measured = (at(1e-5) - at(-1e-5)) / 2e-5
    const predicted = slopes.reduce((sum, one, i) => sum + one * direction[i]!, 0)
    slope = Math.max(slope, Math.abs(measured - predicted) / Math.max(1, Math.abs(predicted)))
  }

  const [tensors, others] = [tensorsOf(learnt), tensorsOf(fixed)]
  const graph = await compile<any, [Tensor, Record<string, Tensor>]>(
    (p: any, y: any) => valueAndGrad((q: any) => loss(q, y))(p) as never,
    [tensors, others],
    { threads: 1 },
  )
  const [compiled, compiledGradient] = await graph.run(tensors, others)
  await graph.dispose()
  const given = Object.keys(learnt).flatMap((key) => [...(compiledGradient[key]!.data as Float32Array)])
  return {
    numbers: flat.length,
    largest,
    value: Math.abs(Number(compiled.data[0]) - value) / Math.max(1, Math.abs(value)),
    gradient: Math.max(...given.map((one, i) => Math.abs(one - slopes[i]!))) / largest,
    slope,
  }
}

export function numbersOf(tree: Numbers | Readonly<Record<string, Numbers>>): number[] {
  if (typeof tree === 'number') return [tree]
  return Object.values(tree).flatMap((item) => numbersOf(item))
}

function refilled(
  tree: Readonly<Record<string, Numbers>>,
  values: readonly number[],
): Record<string, Numbers> {
  let next = 0
  const fill = (item: Numbers): Numbers => (typeof item === 'number' ? values[next++]! : item.map(fill))
  return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, fill(item)]))
}

export function tensorsOf(fields: Readonly<Record<string, Numbers>>): Record<string, Tensor> {
  const shapeOf = (value: Numbers): number[] =>
    typeof value === 'number' ? [] : [value.length, ...shapeOf(value[0]!)]
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, tensor(numbersOf(value), shapeOf(value))]),
  )
}
