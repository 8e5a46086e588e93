import { type ImageSource, messageOf, type Unscored, unscored } from '../core/index.ts'
import type { ImageOptions } from '../data/images.ts'
import type { Raster } from '../models/index.ts'

/**
 * Pictures of samples as models take them, in order. What cannot be read (no such file, damaged, a URL where none is
 * allowed) is unscored and says so. A source that occurs more than once in one call is read once.
 */
export async function readPictures(
  sources: readonly ImageSource[],
  options: ImageOptions = {},
): Promise<(Raster | Unscored)[]> {
  const read = new Map<ImageSource | string, Promise<Raster | Unscored>>()
  return Promise.all(
    sources.map((source) => {
      const key = 'path' in source ? `path ${source.path}` : 'url' in source ? `url ${source.url}` : source
      if (!read.has(key)) read.set(key, readPicture(source, options))
      return read.get(key)!
    }),
  )
}

async function readPicture(source: ImageSource, options: ImageOptions): Promise<Raster | Unscored> {
  try {
    const { loadImage } = await import('../data/images.ts')
    const { width, height, data } = await loadImage(source, options)
    return { width, height, data }
  } catch (error) {
    return unscored('bad-input', `an image cannot be read: ${messageOf(error)}`)
  }
}

export function isUnread(picture: Raster | Unscored): picture is Unscored {
  return 'code' in picture
}
