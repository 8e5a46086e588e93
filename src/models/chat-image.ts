import { GuerdonError } from '../core/index.ts'
import { loadImage } from '../data/images.ts'
import type { Raster } from './raster.ts'

/** An image that a model reads: pixels, a `data:` URL, or the bytes of a file. Nothing is fetched for a model. */
export type ChatImage =
  | Raster
  | { readonly url: string }
  | { readonly bytes: Uint8Array; readonly mediaType?: string }

/** The pixels of an image. Throws a `GuerdonError` as `loadImage` does. */
export async function rasterOf(image: ChatImage): Promise<Raster> {
  return 'data' in image ? image : await loadImage(image)
}

/** The file of an image: as it came, or pixels as PNG. Throws a `GuerdonError` (`url-not-allowed`, `bad-image`). */
export async function encodedImage(image: ChatImage): Promise<{ bytes: Uint8Array; mediaType: string }> {
  if ('bytes' in image)
    return { bytes: image.bytes, mediaType: image.mediaType ?? (mediaTypeOf(image.bytes) || 'image/png') }
  if ('url' in image) {
    const found = /^data:([^;,]*)(;base64)?,/i.exec(image.url)
    if (found === null)
      throw new GuerdonError(
        'url-not-allowed',
        'an image for a model is given by a URL that holds no data.',
        {
          fix: 'Load it first (loadImage), or give a data: URL.',
        },
      )
    const text = image.url.slice(found[0].length)
    const bytes = found[2] === undefined ? Buffer.from(decodeURIComponent(text)) : Buffer.from(text, 'base64')
    return { bytes, mediaType: found[1] || mediaTypeOf(bytes) || 'image/png' }
  }
  checkRaster(image)
  const { width, height, data } = image
  const { default: sharp } = await import('sharp')
  const bytes = await sharp(data, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer()
  return { bytes, mediaType: 'image/png' }
}

/** Throws a `GuerdonError` (`bad-image`) for an image without pixels, or with too few or many bytes. */
export function checkRaster({ width, height, data }: Raster): void {
  if (!(width >= 1 && height >= 1) || data.length !== width * height * 4)
    throw new GuerdonError(
      'bad-image',
      `an image of ${width} x ${height} pixels has ${data.length} bytes instead of ${width * height * 4}.`,
    )
}

/** By the first bytes. */
function mediaTypeOf(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  if (head.startsWith('\x89PNG')) return 'image/png'
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (head.startsWith('GIF8')) return 'image/gif'
  if (head.startsWith('RIFF') && head.endsWith('WEBP')) return 'image/webp'
  return undefined
}
