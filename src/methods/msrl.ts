import { z } from 'zod'
import {
  canonicalJson,
  defineBatchReward,
  type Json,
  type JsonObject,
  messageOf,
  type Reward,
  type Sample,
  type Score,
  type ScoreContext,
  type Unscored,
  unscored,
} from '../core/index.ts'
import { inTurn } from '../rewards/in-turn.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import {
  type ChartTarget,
  chartLikeness,
  readChart,
  readChartTarget,
} from '../rewards/verifiable/graphics/chart.ts'
import { holdsData, labelled, textTerms, titled } from '../rewards/verifiable/graphics/chart-agreement.ts'
import type { ChartRecord } from '../rewards/verifiable/graphics/chart-record.ts'
import { type ChartRendering, loadChartRenderer } from '../rewards/verifiable/graphics/chart-render.ts'
import { isRendered } from '../rewards/verifiable/graphics/svg-render.ts'
import { remembering } from '../rewards/verifiable/remembering.ts'
import { defineMethod } from './method.ts'

/** Weights of text, visual and execution reward. The paper's numbers could not be verified; these are set here. */
const stages = {
  1: { text: 0.8, visual: 0, execution: 0.2 },
  2: { text: 0.5, visual: 0.3, execution: 0.2 },
} as const

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'No reward code is released: released is paper. guarded: what neither chart has (data, title, labels) is left out instead of paid, being drawn pays only for a chart with the right type or some right data, and a chart that shows no data where the reference does is worth nothing.',
    ),
  stage: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('1: text and execution; 2: also the visual reward.'),
  visual: z
    .enum(['judge', 'pixels'])
    .default('judge')
    .describe('Who compares pictures in stage 2: a judge, as published, or pixels (ours).'),
  pixels: z.int().min(64).max(1024).default(288).describe('Longer side of the rendered chart.'),
  evidence: z.boolean().default(true).describe('Keep the rendered chart with the score.'),
})

/** The six aspects that the visual judge rates. */
export const visualAspects = ['chart type', 'layout', 'text content', 'data', 'style', 'clarity'] as const

/** Compares rendered charts (data URLs); the published one is Qwen2.5-VL-72B. */
export interface ChartJudge {
  readonly id: string
  /** For each pair a rating in [0, 1] of each of `visualAspects`, or null where the judge's reply cannot be read. */
  rate(
    pairs: readonly { readonly gold: string; readonly given: string }[],
    signal?: AbortSignal,
  ): Promise<readonly (Readonly<Record<string, number>> | null)[]>
}

/**
 * w_t * R_text + w_v * R_visual + w_e * R_execution for Vega-Lite charts, in [0, 1]. R_text is the mean of data, type,
 * layout, title and labels (`textTerms`); R_execution is 1 if the chart is drawn; R_visual is the mean rating of six
 * aspects, 0 for a chart that is not drawn. A chart that cannot be drawn but can be read still earns R_text. Weights
 * and term definitions the paper leaves open are set here (*unverified*).
 *
 * @source MSRL, arXiv 2508.13587
 */
function msrlReward(
  settings: z.input<typeof options> = {},
  { judge }: { readonly judge?: ChartJudge } = {},
): Reward {
  const { evidence, ...judging } = options.parse(settings)
  const { variant, stage, visual, pixels } = judging
  const weights = stages[stage]
  const asksJudge = weights.visual > 0 && visual === 'judge'
  const guarded = variant === 'guarded'
  const targetOf = remembering(64, canonicalJson, (reference: Json | undefined) =>
    readChartTarget(reference, pixels),
  )

  const prepare = async (sample: Sample): Promise<Prepared | Unscored> => {
    if (asksJudge && !judge)
      return unscored(
        'not-applicable',
        'stage 2 needs a judge of pictures; give one, or set visual to "pixels"',
      )
    const gold = await targetOf(sample.reference)
    if (typeof gold === 'string') return unscored('bad-input', gold)
    if (weights.visual > 0 && !gold.target)
      return unscored(
        'bad-input',
        `the reference cannot be drawn, and stage 2 compares pictures: ${gold.problem}`,
      )
    const given = readChart(sample.output)
    if (typeof given === 'string') return { gold, problem: given }
    const drawn = await (await loadChartRenderer())(given.spec, { pixels })
    if (isRendered(drawn)) return { gold, record: given.record, drawn }
    // A chart whose data is elsewhere may well run where that data is.
    const elsewhere = given.record.sources.length > 0 && gold.record.sources.length > 0
    if (elsewhere)
      return unscored('not-applicable', `whether the chart runs cannot be told here: ${drawn.problem}`)
    return { gold, record: given.record, problem: drawn.problem }
  }

  const total = (
    { gold, record, drawn, problem }: Prepared,
    ratings: Readonly<Record<string, number>> | null,
  ): Score => {
    if (!record)
      return { value: 0, parts: { text: 0, visual: 0, execution: 0 }, rationale: problem ?? 'no chart' }
    const { terms, text } = textReward(record, gold.record, guarded)
    const showsNothing =
      guarded &&
      ((holdsData(gold.record) && !holdsData(record)) || (gold.showsData && drawn?.showsData === false))
    const earned = terms.type === 1 || (terms.data ?? 0) > 0
    const execution = drawn && (!guarded || earned) ? 1 : 0
    const rated =
      ratings &&
      Object.values(ratings).reduce((sum, rating) => sum + rating, 0) / Object.values(ratings).length
    const likeness = drawn && gold.target ? chartLikeness(drawn.raster, gold.target) : 0
    const visualReward = weights.visual === 0 ? null : visual === 'judge' ? (rated ?? 0) : likeness
    return {
      value: showsNothing ? 0 : msrlTotal(weights, { text, visual: visualReward ?? 0, execution }),
      parts: { text, visual: visualReward, execution, ...terms, ...ratings },
      ...(problem
        ? { rationale: `not drawn: ${problem}` }
        : showsNothing
          ? { rationale: 'the chart shows no data' }
          : {}),
      ...(evidence && drawn
        ? {
            evidence: [
              { kind: 'image', role: 'rendered', dataUrl: drawn.dataUrl() },
              ...(gold.dataUrl ? [{ kind: 'image' as const, role: 'reference', dataUrl: gold.dataUrl }] : []),
            ],
          }
        : {}),
    }
  }

  const judgeAll = async (samples: readonly Sample[], context: ScoreContext): Promise<Score[]> => {
    const prepared = await inTurn(samples, context, prepare)
    const asked = asksJudge
      ? prepared.filter((each): each is Drawn => 'drawn' in each && each.drawn !== undefined)
      : []
    try {
      const pairs = asked.map(({ gold, drawn }) => ({ gold: gold.dataUrl!, given: drawn.dataUrl() }))
      const ratings = pairs.length === 0 ? [] : await judge!.rate(pairs, context.signal)
      return prepared.map((each) => {
        if ('code' in each) return each
        const index = asked.indexOf(each as Drawn)
        if (index >= 0 && !ratings[index]) return unscored('unparsable', "the judge's ratings cannot be read")
        return total(each, ratings[index] ?? null)
      })
    } catch (error) {
      const failed = unscored('outage', `the judge failed: ${messageOf(error)}`)
      return prepared.map((each) =>
        'code' in each ? each : asked.includes(each as Drawn) ? failed : total(each, null),
      )
    }
  }

  return defineBatchReward({
    name: 'msrl',
    needs: ['reference', ...(asksJudge ? (['chat'] as const) : [])],
    params: { ...judging, judge: judge?.id ?? null },
    judgeAll,
  })
}

interface Prepared {
  readonly gold: ChartTarget
  /** Absent when the output holds no chart. */
  readonly record?: ChartRecord
  readonly drawn?: ChartRendering
  readonly problem?: string
}
type Drawn = Prepared & { readonly drawn: ChartRendering }

type Described = Parameters<typeof textTerms>[0]

/** The five terms and their mean; guarded: without those that neither chart has anything for. */
export function textReward(given: Described, gold: Described, guarded = false) {
  const terms = textTerms(given, gold)
  const has = {
    ...terms,
    title: [given, gold].some(titled) ? terms.title : null,
    labels: [given, gold].some(labelled) ? terms.labels : null,
  }
  const counted = guarded ? has : { ...terms, data: terms.data ?? 1 }
  const arising = Object.values(counted).filter((term) => term !== null)
  return { terms: counted, text: arising.reduce((sum: number, term) => sum + term, 0) / arising.length }
}

/** The weighted sum of the three rewards. */
export function msrlTotal(weights: Terms, rewards: Terms): number {
  return weights.text * rewards.text + weights.visual * rewards.visual + weights.execution * rewards.execution
}

type Terms = Readonly<Record<'text' | 'visual' | 'execution', number>>

const bars: JsonObject = {
  title: 'Sales by year',
  data: {
    values: [
      { year: 'a', units: 10 },
      { year: 'b', units: 20 },
      { year: 'c', units: 40 },
      { year: 'd', units: 0 },
    ],
  },
  mark: 'bar',
  encoding: { x: { field: 'year' }, y: { field: 'units', type: 'quantitative' } },
}
const sample = (output: JsonObject | string, reference: Json = bars): Sample => ({
  id: 'msrl',
  prompt: 'Write the chart.',
  output: typeof output === 'string' ? output : JSON.stringify(output),
  reference,
  meta: {},
})
const trivial: JsonObject = { data: { values: [{}] }, mark: 'point' }

export const msrl = defineRewardType({
  name: 'msrl',
  summary:
    'Charts judged by what their specification says (data, type, layout, texts), whether it runs, and its picture.',
  source: 'MSRL, arXiv 2508.13587',
  options,
  create: msrlReward,
  examples: [
    { sample: sample(bars), value: 1 },
    { sample: sample({ ...bars, mark: 'line' }), value: 0.8 * 0.8 + 0.2 },
    { sample: sample(bars), options: { stage: 2, visual: 'pixels' }, value: 1 },
    { sample: sample(trivial), options: { variant: 'paper' }, value: 0.8 * 0.2 + 0.2 },
    { sample: sample(trivial), value: 0 },
    { sample: sample('no chart'), value: 0 },
    { sample: sample(bars), options: { stage: 2 }, value: null },
  ],
})

export const msrlMethod = defineMethod({ id: 'msrl', rewards: [msrl] })
