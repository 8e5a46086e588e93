import {
  type Comparator,
  type Range,
  type Reward,
  Rng,
  type Sample,
  type Score,
  type Usage,
} from '../../core/index.ts'
import {
  type ClusteredProportion,
  clusteredProportion,
  SequentialTest,
  standardDeviation,
} from '../../stats/index.ts'
import { thresholdFor } from '../benchmarks/judge-items.ts'
import { type Attack, type AttackItem, baseOf } from './attack.ts'
import { type AttackOutcome, attackOutcome, type Scale, succeeded, type Trial } from './attack-outcome.ts'
import { attacks as allAttacks } from './attacks.ts'
import { consistencyOutcomes } from './consistency.ts'
import { type Contender, type ContenderJudge, contenderJudge } from './contender.ts'

export interface AuditJudgeOptions {
  /** @default all of them */
  readonly attacks?: readonly Attack[]
  /** Also measure order, duplicates and drift of the scale, which take calls of their own. @default true */
  readonly consistency?: boolean
  /** @default new Rng('audit') */
  readonly rng?: Rng
  /** Items at most, drawn by the seed. @default 100 */
  readonly items?: number
  /** Above it an output counts as accepted. @default the middle of the range, or of natural scores where it is infinite; 0.5 for a comparator */
  readonly accept?: number
  /** Differences up to this share of the scale are none. @default 0.01 */
  readonly tolerance?: number
  /**
   * Stop asking about an attack as soon as it is sure (at `level`, over all looks) that its rate is above or below
   * this. Rates of attacks that were stopped are rougher. @default no stopping
   */
  readonly stopAt?: number
  /** @default 0.95 */
  readonly level?: number
  /** Answers handed over at a time. @default 256 */
  readonly batchSize?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number, total: number) => void
}

/** How the judge does without attacks: an attack's rate means nothing without it, since who rejects all is never fooled. */
export interface NaturalScores {
  readonly items: number
  /** Share of good answers accepted, of bad answers accepted. */
  readonly recall: ClusteredProportion | null
  readonly falsePositives: ClusteredProportion | null
  /** Share of pairs in which the good answer scores higher than the bad one, ties half. */
  readonly prefersGood: number | null
  readonly pairs: number
  readonly unscored: number
}

export interface JudgeAudit {
  readonly judge: string
  readonly kind: 'reward' | 'comparator'
  readonly scale: Scale
  readonly natural: NaturalScores
  readonly attacks: readonly AttackOutcome[]
  readonly judgements: number
  /** Judgements that stopping early saved. */
  readonly saved: number
  /** What the judgements said they cost; empty where they say nothing. */
  readonly cost: Usage
}

/**
 * Attacks a reward or a comparator on items with good and bad answers. Everything drawn depends on the seed and the
 * item alone; what cannot be judged is counted and in no rate. Throws only when it is aborted.
 */
export async function auditJudge(
  judge: Reward | Comparator,
  items: readonly AttackItem[],
  options: AuditJudgeOptions = {},
): Promise<JudgeAudit> {
  const { rng = new Rng('audit'), attacks = allAttacks, batchSize = 256, stopAt, level = 0.95 } = options
  const asked = new AskedJudge(contenderJudge(judge), rng, batchSize, options.signal)
  const chosen = drawn(items, options.items ?? 100, rng)
  const bases = chosen.flatMap(({ good, bad }): Contender[] => [
    ...(good === undefined ? [] : [contender(good, bad)]),
    ...(bad === undefined ? [] : [contender(bad, good)]),
  ])
  const scores = new Map<Sample, Score>()
  for (const [index, score] of (await asked.judge(bases)).entries()) scores.set(bases[index]!.sample, score)
  const scale = scaleOf(asked.subject, [...scores.values()], options)
  const outcomes: AttackOutcome[] = []
  const goods = chosen.flatMap(({ good }) => (good === undefined ? [] : [good]))
  let done = 0
  for (const attack of attacks) {
    const planned = chosen.map((item) => plannedTrials(attack, item, goods, rng))
    const total = planned.reduce((sum, { length }) => sum + length, 0)
    const test = stopAt === undefined ? undefined : new SequentialTest(stopAt, { level, minimum: 10 })
    const trials: Trial[] = []
    const step = test === undefined ? planned.length : 10
    for (let from = 0; from < planned.length; from += step) {
      const chunk = planned.slice(from, from + step).flat()
      const judged = await asked.judge(chunk)
      const fresh = chunk.map(
        ({ item, variant, sample, base }, index): Trial => ({
          item: item.id,
          cluster: item.cluster ?? item.id,
          variant,
          sample,
          ...(attack.expects === 'rejected' ? {} : { before: scores.get(base)! }),
          after: judged[index]!,
        }),
      )
      trials.push(...fresh)
      // An item counts once: its variants are not independent, and the test needs values that are.
      for (const members of Map.groupBy(fresh, ({ item }) => item).values()) {
        const known = members.flatMap((trial) => {
          const success = succeeded(trial, attack.expects, scale)
          return typeof success === 'boolean' ? [Number(success)] : []
        })
        if (known.length > 0) test?.add(known.reduce((sum, one) => sum + one, 0) / known.length)
      }
      if (test !== undefined && test.decision !== 'undecided') break
    }
    outcomes.push(attackOutcome(attack, trials, scale, { saved: total - trials.length, rng }))
    options.onProgress?.(++done, attacks.length)
  }
  if (options.consistency !== false)
    outcomes.push(...(await consistencyOutcomes(asked, chosen, scores, scale)))
  return {
    judge: asked.subject.name,
    kind: asked.subject.kind,
    scale,
    natural: naturalScores(chosen, scores, scale),
    attacks: outcomes.filter(({ trials, unscored }) => trials + unscored > 0),
    judgements: asked.judgements,
    saved: outcomes.reduce((sum, { saved }) => sum + saved, 0),
    cost: asked.cost,
  }
}

/** A judge that is asked in batches, with what it cost so far. */
export class AskedJudge {
  readonly subject: ContenderJudge
  readonly rng: Rng
  readonly signal: AbortSignal | undefined
  readonly #batchSize: number
  judgements = 0
  cost: Usage = {}

  constructor(subject: ContenderJudge, rng: Rng, batchSize: number, signal: AbortSignal | undefined) {
    this.subject = subject
    this.rng = rng
    this.signal = signal
    this.#batchSize = batchSize
  }

  /** `purpose` is what randomness forks by: another one asks anew, also where calls are cached. */
  async judge(
    contenders: readonly Contender[],
    {
      batchSize = this.#batchSize,
      purpose = 'judge',
    }: { batchSize?: number | undefined; purpose?: string } = {},
  ): Promise<Score[]> {
    const scores: Score[] = []
    for (let from = 0; from < contenders.length; from += batchSize) {
      this.signal?.throwIfAborted()
      const batch = contenders.slice(from, from + batchSize)
      scores.push(...(await this.subject.judge(batch, this.contextFor(purpose))))
    }
    this.count(scores)
    return scores
  }

  contextFor(purpose: string) {
    return { rng: this.rng.fork(purpose), ...(this.signal ? { signal: this.signal } : {}) }
  }

  count(scores: readonly Score[]): void {
    this.judgements += scores.length
    const cost: { -readonly [Key in keyof Usage]: number } = { ...this.cost }
    for (const { usage } of scores)
      for (const key of ['calls', 'inputTokens', 'outputTokens', 'costUsd'] as const)
        if (usage?.[key] !== undefined) cost[key] = (cost[key] ?? 0) + usage[key]
    this.cost = cost
  }
}

interface PlannedTrial extends Contender {
  readonly item: AttackItem
  readonly variant: string
  readonly base: Sample
}

function plannedTrials(attack: Attack, item: AttackItem, goods: readonly Sample[], rng: Rng): PlannedTrial[] {
  const base = baseOf(attack, item)
  if (base === undefined) return []
  const others = goods.filter((sample) => sample !== item.good)
  const context = { item, others, rng: rng.fork(`${attack.name}/${item.id}`) }
  const opponent = base === item.good ? item.bad : item.good
  return attack.variants(base, context).map(({ name, sample }) => ({
    item,
    variant: name,
    base,
    ...contender(
      { ...sample, id: `${base.id}~${attack.name}~${name}`, group: base.group ?? base.id },
      opponent,
    ),
  }))
}

function contender(sample: Sample, opponent: Sample | undefined): Contender {
  return opponent === undefined ? { sample } : { sample, opponent }
}

function drawn(items: readonly AttackItem[], most: number, rng: Rng): readonly AttackItem[] {
  return items.length <= most ? items : rng.fork('items').sample(items, most)
}

function scaleOf(
  { kind, range: [low, high] }: ContenderJudge,
  natural: readonly Score[],
  { accept, tolerance = 0.01 }: AuditJudgeOptions,
): Scale {
  const known = natural.map(({ value }) => value).filter((value) => value !== null)
  const width = high - low
  const spread = 4 * (standardDeviation(known, { ddof: 0 }) ?? 0)
  // A range that is hardly used (a length within a million) would hide every difference.
  const unit = spread > 0 ? Math.min(width, spread) : Number.isFinite(width) && width > 0 ? width : 1
  return {
    low,
    high,
    accept: accept ?? (kind === 'comparator' ? 0.5 : acceptance([low, high], known, spread)),
    tolerance: tolerance * unit,
    unit,
  }
}

/** The middle of the range; of natural scores where they vary and none of them reaches it. */
function acceptance(range: Range, natural: readonly number[], spread: number): number {
  const middle = thresholdFor(range, natural)
  const isOutOfReach = spread > 0 && natural.every((value) => value <= middle)
  return isOutOfReach ? thresholdFor([-Infinity, Infinity], natural) : middle
}

function naturalScores(
  items: readonly AttackItem[],
  scores: ReadonlyMap<Sample, Score>,
  { accept }: Scale,
): NaturalScores {
  const scoreOf = (sample: Sample | undefined) =>
    sample === undefined ? undefined : scores.get(sample)!.value
  const accepted = (of: 'good' | 'bad') => {
    const judged = items.flatMap((item) => {
      const value = scoreOf(item[of])
      return value === null || value === undefined
        ? []
        : [{ isAccepted: value > accept, cluster: item.cluster ?? item.id }]
    })
    return clusteredProportion(
      judged.map(({ isAccepted }) => isAccepted),
      judged.map(({ cluster }) => cluster),
    )
  }
  const pairs = items.flatMap(({ good, bad }) => {
    const [better, worse] = [scoreOf(good), scoreOf(bad)]
    return typeof better === 'number' && typeof worse === 'number'
      ? [better > worse ? 1 : better === worse ? 0.5 : 0]
      : []
  })
  return {
    items: items.length,
    recall: accepted('good'),
    falsePositives: accepted('bad'),
    prefersGood: pairs.length === 0 ? null : pairs.reduce((sum, points) => sum + points, 0) / pairs.length,
    pairs: pairs.length,
    unscored: [...scores.values()].filter(({ value }) => value === null).length,
  }
}
