import { z } from 'zod'
import {
  type ImageSource,
  imagesOf,
  type Json,
  promptText,
  type Reward,
  type Sample,
  textOf,
  type Unscored,
  unscored,
} from '../../core/index.ts'
import { imageSourceFrom } from '../../data/image-source.ts'
import type { Embedder } from '../../models/index.ts'
import { defineRewardType } from '../reward-type.ts'
import { embedderSource } from './embedder-source.ts'
import { defineEmbeddingReward, type ToEmbed } from './embedding-reward.ts'
import { rescaledCosine } from './likeness.ts'
import { dotProduct } from './vectors.ts'

const options = z.strictObject({
  model: z
    .string()
    .min(1)
    .optional()
    .describe('Name of the embedder, such as "embedded:scenes-clip"; not needed where one is given in code.'),
  to: z
    .enum(['prompt', 'prompt images', 'reference', 'reference images'])
    .default('prompt')
    .describe('What the output is compared with: a text, or the mean over one or more images.'),
  text: z.string().min(1).optional().describe('A fixed text to compare with, instead of the prompt’s.'),
  field: z
    .string()
    .min(1)
    .optional()
    .describe('Meta field to compare with, instead of prompt or reference: a text, or images.'),
  without: z
    .array(z.string().min(1))
    .default([])
    .describe('What is cut out of the text that is compared with, such as "[V]".'),
  rescaled: z.boolean().default(true).describe('(cosine + 1) / 2 in [0, 1]; otherwise the cosine.'),
  baseDirectory: z.string().optional().describe('Folder that paths of images start from.'),
})

type Options = z.input<typeof options>

/**
 * Cosine similarity of the output with its prompt or reference. An output with images is judged by them (several, such as
 * the frames of a clip: the mean), any other by its text. This is CLIP-score where images meet a text.
 */
function similarityReward(settings: Options = {}, embedder?: Embedder): Reward {
  const { model, baseDirectory, ...judging } = options.parse(settings)
  const { to, text, field, without, rescaled } = judging
  const place = field === undefined ? `the ${to.replace(' images', '')}` : `meta.${field}`
  const toImages = to === 'prompt images' || to === 'reference images'
  return defineEmbeddingReward({
    name: 'similarity',
    range: rescaled ? [0, 1] : [-1, 1],
    params: {
      to,
      without,
      rescaled,
      ...(text === undefined ? {} : { text }),
      ...(field === undefined ? {} : { field }),
    },
    embedder: embedderSource('similarity', model, embedder),
    ...(baseDirectory === undefined ? {} : { images: { baseDirectory } }),
    embeds: (sample) => {
      const own = judged(sample)
      const target = toImages ? targetImages(sample) : targetText(sample)
      if ('code' in own) return own
      if ('code' in target) return target
      return {
        texts: [...(own.texts ?? []), ...(target.texts ?? [])],
        images: [...(own.images ?? []), ...(target.images ?? [])],
      }
    },
    judge: (sample, { texts, images }) => {
      const ownImages = imagesOf(sample.output).length
      const own = ownImages > 0 ? images.slice(0, ownImages) : texts.slice(0, 1)
      const target = toImages ? images.slice(ownImages) : texts.slice(ownImages > 0 ? 0 : 1)
      const cosines = own.flatMap((a) => target.map((b) => dotProduct(a, b)))
      const cosine = Math.min(1, Math.max(-1, cosines.reduce((sum, each) => sum + each, 0) / cosines.length))
      return { value: rescaled ? rescaledCosine(cosine) : cosine, parts: { cosine } }
    },
  })

  function judged({ output }: Sample): ToEmbed | Unscored {
    const images = imagesOf(output)
    if (images.length > 0) return { images }
    const said = textOf(output)
    return said.trim() === '' ? unscored('not-applicable', 'the output is empty') : { texts: [said] }
  }

  function targetText(sample: Sample): ToEmbed | Unscored {
    const found = text ?? (field === undefined ? ownText(sample) : fieldOf(sample))
    if (typeof found !== 'string') return unscored('bad-input', `${place} must be a text to compare with`)
    const kept = without
      .reduce((rest, cut) => rest.replaceAll(cut, ' '), found)
      .replace(/\s+/g, ' ')
      .trim()
    return kept === '' ? unscored('bad-input', `${place} has no text to compare with`) : { texts: [kept] }
  }

  function ownText({ prompt, reference }: Sample): Json | undefined {
    return to === 'prompt' ? promptText(prompt) : reference
  }

  function targetImages(sample: Sample): ToEmbed | Unscored {
    const images =
      field === undefined && to === 'prompt images'
        ? imagesOf(sample.prompt)
        : imageSourcesFrom(field === undefined ? sample.reference : fieldOf(sample))
    return images.length === 0 ? unscored('bad-input', `${place} has no image to compare with`) : { images }
  }

  function fieldOf({ meta }: Sample): Json | undefined {
    return Object.hasOwn(meta, field!) ? meta[field!] : undefined
  }
}

/** Images as JSON writes them: one, or a list of paths, URLs, data URLs or objects with one of these. */
function imageSourcesFrom(value: Json | undefined): ImageSource[] {
  const list = Array.isArray(value) ? value : [value]
  const sources = list.map(imageSourceFrom)
  return sources.some((source) => source === undefined) ? [] : (sources as ImageSource[])
}

const sample = (output: Sample['output'], reference?: Json): Sample => ({
  id: 'similarity',
  prompt: 'a red circle',
  output,
  ...(reference === undefined ? {} : { reference }),
  meta: {},
})
const model = 'embedded:scenes-clip'

export const similarity = defineRewardType({
  name: 'similarity',
  summary:
    'How near the embeddings of the output and of its prompt or reference are: texts, images, or both.',
  source: 'CLIPScore, arXiv 2104.08718 (images against texts), rescaled to [0, 1]',
  options,
  create: similarityReward,
  examples: [
    { sample: sample('a red circle'), options: { model }, value: 1 },
    { sample: sample('a red circle', 'a red circle'), options: { model, to: 'reference' }, value: 1 },
    { sample: sample('red circle'), options: { model, text: 'the red circle', without: ['the '] }, value: 1 },
    { sample: sample(''), options: { model }, value: null },
    { sample: sample('a red circle'), options: { model, to: 'reference images' }, value: null },
  ],
})
