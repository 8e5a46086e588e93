import { z } from 'zod'
import {
  canonicalJson,
  defineBatchReward,
  isObject,
  type Json,
  promptText,
  type Reward,
  type Sample,
  type Score,
  type ScoreContext,
  textOf,
  type Unscored,
  unscored,
  type Variant,
} from '../core/index.ts'
import type { Embedder, Raster } from '../models/index.ts'
import { clip } from '../rewards/combine/threshold.ts'
import { captionLikeness, pictureLikeness } from '../rewards/embedding/likeness.ts'
import { inTurn } from '../rewards/in-turn.ts'
import { defineRewardType } from '../rewards/reward-type.ts'
import { withoutMarkupComments } from '../rewards/verifiable/extract/asides.ts'
import { checkFormat, type FormatSpec, strictFormat } from '../rewards/verifiable/extract/format.ts'
import { readPictureReference } from '../rewards/verifiable/graphics/picture-reference.ts'
import {
  isEmptyPicture,
  type RasterTarget,
  rasterSimilarity,
  rasterTarget,
} from '../rewards/verifiable/graphics/raster.ts'
import { extractSvg } from '../rewards/verifiable/graphics/svg-document.ts'
import { isRendered, loadSvgRenderer, type SvgRendering } from '../rewards/verifiable/graphics/svg-render.ts'
import { remembering } from '../rewards/verifiable/remembering.ts'
import { defineMethod } from './method.ts'

const released: FormatSpec = {
  blocks: [{ open: '</think> <answer>', close: '</answer>' }],
  match: 'search',
  without: ['</text>', '</tspan>', '</textPath>'],
}
const paper: FormatSpec = { blocks: [{ tag: 'think' }, { tag: 'answer' }] }
const guarded = strictFormat(paper)

const options = z.strictObject({
  variant: z
    .enum(['released', 'paper', 'guarded'])
    .default('guarded')
    .describe(
      'released: one space between </think> and <answer>, broken markup is mended; paper: any white space there; guarded: also, no block may be empty or stand twice, markup must be well-formed and an empty picture is worth nothing.',
    ),
  textWeight: z
    .number()
    .min(0)
    .default(1)
    .describe('Weight of the likeness of picture and caption (needs an embedder).'),
  imageWeight: z
    .number()
    .min(0)
    .default(0)
    .describe('Weight of the likeness to the reference picture, where there is one.'),
  likeness: z
    .enum(['embedder', 'pixels'])
    .default('embedder')
    .describe('How pictures are compared: by an embedder, as published, or by pixels (ours).'),
  lengthWeight: z
    .number()
    .default(0)
    .describe('Weight of 1 - characters / 6000, white space and comments not counted.'),
  formatBonus: z
    .number()
    .min(0)
    .default(0)
    .describe('Not 0: any rendered SVG earns its terms, and this if it is well formatted.'),
  offset: z.number().min(0).default(0).describe('A badly formatted response is worth minus this.'),
  pixels: z.int().min(16).max(1024).default(224).describe('Longer side of the rendered picture.'),
  evidence: z.boolean().default(true).describe('Keep the rendered picture with the score.'),
  baseDirectory: z.string().optional().describe('Folder that paths of reference images start from.'),
})

/** The models of the published reward: SigLIP for captions, DINOv2 for pictures. */
export interface SgpRlEmbedders {
  /** Texts and images in one space. */
  readonly caption?: Embedder
  /** Images; default: the caption's. */
  readonly picture?: Embedder
}

/**
 * gate * (textWeight * (cos(caption, picture) + 1) / 2 + imageWeight * (cos(reference, picture) + 1) / 2). The gate
 * asks for the response's form, no text elements, and a picture. The caption is `caption` of the reference or of
 * `meta`, else the prompt; a reference picture (SVG or image) may be left out, and then its term is 0, as published.
 *
 * Rendering differs from the published one (CairoSVG at the document's own size, on no background): pictures are
 * drawn by resvg at a fixed size on white, without fonts; and documents that are not safe to render (scripts, links,
 * embedded images, filters, entities, too much to draw) are refused, which is unscored under `released` (where they
 * might have been drawn) and a failed rendering otherwise.
 *
 * @source SGP-RL, arXiv 2509.05208, section 3
 */
function sgpRlReward(settings: z.input<typeof options> = {}, embedders: SgpRlEmbedders = {}): Reward {
  const { evidence, baseDirectory, ...judging } = options.parse(settings)
  const { variant, textWeight, imageWeight, lengthWeight, formatBonus, offset, likeness, pixels } = judging
  const { caption: captioner, picture: comparer = captioner } = embedders
  const renderOptions = {
    pixels,
    recover: variant !== 'guarded',
    text: variant === 'released' ? 'allow' : 'refuse',
  } as const
  const usesPixels = likeness === 'pixels'

  const referenceOf = remembering(
    64,
    canonicalJson,
    async (reference: Json | undefined): Promise<Reference | string> => {
      const described = isObject(reference) && reference.svg === undefined && reference.image === undefined
      if (reference === undefined || reference === null || imageWeight === 0 || described) return {}
      const read = await readPictureReference(reference, {
        render: await loadSvgRenderer(),
        renderOptions: { pixels },
        ...(baseDirectory === undefined ? {} : { baseDirectory }),
      })
      if (typeof read === 'string') return read
      // An image of zeros only says that there is none.
      const raster = read.raster?.data.some((byte) => byte !== 0) ? read.raster : undefined
      if (!raster || !usesPixels) return raster ? { raster } : {}
      const target = rasterTarget(raster)
      return target ? { raster, target } : 'the reference picture is empty'
    },
  )

  const prepare = async (sample: Sample): Promise<Drawn | Unscored> => {
    if (textWeight > 0 && !canCaption(captioner))
      return unscored(
        'not-applicable',
        'the caption term needs an embedder of texts and images; or set textWeight to 0',
      )
    if (imageWeight > 0 && !usesPixels && !comparer?.embedImage)
      return unscored(
        'not-applicable',
        'the picture term needs an embedder of images; or set likeness to "pixels"',
      )
    const reference = await referenceOf(sample.reference)
    if (typeof reference === 'string') return unscored('bad-input', reference)
    const response = textOf(sample.output)
    const formatted = isFormatted(response, variant)
    const answer = formatted ? answerOf(response) : response
    const document = extractSvg(variant === 'guarded' ? withoutMarkupComments(answer) : answer)
    if (!document) return { formatted, reference, problem: 'the response holds no SVG' }
    const drawing = (await loadSvgRenderer())(document.svg, renderOptions)
    if (!isRendered(drawing)) {
      if (drawing.unsafe && variant === 'released')
        return unscored(
          'not-applicable',
          `not rendered here, though the released code might: ${drawing.problem}`,
        )
      return { formatted, reference, problem: drawing.problem }
    }
    if (variant === 'guarded' && isEmptyPicture(drawing.raster))
      return { formatted, reference, problem: 'the picture is empty' }
    return { formatted, reference, drawing, length: countedCharacters(document.svg) }
  }

  /** Format failures are worth -offset; with a bonus for the format there is no gate and no offset. */
  const gated = formatBonus === 0
  const total = (
    { formatted, reference, drawing, length = 0, problem }: Drawn,
    text: number | null,
    likeness: number | null,
  ): Score => {
    const parts = { formatted: Number(formatted), rendered: Number(drawing !== undefined) }
    if (gated && !formatted)
      return {
        value: offset === 0 ? 0 : -offset,
        parts,
        rationale: 'the response is not formatted as asked, or holds text elements',
      }
    if (!drawing) return { value: 0, parts, rationale: problem ?? 'no picture' }
    const image = reference.target ? rasterSimilarity(drawing.raster, reference.target).similarity : likeness
    const shortness = clip(1 - length / 6000, 0, 1)
    return {
      value:
        textWeight * (text ?? 0) +
        imageWeight * (image ?? 0) +
        lengthWeight * shortness +
        (formatted ? formatBonus : 0),
      parts: { ...parts, text, image, shortness },
      ...(evidence ? { evidence: [{ kind: 'image', role: 'rendered', dataUrl: drawing.dataUrl() }] } : {}),
    }
  }

  const judgeAll = async (samples: readonly Sample[], context: ScoreContext): Promise<Score[]> => {
    const prepared = await inTurn(samples, context, prepare)
    const counted = samples.filter((_, index) => counts(prepared[index]!, gated))
    const drawn = prepared.filter((each) => counts(each, gated))
    const pictures = drawn.map(({ drawing }) => drawing.raster)
    const captions =
      canCaption(captioner) && textWeight > 0
        ? await captionLikeness(captioner, counted.map(captionOf), pictures, context.signal)
        : []
    const likenesses =
      comparer?.embedImage && imageWeight > 0 && !usesPixels
        ? await pictureLikeness(
            comparer,
            pictures,
            drawn.map(({ reference }) => reference.raster),
            context.signal,
          )
        : []
    let next = 0
    return prepared.map((each) => {
      if ('code' in each) return each
      const index = counts(each, gated) ? next++ : -1
      const [text, image] = [captions[index] ?? null, likenesses[index] ?? null]
      if (isUnscored(text)) return text
      return isUnscored(image) ? image : total(each, text, image)
    })
  }

  return defineBatchReward({
    name: 'sgp-rl',
    needs: textWeight > 0 || (imageWeight > 0 && !usesPixels) ? ['embeddings'] : [],
    range: [
      Math.min(-offset, lengthWeight),
      textWeight + imageWeight + Math.max(0, lengthWeight) + formatBonus,
    ],
    params: { ...judging, captioner: captioner?.id ?? null, comparer: comparer?.id ?? null },
    judgeAll,
  })
}

interface Reference {
  readonly raster?: Raster
  readonly target?: RasterTarget
}

interface Drawn {
  readonly formatted: boolean
  readonly reference: Reference
  readonly drawing?: SvgRendering
  /** Characters that the length term counts. */
  readonly length?: number
  readonly problem?: string
}

function counts(drawn: Drawn | Unscored, gated: boolean): drawn is Drawn & { drawing: SvgRendering } {
  return !('code' in drawn) && drawn.drawing !== undefined && (drawn.formatted || !gated)
}

function isUnscored(likeness: number | null | Unscored): likeness is Unscored {
  return typeof likeness === 'object' && likeness !== null
}

function canCaption(embedder: Embedder | undefined): embedder is Embedder {
  return embedder?.embedText !== undefined && embedder.embedImage !== undefined
}

function answerOf(response: string): string {
  return response.slice(response.lastIndexOf('<answer>'), response.lastIndexOf('</answer>'))
}

function isFormatted(response: string, variant: Variant): boolean {
  if (variant === 'released') return checkFormat(response, released).matches && response.endsWith('</answer>')
  return checkFormat(response, variant === 'paper' ? paper : guarded).matches
}

function captionOf({ reference, meta, prompt }: Sample): string {
  const caption = isObject(reference) ? reference.caption : undefined
  return String(
    typeof caption === 'string'
      ? caption
      : typeof meta.caption === 'string'
        ? meta.caption
        : promptText(prompt),
  )
}

/** Characters of a document without comments and white space. */
function countedCharacters(svg: string): number {
  return without(without(svg, '<!--', '-->'), '/*', '*/').replace(/\s+/g, '').length
}

/** `text` without the blocks from `open` to `close`; a pattern would take quadratic time where one is never closed. */
function without(text: string, open: string, close: string): string {
  let kept = ''
  let from = 0
  for (;;) {
    const start = text.indexOf(open, from)
    const end = start < 0 ? -1 : text.indexOf(close, start + open.length)
    if (end < 0) return kept + text.slice(from)
    kept += text.slice(from, start)
    from = end + close.length
  }
}

const drawing =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="12" fill="red"/></svg>'
const answered = (svg: string) => `<think>A circle.</think> <answer>${svg}</answer>`
const sample = (output: string, reference?: Json): Sample => ({
  id: 'sgp-rl',
  prompt: 'a red circle',
  output,
  ...(reference === undefined ? {} : { reference }),
  meta: {},
})
const byPixels = { textWeight: 0, imageWeight: 1, likeness: 'pixels' } as const

export const sgpRl = defineRewardType({
  name: 'sgp-rl',
  summary:
    'SVG programs whose picture matches a caption and, where there is one, a reference picture; nothing else is paid.',
  source: 'SGP-RL, arXiv 2509.05208',
  options,
  create: sgpRlReward,
  examples: [
    { sample: sample(answered(drawing), drawing), options: byPixels, value: 1 },
    { sample: sample(drawing, drawing), options: byPixels, value: 0 },
    { sample: sample(drawing, drawing), options: { ...byPixels, offset: 0.25 }, value: -0.25 },
    {
      sample: sample(answered(drawing.replace('/></svg>', '/><text>a red circle</text></svg>')), drawing),
      options: byPixels,
      value: 0,
    },
    {
      sample: sample(answered(drawing.replace('</svg>', '')), drawing),
      options: { ...byPixels, variant: 'released' },
      value: 1,
    },
    { sample: sample(answered(drawing.replace('</svg>', '')), drawing), options: byPixels, value: 0 },
    { sample: sample(answered(drawing)), value: null },
  ],
})

export const sgpRlMethod = defineMethod({ id: 'sgp-rl', rewards: [sgpRl], benchmarks: ['sgp-compbench'] })
