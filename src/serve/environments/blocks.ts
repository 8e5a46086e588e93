import type { ImageSource, Part } from '../../core/index.ts'

/** The text of what a policy sees; an image is said to be there. For callers that take text alone. */
export function textOfBlocks(content: readonly Part[]): string {
  return content
    .map((part) => {
      switch (part.type) {
        case 'text':
          return part.text
        case 'json':
          return JSON.stringify(part.json)
        default:
          return `[${part.type}]`
      }
    })
    .join('\n')
}

/** An image's bytes in base64, without a prefix, and its media type. */
export interface EncodedImage {
  readonly data: string
  readonly mediaType: string
}

/** Every image of what a policy sees, video frames included; those that are not here in bytes are left out. */
export function imagesOfBlocks(content: readonly Part[]): EncodedImage[] {
  return content.flatMap((part) => {
    const sources = part.type === 'image' ? [part.image] : part.type === 'video' ? part.frames : []
    return sources.flatMap((source) => (source && encoded(source)) ?? [])
  })
}

/** Environments give bytes or data URLs: an observation never makes this server read a file or ask another one. */
function encoded(source: ImageSource): EncodedImage | undefined {
  if ('bytes' in source)
    return {
      data: Buffer.from(source.bytes).toString('base64'),
      mediaType: source.mediaType ?? 'image/png',
    }
  if (!('url' in source)) return undefined
  const match = /^data:([\w/+.-]+);base64,(.*)$/s.exec(source.url)
  return match ? { mediaType: match[1]!, data: match[2]! } : undefined
}
