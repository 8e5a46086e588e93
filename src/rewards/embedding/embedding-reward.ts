import {
  defineBatchReward,
  type ImageSource,
  type Json,
  type Judgement,
  messageOf,
  type Range,
  type Reward,
  type Sample,
  type ScoreContext,
  type Unscored,
  unscored,
} from '../../core/index.ts'
import type { ImageOptions } from '../../data/images.ts'
import type { Raster } from '../../models/index.ts'
import { isUnread, readPictures } from '../pictures.ts'
import { embedImages, embedTexts, isVector } from './embed.ts'
import type { EmbedderSource } from './embedder-source.ts'

/** What of a sample is embedded. */
export interface ToEmbed {
  readonly texts?: readonly string[]
  readonly images?: readonly ImageSource[]
}

/** Unit vectors of what was to be embedded, in the same order. */
export interface Embeddings {
  readonly texts: readonly Float32Array[]
  readonly images: readonly Float32Array[]
}

export interface EmbeddingRewardDefinition {
  readonly name: string
  /** @default [0, 1] */
  readonly range?: Range
  readonly params: Readonly<Record<string, Json>>
  readonly embedder: EmbedderSource
  /** How images are read. */
  readonly images?: ImageOptions
  /** What the judgement needs of this sample, or why it cannot be judged. */
  embeds(sample: Sample): ToEmbed | Unscored
  judge(sample: Sample, embeddings: Embeddings, context: ScoreContext): Judgement
}

/**
 * A reward that compares embeddings: the texts of all samples are embedded in one call and so are their pictures, each
 * different one once. A picture that cannot be read, or an embedder that fails, leaves that sample unscored.
 */
export function defineEmbeddingReward(definition: EmbeddingRewardDefinition): Reward {
  const { name, range, params, embedder, images: imageOptions = {} } = definition
  return defineBatchReward({
    name,
    ...(range === undefined ? {} : { range }),
    needs: ['embeddings'],
    params: { ...params, model: embedder.id },
    judgeAll: async (samples, context) => {
      const { signal } = context
      const asked = samples.map((sample) => definition.embeds(sample))
      const wanted = asked.map((each) => ('code' in each ? {} : each))
      if (asked.every((each) => 'code' in each)) return asked as Unscored[]
      const model = await embedder.get()
      if ('code' in model) return asked.map((each) => ('code' in each ? each : model))
      const texts = await embedTexts(
        model,
        wanted.flatMap((each) => each.texts ?? []),
        signal,
      )
      const pictures = await readPictures(
        wanted.flatMap((each) => each.images ?? []),
        { ...imageOptions, ...(signal === undefined ? {} : { signal }) },
      )
      const embedded = await embedImages(
        model,
        pictures.filter((picture): picture is Raster => !isUnread(picture)),
        signal,
      )
      let nextImage = 0
      const images = pictures.map((picture) => (isUnread(picture) ? picture : embedded[nextImage++]!))
      let [textAt, imageAt] = [0, 0]
      return samples.map((sample, index) => {
        const each = asked[index]!
        if ('code' in each) return each
        const ownTexts = texts.slice(textAt, textAt + (each.texts?.length ?? 0))
        const ownImages = images.slice(imageAt, imageAt + (each.images?.length ?? 0))
        textAt += ownTexts.length
        imageAt += ownImages.length
        const failure = [...ownTexts, ...ownImages].find((vector) => !isVector(vector))
        if (failure !== undefined) return failure as Unscored
        const vectors = { texts: ownTexts.filter(isVector), images: ownImages.filter(isVector) }
        try {
          return definition.judge(sample, vectors, context)
        } catch (error) {
          return unscored('crashed', `the reward failed: ${messageOf(error)}`)
        }
      })
    },
  })
}
