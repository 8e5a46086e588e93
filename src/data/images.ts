import { open, realpath } from 'node:fs/promises'
import { isAbsolute, relative, resolve } from 'node:path'
import type { Metadata, Sharp } from 'sharp'
import { GuerdonError, type ImageSource, messageOf } from '../core/index.ts'
import { fetchBytes } from './fetch-bytes.ts'
import { mayReadImageFiles } from './image-files.ts'
import { isPublicAddress } from './public-address.ts'

export const imageFormats = ['png', 'jpeg', 'webp', 'gif', 'avif', 'tiff'] as const
export type ImageFormat = (typeof imageFormats)[number]

export interface ImageLimits {
  /** Largest file [bytes]. @default 32 MiB */
  readonly maxBytes?: number
  /** Largest picture [pixels], checked before it is decoded. @default 2^26 (8192 x 8192) */
  readonly maxPixels?: number
  /** @default png, jpeg, webp, gif, avif */
  readonly formats?: readonly ImageFormat[]
}

export interface ImageOptions {
  /** Folder that relative paths start from, usually the data set's. @default the current folder */
  readonly baseDirectory?: string
  /** Allow paths that lead out of `baseDirectory`. @default false */
  readonly allowOutside?: boolean
  /**
   * Fetch http and https URLs: `true` those on the public internet, `'any'` also those of private networks. Data URLs
   * are always read. @default false
   */
  readonly allowUrls?: boolean | 'any'
  readonly limits?: ImageLimits
  /** For fetching, redirects included [ms]. @default 10000 */
  readonly timeoutMs?: number
  /** Turn the picture as its EXIF note says. Boxes usually refer to the picture as stored. @default false */
  readonly autoOrient?: boolean
  readonly signal?: AbortSignal
}

export interface Image {
  /** [pixels] */
  readonly width: number
  /** [pixels] */
  readonly height: number
  /** RGBA in sRGB, 4 bytes a pixel, row by row from the top left: length 4 * width * height. */
  readonly data: Uint8Array
  readonly format: ImageFormat
}

/** The size and format of an image, without decoding its pixels. Throws a `GuerdonError` as `loadImage` does. */
export async function probeImage(
  source: ImageSource,
  options: ImageOptions = {},
): Promise<Pick<Image, 'width' | 'height' | 'format'>> {
  const { format, metadata } = await opened(source, options)
  return { ...sizeOf(metadata, options), format }
}

/**
 * The pixels of an image; of an animation the first frame. Throws a `GuerdonError` with code `unreadable`,
 * `outside`, `path-not-allowed`, `url-not-allowed`, `bad-url`, `private-address`, `fetch-failed`, `too-large`, `unknown-image-format`,
 * `format-not-allowed` or `broken-image` (truncated or damaged).
 */
export async function loadImage(source: ImageSource, options: ImageOptions = {}): Promise<Image> {
  const { sharp, format } = await opened(source, options)
  const picture = options.autoOrient ? sharp.autoOrient() : sharp
  const { data, info } = await decoding(source, () =>
    picture.toColourspace('srgb').ensureAlpha().raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true }),
  )
  return {
    width: info.width,
    height: info.height,
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    format,
  }
}

/** An image for a page: its size as stored and a data URL, of a smaller copy when a side is longer than `maxSide`. */
export async function imageDataUrl(
  source: ImageSource,
  {
    maxSide = 640,
    ...options
  }: ImageOptions & { /** [pixels] @default 640 */ readonly maxSide?: number } = {},
): Promise<{ width: number; height: number; dataUrl: string }> {
  const { sharp, metadata, format, bytes } = await opened(source, options)
  const size = sizeOf(metadata, options)
  const asIs = Math.max(size.width, size.height) <= maxSide && bytes.length <= 2 ** 18 && format !== 'tiff'
  if (asIs) {
    await decoding(source, () => sharp.stats()) // a page must not be given a damaged image
    return { ...size, dataUrl: dataUrl(`image/${format}`, bytes) }
  }
  const picture = (options.autoOrient ? sharp.autoOrient() : sharp)
    .toColourspace('srgb')
    .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
  const small = await decoding(source, () =>
    (metadata.hasAlpha ? picture.png() : picture.jpeg({ quality: 85 })).toBuffer(),
  )
  return { ...size, dataUrl: dataUrl(metadata.hasAlpha ? 'image/png' : 'image/jpeg', small) }
}

function dataUrl(mediaType: string, bytes: Uint8Array): string {
  return `data:${mediaType};base64,${Buffer.from(bytes).toString('base64')}`
}

const defaults = {
  maxBytes: 32 * 2 ** 20,
  maxPixels: 2 ** 26,
  formats: ['png', 'jpeg', 'webp', 'gif', 'avif'] as readonly ImageFormat[],
}

async function opened(
  source: ImageSource,
  options: ImageOptions,
): Promise<{ sharp: Sharp; metadata: Metadata; format: ImageFormat; bytes: Uint8Array }> {
  const { maxPixels = defaults.maxPixels, formats = defaults.formats } = options.limits ?? {}
  const bytes = await bytesOf(source, options)
  const format = formatOf(bytes)
  if (format === undefined)
    throw problem(
      'unknown-image-format',
      source,
      bytes.length === 0 ? 'is empty.' : 'is not an image of a known format.',
      `Formats: ${imageFormats.join(', ')}.`,
    )
  if (!formats.includes(format))
    throw problem('format-not-allowed', source, `is ${format}.`, `Allowed formats: ${formats.join(', ')}.`)
  const { default: sharpOf } = await import('sharp')
  const metadata = await decoding(source, () => sharpOf(bytes, { limitInputPixels: false }).metadata())
  const { width, height } = sizeOf(metadata, options)
  if (width * height > maxPixels)
    throw problem(
      'too-large',
      source,
      `is ${width} x ${height} pixels, more than ${maxPixels} in all.`,
      'Make it smaller, or raise maxPixels.',
    )
  return {
    sharp: sharpOf(bytes, { limitInputPixels: maxPixels, failOn: 'truncated', pages: 1 }),
    metadata,
    format,
    bytes,
  }
}

function sizeOf({ width, height, autoOrient }: Metadata, options: ImageOptions) {
  return options.autoOrient ? { width: autoOrient.width, height: autoOrient.height } : { width, height }
}

async function decoding<T>(source: ImageSource, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw problem(
      'broken-image',
      source,
      `cannot be decoded: ${messageOf(error).replaceAll('\n', ' ')}.`,
      'The file may be truncated or damaged.',
      error,
    )
  }
}

async function bytesOf(source: ImageSource, options: ImageOptions): Promise<Uint8Array> {
  const { maxBytes = defaults.maxBytes } = options.limits ?? {}
  const tooLarge = (length: number) =>
    problem(
      'too-large',
      source,
      `has ${length} bytes, more than ${maxBytes}.`,
      'Make it smaller, or raise maxBytes.',
    )
  if ('bytes' in source) {
    if (source.bytes.length > maxBytes) throw tooLarge(source.bytes.length)
    return source.bytes
  }
  if ('url' in source) {
    if (/^data:/i.test(source.url)) {
      if (source.url.length > 3 * maxBytes + 256) throw tooLarge(Math.floor(source.url.length / 3))
      const bytes = bytesOfDataUrl(source)
      if (bytes.length > maxBytes) throw tooLarge(bytes.length)
      return bytes
    }
    const { allowUrls = false, timeoutMs = 10_000, signal } = options
    if (allowUrls === false)
      throw problem(
        'url-not-allowed',
        source,
        'is a URL and URLs are not fetched.',
        'Allow it with allowUrls.',
      )
    return fetchBytes(source.url, {
      maxBytes,
      timeoutMs,
      allows: allowUrls === 'any' ? () => true : isPublicAddress,
      ...(signal ? { signal } : {}),
    })
  }
  return bytesOfFile(source, options, maxBytes, tooLarge)
}

async function bytesOfFile(
  source: { readonly path: string },
  { baseDirectory = '.', allowOutside = false }: ImageOptions,
  maxBytes: number,
  tooLarge: (length: number) => GuerdonError,
): Promise<Uint8Array> {
  if (!mayReadImageFiles())
    throw problem(
      'path-not-allowed',
      { bytes: new Uint8Array() }, // a message must not repeat a path that a stranger wrote
      'is a path, and no files are read here.',
      'Send it as a data URL.',
    )
  if (source.path.includes('\0')) throw problem('unreadable', source, 'has a path with a zero byte.')
  const unreadable = (error: unknown) => {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return problem(
      'unreadable',
      source,
      missing ? 'does not exist.' : `cannot be read: ${messageOf(error)}.`,
      missing ? `Image paths are relative to ${baseDirectory}.` : undefined,
      error,
    )
  }
  // Links are followed before the path is judged: what counts is where it leads.
  const base = await realpath(baseDirectory).catch((error) => {
    throw unreadable(error)
  })
  const wanted = resolve(base, source.path)
  const isInside = (path: string) => {
    const way = relative(base, path)
    return (
      way !== '..' && !way.startsWith(`..${process.platform === 'win32' ? '\\' : '/'}`) && !isAbsolute(way)
    )
  }
  const outside = () =>
    problem(
      'outside',
      source,
      `leads out of ${baseDirectory}.`,
      'Move the image there, or allow it with allowOutside.',
    )
  if (!allowOutside && !isInside(wanted)) throw outside()
  const path = await realpath(wanted).catch((error) => {
    throw unreadable(error)
  })
  if (!allowOutside && !isInside(path)) throw outside()
  const file = await open(path).catch((error) => {
    throw unreadable(error)
  })
  try {
    const status = await file.stat()
    if (!status.isFile()) throw problem('unreadable', source, 'is not a file.')
    if (status.size > maxBytes) throw tooLarge(status.size)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function bytesOfDataUrl(source: { readonly url: string }): Uint8Array {
  const comma = source.url.indexOf(',')
  const head = source.url.slice(0, Math.max(comma, 0))
  if (comma < 0) throw problem('bad-url', source, 'is a data URL without data.')
  const data = source.url.slice(comma + 1)
  if (/;base64$/i.test(head)) return Buffer.from(data, 'base64')
  const unescaped = data.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(unescaped, 'latin1')
}

/** The format by the first bytes, whatever the name or media type says. */
function formatOf(bytes: Uint8Array): ImageFormat | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 32)).toString('latin1')
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (head.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (/^GIF8[79]a/.test(head)) return 'gif'
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'webp'
  if (/^....ftyp(?:avif|avis|mif1)/s.test(head)) return 'avif'
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return 'tiff'
  return undefined
}

function problem(
  code: string,
  source: ImageSource,
  what: string,
  fix?: string,
  cause?: unknown,
): GuerdonError {
  return new GuerdonError(code, `the image ${named(source)}${what}`, {
    ...('path' in source ? { place: { file: source.path } } : {}),
    ...(fix ? { fix } : {}),
    ...(cause === undefined ? {} : { cause }),
  })
}

function named(source: ImageSource): string {
  return 'url' in source && !/^data:/i.test(source.url) ? `${source.url.split('?')[0]} ` : ''
}
