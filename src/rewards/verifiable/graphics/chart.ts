import { z } from 'zod'
import {
  canonicalJson,
  defineBatchReward,
  type Json,
  type JsonObject,
  jsonOf,
  type Reward,
  type Sample,
  type Score,
  type Turns,
  textOf,
  unscored,
} from '../../../core/index.ts'
import type { Raster } from '../../../models/embedder.ts'
import { inTurn } from '../../in-turn.ts'
import { defineRewardType } from '../../reward-type.ts'
import { withoutComments, withoutThoughts } from '../extract/asides.ts'
import { extractJson } from '../extract/extract-json.ts'
import { remembering } from '../remembering.ts'
import { holdsData, structureTerms } from './chart-agreement.ts'
import { type ChartRecord, chartRecord } from './chart-record.ts'
import { loadChartRenderer } from './chart-render.ts'
import { pictureEvidence } from './picture-reference.ts'
import { type RasterTarget, rasterSimilarity, rasterTarget, withoutMargins } from './raster.ts'
import { isRendered } from './svg-render.ts'

/** A chart as a specification and its record. */
export interface ReadChart {
  readonly spec: JsonObject
  readonly record: ChartRecord
}

/**
 * The specification that an output gives: its JSON part, a JSON fence, the whole text, or the last JSON in it; not what
 * stands in thoughts or comments.
 */
export function readChart(output: Turns): ReadChart | string {
  const text = withoutThoughts(textOf(output))
  const json =
    jsonOf(output) ??
    extractJson(text).value ??
    extractJson(withoutComments(text), { from: 'embedded', which: 'last' }).value
  if (json === undefined) return 'the output holds no JSON'
  return asChart(json)
}

/** A reference: a specification, or its JSON text. */
function readChartReference(reference: Json | undefined): ReadChart | string {
  const json = typeof reference === 'string' ? extractJson(reference).value : reference
  return json === undefined ? 'the reference is no JSON' : asChart(json)
}

function asChart(json: Json): ReadChart | string {
  const record = chartRecord(json)
  return typeof record === 'string' ? record : { spec: json as JsonObject, record }
}

export interface ChartTarget extends ReadChart {
  readonly target?: RasterTarget
  readonly dataUrl?: string
  /** Whether the reference's own picture shows its data. */
  readonly showsData?: boolean
  /** Why there is no picture. */
  readonly problem?: string
}

/** The reference with its picture; a sentence when it is no chart. */
export async function readChartTarget(
  reference: Json | undefined,
  pixels: number,
): Promise<ChartTarget | string> {
  const chart = readChartReference(reference)
  if (typeof chart === 'string') return chart
  const rendered = await (await loadChartRenderer())(chart.spec, { pixels })
  if (!isRendered(rendered)) return { ...chart, problem: rendered.problem }
  const target = rasterTarget(withoutMargins(rendered.raster))
  return target
    ? { ...chart, target, dataUrl: rendered.dataUrl(), showsData: rendered.showsData }
    : { ...chart, problem: 'its picture is empty' }
}

/**
 * Likeness of a chart's picture to the target, without margins: how wide labels are, which are not drawn, must not
 * move the plot. In [0, 1], see `rasterSimilarity`.
 */
export function chartLikeness(picture: Raster, target: RasterTarget): number {
  return rasterSimilarity(withoutMargins(picture), target).similarity
}

const options = z.strictObject({
  pictureWeight: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('Weight of the likeness of the pictures; the rest is the mean of the structure terms.'),
  pixels: z.int().min(64).max(1024).default(288).describe('Longer side of the rendered chart.'),
  evidence: z.boolean().default(true).describe('Keep the rendered chart with the score.'),
})

/**
 * How far a Vega-Lite chart is the reference chart, in [0, 1]: the mean of the structure terms that arise
 * (`structureTerms`) and the likeness of the two pictures (`chartLikeness`). Where the reference cannot be drawn
 * (its data is elsewhere) only the structure counts, and the rationale says so. No chart at all is worth 0, and so is
 * one that shows none of its data where the reference shows some (nothing is drawn, or axes only): right axes and
 * titles around nothing are the frame of a chart, which anyone can copy.
 */
function chartReward(settings: z.input<typeof options> = {}): Reward {
  const { evidence, ...judging } = options.parse(settings)
  const { pictureWeight, pixels } = judging
  const targetOf = remembering(64, canonicalJson, (reference: Json | undefined) =>
    readChartTarget(reference, pixels),
  )

  const judge = async (sample: Sample): Promise<Score> => {
    const reference = await targetOf(sample.reference)
    if (typeof reference === 'string') return unscored('bad-input', reference)
    const given = readChart(sample.output)
    if (typeof given === 'string') return { value: 0, parts: { parsed: 0 }, rationale: given }
    const terms = structureTerms(given.record, reference.record)
    const arising = Object.values(terms).filter((term) => term !== null)
    const structure = arising.reduce((sum: number, term) => sum + term, 0) / arising.length
    if (holdsData(reference.record) && !holdsData(given.record))
      return { value: 0, parts: { parsed: 1, structure, ...terms }, rationale: 'the chart holds no data' }
    if (pictureWeight === 0) return { value: structure, parts: { parsed: 1, structure, ...terms } }
    const rendered = await (await loadChartRenderer())(given.spec, { pixels })
    const drawn = isRendered(rendered)
    const { target } = reference
    const picture = target ? (drawn ? chartLikeness(rendered.raster, target) : 0) : null
    const showsNothing = reference.showsData === true && !(drawn && rendered.showsData)
    const worth = (1 - pictureWeight) * structure + pictureWeight * (picture ?? 0)
    return {
      value: showsNothing ? 0 : picture === null ? structure : Math.min(1, worth),
      parts: { parsed: 1, structure, ...terms, drawn: Number(drawn), picture },
      ...(target && drawn
        ? showsNothing
          ? { rationale: 'the chart shows no data' }
          : {}
        : {
            rationale: target
              ? `not drawn: ${(rendered as { problem: string }).problem}`
              : `compared without pictures: the reference is not drawn (${reference.problem})`,
          }),
      ...(evidence && drawn ? { evidence: pictureEvidence(rendered, reference) } : {}),
    }
  }

  return defineBatchReward({
    name: 'chart',
    needs: ['reference'],
    params: judging,
    judgeAll: (samples, context) => inTurn(samples, context, judge),
  })
}

const bars: JsonObject = {
  data: {
    values: [
      { year: '2021', units: 10 },
      { year: '2022', units: 20 },
      { year: '2023', units: 40 },
    ],
  },
  mark: 'bar',
  title: 'Sales by year',
  encoding: { x: { field: 'year', type: 'nominal' }, y: { field: 'units', type: 'quantitative' } },
}
const sample = (output: Turns, reference: Json = bars): Sample => ({
  id: 'chart',
  prompt: 'Draw the sales as bars.',
  output,
  reference,
  meta: {},
})
const remote: JsonObject = { ...bars, data: { url: 'https://example.com/sales.csv' } }

export const chart = defineRewardType({
  name: 'chart',
  summary:
    'How far a Vega-Lite chart is the reference chart: marks, encodings, data, layout, texts and picture.',
  options,
  create: chartReward,
  examples: [
    { sample: sample(`\`\`\`json\n${JSON.stringify({ ...bars, mark: { type: 'bar' } })}\n\`\`\``), value: 1 },
    { sample: sample([{ type: 'json', json: remote }], remote), value: 1 },
    { sample: sample(JSON.stringify({ ...bars, mark: 'line' })), options: { pictureWeight: 0 }, value: 0.75 },
    { sample: sample('{"mark": "bar"'), value: 0 },
    { sample: sample('a bar chart'), value: 0 },
    { sample: sample(JSON.stringify(bars), 'no chart'), value: null },
  ],
})
