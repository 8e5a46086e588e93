import { z } from 'zod'
import {
  canonicalJson,
  defineBatchReward,
  type Json,
  type Reward,
  type Sample,
  type Score,
  textOf,
  unscored,
} from '../../../core/index.ts'
import { inTurn } from '../../in-turn.ts'
import { defineRewardType } from '../../reward-type.ts'
import { withoutMarkupComments, withoutThoughts } from '../extract/asides.ts'
import { remembering } from '../remembering.ts'
import { multisetJaccard } from '../text/jaccard.ts'
import {
  drawnElements,
  type PictureReference,
  pictureEvidence,
  readPictureReference,
} from './picture-reference.ts'
import { isEmptyPicture, type RasterTarget, rasterSimilarity, rasterTarget } from './raster.ts'
import { extractSvg } from './svg-document.ts'
import { isRendered, loadSvgRenderer } from './svg-render.ts'

const options = z.strictObject({
  elementsWeight: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'Weight of the agreement of elements; the rest is the likeness of the pictures. 1 where the reference has elements only.',
    ),
  text: z
    .enum(['allow', 'refuse'])
    .default('allow')
    .describe('Whether text elements may occur (they are never drawn).'),
  pixels: z.int().min(16).max(1024).default(224).describe('Longer side of the rendered picture.'),
  recover: z.boolean().default(false).describe('Mend markup that is not well-formed instead of refusing it.'),
  evidence: z.boolean().default(true).describe('Keep the rendered picture with the score.'),
  baseDirectory: z.string().optional().describe('Folder that paths of reference images start from.'),
})

/**
 * How far an SVG drawing looks like its reference, in [0, 1]: see `rasterSimilarity`, and the multiset Jaccard of the
 * elements that draw (none in an empty picture). The document is taken from the output's text (`extractSvg`), thoughts
 * and comments left out. No document, broken markup, and
 * whatever is refused for safety or cost (scripts, links, filters, entities, too much to draw) is worth 0.
 */
function svgReward(settings: z.input<typeof options> = {}): Reward {
  const { evidence, baseDirectory, ...judging } = options.parse(settings)
  const { elementsWeight, ...renderOptions } = judging
  const targetOf = remembering(
    64,
    canonicalJson,
    async (reference: Json | undefined): Promise<Target | string> => {
      const render = await loadSvgRenderer()
      const read = await readPictureReference(reference, {
        render,
        renderOptions,
        ...(baseDirectory === undefined ? {} : { baseDirectory }),
      })
      if (typeof read === 'string' || !read.raster) return read
      const target = rasterTarget(read.raster)
      return target ? { ...read, target } : 'the reference picture is empty'
    },
  )

  const judge = async (sample: Sample): Promise<Score> => {
    const reference = await targetOf(sample.reference)
    if (typeof reference === 'string') return unscored('bad-input', reference)
    const document = extractSvg(withoutMarkupComments(withoutThoughts(textOf(sample.output))))
    if (!document) return { value: 0, parts: { rendered: 0 }, rationale: 'the output holds no SVG' }
    const render = await loadSvgRenderer()
    const rendered = render(document.svg, renderOptions)
    if (!isRendered(rendered))
      return {
        value: 0,
        parts: { rendered: 0 },
        rationale: rendered.problem,
        evidence: [
          {
            kind: 'span',
            in: 'output',
            start: document.start,
            end: document.end,
            label: rendered.problem,
            good: false,
          },
        ],
      }
    const likeness = reference.target && rasterSimilarity(rendered.raster, reference.target)
    const shown = isEmptyPicture(rendered.raster) ? [] : drawnElements(rendered.root)
    const elements = reference.elements && multisetJaccard(reference.elements, shown)
    const weight = likeness === undefined ? 1 : elements === undefined ? 0 : elementsWeight
    return {
      value: Math.min(1, (1 - weight) * (likeness?.similarity ?? 0) + weight * (elements ?? 0)),
      parts: { rendered: 1, ...likeness, ...(elements === undefined ? {} : { elements }) },
      ...(evidence ? { evidence: pictureEvidence(rendered, reference) } : {}),
    }
  }

  return defineBatchReward({
    name: 'svg',
    needs: ['reference'],
    params: judging,
    judgeAll: (samples, context) => inTurn(samples, context, judge),
  })
}

interface Target extends PictureReference {
  readonly target?: RasterTarget
}

const circle =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="12" fill="red"/></svg>'
const sample = (output: string, reference: Json = circle): Sample => ({
  id: 'svg',
  prompt: 'A red circle.',
  output,
  reference,
  meta: {},
})

export const svg = defineRewardType({
  name: 'svg',
  summary: 'How far an SVG drawing looks like a reference picture, or has the wanted elements.',
  options,
  create: svgReward,
  examples: [
    { sample: sample(`Here it is:\n${circle}`), value: 1 },
    { sample: sample(circle.replace(/<circle.*?>/, '')), value: 0 },
    { sample: sample(circle.replace('<circle', '<script>1</script><circle')), value: 0 },
    { sample: sample('<svg><circle'), value: 0 },
    { sample: sample('a red circle'), value: 0 },
    {
      sample: sample(circle.replace(/<circle/, '<rect width="3" height="3"/><circle'), {
        elements: { circle: 1 },
      }),
      value: 0.5,
    },
    { sample: sample(circle, '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'), value: null },
  ],
})
