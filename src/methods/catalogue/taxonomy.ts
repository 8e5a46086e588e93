/**
 * A place on one axis. Axes are orthogonal: a system is tagged on as many as say something about it.
 */
export interface Leaf<Id extends string = string> {
  readonly id: Id
  readonly title: string
  /** Exports that do it, each `guerdon/ENTRY#name`. None yet makes the leaf a gap. */
  readonly components: readonly string[]
}

export interface Axis {
  readonly title: string
  /** The survey that draws it. */
  readonly source: string
  readonly leaves: readonly Leaf[]
}

const leaf = <const Id extends string>(
  id: Id,
  title: string,
  ...components: readonly string[]
): Leaf<Id> => ({ id, title, components })

const inverse = 'IRL x LLM, arXiv 2507.13158'
const generative = 'RL for GenAI, arXiv 2308.14328'
const tokens = 'Action tokens of VLA models, arXiv 2507.01925'
const robots = 'Large VLM-based VLA models, arXiv 2508.13073'

/** The surveys' taxonomies over one catalogue (cards 24, 52, 38 and 53), and what kind of thing a system is. */
export const taxonomy = {
  kind: {
    title: 'what it is',
    source: 'this catalogue',
    leaves: [
      leaf('verifiable', 'verifiable reward', 'guerdon/rewards#math', 'guerdon/rewards#boxes'),
      leaf('embedding', 'embedding reward', 'guerdon/models#cosineSimilarity'),
      leaf('judge', 'judge', 'guerdon/rewards#pointJudge', 'guerdon/rewards#pairJudge'),
      leaf('reward-model', 'reward model', 'guerdon/learn#bradleyTerryLosses'),
      leaf('combination', 'combination of rewards', 'guerdon#combine', 'guerdon#rewardTransform'),
      leaf('benchmark', 'benchmark or metric', 'guerdon/audit#chair', 'guerdon/audit#pope'),
      leaf('attack', 'attack', 'guerdon/audit#auditJudge'),
      leaf('policy', 'policy optimisation', 'guerdon/learn#grpoLoss', 'guerdon/learn#ppoLoss'),
      leaf('curation', 'data curation', 'guerdon#buildPairs', 'guerdon#siftedPairs'),
      leaf('decoding', 'decoding'),
      leaf('prompt-search', 'prompt search'),
      leaf('architecture', 'architecture', 'guerdon/nets#visionLanguage', 'guerdon/nets#visualConnector'),
      leaf('environment', 'environment', 'guerdon/worlds#scenes', 'guerdon/worlds#text'),
      leaf('survey', 'survey', 'guerdon/methods#catalogue'),
    ],
  },
  data: {
    title: 'data a reward is learnt from',
    source: inverse,
    leaves: [
      leaf('preferences', 'preferences', 'guerdon/learn#bradleyTerryLosses', 'guerdon/stats#bradleyTerry'),
      leaf('rankings', 'listwise rankings', 'guerdon/learn#choiceLosses'),
      leaf('binary', 'good or bad', 'guerdon/learn#ktoLosses'),
      leaf('demonstrations', 'demonstrations', 'guerdon/learn#likelihoodLoss'),
      leaf('outcomes', 'mathematics and code', 'guerdon/rewards#math', 'guerdon/rewards#code'),
      leaf('users', 'users who differ', 'guerdon/learn#idealPoints', 'guerdon/learn#mixtureWeights'),
    ],
  },
  'reward-practice': {
    title: 'practice of reward models',
    source: inverse,
    leaves: [
      leaf('active', 'active choice of pairs', 'guerdon/learn#selfExplorationTerms'),
      leaf('frozen-features', 'rewards on frozen features', 'guerdon/learn#goalContrastLoss'),
      leaf('uncertainty', 'uncertainty and ensembles', 'guerdon#ctrlULoss'),
      leaf('over-optimisation', 'over-optimisation', 'guerdon#tiltedPolicy', 'guerdon/stats#bestOfKCurve'),
    ],
  },
  use: {
    title: 'how a reward is optimised',
    source: inverse,
    leaves: [
      leaf('best-of-n', 'best of n', 'guerdon#rank', 'guerdon/stats#bestOfKCurve'),
      leaf('guided-decoding', 'reward-guided decoding'),
      leaf('rejection-sampling', 'iterated fine-tuning on the best', 'guerdon/learn#iterativeTraining'),
      leaf('direct-alignment', 'direct alignment (the DPO family)', 'guerdon/learn#dpoLosses'),
      leaf('actor-critic', 'actor and critic (PPO)', 'guerdon/learn#actorCritic'),
      leaf('monte-carlo', 'Monte-Carlo returns (REINFORCE, RLOO, GRPO)', 'guerdon/learn#policyGradient'),
    ],
  },
  credit: {
    title: 'lessons from sparse rewards',
    source: inverse,
    leaves: [
      leaf('shaping', 'reward shaping'),
      leaf('credit-assignment', 'credit for tokens and steps', 'guerdon/learn#generalisedAdvantages'),
      leaf('hindsight', 'hindsight relabelling'),
      leaf('curriculum', 'curriculum', 'guerdon/rewards#schedule'),
      leaf('self-play', 'self-play'),
    ],
  },
  benefit: {
    title: 'why reinforcement learning',
    source: generative,
    leaves: [
      leaf('non-differentiable', 'metrics and choices without a gradient', 'guerdon/learn#grpoLoss'),
      leaf('new-signal', 'signals beyond likelihood', 'guerdon/learn#ppoLoss'),
      leaf('sampling', 'learnt samplers', 'guerdon/learn#varianceTrajectoryBalance'),
      leaf('architecture-search', 'search for architectures'),
    ],
  },
  'reward-source': {
    title: 'where the reward comes from',
    source: generative,
    leaves: [
      leaf('discriminator', 'discriminator'),
      leaf('rule', 'rule', 'guerdon/rewards#format', 'guerdon/rewards#toolCalls'),
      leaf('metric', 'metric of the task', 'guerdon/rewards#rouge', 'guerdon/rewards#averagePrecision'),
      leaf('distribution', 'distribution or divergence', 'guerdon/learn#klRewards'),
      leaf('learnt', 'learnt from feedback', 'guerdon/learn#bradleyTerryLosses'),
      leaf('model', 'a model asked at the time', 'guerdon/models#choiceProbabilities'),
    ],
  },
  algorithm: {
    title: 'family of algorithms',
    source: generative,
    leaves: [
      leaf('value-based', 'value-based', 'guerdon/learn#expectileLosses'),
      leaf('policy-gradient', 'policy gradient', 'guerdon/learn#grpoLoss', 'guerdon/learn#ppoLoss'),
      leaf('offline', 'offline and off-policy', 'guerdon/learn#weightedRegressionLosses'),
      leaf('planning', 'models and planning'),
      leaf('hierarchical', 'hierarchical'),
      leaf('imitation', 'inverse and imitation', 'guerdon/learn#likelihoodLoss'),
      leaf('multi-turn', 'several turns or agents'),
    ],
  },
  generator: {
    title: 'family of generators',
    source: generative,
    leaves: [
      leaf('autoregressive', 'autoregressive', 'guerdon/nets#decoder'),
      leaf('gan', 'adversarial'),
      leaf('vae', 'variational'),
      leaf('flow', 'flow'),
      leaf('energy', 'energy-based'),
      leaf('diffusion', 'diffusion', 'guerdon/nets#denoiser', 'guerdon/learn#diffusionDpoLosses'),
    ],
  },
  application: {
    title: 'application',
    source: generative,
    leaves: [
      leaf('language', 'language', 'guerdon/worlds#text'),
      leaf('code', 'code', 'guerdon/rewards#code'),
      leaf('images', 'understanding images and video', 'guerdon/worlds#scenes'),
      leaf('image-generation', 'making and editing images and video', 'guerdon/nets#imageSampler'),
      leaf('control', 'robots, games and driving'),
      leaf('alignment', 'alignment of language models', 'guerdon/learn#dpoLosses'),
    ],
  },
  'action-token': {
    title: 'token of action',
    source: tokens,
    leaves: [
      leaf('language', 'language description'),
      leaf('code', 'code', 'guerdon/rewards#code'),
      leaf('affordance', 'affordance', 'guerdon/rewards#boxes'),
      leaf('trajectory', 'trajectory'),
      leaf('goal-state', 'goal state'),
      leaf('latent', 'latent representation'),
      leaf('raw-action', 'raw action', 'guerdon/nets#categoricalLogp', 'guerdon/nets#gaussianLogp'),
      leaf('reasoning', 'reasoning'),
    ],
  },
  branch: {
    title: 'planning and control',
    source: robots,
    leaves: [
      leaf('mono/single', 'one network'),
      leaf('mono/dual-cascade', 'two networks, one after the other'),
      leaf('mono/dual-parallel', 'two networks side by side'),
      leaf('hier/planner', 'planner over given skills'),
      leaf('hier/planner+policy', 'planner and learnt policy'),
    ],
  },
} as const satisfies Readonly<Record<string, Axis>>

export type AxisName = keyof typeof taxonomy
export const axisNames = Object.keys(taxonomy) as readonly AxisName[]

/** Identifiers of an axis' leaves. */
export type LeafOf<Name extends AxisName> = (typeof taxonomy)[Name]['leaves'][number]['id']

/** A system's places on the axes. */
export type Tags = { readonly [Name in AxisName]?: readonly LeafOf<Name>[] }
